"""Faults in what is done with calls show to an outsider: a flow goes one way without the fault, and another way with it.

A sample is tried each time, one of each flow; with RINGTRUE_ALL_FAULTS in the environment all of them are.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from harness.reference.faults import FAULTS
from harness.reference.faults.mediaservice import calls as mediaservice_calls
from harness.reference.faults.mediaservice import dialling as mediaservice_dialling
from harness.reference.faults.mediaservice import ivr as mediaservice_ivr
from harness.reference.faults.mediaservice import remote as mediaservice_remote
from harness.reference.media import SdpError
from harness.reference.sip import CallFailed
from tests.reference.mediaservice import flows, flows_ivr
from tests.reference.mediaservice.bench import inside
from tests.reference.mediaservice.flows import Seen
from tests.reference.mediaservice.visible import VISIBLE

_ALL = "RINGTRUE_ALL_FAULTS" in os.environ
# Those whose faulty runs wait for nothing.
_SAMPLE = {
    "connected_call": "bye-without-reason",
    "cancelled_calls": "cancel-answered-with-480",
    "dropped_calls": "dropCodes-alike",
    "failed_call": "callAnswered-on-refusal",
    "hung_up_calls": "hangupparticipant-other",
    "ivr_call": "digits-doubled",
    "led_on_call": "httpcall-receivePort",
    "listed_calls": "newCall-call-destAddr-list-tried-ignored",
    "placed_calls": "placeivrcall-answered-untold",
    "recorded_calls": "recording-empty",
    "remote_calls": "answerremotecall-all",
    "second_ivr_call": "phrase-file-ignored",
    "split_call": "split-keeps-media",
}
_TRIED = [(flow, fault) for flow, faults in VISIBLE.items() for fault in faults if _ALL or _SAMPLE.get(flow) == fault]
_HEALTHY: dict[str, Seen] = {}


async def _seen(flow: str, fault: str | None) -> Seen:
    async with inside(fault) as bench, asyncio.timeout(40):
        try:
            seen: Seen = await getattr(flows if hasattr(flows, flow) else flows_ivr, flow)(bench)
        except (CallFailed, SdpError, AssertionError) as broke:
            # A flow that cannot go on has gone another way, too.
            return {"broke": repr(broke)}
        return seen


@pytest.mark.parametrize(("flow", "fault"), _TRIED)
def test_a_fault_makes_a_flow_go_another_way(flow: str, fault: str) -> None:
    if flow not in _HEALTHY:
        _HEALTHY[flow] = asyncio.run(_seen(flow, None))
        assert "broke" not in _HEALTHY[flow]
    assert asyncio.run(_seen(flow, f"mediaservice-{fault}")) != _HEALTHY[flow]


def test_every_fault_in_what_is_done_with_calls_has_its_flow() -> None:
    listed = [fault for faults in VISIBLE.values() for fault in faults]
    assert len(listed) == len(set(listed))
    modules = (mediaservice_calls, mediaservice_dialling, mediaservice_ivr, mediaservice_remote)
    made = {fault.id.removeprefix("mediaservice-") for module in modules for fault in module.collect.faults}
    assert made - set(listed) == set()
    assert {f"mediaservice-{fault}" for fault in listed} <= set(FAULTS)
    assert {(flow, fault) for flow, fault in _SAMPLE.items() if fault not in VISIBLE[flow]} == set()
