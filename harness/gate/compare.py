"""Compares a run with a previous one: deviations that are new, those that are gone, and what else changed.

Pure; the terminal, `summary.md` and `verdicts.json` show what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.gate.runs import PastRun, RunError
from harness.verdicts import ClauseVerdict, Reason, RunVerdict, Verdict

_DECIDED = (Verdict.PASS, Verdict.WAIVED, Verdict.WARN, Verdict.FAIL)
ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `before` and `after` are verdicts of the clause; no `fingerprint`: it is about no deviation."""

    clause: str
    before: str
    after: str
    fingerprint: str = ""
    says: str = ""

    def to_json(self) -> dict[str, str]:
        values = {"clause": self.clause, "before": self.before, "after": self.after}
        return values | {name: value for name in ("fingerprint", "says") if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed since `baseline`; `remarks` say what is to be known about it."""

    baseline: str
    target: str
    started: str
    new: tuple[Change, ...]
    fixed: tuple[Change, ...]
    changed: tuple[Change, ...]
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "run": self.baseline,
            "target": self.target,
            "started": self.started,
            **{name: [change.to_json() for change in getattr(self, name)] for name in ("new", "fixed", "changed")},
            "remarks": list(self.remarks),
        }

    @property
    def headline(self) -> str:
        counts = f"{len(self.new)} new, {len(self.fixed)} fixed, {len(self.changed)} changed"
        return f"since {self.started} ({self.target}): {counts}"


def fingerprints(past: PastRun) -> frozenset[str]:
    """Every deviation that a run had."""
    return frozenset(finding.fingerprint for _, finding in past.deviations())


def refuse_unrelated(past: PastRun, systems: Mapping[str, object]) -> None:
    """Raises RunError where a baseline is about none of the systems that are to be judged."""
    had = sorted(past.data["systems"])
    if not set(had) & set(systems):
        raise RunError(
            f"{past.path}: is about {', '.join(had)}, and this run is about {', '.join(systems)}: nothing to compare"
        )


def compare(past: PastRun, run: RunVerdict) -> Comparison:
    """Hold a run against a previous one, over the systems that both judged."""
    systems = set(past.data["systems"]) & set(run.scope.capabilities)
    before = {name: item for name, item in past.clauses.items() if item["system"] in systems}
    after = {item.clause.id: item for item in run.clauses if item.clause.system in systems}
    new = tuple(_new(past, before, after))
    fixed = tuple(_fixed(past, after, run))
    told = {change.clause for change in (*new, *fixed)}
    changed = tuple(change for change in _changed(before, after) if change.clause not in told)
    data = past.data
    return Comparison(
        str(past.path), data["target"], data["started"], new, fixed, changed, tuple(_remarks(past, run, systems))
    )


def _new(
    past: PastRun, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, ClauseVerdict]
) -> Iterator[Change]:
    known = fingerprints(past)
    for name, item in after.items():
        for finding in item.findings:
            if finding.verdict is Verdict.FAIL and finding.fingerprint not in known:
                known |= {finding.fingerprint}
                was = before[name]["verdict"] if name in before else ABSENT
                yield Change(
                    name, was, item.verdict.value, finding.fingerprint, _words(finding.subject, finding.message)
                )


def _fixed(past: PastRun, after: Mapping[str, ClauseVerdict], run: RunVerdict) -> Iterator[Change]:
    """Only a clause that was decided, by tests that all ran, shows that a deviation is gone."""
    if run.partial:
        return
    for old, finding in past.deviations():
        item = after.get(finding.clause)
        if item is None or item.verdict not in _DECIDED:
            continue
        if not any(other.fingerprint == finding.fingerprint for other in item.findings):
            says = _words(finding.subject, finding.message)
            yield Change(finding.clause, old["verdict"], item.verdict.value, finding.fingerprint, says)


def _changed(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, ClauseVerdict]) -> Iterator[Change]:
    for name, item in after.items():
        old = before.get(name)
        if old is None:
            yield Change(name, ABSENT, item.verdict.value, says="the clause is new in the catalogue")
        elif old["verdict"] != item.verdict and Reason.NOT_SELECTED not in (old["reason"], item.reason):
            yield Change(name, old["verdict"], item.verdict.value, says=item.reason)
    for name, old in before.items():
        if name not in after:
            yield Change(name, old["verdict"], ABSENT, says="the clause is not in the catalogue any more")


def _remarks(past: PastRun, run: RunVerdict, systems: set[str]) -> Iterator[str]:
    data = past.data
    if data["exit_code"] not in (0, 1):
        yield f"the baseline itself ended with exit code {data['exit_code']}: {data['conclusion']}"
    if not data["complete"]:
        yield "the baseline judged a part only: what it did not look at is new here"
    if data["strict"] != run.scope.strict:
        yield "one of the two runs was strict, the other was not"
    if missing := sorted(set(run.scope.capabilities) - systems):
        yield f"the baseline did not judge {', '.join(missing)}"


def _words(subject: str, message: str) -> str:
    return " ".join(f"{subject + ': ' if subject else ''}{message}".split())
