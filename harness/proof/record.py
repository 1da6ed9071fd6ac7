"""`proof.json`, of mutants `mutants.json`: what the kill matrix came to, for machines and for the report's page of clauses.

The command writes it; the clause page of a report reads it. Its schema is `proof.schema.json`; members may be added within a
format, none goes or changes its meaning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import __version__
from harness.clauses import Clause
from harness.proof.expected import Misses
from harness.proof.matrix import Kill, Outcome, Tally
from harness.suites.mutants import Mutant
from harness.verdicts import Exit

FORMAT = 1
PROOF = "proof.json"
MUTANTS = "mutants.json"


@dataclass(frozen=True)
class Matrix:
    """A finished matrix: its kills, every clause of its systems, and how the command ended. `complete`: all faults ran.

    `lot`: faults or mutants; `target`: the file of the target that mutants stood before, if not the reference platform;
    `remarks`: what is to be known besides.
    """

    kills: Sequence[Kill]
    clauses: Sequence[Clause]
    misses: Misses
    started: float
    seconds: float
    complete: bool
    exit_code: Exit
    conclusion: str
    lot: str = "faults"
    target: str = ""
    remarks: Sequence[str] = ()


def to_json(matrix: Matrix) -> dict[str, Any]:
    """The content of `proof.json`."""
    proven = by_clause(matrix.kills)
    documented = [kill for kill in matrix.kills if kill.clause.documented]
    return {
        "format": FORMAT,
        "ringtrue": __version__,
        "of": matrix.lot,
        "target": matrix.target,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(matrix.started)),
        "seconds": round(matrix.seconds, 3),
        "complete": matrix.complete,
        "exit_code": int(matrix.exit_code),
        "conclusion": matrix.conclusion,
        "remarks": list(matrix.remarks),
        "counts": _counts(matrix.kills),
        "documented": _counts(documented),
        "faults": [_fault(kill, matrix.misses.faults) for kill in matrix.kills],
        "clauses": [_clause(clause, proven, matrix.misses) for clause in matrix.clauses if not clause.untestable],
        "footer": {"faults": len(matrix.kills)},
    }


def write_proof(matrix: Matrix, path: Path) -> None:
    """Write `proof.json`, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(to_json(matrix), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def by_clause(kills: Iterable[Kill]) -> dict[str, list[Kill]]:
    """The kills that prove the check of each clause, by clause id."""
    found: dict[str, list[Kill]] = {}
    for kill in kills:
        if kill.outcome is Outcome.CAUGHT:
            found.setdefault(kill.clause.id, []).append(kill)
    return found


def _fault(kill: Kill, reasons: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": kill.fault.id,
        "system": kill.fault.system,
        "clause": kill.clause.id,
        "level": kill.clause.level.value,
        "surface": kill.clause.surface.value,
        "words": kill.fault.words,
        "outcome": kill.outcome.value,
        "verdict": kill.verdict,
        "tests": list(kill.tests),
        "message": kill.message,
        "others": list(kill.others),
        "seconds": round(kill.seconds, 3),
    }
    if kill.problem:
        row["problem"] = kill.problem
    if isinstance(kill.fault, Mutant):
        row["rule"], row["at"] = kill.fault.rule, kill.fault.surface
    if kill.outcome is not Outcome.CAUGHT and kill.fault.id in reasons:
        row["reason"] = reasons[kill.fault.id]
    return row


def _clause(clause: Clause, proven: Mapping[str, Sequence[Kill]], misses: Misses) -> dict[str, Any]:
    row: dict[str, Any] = {"id": clause.id, "proven_by": [kill.fault.id for kill in proven.get(clause.id, ())]}
    if clause.id in misses.clauses and clause.id not in proven:
        row["reason"] = misses.clauses[clause.id]
    return row


def _counts(kills: Iterable[Kill]) -> dict[str, Any]:
    tally = Tally.of(kills)
    counts = {outcome.value: tally.counts.get(outcome, 0) for outcome in Outcome}
    return counts | {"caught_share": round(tally.caught_share, 4), "right_share": round(tally.right_share, 4)}
