"""What may be said of a clause: findings, the one table that turns them into a verdict, and the exit code.

Checks and suites make `Finding`s; `judge` weighs all findings of a run; reporters read the result. This module knows the
policy and nothing else: it reads no file and prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum

from harness.clauses import Catalogue, Clause, Level
from harness.findings import Finding, Reason, Verdict, Waiver, WaiverResult, WaiverState

__all__ = [
    "DEFAULT_FLOOR",
    "ClauseVerdict",
    "Exit",
    "Finding",
    "Reason",
    "RunVerdict",
    "Scope",
    "Verdict",
    "Waiver",
    "WaiverResult",
    "WaiverState",
    "judge",
]


class Exit(IntEnum):
    """Exit codes of every command."""

    CONFORMS = 0
    DEVIATES = 1
    USAGE = 2
    NOTHING_SAID = 3
    INTERRUPTED = 130


# The worst of its findings is a clause's verdict; a pass needs at least one pass.
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONC, Verdict.WARN, Verdict.WAIVED, Verdict.PASS)
DEFAULT_FLOOR = 0.9
_DECIDED = (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED)
_KEPT_PER_KIND = 5


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """What a run says about one clause, with the findings it rests on: all but passes, worst first, and a few passes."""

    clause: Clause
    verdict: Verdict
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    passes: int = 0

    @property
    def is_flaky(self) -> bool:
        return self.verdict is Verdict.INCONC and any(one.reason is Reason.FLAKY for one in self.findings)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the run set out to judge: declared capabilities per system, strictness, and whether it was narrowed.

    `complete` False means that the user chose a part (`-k`, a shard): clauses nobody looked at are then `none`.
    `waivers` count on the day `today`. `known`: fingerprints that a previous run had; where given, only others are red.
    `shard` is (which, of how many): the coverage floor is then for the whole, after they were merged.
    """

    capabilities: Mapping[str, frozenset[str]]
    strict: bool = False
    complete: bool = True
    floor: float = DEFAULT_FLOOR
    waivers: tuple[Waiver, ...] = ()
    today: date = date.min
    known: frozenset[str] | None = None
    shard: tuple[int, int] | None = None

    @property
    def holding(self) -> frozenset[tuple[str, str]]:
        """Keys of the waivers that have not expired."""
        return frozenset(waiver.key for waiver in self.waivers if waiver.until >= self.today)


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """All clause verdicts of a run and what follows from them."""

    clauses: tuple[ClauseVerdict, ...]
    scope: Scope
    problems: tuple[str, ...] = field(default=())
    interrupted: bool = False
    waivers: tuple[WaiverResult, ...] = ()
    stopped: str = ""

    @property
    def partial(self) -> bool:
        """Whether tests were left out, so that what did not show may still be there."""
        return bool(self.problems or self.interrupted or self.stopped) or not self.scope.complete

    def count(self, verdict: Verdict, *, documented: bool | None = None) -> int:
        return sum(
            item.verdict is verdict and documented in (None, item.clause.level is Level.DOCUMENTED)
            for item in self.clauses
        )

    @property
    def gated(self) -> tuple[ClauseVerdict, ...]:
        """Documented clauses that this run had to decide."""
        return tuple(
            item
            for item in self.clauses
            if item.clause.level is Level.DOCUMENTED and item.verdict not in (Verdict.NONE, Verdict.UNTESTABLE)
        )

    @property
    def decided(self) -> int:
        return sum(item.verdict in _DECIDED for item in self.gated)

    @property
    def coverage(self) -> float:
        """The decided share of the documented clauses that had to be decided; 0 where there were none."""
        return self.decided / len(self.gated) if self.gated else 0.0

    @property
    def blind(self) -> tuple[str, ...]:
        """Surfaces of a system of which not one documented clause that had to be decided was, such as `apidaze sip`."""
        groups: dict[str, list[ClauseVerdict]] = {}
        for item in self.gated:
            groups.setdefault(f"{item.clause.system} {item.clause.surface}", []).append(item)
        return tuple(name for name, items in groups.items() if not any(item.verdict in _DECIDED for item in items))

    @property
    def red(self) -> tuple[ClauseVerdict, ...]:
        """Clauses that failed in a way that counts: any, or one that is not known from a previous run."""
        fails = tuple(item for item in self.clauses if item.verdict is Verdict.FAIL)
        known = self.scope.known
        if known is None:
            return fails
        return tuple(item for item in fails if any(one.fingerprint not in known for one in self.broken(item)))

    @property
    def flaky(self) -> tuple[ClauseVerdict, ...]:
        """Clauses that cannot be decided because a deviation did not repeat."""
        return tuple(item for item in self.clauses if item.is_flaky)

    def broken(self, item: ClauseVerdict) -> Iterator[Finding]:
        """Deviations from a clause that no waiver covers."""
        return (one for one in item.findings if one.verdict is Verdict.FAIL and not self.is_waived(one))

    def is_waived(self, finding: Finding) -> bool:
        return finding.verdict is Verdict.FAIL and (finding.clause, finding.fingerprint) in self.scope.holding

    @property
    def exit_code(self) -> Exit:
        return exit_code(self)

    @property
    def conclusion(self) -> str:
        """The exit code in words, for the last line of the terminal and the head of a report."""
        match self.exit_code:
            case Exit.INTERRUPTED:
                return "interrupted; what was recorded until then is kept"
            case Exit.DEVIATES:
                return f"deviates: {self._deviations}" + (f"; {self.stopped}" if self.stopped else "")
            case Exit.NOTHING_SAID if self.problems:
                return f"nothing can be said: {self.problems[0]}"
            case Exit.NOTHING_SAID if errors := self.count(Verdict.ERROR):
                return f"nothing can be said: {_counted(errors, 'clause')} ended in an error of the harness"
            case Exit.NOTHING_SAID if self.scope.shard:
                return "nothing can be said: no clause was decided in this shard"
            case Exit.NOTHING_SAID if self.decided and self.coverage >= self.scope.floor:
                return (
                    f"nothing can be said of {', '.join(self.blind)}: none of the documented clauses there was decided"
                )
            case Exit.NOTHING_SAID:
                return (
                    f"nothing can be said: {self.decided} of {len(self.gated)} documented clauses decided, "
                    f"the floor is {self.scope.floor:.0%}"
                )
            case _:
                words = f"conforms: {self.decided} of {len(self.gated)} documented clauses decided, {self._but}"
                return words + (", in shard {} of {}".format(*self.scope.shard) if self.scope.shard else "")

    @property
    def _deviations(self) -> str:
        states = Counter(result.state for result in self.waivers if result.red)
        parts = [f"{_counted(count, 'waiver')} {state}" for state, count in states.items()]
        if self.red or not parts:
            new = " in a new way" if self.scope.known is not None else ""
            parts.insert(0, f"{_counted(len(self.red), 'clause')} failed{new}")
        return ", ".join(parts)

    @property
    def _but(self) -> str:
        fails, waived = self.count(Verdict.FAIL), self.count(Verdict.WAIVED)
        words = f"{fails} failed as in the baseline" if fails else "none failed"
        words += f", {waived} waived" if waived else ""
        return words + (f", {len(self.flaky)} flaky" if self.flaky else "")


