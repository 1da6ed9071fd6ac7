"""What counts as caught, and when the harness is proven."""

from __future__ import annotations

import pytest

from harness.clauses import Level
from harness.proof.matrix import Outcome, Tally, conclusion, weigh
from harness.proof.trial import Result
from harness.verdicts import Exit
from tests.proof.kills import kill


@pytest.mark.parametrize(
    ("verdicts", "outcome", "verdict"),
    [
        ({"C": "fail"}, Outcome.CAUGHT, "fail"),
        ({"C": "warn"}, Outcome.CAUGHT, "warn"),
        ({"C": "fail", "D": "error"}, Outcome.CAUGHT, "fail"),
        ({"C": "pass", "D": "fail"}, Outcome.ELSEWHERE, "pass"),
        ({"C": "inconc", "D": "warn"}, Outcome.ELSEWHERE, "inconc"),
        ({"C": "pass", "D": "inconc"}, Outcome.MISSED, "pass"),
        ({"C": "inconc"}, Outcome.MISSED, "inconc"),
        ({}, Outcome.MISSED, ""),
        ({"C": "error"}, Outcome.BROKE, "error"),
        ({"C": "pass", "D": "error"}, Outcome.BROKE, "pass"),
    ],
)
def test_a_fault_is_caught_only_by_a_deviation_of_its_own_clause(
    verdicts: dict[str, str], outcome: Outcome, verdict: str
) -> None:
    assert weigh("C", [Result(verdicts=verdicts)]) == (outcome, verdict)


def test_a_run_that_hung_or_crashed_the_platform_catches_nothing() -> None:
    seen = Result(verdicts={"C": "fail"}, problem="the reference platform ended by itself (exit code 1)")
    assert weigh("C", [seen])[0] is Outcome.BROKE


def test_the_worst_of_several_trials_counts() -> None:
    trials = [Result(verdicts={"C": "pass"}), Result(verdicts={"C": "fail"}), Result(verdicts={"D": "fail"})]
    assert weigh("C", trials) == (Outcome.CAUGHT, "fail")


def test_shares_are_of_what_there_is() -> None:
    tally = Tally.of([kill("a"), kill("b"), kill("c", Outcome.ELSEWHERE), kill("d", Outcome.MISSED)])
    assert (tally.faults, tally.noticed) == (4, 3)
    assert (tally.caught_share, tally.right_share) == (0.75, 2 / 3)
    assert (Tally.of([]).caught_share, Tally.of([]).right_share) == (1.0, 1.0)


def test_the_thresholds_decide() -> None:
    many = [kill(str(number)) for number in range(98)]
    missed, elsewhere = kill("m", Outcome.MISSED), kill("e", Outcome.ELSEWHERE)
    assert conclusion([*many, missed, missed], [])[0] is Exit.CONFORMS
    assert conclusion([*many, missed, missed, missed], [])[0] is Exit.DEVIATES
    assert conclusion([*many, *[elsewhere] * 5], [])[0] is Exit.CONFORMS
    assert conclusion([*many, *[elsewhere] * 6], [])[0] is Exit.DEVIATES
    assert conclusion([*many, kill("b", Outcome.BROKE)] + [missed] * 2, [])[0] is Exit.DEVIATES


def test_inferred_promises_are_not_held_against_the_thresholds() -> None:
    code, words = conclusion([kill("a"), kill("b", Outcome.MISSED, level=Level.INFERRED)], [])
    assert code is Exit.CONFORMS
    assert "1 of 1" in words


def test_a_fault_that_was_caught_before_may_not_be_missed() -> None:
    code, words = conclusion([kill(str(number)) for number in range(99)] + [kill("m", Outcome.MISSED)], ["toy-m"])
    assert code is Exit.DEVIATES
    assert "1 that were caught before" in words
