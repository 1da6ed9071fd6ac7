"""Whole calls as data files: honest ones fail nothing, and each broken one fails exactly what it breaks.

How the files came about: tests/checks/data/make.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.checks import check_timeline
from harness.contract import load_contracts
from harness.timeline import Timeline
from harness.verdicts import Finding, Verdict

DATA = Path(__file__).parent / "data"
HONEST = sorted((DATA / "honest").glob("*.jsonl"))
BROKEN = sorted((DATA / "broken").glob("*.jsonl"))


def judged(path: Path) -> tuple[dict[str, Any], list[Finding]]:
    expected = json.loads(path.read_text(encoding="utf-8").partition("\n")[0])
    system = expected["system"]
    timeline = Timeline.read(path)
    watched = ["http", "callback", "sip", "note"]
    return expected, list(check_timeline(timeline, load_contracts((system,)), {}, system=system, observed=watched))


def clauses(findings: list[Finding], verdict: Verdict) -> set[str]:
    return {finding.clause for finding in findings if finding.verdict is verdict}


@pytest.mark.parametrize("path", HONEST, ids=[path.stem for path in HONEST])
def test_an_honest_call_breaks_nothing_and_shows_what_it_can(path: Path) -> None:
    expected, findings = judged(path)
    assert [finding for finding in findings if finding.verdict is Verdict.FAIL] == []
    assert set(expected["passes"]) <= clauses(findings, Verdict.PASS)


@pytest.mark.parametrize("path", BROKEN, ids=[path.stem for path in BROKEN])
def test_a_broken_call_fails_what_it_breaks_and_nothing_else(path: Path) -> None:
    expected, findings = judged(path)
    assert clauses(findings, Verdict.FAIL) == set(expected["fails"])
    assert set(expected["undecided"]) <= clauses(findings, Verdict.INCONC)
    assert not set(expected["undecided"]) & clauses(findings, Verdict.PASS)


@pytest.mark.parametrize("path", BROKEN, ids=[path.stem for path in BROKEN])
def test_a_deviation_names_the_events_that_show_it(path: Path) -> None:
    _, findings = judged(path)
    count = len(Timeline.read(path))
    broken = [finding for finding in findings if finding.verdict is not Verdict.PASS]
    assert broken
    for finding in broken:
        assert finding.at
        assert all(0 <= seq < count for seq in finding.at)
        assert finding.message
