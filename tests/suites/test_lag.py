"""How late a process is let act is measured, and goes into what a scenario is judged by."""

from __future__ import annotations

import time
from pathlib import Path
from typing import cast

import pytest

from harness.checks.flows.record import Record
from harness.sequences import ORDER_SLACK
from harness.suites.lag import LagMeter
from harness.suites.outcome import conclude
from harness.timeline import Note
from tests.suites.world import Item, make_plan, make_scenario


def stall() -> float:
    """Keep every other thread from running for some tenths of a second; gives how long it was."""
    began = time.monotonic()
    sum(range(30_000_000))
    return time.monotonic() - began


def test_a_stall_is_seen_and_later_forgotten() -> None:
    meter = LagMeter()
    began = time.monotonic()
    stalled = stall()
    deadline = began + 10
    while meter.slack(began) < stalled and time.monotonic() < deadline:
        time.sleep(0.01)
    assert meter.slack(began) >= stalled
    assert meter.slack(time.monotonic() + 60) == ORDER_SLACK


def test_a_scenario_notes_it_and_is_judged_by_it(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    scenario = make_scenario(plan, ["TY-ring"])
    scenario.check("TY-ring", True, "does not ring")
    stall()
    deadline = time.monotonic() + 10
    while scenario.slack < 2 * ORDER_SLACK and time.monotonic() < deadline:
        time.sleep(0.01)
    conclude(cast(pytest.Item, Item(scenario)), None)
    scenario.close()
    noted = [one.data["seconds"] for one in scenario.timeline.of(Note) if one.topic == "slack"]
    assert len(noted) == 1
    assert 2 * ORDER_SLACK <= noted[0] <= scenario.slack + 0.001
    assert Record(scenario.timeline.events, scenario.contract).slack == noted[0]
