"""Each fault of the HTTP side breaks the promise that it names: the promise is kept without it and broken with it."""

from __future__ import annotations

import asyncio

import pytest

from harness.reference.faults import FAULTS, MODULES
from tests.reference.apidaze.client import Client, ScriptServer
from tests.reference.apidaze.in_process import Api
from tests.reference.apidaze.promises import PROMISES, Promise
from tests.reference.platform_process import Platform


async def _kept(promise: Promise, fault: str | None, script_server: ScriptServer) -> bool:
    api = Api(fault, script_server)
    async with api.http:
        await api.open()
        kept = await promise(api)
    await api.system.fetcher.close()
    return kept


_HEALTHY: dict[Promise, bool] = {}


def _kept_when_healthy(promise: Promise, script_server: ScriptServer) -> bool:
    if promise not in _HEALTHY:
        _HEALTHY[promise] = asyncio.run(_kept(promise, None, script_server))
    return _HEALTHY[promise]


def test_no_two_faults_share_an_id() -> None:
    assert len(FAULTS) == sum(len(module.collect.faults) for module in MODULES)


@pytest.mark.parametrize("fault", PROMISES)
def test_a_fault_breaks_the_promise_that_is_kept_without_it(fault: str) -> None:
    with ScriptServer() as script_server:
        assert _kept_when_healthy(PROMISES[fault], script_server)
        assert not asyncio.run(_kept(PROMISES[fault], fault, script_server))


def test_faults_given_on_the_command_line_act_together_and_are_logged() -> None:
    names = ("apidaze-update-lost", "apidaze-header-sunset-missing")
    with Platform("--system", "apidaze", *(word for name in names for word in ("--fault", name))) as platform:
        with Client(platform.apidaze) as client:
            path = f"/sipaccounts/{client.account('alice')['id']}"
            answer = client("PUT", path, data={"name": "New"})
            assert "sunset" not in answer.headers
            assert client("GET", path).json()["name"] == ""
        for name in names:
            assert f"fault {name} is on" in platform.log()