def exit_code(run: RunVerdict) -> Exit:
    """The one place where verdicts become an exit code.

    A deviation that was shown stays a deviation even when something else broke; a pass is only said on enough evidence.
    """
    if run.interrupted:
        return Exit.INTERRUPTED
    if run.red or any(result.red for result in run.waivers):
        return Exit.DEVIATES
    if run.problems or run.count(Verdict.ERROR):
        return Exit.NOTHING_SAID
    if run.scope.shard:
        decided = any(item.verdict not in (Verdict.NONE, Verdict.UNTESTABLE) for item in run.clauses)
        return Exit.CONFORMS if decided else Exit.NOTHING_SAID
    enough = run.decided and run.coverage >= run.scope.floor and not run.blind
    return Exit.CONFORMS if enough else Exit.NOTHING_SAID


def judge(
    catalogue: Catalogue,
    findings: Iterable[Finding],
    scope: Scope,
    *,
    problems: Sequence[str] = (),
    interrupted: bool = False,
    unseen: Reason = Reason.NO_EVIDENCE,
    stopped: str = "",
) -> RunVerdict:
    """Weigh all findings of a run, clause by clause; `unseen` is why there are none for a clause that had to be judged.

    `problems` and `stopped` say in words why nothing can be said, and why the run ended before its last test.

    Raises:
        KeyError: a finding names a clause that the catalogue does not have (a defect of the harness).
    """
    by_clause: dict[str, list[Finding]] = {}
    for finding in findings:
        by_clause.setdefault(catalogue[finding.clause].id, []).append(finding)
    verdicts = tuple(
        _judge_clause(clause, by_clause.get(clause.id, []), scope, unseen)
        for clause in catalogue
        if clause.system in scope.capabilities
    )
    made = RunVerdict(verdicts, scope, tuple(problems), interrupted, stopped=stopped)
    weighed = {item.clause.id: item for item in verdicts}
    waivers = (_judge_waiver(waiver, weighed.get(waiver.clause), made) for waiver in scope.waivers)
    return replace(made, waivers=tuple(waivers))


