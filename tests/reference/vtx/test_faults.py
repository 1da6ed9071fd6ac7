"""Each VTX fault breaks the promise that it names: the promise is kept without it and broken with it."""

from __future__ import annotations

import asyncio

import pytest

from harness.reference.faults import FAULTS
from tests.reference.platform_process import Platform
from tests.reference.vtx.client import Client
from tests.reference.vtx.in_process import rig
from tests.reference.vtx.promises import PROMISES, Promise

_HEALTHY: dict[Promise, bool] = {}


async def _kept(promise: Promise, *faults: str) -> bool:
    async with rig(*faults) as made:
        made.system.notifier.settle = made.system.notifier.retry = 0.02
        return await promise(made)


@pytest.mark.parametrize("fault", PROMISES)
def test_a_fault_breaks_the_promise_that_is_kept_without_it(fault: str) -> None:
    promise = PROMISES[fault]
    if promise not in _HEALTHY:
        _HEALTHY[promise] = asyncio.run(_kept(promise))
    assert _HEALTHY[promise]
    assert not asyncio.run(_kept(promise, fault))


def test_every_vtx_fault_is_tested_and_has_an_id_of_its_own() -> None:
    catalogue = [fault.id for fault in FAULTS.values() if fault.system == "vtx"]
    assert sorted(catalogue) == sorted(PROMISES)


def test_a_fault_given_on_the_command_line_acts() -> None:
    with Platform("--system", "vtx", "--fault", "vtx-application-unchecked") as platform:
        assert "fault vtx-application-unchecked is on" in platform.log()
        with Client(platform.ready["systems"]["vtx"], x_c5_application=None) as client:
            assert client("GET", "/v1/system/server").status_code == 200
