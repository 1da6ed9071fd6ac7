"""The hunt: few tests first, more when they do not tell, and the healthy platform before anything counts."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import pytest

from harness.proof.hunt import Control, ControlError, Ground, controls, drive, quick, thorough
from harness.proof.matrix import Kill, Outcome
from harness.proof.trial import Result, Trial
from tests.proof.kills import kill

_FAULT = kill("a").fault
_CLAUSE = kill("a").clause
_CONTROL = Control(
    Result(
        decided={"TS-kept": ["t::dear", "t::cheap"], "TS-other": ["t::elsewhere"]},
        times={"t::cheap": 0.1, "t::dear": 50.0, "t::elsewhere": 1.0},
    ),
    complete=True,
)


class Pool:
    """Answers trials at once, by a function; `asked` are those that were submitted."""

    def __init__(self, answer: Callable[[Trial], Result]) -> None:
        self.asked: list[Trial] = []
        self._answer = answer
        self._waiting: list[tuple[Hashable, Trial]] = []

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def submit(self, key: Hashable, trial: Trial) -> None:
        self.asked.append(trial)
        self._waiting.append((key, trial))

    def wait(self) -> tuple[Hashable, Result]:
        key, trial = self._waiting.pop()
        return key, self._answer(trial)


def _broken_by(test: str, clause: str = "TS-kept") -> Callable[[Trial], Result]:
    """A platform whose fault only this test sees, under that clause."""

    def answer(trial: Trial) -> Result:
        if test not in trial.tests:
            return Result(verdicts={"TS-kept": "pass"})
        return Result(verdicts={clause: "fail"}, shown={clause: [test]}, messages={clause: "broken"}, seconds=1.0)

    return answer


def _hunted(answer: Callable[[Trial], Result]) -> tuple[Kill, list[tuple[str, ...]]]:
    pool = Pool(answer)
    found = list(drive(pool, [thorough(_FAULT, _CLAUSE, _CONTROL)]))
    assert len(found) == 1
    assert all(trial.faults == (_FAULT.id,) for trial in pool.asked)
    return found[0], [trial.tests for trial in pool.asked]


def test_the_cheapest_test_is_enough_where_it_sees_the_fault() -> None:
    found, asked = _hunted(_broken_by("t::cheap"))
    assert (found.outcome, found.tests, found.message) == (Outcome.CAUGHT, ("t::cheap",), "broken")
    assert asked == [("t::cheap",)]


def test_all_tests_about_the_clause_come_next_in_parts_of_bounded_length() -> None:
    found, asked = _hunted(_broken_by("t::dear"))
    assert (found.outcome, found.tests, found.whole) == (Outcome.CAUGHT, ("t::dear",), False)
    assert asked == [("t::cheap",), ("t::cheap",), ("t::dear",)]


def test_all_others_come_last() -> None:
    found, asked = _hunted(_broken_by("t::elsewhere", "TS-other"))
    assert (found.outcome, found.others, found.tests, found.whole) == (Outcome.ELSEWHERE, ("TS-other",), (), True)
    assert asked[-1] == ("t::elsewhere",)


def test_what_no_test_sees_is_missed() -> None:
    assert _hunted(_broken_by("t::none"))[0].outcome is Outcome.MISSED


def test_what_crashes_the_platform_is_not_hunted_to_the_end() -> None:
    found, asked = _hunted(lambda trial: Result(problem="it crashed"))
    assert (found.outcome, found.problem) == (Outcome.BROKE, "it crashed")
    assert ("t::elsewhere",) not in asked


def test_the_test_that_caught_it_before_is_tried_alone() -> None:
    pool = Pool(_broken_by("t::dear"))
    found = list(drive(pool, [quick(_FAULT, _CLAUSE, ["t::dear"], _CONTROL)]))
    assert found[0].outcome is Outcome.CAUGHT
    assert [trial.tests for trial in pool.asked] == [("t::dear",)]
    assert pool.asked[0].seconds > 50.0


def test_the_test_that_caught_it_before_comes_first_when_all_are_to_be_tried() -> None:
    for before, first in (("t::dear", "t::dear"), ("t::elsewhere", "t::elsewhere"), ("t::gone", "t::cheap")):
        pool = Pool(_broken_by(first))
        (found,) = drive(pool, [thorough(_FAULT, _CLAUSE, _CONTROL, before=before)])
        assert (found.outcome, [trial.tests[0] for trial in pool.asked]) == (Outcome.CAUGHT, [first])


def test_hunts_go_on_side_by_side() -> None:
    faults = [kill(name).fault for name in "abc"]
    stages = [thorough(fault, _CLAUSE, _CONTROL) for fault in faults]
    assert {one.fault.id for one in drive(Pool(_broken_by("t::dear")), stages)} == {fault.id for fault in faults}


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Result(problem="no SIPp"), "could not be judged: no SIPp"),
        (Result(verdicts={"TS-kept": "fail", "TS-other": "pass"}), "found to deviate: TS-kept"),
        (Result(verdicts={"TS-kept": "warn"}), "found to deviate: TS-kept"),
    ],
)
def test_nothing_counts_when_the_healthy_platform_deviates(result: Result, words: str) -> None:
    with pytest.raises(ControlError, match=words):
        controls(Pool(lambda trial: result), {"toy": []}, lambda words: None)


def test_a_control_run_is_of_all_tests_or_of_those_that_are_named() -> None:
    pool = Pool(lambda trial: Result(verdicts={"TS-kept": "pass"}))
    found = controls(pool, {"toy": [], "other": ["t::cheap"]}, lambda words: None)
    assert {name: control.complete for name, control in found.items()} == {"toy": True, "other": False}
    assert [trial.tests for trial in pool.asked] == [(), (), (), (), ("t::cheap",)]
    assert [trial.shard for trial in pool.asked] == ["1/4", "2/4", "3/4", "4/4", None]
    assert not any(trial.faults for trial in pool.asked)


def test_a_keyword_narrows_the_control_run() -> None:
    pool = Pool(lambda trial: Result(verdicts={"TS-kept": "pass"}))
    found = controls(pool, {"toy": []}, lambda words: None, Ground(Trial("", keyword="contract")))
    assert found["toy"].complete
    assert [(trial.tests, trial.shard, trial.keyword) for trial in pool.asked] == [((), None, "contract")]
