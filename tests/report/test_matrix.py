"""The clause matrix: counts that add up, deviations worst first, and three lines that say what, where and how."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from harness.clauses import Catalogue
from harness.report.matrix import deviations, matrix_rows, print_rich, render_plain, three_lines
from harness.verdicts import Finding, Reason, Verdict
from tests.report.runs import BROKEN, CATALOGUE, FINDINGS, clause, finished, record


def test_rows_follow_the_catalogue_and_the_last_one_adds_them_up() -> None:
    rows = matrix_rows(finished())
    assert [(row.system, row.area, row.total) for row in rows] == [
        ("toy", "Calls", 4),
        ("toy", "Rings", 3),
        ("", "all", 7),
    ]
    calls, rings, everything = rows
    assert (calls.passed, calls.failed, calls.errors, calls.not_judged) == (1, 1, 1, 1)
    assert (rings.warned, rings.inconclusive) == (1, 2)
    for row in rows:
        counts = (row.passed, row.failed, row.warned, row.inconclusive, row.errors, row.not_judged)
        assert sum(counts) == row.total
    assert [*everything.cells.values()] == ["", "all", "7", "1", "1", "1", "2", "1", "·", "1"]
    assert "·" in calls.cells.values()


def test_deviations_come_worst_first_and_leave_out_what_is_fine() -> None:
    assert [item.clause.id for item in deviations(finished())] == [
        "TY-broken", "TY-crashed", "TY-usual", "TY-open", "TY-unseen",
    ]  # fmt: skip


def test_a_deviation_is_told_in_three_lines() -> None:
    items = {item.clause.id: three_lines(item) for item in deviations(finished())}
    assert items["TY-broken"] == [
        "FAIL   TY-broken  Promise of broken [TD Telling]",
        "       ring: rings twice | <b>: expected once `x`; seen twice",
        "       curl http://h",
    ]
    assert items["TY-usual"][0].startswith("WARN ")
    assert items["TY-usual"][1:] == ["       test_y: is unusual", "       test_y"]
    assert items["TY-open"][2] == "       timelines/z.jsonl"
    assert items["TY-unseen"] == ["INCONC TY-unseen  Promise of unseen [TD Telling]", "       no evidence"]


def test_the_finding_shown_is_the_one_that_decided() -> None:
    open_first = Finding("TY-broken", Verdict.INCONC, "not known", reason=FINDINGS[3].reason)
    run = finished((open_first, BROKEN))
    assert "rings twice" in three_lines(deviations(run)[0])[1]


def test_the_plain_text_has_matrix_deviations_and_conclusion(tmp_path: Path) -> None:
    text = render_plain(record(tmp_path))
    lines = text.splitlines()
    assert lines[0].split() == ["system", "area", "clauses", "pass", "fail", "warn", "inconc", "error", "not", "judged"]
    assert len({len(line) for line in lines[:4]}) == 1
    assert "INCONC 1 clause: no evidence" in text
    assert lines[-2] == "deviates: 1 clause failed (12.3 s, exit code 1)"
    assert lines[-1] == str(tmp_path)


def test_a_run_without_deviations_says_only_so(tmp_path: Path) -> None:
    run = finished((Finding("TY-kept", Verdict.PASS),), Catalogue([clause("kept")]))
    text = render_plain(record(tmp_path, run))
    assert text.splitlines()[-2].startswith("conforms: 1 of 1")
    assert "TY-kept" not in text


def test_of_very_many_deviations_twenty_are_told(tmp_path: Path) -> None:
    clauses = [clause(f"c{number}") for number in range(50)]
    run = finished(tuple(replace(BROKEN, clause=one.id) for one in clauses), Catalogue(clauses))
    text = render_plain(record(tmp_path, run))
    assert text.count("FAIL ") == 20
    assert "… and 30 more in verdicts.json" in text


def test_clauses_that_are_undecided_for_one_reason_are_told_together(tmp_path: Path) -> None:
    clauses = [clause(f"c{number:02}") for number in range(30)]
    users = "the target names\n no user"
    why = [users] * 25 + ["no answer"] * 2 + [users] * 3
    open_ = [
        Finding(one.id, Verdict.INCONC, words, "ring", reason=Reason.TIMEOUT, timeline=f"timelines/{one.id}.jsonl")
        for one, words in zip(clauses, why, strict=True)
    ]
    run = finished((replace(BROKEN, clause="TY-c29"), *open_), Catalogue(clauses))
    text = render_plain(record(tmp_path, run))
    assert text.count("INCONC ") == 3
    assert "INCONC 27 clauses: the target names no user\n       TY-c00, TY-c01, TY-c02," in text
    assert "TY-c07 and 19 more\n       timelines/TY-c00.jsonl\n" in text
    assert "INCONC TY-c25 " in text
    assert "FAIL   TY-c29 " in text
    assert "more in verdicts.json" not in text


def test_a_terminal_gets_the_same_words_and_markup_of_a_target_stays_text(tmp_path: Path) -> None:
    hostile = replace(BROKEN, seen="[bold red]x[/] [/nope] [link=http://evil]y[/link]")
    stream = io.StringIO()
    console = Console(file=stream, width=200, force_terminal=False, color_system=None)
    print_rich(record(tmp_path, finished((hostile,))), console, "reports/x")
    text = stream.getvalue()
    assert "[bold red]x[/] [/nope] [link=http://evil]y[/link]" in text
    assert "deviates: 1 clause failed (12.3 s, exit code 1)" in text
    assert "reports/x: verdicts.json" in text
    assert all(str(row.total) in text for row in matrix_rows(finished()))
    assert len(CATALOGUE) == 7


def test_what_a_platform_says_does_not_steer_the_terminal() -> None:
    hostile = replace(
        BROKEN, message="cleared \x1b[2J\x07 and \u202e turned", seen="\x9b31m", reproduce="curl \x1b]0;x\x07"
    )
    run = finished((hostile,))
    text = "\n".join(line for item in deviations(run) for line in three_lines(item))
    assert "cleared" in text
    assert all(character.isprintable() for character in text.replace("\n", ""))
