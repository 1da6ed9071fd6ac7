"""SARIF 2.1.0 of a run, for code scanning pages: clauses as rules, deviations as results, waivers as suppressions.

A black box has no source lines, so a result points at the target file, or at the test's timeline where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness import __version__
from harness.findings import Finding, Verdict
from harness.verdicts import ClauseVerdict, RunVerdict

if TYPE_CHECKING:
    from harness.report.results import RunRecord

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LONGEST = 2000


def to_sarif(record: RunRecord) -> dict[str, Any]:
    """The whole log: one run with its rules and results."""
    run = record.verdict
    shown = [item for item in run.clauses if any(one.verdict is Verdict.FAIL for one in item.findings)]
    places = {item.clause.id: place for place, item in enumerate(shown)}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "Ringtrue", "version": __version__, "rules": [_rule(item) for item in shown]}
                },
                "invocations": [{"executionSuccessful": int(run.exit_code) in (0, 1), "exitCode": int(run.exit_code)}],
                "results": [result for item in shown for result in _results(record, item, places)],
            }
        ],
    }


def _rule(item: ClauseVerdict) -> dict[str, Any]:
    clause = item.clause
    return {
        "id": clause.id,
        "shortDescription": {"text": _bounded(clause.text)},
        "help": {"text": f"{clause.text} ({clause.source}, {clause.level})"},
        "properties": {"tags": [clause.system, clause.area, clause.surface.value, clause.level.value]},
    }


def _results(record: RunRecord, item: ClauseVerdict, places: dict[str, int]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for finding in item.findings:
        if finding.verdict is Verdict.FAIL and finding.fingerprint not in seen:
            seen.add(finding.fingerprint)
            counts = item.clause.documented or record.verdict.scope.strict
            result: dict[str, Any] = {
                "ruleId": item.clause.id,
                "ruleIndex": places[item.clause.id],
                "level": "error" if counts else "warning",
                "message": {"text": _bounded(_words(finding))},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": _place(record, finding)}}}],
                "partialFingerprints": {"ringtrue/v1": finding.fingerprint},
            }
            if record.comparison is not None:
                new = {change.fingerprint for change in record.comparison.new}
                result["baselineState"] = "new" if finding.fingerprint in new else "unchanged"
            if reason := _suppressed(record.verdict, finding):
                result["suppressions"] = [{"kind": "external", "justification": reason}]
            yield result


def _words(finding: Finding) -> str:
    words = f"{finding.subject + ': ' if finding.subject else ''}{finding.message}"
    if finding.expected or finding.seen:
        words += f": expected {finding.expected or 'nothing'}; seen {finding.seen or 'nothing'}"
    return words or finding.clause


def _place(record: RunRecord, finding: Finding) -> str:
    """A path relative to the checkout, as code scanning wants it."""
    target = Path(record.target)
    if not record.embedded and not target.is_absolute() and ".." not in target.parts:
        return quote(target.as_posix())
    return quote(finding.timeline or "verdicts.json")


def _suppressed(run: RunVerdict, finding: Finding) -> str | None:
    if not run.is_waived(finding):
        return None
    held = next(one for one in run.scope.waivers if one.key == (finding.clause, finding.fingerprint))
    return f"{held.reason} ({held.owner}, until {held.until})"


def _bounded(text: str) -> str:
    shown = text.encode("utf-8", "replace").decode()
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"
