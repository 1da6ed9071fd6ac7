"""Steps of the Apidaze features; `harness.suites.plugin` registers the modules named here."""

from __future__ import annotations

import pytest

from harness.suites.contract.resources import Workbench
from harness.suites.scenario import Scenario
from harness.suites.scenarios.apidaze.world import World

STEPS = ("access", "resources", "script_test", "sip_clients")


@pytest.fixture
def world(scenario: Scenario) -> World:
    """What the scenario has made and seen so far."""
    return World(scenario, Workbench(scenario))
