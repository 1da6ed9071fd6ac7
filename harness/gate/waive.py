"""`ringtrue waive`: finds the deviation that a user means in a run, and writes its waiver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from harness.gate.runs import PastRun, read_run
from harness.gate.waivers import WaiverError, add_waiver
from harness.verdicts import Finding, Waiver

DEFAULT_FILE = Path("waivers.toml")


def today() -> date:
    """The day on which waivers are weighed: that of UTC, so that machines everywhere agree."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Request:
    """What the user asked for. `which`: a clause or a fingerprint."""

    which: str
    run: Path
    reason: str
    owner: str
    until: date
    output: Path = DEFAULT_FILE


def waive(request: Request) -> Waiver:
    """Write the waiver of one deviation of a run.

    Raises:
        RunError: there is no such run, or it is not whole.
        WaiverError: the run has no such deviation, or several; an end in the past; a file that is wrong.
    """
    run = read_run(request.run)
    if request.until < today():
        raise WaiverError(f"--until {request.until} has passed: name the last day on which the waiver shall count")
    for name in ("reason", "owner"):
        if not getattr(request, name).strip():
            raise WaiverError(f"--{name} is empty: a waiver says why it is there, and who answers for it")
    finding = _meant(run, request.which)
    waiver = Waiver(finding.clause, finding.fingerprint, request.reason.strip(), request.owner.strip(), request.until)
    add_waiver(request.output, waiver, known_clauses(run))
    return waiver


def known_clauses(run: PastRun) -> frozenset[str]:
    """Clauses that a waiver file may name: all of Ringtrue's, and those of the run, which may know more systems."""
    from harness.contract import load_contracts

    own = {clause.id for contract in load_contracts((), ()).values() for clause in contract.catalogue}
    return frozenset(own | set(run.clauses))


def _meant(run: PastRun, which: str) -> Finding:
    found = [finding for _, finding in run.deviations() if which in (finding.clause, finding.fingerprint)]
    match found:
        case [one]:
            return one
        case []:
            raise WaiverError(f"{run.folder}: {_why_not(run, which)}")
        case _:
            lines = "\n".join(f"  {one.fingerprint}  {_shown(one)}" for one in found)
            raise WaiverError(f"{which} deviates in {len(found)} ways; waive one by its fingerprint:\n{lines}")


def _why_not(run: PastRun, which: str) -> str:
    item: Any = run.clauses.get(which)
    if item is not None:
        verdict = f"it was not judged ({item['reason']})" if item["verdict"] == "none" else f"it is {item['verdict']}"
        return f"{which} did not fail there, {verdict}: only a deviation can be waived"
    names = sorted({finding.clause for _, finding in run.deviations()})
    return f"no deviation has the clause or fingerprint {which!r}; there are: {', '.join(names) or 'none'}"


def _shown(finding: Finding) -> str:
    return " ".join(f"{finding.subject}: {finding.message}".split())[:140]
