"""Small finished runs, for the tests of the reports."""

from __future__ import annotations

from pathlib import Path

from harness.clauses import Catalogue, Clause, Level, Surface
from harness.report.results import RunRecord
from harness.verdicts import Finding, Reason, RunVerdict, Scope, Verdict, judge


def clause(name: str, area: str = "Calls", level: Level = Level.DOCUMENTED, untestable: str | None = None) -> Clause:
    return Clause(
        f"TY-{name}", "toy", f"Promise of {name}", "TD Telling", level, Surface.HTTP, area, untestable=untestable
    )


CATALOGUE = Catalogue([
    clause("kept"),
    clause("broken"),
    clause("usual", "Rings", Level.INFERRED),
    clause("open", "Rings"),
    clause("crashed"),
    clause("unseen", "Rings"),
    clause("never", untestable="named only"),
])  # fmt: skip
BROKEN = Finding(
    "TY-broken", Verdict.FAIL, "rings\ttwice\n| <b>", "ring", "once `x`", "twice", None, "test_x", "timelines/x.jsonl", (3,),
    "curl http://h",
)  # fmt: skip
FINDINGS = (
    Finding("TY-kept", Verdict.PASS, subject="ring"),
    BROKEN,
    Finding("TY-usual", Verdict.FAIL, "is unusual", source="test_y"),
    Finding("TY-open", Verdict.INCONC, "no answer", reason=Reason.TIMEOUT, timeline="timelines/z.jsonl"),
    Finding("TY-crashed", Verdict.ERROR, "KeyError: x"),
)


def finished(findings: tuple[Finding, ...] = FINDINGS, catalogue: Catalogue = CATALOGUE) -> RunVerdict:
    return judge(catalogue, findings, Scope({"toy": frozenset()}))


def record(folder: Path, run: RunVerdict | None = None) -> RunRecord:
    verdict = finished() if run is None else run
    tests = {"a": "passed", "b": "failed", "c": "passed"}
    return RunRecord(verdict, "staging.toml", {"toy": "http://h"}, folder, 1700000000.0, 12.34, 7, tests)
