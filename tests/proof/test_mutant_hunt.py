"""How mutants are hunted: by the tests that met them, against what a target does by itself, and one after another there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.proof.hunt import REFERENCE, Control, Ground, controls, drive, thorough
from harness.proof.lots import FaultsError, choose, fault_lot, mutant_lot, sample, target_lot
from harness.proof.matrix import Kill, Outcome
from harness.proof.tidying import keep_ledger
from harness.proof.trial import Result, Trial
from harness.suites.mutants import Mutant
from harness.suites.safety.ledger import Ledger, Made
from harness.target import SystemTarget, Target, VtxTarget
from tests.proof.kills import kill
from tests.proof.test_hunt import Pool

_CLAUSE = kill("a").clause
_MUTANT = Mutant("toy/get/a/type", "toy", "TS-kept", "a is 17", "type", "get", frozenset(["200"]), value=[])
_TARGET = Ground(Trial("", target="/t.toml", sight=True), patience=10.0)


def _control(**known: Any) -> Control:
    sight = {_MUTANT.id: ["cheap", "deciding", "dear"]}
    times = {"cheap": 1.0, "deciding": 5.0, "dear": 90.0, "other": 0.1}
    found = Result(decided={"TS-kept": ["deciding"]}, times=times, sight=sight, **known)
    return Control(found, complete=True, patience=10.0)


def _hunted(answer: Result, control: Control, ground: Ground = _TARGET) -> tuple[Kill, list[Trial]]:
    pool = Pool(lambda trial: answer)
    (found,) = drive(pool, [thorough(_MUTANT, _CLAUSE, control, ground)])
    return found, pool.asked


def test_tests_that_met_it_are_tried_those_about_its_clause_first_and_no_others() -> None:
    found, asked = _hunted(Result(verdicts={"TS-kept": "pass"}, changed=3), _control())
    assert found.outcome is Outcome.MISSED
    assert [trial.tests for trial in asked] == [("deciding",), ("deciding", "cheap")]
    assert {(trial.mutant, trial.faults, trial.target, trial.sight) for trial in asked} == {
        (_MUTANT.id, (), "/t.toml", False)
    }


def test_on_the_reference_platform_all_that_met_it_are_tried() -> None:
    control = Control(_control().result, complete=True)
    _, asked = _hunted(Result(verdicts={"TS-kept": "pass"}, changed=3), control, REFERENCE)
    assert {test for trial in asked for test in trial.tests} == {"cheap", "deciding", "dear"}


@pytest.mark.parametrize("verdict", ["fail", "pass"])
def test_without_a_change_it_is_neither_caught_nor_missed(verdict: str) -> None:
    found, _ = _hunted(Result(verdicts={"TS-kept": verdict}, prints={"TS-kept": ["new"]}), _control())
    assert (found.outcome, found.verdict) == (Outcome.UNEXERCISED, "")


@pytest.mark.parametrize(
    ("prints", "outcome"), [(["old"], Outcome.MISSED), (["old", "new"], Outcome.CAUGHT), (["new"], Outcome.CAUGHT)]
)
def test_what_the_target_does_by_itself_shows_nothing(prints: list[str], outcome: Outcome) -> None:
    control = _control(prints={"TS-kept": ["old"]}, verdicts={"TS-kept": "fail"})
    found, asked = _hunted(Result(verdicts={"TS-kept": "fail"}, prints={"TS-kept": prints}, changed=1), control)
    assert found.outcome is outcome
    assert asked[0].until is None, "the known deviation would end the trial before the new one shows"


def test_a_target_gets_one_control_run_and_may_deviate() -> None:
    pool = Pool(lambda trial: Result(verdicts={"TS-kept": "fail"}, prints={"TS-kept": ["old"]}))
    found = controls(pool, {"toy": []}, lambda words: None, _TARGET)
    assert [(trial.target, trial.shard, trial.sight, trial.mutant) for trial in pool.asked] == [
        ("/t.toml", None, True, "")
    ]
    assert found["toy"].result.prints == {"TS-kept": ["old"]}


def test_a_sample_is_spread_and_always_the_same() -> None:
    found = [kill(str(number)).fault for number in range(10)]
    assert [one.id for one in sample(found, 3)] == ["toy-0", "toy-3", "toy-6"]
    assert sample(found, 99) == sample(found, None) == found


def test_only_mutants_of_what_a_target_declares_are_put_before_it(tmp_path: Path) -> None:
    def known(*capabilities: str) -> set[str]:
        table = VtxTarget(base_url="http://h", username="u", password="p", application="a", capabilities=capabilities)
        target = Target(systems={"vtx": table, "own": SystemTarget(base_url="http://h")})
        return set(target_lot(tmp_path / "t.toml", target, (), (), None, None).known)

    assert not any("pushCallLog" in name for name in known())
    assert any("pushCallLog" in name for name in known("callbacks"))
    assert known() < known("callbacks") < known("callbacks", "presence", "renewal")


def test_lots_are_what_was_asked_for() -> None:
    assert {one.system for one in fault_lot((), ("vtx",), "push", None).chosen} == {"vtx"}
    few = mutant_lot((), ("vtx",), None, 5)
    assert (len(few.chosen), few.word, few.ground.trial.sight) == (5, "mutants", True)
    assert len(dict.fromkeys(mutant_lot((), (), None, None).chosen, 1)) > 1500
    with pytest.raises(FaultsError, match="unknown mutant 'vtx/getServer/stat'; did you mean vtx/getServer/status"):
        mutant_lot(("vtx/getServer/stat",), (), None, None)
    with pytest.raises(FaultsError, match="unknown system 'vtq'; did you mean vtx"):
        choose("fault", {}, (), ("vtq",), None)


def test_the_ledger_of_what_is_left_at_a_target_is_kept(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    assert keep_ledger(run, tmp_path / "kept", "t.toml") == ""
    ledger = Ledger(run, "vtx", "http://h")
    ledger.made(Made("createSubscription", "deleteSubscription", {"id": "1"}))
    said = keep_ledger(run, tmp_path / "kept", "t.toml")
    assert said == f"something is left: `ringtrue cleanup {tmp_path / 'kept'} --target t.toml` takes it away"
    assert (tmp_path / "kept" / "ledger.jsonl").read_text() == (run / "ledger.jsonl").read_text()
    ledger.deleted("/v1/subscriptions/1", "deleteSubscription", {"id": "1"})
    assert keep_ledger(run, tmp_path / "other", "t.toml") == ""
    assert not (tmp_path / "other").exists()


def test_what_is_expected_of_each_mutant_is_on_record() -> None:
    lot = mutant_lot((), (), None, None)
    assert set(lot.expected) == set(lot.known), "`ringtrue faults --mutants --update` brings it up to date"
    assert {row.outcome for row in lot.expected.values()} == {Outcome.CAUGHT, Outcome.UNEXERCISED}
