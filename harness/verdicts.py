"""What may be said of a clause: findings, the one table that turns them into a verdict, and the exit code.

Checks and suites make `Finding`s; `judge` weighs all findings of a run; reporters read the result. This module knows the
policy and nothing else: it reads no file and prints nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from harness.clauses import Catalogue, Clause, Level


class Verdict(StrEnum):
    """TTCN-3's verdicts, plus `warn` (an inferred clause broke) and `untestable`."""

    PASS = "pass"
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
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONC, Verdict.WARN, Verdict.PASS)
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
    """

    capabilities: Mapping[str, frozenset[str]]
    strict: bool = False
    complete: bool = True
    floor: float = DEFAULT_FLOOR


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """All clause verdicts of a run and what follows from them."""

    clauses: tuple[ClauseVerdict, ...]
    scope: Scope
    problems: tuple[str, ...] = field(default=())
    interrupted: bool = False

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
        return sum(item.verdict in (Verdict.PASS, Verdict.FAIL) for item in self.gated)

    @property
    def coverage(self) -> float:
        """The decided share of the documented clauses that had to be decided; 0 where there were none."""
        return self.decided / len(self.gated) if self.gated else 0.0

    @property
    def exit_code(self) -> Exit:
        return exit_code(self)

    @property
    def conclusion(self) -> str:
        """The exit code in words, for the last line of the terminal and the head of a report."""
        fails = self.count(Verdict.FAIL)
        match self.exit_code:
            case Exit.INTERRUPTED:
                return "interrupted; what was recorded until then is kept"
            case Exit.DEVIATES:
                return f"deviates: {fails} clause{'s' * (fails != 1)} failed"
            case Exit.NOTHING_SAID if self.problems:
                return f"nothing can be said: {self.problems[0]}"
            case Exit.NOTHING_SAID if errors := self.count(Verdict.ERROR):
                return f"nothing can be said: {errors} clause{'s' * (errors != 1)} ended in an error of the harness"
            case Exit.NOTHING_SAID:
                return (
                    f"nothing can be said: {self.decided} of {len(self.gated)} documented clauses decided, "
                    f"the floor is {self.scope.floor:.0%}"
                )
            case _:
                return f"conforms: {self.decided} of {len(self.gated)} documented clauses decided, none failed"


def exit_code(run: RunVerdict) -> Exit:
    """The one place where verdicts become an exit code.

    A deviation that was shown stays a deviation even when something else broke; a pass is only said on enough evidence.
    """
    if run.interrupted:
        return Exit.INTERRUPTED
    if run.count(Verdict.FAIL):
        return Exit.DEVIATES
    if run.problems or run.count(Verdict.ERROR) or run.coverage < run.scope.floor or not run.decided:
        return Exit.NOTHING_SAID
    return Exit.CONFORMS


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
    return RunVerdict(verdicts, scope, tuple(problems), interrupted)


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
    weighed = [(_weigh(finding, clause, strict=scope.strict), finding) for finding in findings]
    worst = min((verdict for verdict, _ in weighed), key=_WORST_FIRST.index)
    deciding = [finding for verdict, finding in weighed if verdict is worst]
    worst_first = sorted(weighed, key=lambda item: _WORST_FIRST.index(item[0]))
    kept = _distinct(finding for verdict, finding in worst_first if verdict is not Verdict.PASS)
    kept += [finding for verdict, finding in weighed if verdict is Verdict.PASS][:_KEPT_PER_KIND]
    reason = next((finding.reason.value for finding in deciding if finding.reason), "")
    passes = sum(verdict is Verdict.PASS for verdict, _ in weighed)
    return ClauseVerdict(clause, worst, reason, tuple(kept), passes)


def _weigh(finding: Finding, clause: Clause, *, strict: bool) -> Verdict:
    inferred = clause.level is Level.INFERRED and not strict
    return Verdict.WARN if inferred and finding.verdict is Verdict.FAIL else finding.verdict


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """The first few of each deviation: a fuzzer finds the same one a hundred times."""
    seen: dict[str, int] = {}
    kept: list[Finding] = []
    for finding in findings:
        seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
        if seen[finding.fingerprint] <= _KEPT_PER_KIND:
            kept.append(finding)
    return kept
