"""Writes what a run found: `verdicts.json` (for machines), `summary.md` (for a job page), `environment` for Allure.

The session calls `write_results` once, also after an interruption. `verdicts.json` is written whole or not at all, and
says at its end how much it holds, so that a truncated one is never taken for a result.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.gate.shards import Shard
from harness.report.browse.allure_config import executor
from harness.report.browse.clause_page import PAGE, Beside, render
from harness.report.ci.summary import to_markdown
from harness.verdicts import Finding, Reason, RunVerdict, Verdict

if TYPE_CHECKING:
    from harness.gate.compare import Comparison

FORMAT = 1
VERDICTS = "verdicts.json"
SUMMARY = "summary.md"


@dataclass(frozen=True)
class ShardRecord:
    """Which part of a whole a run was. `tests` and `digest`: of the whole; `complete`: the whole is all tests there are."""

    shard: Shard
    tests: int
    digest: str
    complete: bool

    def to_json(self) -> dict[str, Any]:
        values = {"index": self.shard.index, "of": self.shard.of, "tests": self.tests}
        return {**values, "digest": self.digest, "complete": self.complete}


@dataclass(frozen=True)
class RunRecord:
    """A finished run. `started`: seconds since the epoch; `seconds`: how long it took.

    `tests` and `durations`: outcome and seconds by test id.
    """

    verdict: RunVerdict
    target: str
    systems: Mapping[str, str]
    run_dir: Path
    started: float
    seconds: float
    seed: int
    tests: Mapping[str, str] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)
    runs: Mapping[str, int] = field(default_factory=dict)
    findings: int = 0
    unseen: str = Reason.NO_EVIDENCE
    embedded: bool = False
    comparison: Comparison | None = None
    shard: ShardRecord | None = None


def write_results(record: RunRecord, folder: Path) -> None:
    """Write all result files of a run into `folder`."""
    _replace(folder / VERDICTS, json.dumps(to_json(record), ensure_ascii=False, indent=1) + "\n")
    _replace(folder / SUMMARY, to_markdown(record))
    _replace(folder / PAGE, render(to_json(record), Beside()))
    results = folder / "allure-results"
    if results.is_dir():
        environment = {"Target": record.target, "Ringtrue": __version__, "Seed": str(record.seed), **record.systems}
        lines = "".join(f"{key.replace(' ', '_')}={value}\n" for key, value in environment.items())
        _replace(results / "environment.properties", lines)
        if job := executor():
            _replace(results / "executor.json", json.dumps(job, indent=1) + "\n")


def to_json(record: RunRecord) -> dict[str, Any]:
    """The content of `verdicts.json`; its members are described in `reports/README.md`."""
    run = record.verdict
    clauses = [
        {
            "id": item.clause.id,
            "system": item.clause.system,
            "area": item.clause.area,
            "level": item.clause.level.value,
            "surface": item.clause.surface.value,
            "text": item.clause.text,
            "source": item.clause.source,
            "verdict": item.verdict.value,
            "reason": item.reason,
            "passes": item.passes,
            "findings": [_finding(run, finding) for finding in item.findings],
        }
        for item in run.clauses
    ]
    tests = Counter(record.tests.values())
    return {
        "format": FORMAT,
        "ringtrue": __version__,
        "target": record.target,
        "systems": dict(record.systems),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.started)),
        "seconds": round(record.seconds, 3),
        "seed": record.seed,
        "unseen": str(record.unseen),
        "embedded": record.embedded,
        "capabilities": {system: sorted(declared) for system, declared in run.scope.capabilities.items()},
        "strict": run.scope.strict,
        "complete": run.scope.complete,
        "exit_code": int(run.exit_code),
        "conclusion": run.conclusion,
        "problems": list(run.problems),
        "counts": {verdict.value: run.count(verdict) for verdict in Verdict},
        "documented": {verdict.value: run.count(verdict, documented=True) for verdict in Verdict},
        "coverage": {"decided": run.decided, "of": len(run.gated), "floor": run.scope.floor},
        **({"shard": record.shard.to_json()} if record.shard else {}),
        **({"stopped": run.stopped} if run.stopped else {}),
        **({"baseline": record.comparison.to_json()} if record.comparison else {}),
        "flaky": [item.clause.id for item in run.flaky],
        "waivers": [
            {**result.waiver.to_json(), "state": result.state.value, "says": result.says} for result in run.waivers
        ],
        "clauses": clauses,
        "tests": [
            {"id": test, "outcome": outcome, "seconds": round(record.durations.get(test, 0.0), 3)}
            | ({"runs": record.runs[test]} if record.runs.get(test, 1) > 1 else {})
            for test, outcome in sorted(record.tests.items())
        ],
        "footer": {"clauses": len(clauses), "findings": record.findings, "tests": dict(sorted(tests.items()))},
    }


def _finding(run: RunVerdict, finding: Finding) -> dict[str, Any]:
    return finding.to_json() | ({"waived": True} if run.is_waived(finding) else {})


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8", errors="backslashreplace")
    draft.replace(path)
