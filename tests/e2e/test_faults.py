"""A promise that the platform breaks is found by the run, under the clause that says so; on the healthy one it is kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness.reference.faults import FAULTS
from tests.e2e.command import Done, ringtrue
from tests.e2e.conftest import need

# Fault, and the tests that show it: what the command says of one. `ringtrue faults` runs all of them.
_DOCUMENTED = {
    "apidaze-digest-unchecked": "wrong_password",
    "apidaze-update-lost": "updated_value_shows and name",
}
_INFERRED = {"apidaze-quota-exceeded-403": "past_the_quota"}


def _run(fault: str, keyword: str, folder: Path, *more: str) -> Done:
    return ringtrue(
        "run", "--system", "apidaze", "--workers", "1", "--fault", fault, "-k", keyword, *more, folder=folder
    )


@pytest.mark.parametrize("fault", _DOCUMENTED)
def test_a_broken_documented_promise_ends_1_and_is_named(fault: str, embedded: Done, tmp_path: Path) -> None:
    clause = FAULTS[fault].clause
    assert embedded.by_clause[clause] == "pass"
    done = _run(fault, _DOCUMENTED[fault], tmp_path)
    assert done.code == 1, done
    assert done.by_clause[clause] == "fail", done
    line = next(line for line in done.out.splitlines() if line.startswith(f"FAIL   {clause} "))
    assert "[AS " in line or "[DP " in line, "the deviation names document and section"
    assert "exit code 1" in done.out
    assert "│" not in done.out, "ladders are for -v"


def test_verbose_draws_the_ladder_of_what_deviates_and_of_nothing_else(tmp_path: Path) -> None:
    need(shutil.which("sipp"), "SIPp")
    done = _run("apidaze-digest-unchecked", "wrong_password or registers_with", tmp_path, "-v")
    assert done.code == 1, done
    ladder = done.out.partition("timelines; `ringtrue report` shows it\n\n")[2].splitlines()
    assert ladder[0] == "A wrong password is refused", done
    assert re.match(r"  seconds API client +apidaze +rt[0-9a-f]+$", ladder[1]), done
    arrows = [line for line in ladder if "│" in line]
    assert any("POST /sipaccounts 201" in line and "▶│" in line for line in arrows), done
    registered = [line for line in arrows if "│◀─ REGISTER sip:" in line or "200 OK (REGISTER) ──" in line]
    assert len(registered) >= 2, done
    assert ladder[-2].strip() == "✗ fail AZ-sip-wrong-password: a registration that must be refused is accepted", done
    assert (done.run_dir / ladder[-1].strip()).is_file(), done


@pytest.mark.parametrize("fault", _INFERRED)
def test_a_broken_inferred_promise_warns_and_is_strictly_a_failure(fault: str, embedded: Done, tmp_path: Path) -> None:
    clause = FAULTS[fault].clause
    assert embedded.by_clause[clause] == "pass"
    lenient = _run(fault, _INFERRED[fault], tmp_path / "lenient")
    assert lenient.by_clause[clause] == "warn", lenient
    assert "fail" not in lenient.by_clause.values(), lenient
    assert f"WARN   {clause} " in lenient.out
    assert lenient.code == 0, lenient
    strict = _run(fault, _INFERRED[fault], tmp_path / "strict", "--strict")
    assert (strict.code, strict.by_clause[clause]) == (1, "fail"), strict


def test_an_unknown_fault_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    done = ringtrue("run", "--system", "apidaze", "--fault", "apidaze-digest-uncheked", folder=tmp_path)
    assert done.code == 2, done
    assert "apidaze-digest-uncheked" in done.err
    assert "Traceback" not in done.err
