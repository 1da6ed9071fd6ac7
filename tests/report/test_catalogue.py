"""The catalogue as users see it: selections, text, JSON, Markdown, and the index page of the shipped systems."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.clauses import Clause, Level, Surface
from harness.contract import Contract, load_contract
from harness.report.catalogue import (
    REGENERATE,
    Selection,
    as_json,
    as_markdown,
    as_text,
    counts,
    ledger_text,
    main,
    render_index,
    select,
    uncovered,
)
from tests.specs.toy import write_toy

COVERAGE = {"TY-ring-rings": ("ring.feature: It rings", "sequence check"), "TY-ring": ("schema check",)}


@pytest.fixture
def toy(tmp_path: Path) -> Contract:
    return load_contract(write_toy(tmp_path))


def ids(clauses: tuple[Clause, ...]) -> set[str]:
    return {clause.id for clause in clauses}


def test_an_empty_selection_shows_everything(toy: Contract) -> None:
    assert len(select(toy.catalogue, Selection())) == len(toy.catalogue)


@pytest.mark.parametrize(
    ("selection", "shown", "hidden"),
    [
        (Selection(levels=(Level.INFERRED,)), "TY-told-once", "TY-ring-rings"),
        (Selection(surfaces=(Surface.SIP,)), "TY-ring-rings", "TY-told-once"),
        (Selection(capabilities=("sip",)), "TY-ring-rings", "TY-ring"),
        (Selection(areas=("Calls",), untestable=False), "TY-ring", "TY-nothing"),
    ],
)
def test_a_selection_lets_only_what_fits_pass(toy: Contract, selection: Selection, shown: str, hidden: str) -> None:
    found = ids(select(toy.catalogue, selection))
    assert shown in found
    assert hidden not in found


def test_a_selection_of_another_system_or_of_untestable_clauses_can_be_empty(toy: Contract) -> None:
    assert not select(toy.catalogue, Selection(systems=("other",)))
    assert not select(toy.catalogue, Selection(untestable=True))


def test_what_nothing_decides_is_uncovered_unless_it_is_untestable(tmp_path: Path) -> None:
    folder = write_toy(tmp_path, {"clauses.yaml": ("capability: sip", "untestable: Nobody hears it")})
    clauses = tuple(load_contract(folder).catalogue)
    found = ids(uncovered(clauses, {"TY-ring": ("schema check",)}))
    assert "TY-told-once" in found
    assert not found & {"TY-ring", "TY-ring-rings"}
    assert counts(clauses, {})["untestable"] == 1


def test_text_has_one_line_per_clause_and_counts_at_the_end(toy: Contract) -> None:
    clauses = tuple(toy.catalogue)
    lines = as_text(clauses, COVERAGE).splitlines()
    assert len(lines) == len(clauses) + 3
    (line,) = [line for line in lines if line.startswith("TY-ring-rings ")]
    assert line.split()[1:4] == ["documented", "sip", "sip"]
    assert "ring.feature: It rings, sequence check" in line
    assert line.endswith("A ring makes the phone ring")
    assert lines[-1].startswith(f"{len(clauses)} clauses, ")


def test_json_holds_clauses_coverage_and_ledger(toy: Contract) -> None:
    document = json.loads(as_json(tuple(toy.catalogue), COVERAGE, {"toy": toy.file.ledger}))
    by_id = {clause["id"]: clause for clause in document["clauses"]}
    assert by_id["TY-ring-rings"]["covered_by"] == ["ring.feature: It rings", "sequence check"]
    assert by_id["TY-told-once"]["level"] == "inferred"
    assert by_id["TY-told-once"]["covered_by"] == []
    assert document["ledger"][0]["topic"] == "How often it rings"
    assert document["counts"]["clauses"] == len(by_id)
    assert document["format"] == 1


def test_markdown_is_a_table_per_area_and_shows_coverage_when_it_is_known(toy: Contract) -> None:
    clauses = tuple(toy.catalogue)
    plain = as_markdown(clauses)
    assert plain.count("## toy: Calls") == 1
    assert "decided by" not in plain
    row = next(line for line in as_markdown(clauses, COVERAGE).splitlines() if "`TY-ring-rings`" in line)
    assert "needs `sip`" in row
    assert row.endswith("| ring.feature: It rings, sequence check |")


def test_cells_cannot_break_a_table(tmp_path: Path) -> None:
    changed = {"clauses.yaml": ("A ring makes the phone ring", "'A | B <c>'")}
    clauses = tuple(load_contract(write_toy(tmp_path, changed)).catalogue)
    assert "A \\| B &lt;c>" in as_markdown(clauses)


def test_the_ledger_says_who_says_what(toy: Contract) -> None:
    text = ledger_text(toy.file.ledger)
    assert "**How often it rings**" in text
    assert "- TD Telling: twice" in text
    assert "Accepted: Either" in text
    assert "`TY-told-once`" in text


def test_the_index_shows_every_clause_flow_and_capability(toy: Contract) -> None:
    page = render_index({"toy": toy})
    assert all(f"| `{clause.id}` |" in page for clause in toy.catalogue)
    assert "| `ring` | A phone rings and the application is told |" in page
    assert "| `sip` | A SIP address is given |" in page


def test_the_module_prints_the_index() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "harness.report.catalogue"], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("# What is promised\n")


def test_an_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--wrote"]) == 2
    assert REGENERATE in capsys.readouterr().err
