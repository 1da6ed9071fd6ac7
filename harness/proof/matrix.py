"""What became of each fault or mutant, and whether that is good enough: the policy of the kill matrix, without any I/O.

The hunt makes `Kill`s; the record and the page read them. The thresholds are the project's promise about its own checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from harness.clauses import Clause
from harness.proof.trial import DEVIATES, Result
from harness.verdicts import Exit

CAUGHT_SHARE = 0.98
RIGHT_SHARE = 0.95


class Outcome(StrEnum):
    """Of a fault. CAUGHT: under its own clause. ELSEWHERE: under other clauses only. BROKE: the run says nothing.

    UNEXERCISED: a mutant had nothing to change, as no such message came by; it is neither caught nor missed.
    """

    CAUGHT = "caught"
    ELSEWHERE = "elsewhere"
    MISSED = "missed"
    BROKE = "broke"
    UNEXERCISED = "not exercised"


TRIED = tuple(outcome for outcome in Outcome if outcome is not Outcome.UNEXERCISED)


class Seeded(Protocol):
    """A fault of the reference platform, or a mutant before any platform: one broken promise."""

    @property
    def id(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def clause(self) -> str: ...
    @property
    def words(self) -> str: ...


@dataclass(frozen=True)
class Kill:
    """What became of a fault, or of a mutant.

    `tests`: those that saw its clause broken, `message`: what they said; `others`: further clauses that deviated;
    `problem`: why the run says nothing; `whole`: all tests ran, not only those that are about the clause;
    `left`: what could not be taken away at the target.
    """

    fault: Seeded
    clause: Clause
    outcome: Outcome
    verdict: str = ""
    tests: tuple[str, ...] = ()
    message: str = ""
    others: tuple[str, ...] = ()
    problem: str = ""
    whole: bool = False
    left: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Tally:
    """Counts of outcomes, and the shares that the thresholds are about."""

    counts: Mapping[Outcome, int]

    @classmethod
    def of(cls, kills: Iterable[Kill]) -> Tally:
        return cls(Counter(kill.outcome for kill in kills))

    @property
    def faults(self) -> int:
        """How many were tried."""
        return sum(self.counts.get(outcome, 0) for outcome in TRIED)

    @property
    def noticed(self) -> int:
        """Caught, under whichever clause."""
        return self.counts.get(Outcome.CAUGHT, 0) + self.counts.get(Outcome.ELSEWHERE, 0)

    @property
    def caught_share(self) -> float:
        """Of all faults those that were noticed; 1 where there is none."""
        return self.noticed / self.faults if self.faults else 1.0

    @property
    def right_share(self) -> float:
        """Of those that were noticed the ones under their own clause; 1 where there is none."""
        return self.counts.get(Outcome.CAUGHT, 0) / self.noticed if self.noticed else 1.0


def weigh(clause: str, results: Sequence[Result], expected: Collection[str] = ()) -> tuple[Outcome, str]:
    """The outcome of a fault that breaks `clause`, and the clause's verdict, from the trials it was tried in.

    `expected` are clauses that deviate on the healthy platform as well, and so show nothing. A trial that hung or whose
    platform crashed is never a catch, whatever its tests had seen by then.
    """
    verdicts = [result.verdicts.get(clause, "") for result in results]
    verdict = min(verdicts, key=_severity, default="")
    if any(result.problem for result in results):
        return Outcome.BROKE, verdict
    if verdict in DEVIATES and clause not in expected:
        return Outcome.CAUGHT, verdict
    if any("error" in result.verdicts.values() for result in results):
        return Outcome.BROKE, verdict
    others = {name for result in results for name in result.deviations} - {clause, *expected}
    return (Outcome.ELSEWHERE if others else Outcome.MISSED), verdict


def _severity(verdict: str) -> int:
    order = ("fail", "warn", "error", "inconc", "pass")
    return order.index(verdict) if verdict in order else len(order)


def conclusion(kills: Sequence[Kill], fallen: Collection[str], lot: str = "faults") -> tuple[Exit, str]:
    """Exit code and the last line: thresholds are for faults in documented promises; `fallen` were caught before.

    `lot`: what they are called. Where none had anything to change, nothing can be said.
    """
    if kills and not Tally.of(kills).faults:
        return Exit.NOTHING_SAID, f"nothing can be said: no message came by that one of the {lot} could change"
    tally = Tally.of(kill for kill in kills if kill.clause.documented)
    words = (
        f"{tally.noticed} of {tally.faults} {lot} in documented promises caught ({tally.caught_share:.1%}), "
        f"{tally.right_share:.1%} of them under the right clause"
    )
    if tally.caught_share < CAUGHT_SHARE or tally.right_share < RIGHT_SHARE:
        return Exit.DEVIATES, f"not proven: {words}; at least {CAUGHT_SHARE:.0%} and {RIGHT_SHARE:.0%} are needed"
    if fallen:
        return Exit.DEVIATES, f"not proven: {words}; but {len(fallen)} that were caught before are not any more"
    return Exit.CONFORMS, f"proven: {words}"
