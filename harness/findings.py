"""What a check may say of a clause, and what a user may say of a deviation: plain values, weighed by `harness.verdicts`.

Checks and suites make `Finding`s; waivers come from files that users keep.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


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
        named = f"{self.clause}\n{self.subject}\n{stable}".encode("utf-8", "backslashreplace")
        return hashlib.sha256(named).hexdigest()[:12]

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
