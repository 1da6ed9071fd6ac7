"""Ends a run early and in order: at its time limit, or at the first deviation.

Every process that runs tests asks before each of them; what is going on is let end, so nothing that was recorded is lost and
everything is cleaned up. A test that is not run any more says so in every report.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.suites.outcome import FINDINGS
from harness.suites.plan import Plan
from harness.suites.repeating import runs_before
from harness.verdicts import Finding, Reason, Verdict

NOT_RUN = "not run: "
_FLAG = ".stop"


def ask_to_stop(run_dir: Path, why: str) -> None:
    """Have no further test of this run begin, in any process."""
    (run_dir / _FLAG).write_text(why, encoding="utf-8")


def forget(run_dir: Path) -> None:
    """Take away what `ask_to_stop` left: before a run, and after it."""
    (run_dir / _FLAG).unlink(missing_ok=True)


def overdue(plan: Plan) -> bool:
    """Whether the run's time is over."""
    return plan.max_seconds is not None and plan.clock.now() - plan.clock.wall >= plan.max_seconds


def is_stopped(plan: Plan) -> bool:
    """Whether no further test is to begin."""
    return overdue(plan) or (plan.run_dir / _FLAG).exists()


def skip_when_stopped(item: pytest.Item, plan: Plan) -> None:
    """Raises pytest's skip for a test that is not to begin; its clauses are undecided where the time was over."""
    marker = item.get_closest_marker("judges")
    if marker is None or runs_before(item):  # a repeat belongs to a test that has begun
        return
    if overdue(plan):
        words = f"{NOT_RUN}the time limit of {shown(plan.max_seconds)} was reached"
        title = marker.kwargs.get("title", item.name)
        findings = [
            Finding(clause, Verdict.INCONC, words, title, reason=Reason.TIMEOUT, source=item.nodeid).to_json()
            for clause in marker.kwargs.get("clauses", ())
        ]
        item.user_properties.append((FINDINGS, findings))
        pytest.skip(words)
    flag = plan.run_dir / _FLAG
    if flag.exists():
        pytest.skip(NOT_RUN + flag.read_text(encoding="utf-8"))


def shown(seconds: float | None) -> str:
    """A length of time as users write it: 90s, 10m, 1h30m."""
    left = round(seconds or 0)
    parts = [(left // 3600, "h"), (left % 3600 // 60, "m"), (left % 60, "s")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or f"{seconds:g}s"
