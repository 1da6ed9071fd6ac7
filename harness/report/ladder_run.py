"""Prints the ladders of a run's deviations: `ringtrue run -v` calls it after the matrix.

It reads the run's timelines from disk, a few at most, and writes to the console that it was given. A timeline that cannot
be read is said, never raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.report.ladder import make_ladder
from harness.report.ladder_text import COLUMNS, text_lines
from harness.report.matrix import deviations
from harness.timeline import Timeline, TimelineError
from harness.verdicts import Finding, RunVerdict, Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report.results import RunRecord

MOST_LADDERS = 10


def deviating(run: RunVerdict) -> dict[str, list[Finding]]:
    """Findings that are no pass by the timeline they were made from, worst clauses first; only timelines that deviate."""
    found: dict[str, list[Finding]] = {}
    for item in deviations(run):
        for finding in item.findings:
            if finding.timeline and finding.verdict is not Verdict.PASS:
                found.setdefault(finding.timeline, []).append(finding)
    return {
        timeline: findings
        for timeline, findings in found.items()
        if any(finding.verdict in (Verdict.FAIL, Verdict.ERROR) for finding in findings)
    }


def print_ladders(record: RunRecord, console: Console) -> None:
    """The ladder of each scenario that deviates, as text."""
    by_timeline = deviating(record.verdict)
    warns = _warning_clauses(record.verdict)
    for name, findings in list(by_timeline.items())[:MOST_LADDERS]:
        console.print()
        _print_one(name, findings, warns, record, console)
    if len(by_timeline) > MOST_LADDERS:
        left = len(by_timeline) - MOST_LADDERS
        console.print(f"\nand {left} more scenarios deviate: `ringtrue report` has their ladders", style="dim")


def _print_one(name: str, findings: list[Finding], warns: set[str], record: RunRecord, console: Console) -> None:
    try:
        timeline = Timeline.read(record.run_dir / name)
    except TimelineError as error:
        console.print(f"no ladder: {error}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        return
    title = next((finding.subject for finding in findings if finding.subject), timeline.scenario)
    bases: Mapping[str, str] = record.systems
    ladder = make_ladder(timeline, findings, title=title, inferred=warns, bases=bases)
    columns = max(COLUMNS, min(console.width, 160)) if console.is_terminal else COLUMNS
    unicode = console.encoding.lower().startswith("utf")
    styles = {None: "", True: "red", False: "yellow"}
    for number, line in enumerate(text_lines(ladder, columns=columns, unicode=unicode)):
        style = "bold" if number == 0 else styles[line.severe]
        console.print(line.text, style=style, markup=False, highlight=False, soft_wrap=True)
    console.print(f"  {name}", style="dim", markup=False, highlight=False)


def _warning_clauses(run: RunVerdict) -> set[str]:
    return set() if run.scope.strict else {item.clause.id for item in run.clauses if not item.clause.documented}
