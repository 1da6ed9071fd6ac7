"""A matrix on the terminal: a table of what was caught, each that was not, and the conclusion."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence

from harness.proof.matrix import TRIED, Kill, Outcome, Tally
from harness.proof.record import Matrix
from harness.suites.mutants import Mutant


def line(kill: Kill) -> str:
    """A fault in one line."""
    where = f"  also {', '.join(kill.others[:4])}{' …' if len(kill.others) > 4 else ''}" if kill.others else ""
    problem = f"  {kill.problem}" if kill.problem else ""
    return f"{kill.outcome:9} {kill.fault.id}  {kill.clause.id} {kill.verdict or '-'}{where}{problem}"


def show(matrix: Matrix, fallen: Collection[str]) -> None:
    """Print it; `fallen`: ids of those that were caught before and are not now."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    idle = [kill for kill in matrix.kills if kill.outcome is Outcome.UNEXERCISED]
    tried = [kill for kill in matrix.kills if kill.outcome is not Outcome.UNEXERCISED]
    _table(matrix.lot, tried)
    for kill in tried:
        if kill.outcome is not Outcome.CAUGHT:
            print(f"\n{line(kill)}\n          {kill.fault.words}")
            if kill.fault.id in fallen:
                print("          it was caught before")
            if reason := matrix.misses.faults.get(kill.fault.id):
                print(f"          {reason}")
    if idle:
        print(f"\n{len(idle)} {matrix.lot} not exercised: nothing came by that they could change")
    for remark in matrix.remarks:
        print(f"\n{remark}")
    print(f"\n{matrix.conclusion} ({matrix.seconds:.0f} s, exit code {int(matrix.exit_code)})")


def _table(lot: str, kills: Sequence[Kill]) -> None:
    rows = [("system", "surface", lot, *(outcome.value for outcome in TRIED), "caught", "right clause")]
    groups = dict.fromkeys((kill.fault.system, _group(kill)) for kill in kills)
    for system, group in sorted(groups):
        rows.append(
            _row(system, group, [kill for kill in kills if (kill.fault.system, _group(kill)) == (system, group)])
        )
    rows.append(_row("all", "", kills))
    rows.append(_row("documented", "", [kill for kill in kills if kill.clause.documented]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _group(kill: Kill) -> str:
    """What a row of the table is about: a surface, and of mutants the rule, too."""
    if isinstance(kill.fault, Mutant):
        return f"{kill.fault.surface}: {kill.fault.rule}"
    return kill.clause.surface.value


def _row(system: str, surface: str, kills: Iterable[Kill]) -> tuple[str, ...]:
    tally = Tally.of(kills)
    counts = [str(tally.counts.get(outcome, 0) or "·") for outcome in TRIED]
    return (system, surface, str(tally.faults), *counts, f"{tally.caught_share:.1%}", f"{tally.right_share:.1%}")
