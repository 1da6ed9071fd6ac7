"""Each Callable fault breaks the promise that it names: the promise is kept without it and broken with it."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from harness.reference.faults import FAULTS
from harness.reference.faults.callable import members as callable_members
from tests.reference.callable import promises_calls
from tests.reference.callable.client import Client
from tests.reference.callable.in_process import api, rig
from tests.reference.callable.promises_http import PROMISES, SHORT_LIVED, Promise, problems, shown
from tests.reference.platform_process import Platform

_HEALTHY: dict[object, bool] = {}


async def _kept(promise: Promise, *faults: str) -> bool:
    if getattr(promise, "__module__", "") == promises_calls.__name__:
        async with rig(*faults) as made:
            return await promise(made)
    async with api(*faults, life=1 if promise in SHORT_LIVED else 3599) as made:
        return await promise(made)


def _kept_when_healthy(promise: Promise) -> bool:
    # Promises that are made from tables are the same one when their arguments are.
    key = (promise.func, promise.args) if isinstance(promise, partial) and _plain(promise) else promise
    if key not in _HEALTHY:
        _HEALTHY[key] = asyncio.run(_kept(promise))
    return _HEALTHY[key]


def _plain(promise: partial[object]) -> bool:
    return all(isinstance(argument, str) for argument in promise.args)


@pytest.mark.parametrize("fault", PROMISES)
def test_a_fault_breaks_the_promise_that_is_kept_without_it(fault: str) -> None:
    assert _kept_when_healthy(PROMISES[fault])
    assert not asyncio.run(_kept(PROMISES[fault], fault))


def test_every_fault_is_tested() -> None:
    catalogue = [fault.id for fault in FAULTS.values() if fault.system == "callable"]
    assert sorted(catalogue) == sorted(PROMISES)


def test_a_fault_of_a_member_breaks_that_member_alone() -> None:
    """But for its parts: a group that is no object has no members."""

    async def broken(fault: str) -> set[str]:
        async with api(fault) as made:
            return {
                f"CA-{schema}.{place}".removesuffix(".")
                for schema, items in (await shown(made)).items()
                for item in items
                for place in problems(schema, item)
            }

    for fault in callable_members.collect.faults:
        if fault.id.endswith(("-type", "-minimum", "-pattern")) and "-sipgateway-" in fault.id:
            place = fault.clause.partition(":")[0]
            assert {found.partition(":")[0] for found in asyncio.run(broken(fault.id))} == {place}, fault.id


def test_a_fault_given_on_the_command_line_acts() -> None:
    with Platform("--system", "callable", "--fault", "callable-address-update-lost") as platform:
        assert "fault callable-address-update-lost is on" in platform.log()
        with Client(platform.ready["systems"]["callable"]) as client:
            before = client("GET", "/address").json()
            assert client("PUT", "/address", {"line1": "elsewhere"}).status_code == 204
            assert client("GET", "/address").json() == before