def _judge_waiver(waiver: Waiver, item: ClauseVerdict | None, run: RunVerdict) -> WaiverResult:
    """Red is only what this run shows: a waiver whose clause was not decided, or only in part, may still be needed."""
    state, says = WaiverState.NOT_JUDGED, "its system is no part of this run"
    shown = item is not None and any(
        finding.verdict is Verdict.FAIL and (finding.clause, finding.fingerprint) == waiver.key
        for finding in item.findings
    )
    if item is None:
        pass
    elif item.verdict in (Verdict.NONE, Verdict.UNTESTABLE):
        says = f"the clause was not judged: {item.reason}"
    elif waiver.until < run.scope.today:
        state = WaiverState.EXPIRED
        says = f"expired on {waiver.until}: " + (
            "mend the deviation, or agree on a new date with its owner" if shown else "remove it, or give it a new date"
        )
    elif shown:
        state, says = WaiverState.HOLDS, f"until {waiver.until}"
    elif run.partial:
        says = "its deviation did not show in the part that ran"
    elif item.verdict in (Verdict.INCONC, Verdict.ERROR):
        says = f"the clause could not be decided: {item.reason or item.verdict}"
    elif item.verdict is Verdict.PASS:
        state, says = WaiverState.PASSING, "the clause is kept now: remove the waiver"
    else:
        state = WaiverState.UNMATCHED
        says = "the clause deviates, but not in this way: remove the waiver, and look at what deviates"
    return WaiverResult(waiver, state, says)


def _judge_clause(clause: Clause, findings: list[Finding], scope: Scope, unseen: Reason) -> ClauseVerdict:
    if clause.untestable:
        return ClauseVerdict(clause, Verdict.UNTESTABLE, clause.untestable)
    missing = clause.capability and clause.capability not in scope.capabilities[clause.system]
    if missing:
        return ClauseVerdict(clause, Verdict.NONE, f"{Reason.CAPABILITY}: {clause.capability}")
    if not findings:
        if clause.conditional:
            return ClauseVerdict(clause, Verdict.NONE, Reason.NOT_OCCURRED)
        if not scope.complete:
            return ClauseVerdict(clause, Verdict.NONE, Reason.NOT_SELECTED)
        return ClauseVerdict(clause, Verdict.INCONC, unseen)
    weighed = [(_weigh(finding, clause, scope), finding) for finding in findings]
    worst = min((verdict for verdict, _ in weighed), key=_WORST_FIRST.index)
    deciding = [finding for verdict, finding in weighed if verdict is worst]
    worst_first = sorted(weighed, key=lambda item: _WORST_FIRST.index(item[0]))
    kept = _distinct(finding for verdict, finding in worst_first if verdict is not Verdict.PASS)
    flickers = {finding.source for finding in findings if finding.reason is Reason.FLAKY}
    clean = (finding for verdict, finding in weighed if verdict is Verdict.PASS)
    # The clean runs of a test that has flickered are the other half of the evidence.
    kept += sorted(clean, key=lambda finding: finding.source not in flickers)[:_KEPT_PER_KIND]
    reasons = [finding.reason for finding in deciding if finding.reason]
    reason = str(Reason.FLAKY if Reason.FLAKY in reasons else reasons[0] if reasons else "")
    passes = sum(verdict is Verdict.PASS for verdict, _ in weighed)
    return ClauseVerdict(clause, worst, reason, tuple(kept), passes)


def _weigh(finding: Finding, clause: Clause, scope: Scope) -> Verdict:
    if finding.verdict is not Verdict.FAIL:
        return finding.verdict
    if (clause.id, finding.fingerprint) in scope.holding:
        return Verdict.WAIVED
    return Verdict.WARN if clause.level is Level.INFERRED and not scope.strict else Verdict.FAIL


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """The first few of each deviation: a fuzzer finds the same one a hundred times."""
    seen: dict[str, int] = {}
    kept: list[Finding] = []
    for finding in findings:
        seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
        if seen[finding.fingerprint] <= _KEPT_PER_KIND:
            kept.append(finding)
    return kept
