"""Steps of the VTX features; `harness.suites.plugin` registers the modules named here."""

from __future__ import annotations

import pytest

from harness.suites.contract.resources import Workbench
from harness.suites.scenario import Scenario
from harness.suites.scenarios.vtx.world import World

STEPS = ("access", "subscriptions", "calls", "call_logs", "presence")


@pytest.fixture
def vtx(scenario: Scenario) -> World:
    """What the scenario has made and seen so far."""
    return World(scenario, Workbench(scenario))
