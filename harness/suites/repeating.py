"""Runs a test that found a deviation again, to tell what repeats: what was seen in one of three runs only is flaky.

The plugin lets `run_protocol` take the place of pytest's own; `outcome` weighs the runs. Whatever shows twice stands, and so
does what a repeat could not clear: a deviation is only unsaid by two clean runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from harness.findings import Finding, Reason, Verdict

if TYPE_CHECKING:
    from harness.suites.scenario import Scenario

RUNS = 3
"""Of one test at most."""
DEFAULT_REPEATS = 20
"""Of all tests of a run: where more deviate than that can tell, it is no flicker."""


@dataclass(frozen=True)
class TestRun:
    """What one run of a test found. `complete`: its steps came to their end, so what they would have shown did not show."""

    __test__ = False
    findings: tuple[Finding, ...]
    complete: bool = True

    def clears(self, clause: str) -> bool:
        """Whether this run would have shown the clause broken, and shows it kept."""
        verdicts = {finding.verdict for finding in self.findings if finding.clause == clause}
        if any(finding.verdict is Verdict.ERROR for finding in self.findings) or verdicts - {Verdict.PASS}:
            return False
        return self.complete or Verdict.PASS in verdicts


Counts = Callable[[Finding], bool]


def weigh(runs: Sequence[TestRun], counts: Counts) -> list[Finding]:
    """What the runs of a test say together: the first one's findings, deviations that came later, and what is flaky.

    `counts`: whether a deviation is one that somebody would look into.
    """
    broken = _broken(runs, counts)
    flaky = {clause for clause, shown in broken.items() if _is_flaky(clause, shown, runs)}
    found: list[Finding] = []
    for number, run in enumerate(runs):
        for finding in run.findings:
            if finding.clause in flaky and finding.verdict is Verdict.FAIL and counts(finding):
                found.append(_once(finding))
            elif (
                number == 0 or finding.clause in flaky or (finding.verdict is Verdict.FAIL and finding.clause in broken)
            ):
                found.append(finding)
    return found


def is_open(runs: Sequence[TestRun], counts: Counts) -> bool:
    """Whether another run may tell that a deviation does not repeat."""
    if len(runs) >= RUNS:
        return False
    return any(
        len(shown) == 1 and all(run.clears(clause) for run in runs if run not in shown)
        for clause, shown in _broken(runs, counts).items()
    )


def _broken(runs: Sequence[TestRun], counts: Counts) -> dict[str, list[TestRun]]:
    """The runs in which each clause deviated."""
    broken: dict[str, list[TestRun]] = {}
    for run in runs:
        for clause in dict.fromkeys(one.clause for one in run.findings if one.verdict is Verdict.FAIL and counts(one)):
            broken.setdefault(clause, []).append(run)
    return broken


def _is_flaky(clause: str, shown: Sequence[TestRun], runs: Sequence[TestRun]) -> bool:
    return len(runs) == RUNS and len(shown) == 1 and all(run.clears(clause) for run in runs if run is not shown[0])


def _once(finding: Finding) -> Finding:
    """A deviation that did not repeat."""
    words = f"{finding.message} (in one of {RUNS} runs of the test; the others are clean)"
    return replace(finding, verdict=Verdict.INCONC, reason=Reason.FLAKY, message=words)


_runs = pytest.StashKey[list[TestRun]]()
_again = pytest.StashKey[bool]()


def runs_before(item: pytest.Item) -> list[TestRun]:
    """The runs that this test has had; the list is the test's own."""
    return item.stash.setdefault(_runs, [])


def want_again(item: pytest.Item, scenario: Scenario, counts: Counts) -> bool:
    """Whether the test is to be run once more, as far as time and the number of repeats allow it."""
    from harness.suites.stopping import is_stopped

    worker = scenario.worker
    wanted = worker.repeats > 0 and is_open(runs_before(item), counts) and not is_stopped(scenario.plan)
    worker.repeats -= wanted
    item.stash[_again] = wanted
    return wanted


def run_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run a test as pytest does, again as long as it is wanted; the last run is reported, and what all of them found."""
    from _pytest.runner import runtestprotocol

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports: list[pytest.TestReport] = []
    try:
        while True:
            item.stash[_again] = False
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            if not item.stash[_again] or any(report.failed and report.when != "call" for report in reports):
                break
            # Reporters (Allure) end the run here, and begin another one of the same test.
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    finally:  # an interruption in a repeat leaves what the run before it found
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
