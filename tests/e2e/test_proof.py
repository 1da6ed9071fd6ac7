"""`ringtrue faults`: a fixed sample of the catalogue is caught on every change, and wrong calls and broken runs are told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.proof.null import KINDS
from tests.e2e.command import Done, ringtrue

_SAMPLE = 40
# Half a minute on two free cores; other tests may run beside it.
_SECONDS = 240.0


def _proof(done: Done) -> dict[str, dict[str, object]]:
    content = json.loads((done.folder / "reports" / "proof.json").read_text(encoding="utf-8"))
    assert content["footer"]["faults"] == len(content["faults"])
    return {row["id"]: row for row in content["faults"]}


def test_a_sample_over_all_surfaces_is_caught_under_the_right_clauses(tmp_path: Path) -> None:
    systems = ("--system", "apidaze", "--system", "callable", "--system", "vtx")
    done = ringtrue("faults", *systems, "--sample", str(_SAMPLE), folder=tmp_path, seconds=_SECONDS)
    assert done.code == 0, done
    rows = _proof(done)
    assert len(rows) == _SAMPLE
    assert {row["outcome"] for row in rows.values()} == {"caught"}, done
    assert {row["surface"] for row in rows.values()} == {"http", "callback", "sip"}
    assert all(row["tests"] and row["message"] for row in rows.values())
    assert done.out.splitlines()[-2].startswith("proven: "), done
    assert (tmp_path / "reports" / "proof.html").exists()


def test_a_run_that_crashes_or_hangs_the_platform_says_nothing(tmp_path: Path) -> None:
    place = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = ringtrue("-m", "tests.proof.seeded", folder=tmp_path, program=sys.executable, environment=place)
    assert done.code == 0, done
    results = json.loads(done.out)
    assert results["healthy"]["problem"] == ""
    assert results["healthy"]["verdicts"]["AZ-account-unknown-not-served"] == "pass"
    assert "ended by itself (exit code 3)" in results["crash"]["problem"]
    assert "was not over after 4 s" in results["hang"]["problem"]


def test_nothing_passes_against_null_targets(tmp_path: Path) -> None:
    done = ringtrue("faults", "--null", "--system", "apidaze", folder=tmp_path)
    assert done.code == 0, done
    rows = [line.split() for line in done.out.splitlines()[1:] if " apidaze " in line]
    assert [row[0] for row in rows] == list(KINDS), done
    assert {row[2] for row in rows} == {"0"}, done
    assert {row[3] for row in rows} <= {"1", "3"}, done
    assert f"proven: nothing passed against {len(KINDS)} null targets" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["apidaze-update-lots"], "unknown fault 'apidaze-update-lots'; did you mean apidaze-update-lost"),
        (["--system", "apidase"], "unknown system 'apidase'; did you mean apidaze"),
        (["--variants", "http-slw"], "unknown variant 'http-slw'; did you mean http-slow"),
        (["--null", "sip-quiet"], "unknown null target 'sip-quiet'; did you mean sip-silent"),
        (["--only", "("], "--only '(' is no regular expression"),
        (["--only", "no-such-clause-anywhere"], "no fault is left"),
        (["-k", "contract and"], "-k 'contract and' is no expression"),
        (["-k", "contract", "--update"], "--update takes over what all tests say"),
        (["--sample", "0"], "--sample"),
        (["--jobs", "many"], "--jobs"),
    ],
)
def test_a_wrong_call_is_told_what_there_is(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = ringtrue("faults", *arguments, folder=tmp_path)
    assert done.code == 2, done
    assert words in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "reports").exists()
