"""Steps of the Callable features; `harness.suites.plugin` registers the modules named here."""

from __future__ import annotations

import pytest

from harness.suites.contract.resources import Workbench
from harness.suites.scenario import Scenario
from harness.suites.scenarios.callable.calls import Calls
from harness.suites.scenarios.callable.world import World

STEPS = ("access", "accounts", "resources", "voice", "verbs", "inbound", "hook_calls")


@pytest.fixture
def site(scenario: Scenario) -> World:
    """What the scenario has made and seen so far."""
    return World(scenario, Workbench(scenario))


@pytest.fixture
def calls(site: World) -> Calls:
    """The phones and calls of the scenario."""
    return Calls(site)
