"""A run of the toy system in a folder of a test: a plan, a worker, a scenario, and the item that pytest would hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.suites import outcome, repeating
from harness.suites.plan import Plan
from harness.suites.scenario import Scenario, Worker
from harness.target import SystemTarget, Target
from harness.timeline import Clock
from tests.checks.build import BASE, toy_contract


def make_plan(folder: Path, **options: Any) -> Plan:
    """A plan whose only system is the toy of the checks' tests."""
    specs = folder / "specs"
    if not specs.is_dir():
        specs.mkdir()
        toy_contract(specs)
    target = Target(systems={"toy": SystemTarget(base_url=BASE, password="canary-secret")})
    return Plan(folder / "run", target, Clock.start(), specs=(specs,), **options)


def make_scenario(plan: Plan, clauses: Iterable[str] = ()) -> Scenario:
    return Scenario(Worker(plan), "toy", "test_it[a/b]", "A phone rings", clauses)


class Item(SimpleNamespace):
    """As much of a pytest item as `conclude` uses; `concluded` is what the hook was called with."""

    def __init__(self, scenario: Scenario | None) -> None:
        self.concluded: list[Any] = []
        hook = SimpleNamespace(pytest_ringtrue_concluded=lambda **given: self.concluded.append(given))
        super().__init__(
            nodeid="suite::test_it", stash=pytest.Stash(), user_properties=[], config=SimpleNamespace(hook=hook)
        )
        if scenario is not None:
            self.stash[outcome._scenario] = scenario

    def renew(self, scenario: Scenario) -> None:
        """The next run of the test works with this scenario."""
        self.stash[outcome._scenario] = scenario

    @property
    def wants_another(self) -> bool:
        """Whether the test is to be run again."""
        return bool(self.stash.get(repeating._again, False))

    def findings(self) -> list[dict[str, Any]]:
        """What travels to the controlling process."""
        found: list[dict[str, Any]] = dict(self.user_properties).get(outcome.FINDINGS, [])
        return found
