"""The clause matrix: a line for each area of each system, then each deviation in three lines.

Pure functions over a `RunVerdict`; the terminal, `summary.md` and pytest's own summary share them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.ladder_words import clean
from harness.verdicts import ClauseVerdict, Finding, Reason, RunVerdict, Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report.results import RunRecord

_NAMES = ("system", "area", "clauses", "pass", "fail", "warn", "inconc", "error", "waived", "not judged")
_COLOURS = dict(zip(_NAMES, ("", "", "", "green", "bold red", "yellow", "magenta", "red", "cyan", "dim"), strict=True))
_SHOWN = 20
# From so many clauses on, those that are undecided for one reason are told together; so many of them by name.
_MANY = 3
_NAMED = 8
_LONGEST_LINE = 4000
_FILES = "verdicts.json, summary.md, junit.xml, timelines; `ringtrue report` shows it"


@dataclass(frozen=True, slots=True)
class Row:
    """Counts of one area. `not_judged`: untestable, not declared by the target, not selected, or did not occur."""

    system: str
    area: str
    total: int
    passed: int
    failed: int
    warned: int
    inconclusive: int
    errors: int
    waived: int
    not_judged: int

    @property
    def cells(self) -> dict[str, str]:
        """What stands in each column, by its name."""
        counts = (
            self.passed, self.failed, self.warned, self.inconclusive, self.errors, self.waived, self.not_judged,
        )  # fmt: skip
        shown = (self.system, self.area, str(self.total), *(str(count) if count else "·" for count in counts))
        return dict(zip(_NAMES, shown, strict=True))


def columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """Names of the columns to show: that of waivers only where there is one."""
    return tuple(name for name in _NAMES if name != "waived" or any(row.waived for row in rows))


def matrix_rows(run: RunVerdict) -> list[Row]:
    """One row for each area, in the order of the catalogue, and a last one that adds them up."""
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for item in run.clauses:
        groups.setdefault((item.clause.system, item.clause.area), []).append(item.verdict)
    rows = [_row(system, area, verdicts) for (system, area), verdicts in groups.items()]
    return [*rows, _row("", "all", [item.verdict for item in run.clauses])]


def _row(system: str, area: str, verdicts: list[Verdict]) -> Row:
    count = verdicts.count
    return Row(
        system=system,
        area=area,
        total=len(verdicts),
        passed=count(Verdict.PASS),
        failed=count(Verdict.FAIL),
        warned=count(Verdict.WARN),
        inconclusive=count(Verdict.INCONC),
        errors=count(Verdict.ERROR),
        waived=count(Verdict.WAIVED),
        not_judged=count(Verdict.NONE) + count(Verdict.UNTESTABLE),
    )


def deviations(run: RunVerdict) -> list[ClauseVerdict]:
    """Clauses that need a look: failed first, then errors, warnings, what could not be decided, and what is waived."""
    order = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.INCONC, Verdict.WAIVED)
    found = [item for item in run.clauses if item.verdict in order]
    return sorted(found, key=lambda item: order.index(item.verdict))


def unseen_lines(items: list[ClauseVerdict]) -> list[str]:
    """Clauses that nothing was found out about, one line for each reason."""
    reasons = Counter(item.reason for item in items if not item.findings)
    return [f"INCONC {count} clause{'s' * (count != 1)}: {reason}" for reason, count in reasons.items()]


def waiver_lines(run: RunVerdict) -> list[str]:
    """What became of each waiver: those that make the run red first."""
    ordered = sorted(run.waivers, key=lambda result: not result.red)
    return [
        f"WAIVER {result.waiver.clause} {result.waiver.fingerprint} ({result.waiver.owner}): {result.state}: {result.says}"
        for result in ordered
    ]


def comparison_lines(record: RunRecord) -> list[str]:
    """What is new, fixed and changed since the baseline; the first few of each."""
    found = record.comparison
    if found is None:
        return []
    lines = [f"BASELINE {found.baseline} {found.headline}", *(f"         {remark}" for remark in found.remarks)]
    for name in ("new", "fixed", "changed"):
        changes = getattr(found, name)
        for change in changes[:_SHOWN]:
            words = " ".join(f"{change.before} -> {change.after} {change.fingerprint}  {change.says}".split())
            lines.append(f"{name.upper():8} {change.clause}  {words}")
        if len(changes) > _SHOWN:
            lines.append(f"         … and {len(changes) - _SHOWN} more in verdicts.json")
    return lines


def problem_lines(run: RunVerdict) -> list[str]:
    """Problems that the conclusion does not name already."""
    return [f"PROBLEM {' '.join(problem.split())}" for problem in run.problems if problem not in run.conclusion]


def word(item: ClauseVerdict) -> str:
    """Its verdict as it is shown: what did not repeat is told from what could not be tried."""
    return Reason.FLAKY.value if item.is_flaky else item.verdict.value


def look_at(item: ClauseVerdict) -> Finding | None:
    """The finding to look at first: what makes it flaky, if it is, else the worst."""
    found = [one for one in item.findings if one.verdict is not Verdict.PASS]
    return next((one for one in found if item.is_flaky and one.reason is Reason.FLAKY), found[0] if found else None)


def three_lines(item: ClauseVerdict) -> list[str]:
    """A deviation: what was promised and where, what happened instead, how to see it again."""
    finding = look_at(item)
    lines = [f"{word(item).upper():6} {item.clause.id}  {item.clause.text} [{item.clause.source}]"]
    if finding is None:
        lines.append(f"       {item.reason}")
        return lines
    what = finding.message
    if finding.expected or finding.seen:
        what += f": expected {finding.expected or 'nothing'}; seen {finding.seen or 'nothing'}"
    where = finding.subject or finding.source
    lines.append(f"       {where + ': ' if where else ''}{' '.join(what.split())}")
    lines.append(f"       {finding.reproduce or finding.timeline or finding.source}")
    # What a platform has said must not steer the terminal on which it is shown.
    return [clean(line, _LONGEST_LINE) for line in lines]


def told(items: Sequence[ClauseVerdict]) -> list[tuple[Verdict, int, list[str]]]:
    """What is said of deviations that have findings: verdict, number of clauses, lines.

    Clauses that are undecided for the same reason are said together where they are many.
    """
    found = [item for item in items if item.findings]
    groups: dict[str, list[ClauseVerdict]] = {}
    for item in found:
        if item.verdict is Verdict.INCONC:
            groups.setdefault(_why(item), []).append(item)
    entries = []
    for item in found:
        group = groups.get(_why(item), []) if item.verdict is Verdict.INCONC else []
        if len(group) < _MANY:
            entries.append((item.verdict, 1, three_lines(item)))
        elif item is group[0]:
            names = [one.clause.id for one in group]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            head = f"INCONC {len(names)} clauses: {' '.join(_why(item).split())}"
            lines = [head, f"       {', '.join(names[:_NAMED])}{more}", three_lines(item)[-1]]
            entries.append((item.verdict, len(names), [clean(line, _LONGEST_LINE) for line in lines]))
    return entries


def _why(item: ClauseVerdict) -> str:
    return next((one.message for one in item.findings if one.verdict is not Verdict.PASS), "")


def render_plain(record: RunRecord) -> str:
    """The matrix and the deviations as plain text."""
    found = matrix_rows(record.verdict)
    names = columns(found)
    rows = [names, *(tuple(row.cells[name] for name in names) for row in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines.append("")
    lines += _deviation_lines(deviations(record.verdict))
    lines += [*waiver_lines(record.verdict), *comparison_lines(record), *problem_lines(record.verdict)]
    lines.append(f"{record.verdict.conclusion} ({record.seconds:.1f} s, exit code {int(record.verdict.exit_code)})")
    lines.append(f"{record.run_dir}")
    return "\n".join(lines)


def _deviation_lines(items: list[ClauseVerdict]) -> Iterable[str]:
    entries = told(items)
    for _, _, lines in entries[:_SHOWN]:
        yield from lines
    yield from _left_out(entries)
    yield from unseen_lines(items)
    if items:
        yield ""


def _left_out(entries: Sequence[tuple[Verdict, int, list[str]]]) -> Iterable[str]:
    if left := sum(count for _, count, _ in entries[_SHOWN:]):
        yield f"       … and {left} more in verdicts.json"


def print_rich(record: RunRecord, console: Console, shown_path: str, files: str = _FILES) -> None:
    """The same, with colours where the terminal has them; `files`: what the folder holds."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = matrix_rows(record.verdict)
    names = columns(rows)
    for column, name in enumerate(names):
        table.add_column(name, justify="left" if column < 2 else "right", no_wrap=True)
    last_system = None
    for row in rows:
        cells = row.cells
        cells["system"] = row.system if row.system != last_system else ""
        last_system = row.system
        coloured = [
            f"[{colour}]{escape(cell)}[/]"
            if colour and cell != "·"
            else f"[dim]{cell}[/]"
            if cell == "·"
            else escape(cell)
            for cell, colour in ((cells[name], _COLOURS[name]) for name in names)
        ]
        table.add_row(*coloured, style="bold" if row is rows[-1] else "", end_section=row is rows[-2])
    console.print()
    console.print(table)
    console.print()
    styles = {Verdict.FAIL: "bold red", Verdict.ERROR: "red", Verdict.WARN: "yellow", Verdict.INCONC: "magenta"}
    styles[Verdict.WAIVED] = "cyan"
    items = deviations(record.verdict)
    entries = told(items)
    for verdict, _, (head, *rest) in entries[:_SHOWN]:
        console.print(head, style=styles[verdict], markup=False, highlight=False, soft_wrap=True)
        for line in rest:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in _left_out(entries):
        console.print(line, style="dim")
    for line in unseen_lines(items):
        console.print(line, style="magenta", markup=False, highlight=False)
    more = [*waiver_lines(record.verdict), *comparison_lines(record), *problem_lines(record.verdict)]
    for line in more:
        console.print(line, style="cyan", markup=False, highlight=False)
    if items or more:
        console.print()
    style = {0: "bold green", 1: "bold red"}.get(int(record.verdict.exit_code), "bold yellow")
    console.print(
        f"{record.verdict.conclusion} ({record.seconds:.1f} s, exit code {int(record.verdict.exit_code)})",
        style=style,
        highlight=False,
    )
    console.print(
        f"{shown_path}: {files}",
        style="dim",
        soft_wrap=True,
    )
