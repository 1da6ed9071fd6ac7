"""Hooks of our own, through which reporters learn what happens in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from harness.suites.scenario import Scenario
    from harness.verdicts import Finding


def pytest_ringtrue_concluded(item: pytest.Item, scenario: Scenario, findings: list[Finding]) -> None:
    """A test has been judged; it is about to end. Called in the worker, while the test's Allure result is still open."""
