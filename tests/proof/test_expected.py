"""The data files of the proof: what is expected of each fault, what cannot be proven, and that nothing else is unproven."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.contract import load_contracts
from harness.proof.expected import Expected, fallen, read_expected, read_misses, write_expected
from harness.proof.matrix import Outcome
from harness.reference.faults import FAULTS
from harness.reference.systems import SYSTEM_NAMES
from harness.yamlfile import DataError
from tests.proof.kills import kill


def test_it_takes_over_what_was_found_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    times = {"a.py::test_dear": 3.0, "a.py::test_cheap": 0.1}
    everything = {"toy-a", "toy-b", "toy-c"}
    write_expected([kill("a"), kill("b", Outcome.MISSED), kill("c")], times, everything, path)
    assert read_expected(path)["toy-a"] == Expected(Outcome.CAUGHT, "a.py::test_cheap")
    write_expected([kill("b")], times, everything - {"toy-c"}, path)
    assert read_expected(path) == {
        "toy-a": Expected(Outcome.CAUGHT, "a.py::test_cheap"),
        "toy-b": Expected(Outcome.CAUGHT, "a.py::test_cheap"),
    }


def test_a_fault_that_was_caught_and_is_not_has_fallen() -> None:
    before = {"toy-a": Expected(Outcome.CAUGHT), "toy-b": Expected(Outcome.MISSED)}
    now = [kill("a", Outcome.ELSEWHERE), kill("b", Outcome.MISSED), kill("c", Outcome.MISSED)]
    assert [one.fault.id for one in fallen(now, before)] == ["toy-a"]


def test_reasons_are_read_and_anything_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "misses.yaml"
    path.write_text("faults: {toy-a: it\n  cannot}\nclauses:\n", encoding="utf-8")
    assert read_misses(path).faults == {"toy-a": "it cannot"}
    path.write_text("fault: {}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"misses\.yaml:1: .*unknown key 'fault'"):
        read_misses(path)


def test_what_is_expected_are_the_faults_of_the_catalogue() -> None:
    expected = read_expected()
    assert not [name for name in expected if name not in FAULTS]
    missing = [name for name in FAULTS if name not in expected]
    assert not missing, "run `ringtrue faults --update` for them"


def test_no_fault_breaks_a_clause_that_nothing_tests() -> None:
    clauses = {clause.id: clause for contract in load_contracts().values() for clause in contract.catalogue}
    assert not [name for name, fault in FAULTS.items() if clauses[fault.clause].untestable]


def test_every_miss_has_a_reason_and_every_reason_a_miss() -> None:
    expected, reasons = read_expected(), read_misses().faults
    missed = {name for name, one in expected.items() if one.outcome is not Outcome.CAUGHT}
    assert set(reasons) == missed


@pytest.mark.parametrize("system", SYSTEM_NAMES)
def test_every_check_is_proven_by_a_fault(system: str) -> None:
    expected, reasons = read_expected(), read_misses().clauses
    proven = {FAULTS[name].clause for name, one in expected.items() if one.outcome is Outcome.CAUGHT and name in FAULTS}
    clauses = [clause.id for clause in load_contracts([system])[system].catalogue if not clause.untestable]
    assert not [clause for clause in clauses if clause not in proven and clause not in reasons], "unproven"
    assert not [clause for clause in clauses if clause in proven and clause in reasons], "proven, so it needs no reason"


def test_a_clause_with_a_reason_exists() -> None:
    known = {clause.id for contract in load_contracts().values() for clause in contract.catalogue}
    assert set(read_misses().clauses) <= known
