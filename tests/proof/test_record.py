"""`proof.json` and its page: whole, as their schema says, and readable by whoever shows a clause."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema

from harness.proof import record
from harness.proof.expected import Misses
from harness.proof.matrix import Outcome
from harness.proof.page import to_html
from harness.proof.record import Matrix, to_json, write_proof
from harness.report.browse.clause_page import read_proof
from harness.verdicts import Exit
from tests.proof.kills import kill

_SCHEMA = json.loads(Path(record.__file__).with_name("proof.schema.json").read_text(encoding="utf-8"))


def _matrix() -> Matrix:
    kills = [kill("a"), kill("b", Outcome.MISSED, clause="TS-other"), replace(kill("c", Outcome.BROKE), problem="hung")]
    return Matrix(
        kills=kills,
        clauses=[one.clause for one in kills[:2]],
        misses=Misses({"toy-b": "no test can see <it>"}, {"TS-other": "by no fault"}),
        started=0.0,
        seconds=1.5,
        complete=True,
        exit_code=Exit.DEVIATES,
        conclusion="not proven: 1 of 3",
    )


def test_it_keeps_to_its_schema() -> None:
    content = to_json(_matrix())
    jsonschema.validate(content, _SCHEMA, cls=jsonschema.Draft202012Validator)
    assert content["counts"]["caught"] == 1
    assert [row.get("reason") for row in content["faults"]] == [None, "no test can see <it>", None]
    assert content["faults"][2]["problem"] == "hung"
    assert content["clauses"] == [
        {"id": "TS-kept", "proven_by": ["toy-a"]},
        {"id": "TS-other", "proven_by": [], "reason": "by no fault"},
    ]


def test_the_report_reads_what_proves_a_clause(tmp_path: Path) -> None:
    write_proof(_matrix(), tmp_path / "reports" / "proof.json")
    assert read_proof(tmp_path / "reports" / "20260101-000000") == {"TS-kept": ["toy-a"], "TS-other": []}


def test_the_page_shows_each_clause_with_its_faults_and_what_was_not_caught() -> None:
    page = to_html(_matrix())
    assert '<tr id="TS-kept">' in page
    assert "toy-a" in page.partition('<tr id="TS-kept">')[2].partition("</tr>")[0]
    assert "by no fault" in page.partition('<tr id="TS-other">')[2].partition("</tr>")[0]
    assert "no test can see &lt;it&gt;" in page
    assert "it is &lt;broken&gt;" in page
    assert "<script" not in page
