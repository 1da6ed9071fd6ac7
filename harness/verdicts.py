"""What may be said of a clause: findings, the one table that turns them into a verdict, and the exit code.

Checks and suites make `Finding`s; `judge` weighs all findings of a run; reporters read the result. This module knows the
policy and nothing else: it reads no file and prints nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

from harness.clauses import Catalogue, Clause, Level


class Verdict(StrEnum):
    """TTCN-3's verdicts, plus `warn` (an inferred clause broke), `waived` (broken as a waiver knows) and `untestable`."""

    PASS = "pass"
    WAIVED = "waived"
    WARN = "warn"
    INCONC = "inconc"
    ERROR = "error"
    FAIL = "fail"
    NONE = "none"
    UNTESTABLE = "untestable"


class Exit(IntEnum):
    """Exit codes of every command."""

    CONFORMS = 0
    DEVIATES = 1
    USAGE = 2
    NOTHING_SAID = 3
    INTERRUPTED = 130


class Reason(StrEnum):
    """Why nothing could be decided; every `inconc` and `none` has one."""

    UNREACHABLE = "unreachable"
    PRECONDITION = "precondition"
    NO_EVIDENCE = "no evidence"
    TIMEOUT = "timeout"
    FLAKY = "flaky"
    NO_CONTROL = "no positive control"
    CAPABILITY = "capability not declared"
    NOT_OCCURRED = "did not occur"
    NOT_SELECTED = "not selected"


# The worst of its findings is a clause's verdict; a pass needs at least one pass.
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONC, Verdict.WARN, Verdict.WAIVED, Verdict.PASS)
DEFAULT_FLOOR = 0.9
_KEPT_PER_KIND = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about one clause.

    `verdict` is what the observation says by itself: PASS, FAIL, INCONC or ERROR; whether a FAIL counts as a warn is
    decided by the clause's level when the run is judged. `subject` is what was looked at (an operation, a scenario);
    `expected` and `seen` are for people; `at` are `seq` numbers in `timeline`; `reproduce` is a command line.
    """

    clause: str
    verdict: Verdict
    message: str = ""
    subject: str = ""
    expected: str = ""
    seen: str = ""
    reason: Reason | None = None
    source: str = ""
    timeline: str = ""
    at: tuple[int, ...] = ()
    reproduce: str = ""

    @property
    def fingerprint(self) -> str:
        """Names this deviation across runs and targets: clause, subject and message without ids, figures or times."""
        stable = re.sub(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b[0-9a-fA-F]{16,}\b|\d+", "#", self.message)
        return hashlib.sha256(f"{self.clause}\n{self.subject}\n{stable}".encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        result: dict[str, Any] = {"clause": self.clause, "verdict": self.verdict.value}
        for name in ("message", "subject", "expected", "seen", "source", "timeline", "reproduce"):
            if value := getattr(self, name):
                result[name] = value
        if self.reason:
            result["reason"] = self.reason.value
        if self.at:
            result["at"] = list(self.at)
        if self.verdict is not Verdict.PASS:
            result["fingerprint"] = self.fingerprint
        return result

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> Finding:
        values = {name: item[name] for name in cls.__dataclass_fields__ if name in item}
        values["verdict"] = Verdict(values["verdict"])
        if "reason" in values:
            values["reason"] = Reason(values["reason"])
        values["at"] = tuple(values.get("at", ()))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A deviation that its `owner` knows and answers for until the end of the day `until`; any other one still counts."""

    clause: str
    fingerprint: str
    reason: str
    owner: str
    until: date

    @property
    def key(self) -> tuple[str, str]:
        return self.clause, self.fingerprint

    def to_json(self) -> dict[str, str]:
        values = {"clause": self.clause, "fingerprint": self.fingerprint, "reason": self.reason, "owner": self.owner}
        return {**values, "until": self.until.isoformat()}

    @classmethod
    def from_json(cls, item: Mapping[str, str]) -> Waiver:
        return cls(**{**item, "until": date.fromisoformat(item["until"])})  # type: ignore[arg-type]


class WaiverState(StrEnum):
    """What became of a waiver in a run."""

    HOLDS = "holds"
    EXPIRED = "expired"
    PASSING = "passing"
    UNMATCHED = "unmatched"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class WaiverResult:
    """A waiver after a run; `says` is for people, with what to do."""

    waiver: Waiver
    state: WaiverState
    says: str

    @property
    def red(self) -> bool:
        """Whether the run must not be green because of it."""
        return self.state in (WaiverState.EXPIRED, WaiverState.PASSING, WaiverState.UNMATCHED)


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """What a run says about one clause, with the findings it rests on: all but passes, worst first, and a few passes."""

    clause: Clause
    verdict: Verdict
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    passes: int = 0


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
        return sum(item.verdict in (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED) for item in self.gated)

    @property
    def coverage(self) -> float:
        """The decided share of the documented clauses that had to be decided; 0 where there were none."""
        return self.decided / len(self.gated) if self.gated else 0.0

    @property
    def red(self) -> tuple[ClauseVerdict, ...]:
        """Clauses that failed in a way that counts: any, or one that is not known from a previous run."""
        fails = tuple(item for item in self.clauses if item.verdict is Verdict.FAIL)
        known = self.scope.known
        if known is None:
            return fails
        return tuple(item for item in fails if any(one.fingerprint not in known for one in self.broken(item)))

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
                return f"deviates: {self._deviations}"
            case Exit.NOTHING_SAID if self.problems:
                return f"nothing can be said: {self.problems[0]}"
            case Exit.NOTHING_SAID if errors := self.count(Verdict.ERROR):
                return f"nothing can be said: {_counted(errors, 'clause')} ended in an error of the harness"
            case Exit.NOTHING_SAID if self.scope.shard:
                return "nothing can be said: no clause was decided in this shard"
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
        return words + (f", {waived} waived" if waived else "")


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
    return Exit.CONFORMS if run.decided and run.coverage >= run.scope.floor else Exit.NOTHING_SAID


def judge(
    catalogue: Catalogue,
    findings: Iterable[Finding],
    scope: Scope,
    *,
    problems: Sequence[str] = (),
    interrupted: bool = False,
    unseen: Reason = Reason.NO_EVIDENCE,
) -> RunVerdict:
    """Weigh all findings of a run, clause by clause; `unseen` is why there are none for a clause that had to be judged.

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
    part = bool(problems) or interrupted or not scope.complete
    weighed = {item.clause.id: item for item in verdicts}
    waivers = tuple(_judge_waiver(waiver, weighed.get(waiver.clause), scope, part=part) for waiver in scope.waivers)
    return RunVerdict(verdicts, scope, tuple(problems), interrupted, waivers)


def _judge_waiver(waiver: Waiver, item: ClauseVerdict | None, scope: Scope, *, part: bool) -> WaiverResult:
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
    elif waiver.until < scope.today:
        state = WaiverState.EXPIRED
        says = f"expired on {waiver.until}: " + (
            "mend the deviation, or agree on a new date with its owner" if shown else "remove it, or give it a new date"
        )
    elif shown:
        state, says = WaiverState.HOLDS, f"holds until {waiver.until}"
    elif part:
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
    kept += [finding for verdict, finding in weighed if verdict is Verdict.PASS][:_KEPT_PER_KIND]
    reason = next((finding.reason.value for finding in deciding if finding.reason), "")
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
