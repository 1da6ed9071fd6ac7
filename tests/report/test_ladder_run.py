"""`ringtrue run -v`: one ladder for each scenario that deviates, a few at most, and a word where there is none to read."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from harness.report.ladder_run import MOST_LADDERS, deviating, print_ladders
from harness.timeline import Timeline
from harness.verdicts import Finding, Verdict
from tests.report.runs import BROKEN, CATALOGUE, finished, record


def printed(folder: Path, *findings: Finding, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    print_ladders(record(folder, finished(findings)), Console(file=stream, highlight=False, soft_wrap=True))
    stream.flush()
    return raw.getvalue().decode(encoding)


def timeline(folder: Path, name: str) -> None:
    with Timeline(name, path=folder / "timelines" / f"{name}.jsonl") as record:
        for step in ("first", "second"):
            record.note(step, f"of {name}")


def deviation(name: str, at: int = 1) -> Finding:
    return replace(BROKEN, timeline=f"timelines/{name}.jsonl", at=(at,), subject=f"Scenario {name}")


def test_each_deviating_scenario_is_drawn_with_its_finding(tmp_path: Path) -> None:
    timeline(tmp_path, "x")
    text = printed(tmp_path, deviation("x"))
    assert [line.strip() for line in text.splitlines() if line] == [
        "Scenario x",
        "seconds implementation",
        "0.000   · first: of x",
        "0.000   · second: of x",
        "✗ fail TY-broken: rings twice | <b>",
        "timelines/x.jsonl",
    ]


def test_scenarios_that_pass_or_are_undecided_are_not_drawn(tmp_path: Path) -> None:
    findings = (
        Finding("TY-kept", Verdict.PASS, timeline="timelines/a.jsonl"),
        Finding("TY-open", Verdict.INCONC, timeline="timelines/b.jsonl"),
    )
    assert deviating(finished(findings)) == {}
    assert printed(tmp_path, *findings) == ""


def test_an_inferred_clause_is_drawn_as_a_warning(tmp_path: Path) -> None:
    timeline(tmp_path, "y")
    finding = Finding("TY-usual", Verdict.FAIL, "is unusual", timeline="timelines/y.jsonl", at=(0,))
    assert "! warn TY-usual: is unusual" in printed(tmp_path, finding)


def test_a_timeline_that_cannot_be_read_is_said_and_the_others_are_drawn(tmp_path: Path) -> None:
    timeline(tmp_path, "whole")
    (tmp_path / "timelines" / "torn.jsonl").write_text('{"kind": "hea')
    text = printed(tmp_path, deviation("torn"), deviation("gone"), deviation("whole"))
    assert text.count("no ladder:") == 2
    assert "Scenario whole" in text


def test_more_than_a_few_are_counted(tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(MOST_LADDERS + 3)]
    for name in names:
        timeline(tmp_path, name)
    # Each with a message of its own: of one deviation a run keeps a few findings only.
    clauses = [clause.id for clause in CATALOGUE if not clause.untestable]
    findings = [replace(deviation(name), clause=clauses[n % 3], message=f"m{'x' * n}") for n, name in enumerate(names)]
    text = printed(tmp_path, *findings)
    assert text.count("seconds implementation") == MOST_LADDERS
    assert "and 3 more scenarios deviate" in text


def test_a_terminal_without_unicode_gets_ascii(tmp_path: Path) -> None:
    timeline(tmp_path, "x")
    assert "x fail TY-broken" in printed(tmp_path, deviation("x"), encoding="ascii")
