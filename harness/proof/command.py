"""`ringtrue faults`: chooses the faults, hunts them, prints the matrix and writes what it came to.

Called by the command line with checked options; gives the exit code.
"""

from __future__ import annotations

import difflib
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.clauses import Clause
from harness.contract import load_contracts
from harness.gate.options import default_jobs
from harness.proof.expected import Expected, fallen, read_expected, read_misses, write_expected
from harness.proof.hunt import Control, ControlError, Stage, controls, drive, quick, thorough
from harness.proof.matrix import Kill, Outcome, Tally, conclusion
from harness.proof.null import KINDS
from harness.proof.null.command import run_null
from harness.proof.page import to_html
from harness.proof.pool import Pool
from harness.proof.record import PROOF, Matrix, write_proof
from harness.proof.variety import run_variants
from harness.reference.faults import FAULTS, Fault
from harness.reference.systems import SYSTEM_NAMES
from harness.reference.variants import VARIANTS
from harness.suites.runner import wrong_expression
from harness.verdicts import Exit

DEFAULT_PROOF = Path("reports") / PROOF


class FaultsError(Exception):
    """The command asks for something that there is not; the message says what to do instead. Exit code 2."""


@dataclass(frozen=True)
class FaultsOptions:
    """What `ringtrue faults` was asked for; see its `--help`."""

    faults: Sequence[str] = ()
    systems: Sequence[str] = ()
    only: str | None = None
    keyword: str | None = None
    sample: int | None = None
    jobs: int | None = None
    json: Path | None = None
    update: bool = False
    null: bool = False
    variants: bool = False
    times: int = 1
    verbose: bool = False


def run_faults(options: FaultsOptions) -> int:
    """Hunt, print, write, and give the exit code."""
    jobs = options.jobs or default_jobs()
    try:
        if options.null:
            _check("null target", options.faults, KINDS)
            _check("system", options.systems, SYSTEM_NAMES)
            return run_null(options.faults, options.systems, jobs)
        if options.variants:
            _check("variant", options.faults, list(VARIANTS))
            _check("system", options.systems, SYSTEM_NAMES)
            return run_variants(options.faults, options.systems, options.times, jobs)
        _check_keyword(options)
        chosen = choose(options)
    except FaultsError as error:
        print(f"ringtrue: {error}", file=sys.stderr)
        return int(Exit.USAGE)
    path = options.json or DEFAULT_PROOF
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        matrix, times = _hunted(chosen, options, jobs)
        write_proof(matrix, path)
        page = path.with_suffix(".html")
        page.write_text(to_html(matrix), encoding="utf-8")
        before = _expected(options)
        if options.update:
            write_expected(matrix.kills, times, FAULTS)
    except OSError as error:
        print(f"ringtrue: the proof cannot be written: {error}", file=sys.stderr)
        return int(Exit.USAGE)
    _show(matrix, before)
    print(f"{path}, {page}")
    return int(matrix.exit_code)


def _hunted(chosen: Sequence[Fault], options: FaultsOptions, jobs: int) -> tuple[Matrix, dict[str, float]]:
    """The finished matrix of these faults, and seconds by test."""
    clauses = {clause.id: clause for contract in load_contracts().values() for clause in contract.catalogue}
    expected = _expected(options)
    hunt = _Hunt(clauses, expected, options)
    started = time.time()
    end: tuple[Exit, str] | None = None
    try:
        with Pool(jobs) as pool:
            hunt.run(pool, chosen)
    except ControlError as error:
        end = Exit.NOTHING_SAID, f"nothing can be said: {error}"
    except KeyboardInterrupt:
        end = Exit.INTERRUPTED, f"interrupted after {len(hunt.kills)} of {len(chosen)} faults"
    order = {name: place for place, name in enumerate(FAULTS)}
    kills = sorted(hunt.kills, key=lambda kill: order[kill.fault.id])
    code, words = end or conclusion(kills, [kill.fault.id for kill in fallen(kills, expected)])
    tried = {kill.fault.id for kill in kills}
    part = {fault.clause for fault in FAULTS.values() if fault.id not in tried}
    matrix = Matrix(
        kills=kills,
        # Of a clause that has faults which were not tried, nothing can be said but by those that were.
        clauses=[
            clause
            for clause in clauses.values()
            if clause.id in {kill.clause.id for kill in kills}
            or (clause.id not in part and clause.system in {fault.system for fault in chosen})
        ],
        misses=read_misses(),
        started=started,
        seconds=time.time() - started,
        complete=len(kills) == len(FAULTS) and not options.keyword,
        exit_code=code,
        conclusion=words,
    )
    return matrix, hunt.times


def _expected(options: FaultsOptions) -> dict[str, Expected]:
    """What the faults came to before; nothing is known of that where only some tests may notice them."""
    return {} if options.keyword else read_expected()


def _check_keyword(options: FaultsOptions) -> None:
    """Raises FaultsError for an expression that is none, and where it would be taken for the whole truth."""
    if wrong := wrong_expression(options.keyword):
        raise FaultsError(wrong)
    if options.keyword and options.update:
        raise FaultsError("--update takes over what all tests say: leave -k away")


def choose(options: FaultsOptions) -> list[Fault]:
    """The faults that were asked for, in the order of the catalogue.

    Raises:
        FaultsError: an unknown fault or system, a wrong expression, or nothing left.
    """
    _check("fault", options.faults, list(FAULTS))
    _check("system", options.systems, SYSTEM_NAMES)
    try:
        wanted = re.compile(options.only or "")
    except re.error as error:
        raise FaultsError(f"--only {options.only!r} is no regular expression: {error}") from error
    found = [
        fault
        for fault in FAULTS.values()
        if (not options.faults or fault.id in options.faults)
        and (not options.systems or fault.system in options.systems)
        and (wanted.search(fault.id) or wanted.search(fault.clause))
    ]
    if not found:
        raise FaultsError("no fault is left: `ringtrue platform --list-faults` shows all, with their clauses")
    return sample(found, options.sample) if options.sample else found


def sample(faults: Sequence[Fault], count: int) -> list[Fault]:
    """So many of the faults, spread evenly over the catalogue; the same ones each time."""
    if count >= len(faults):
        return list(faults)
    return [faults[place * len(faults) // count] for place in range(count)]


_NEW = Expected(Outcome.MISSED)


class _Hunt:
    """What is known while it goes on: `kills` so far, `times` of tests in seconds."""

    def __init__(self, clauses: Mapping[str, Clause], expected: Mapping[str, Expected], options: FaultsOptions) -> None:
        self.kills: list[Kill] = []
        self.times: dict[str, float] = {}
        self._clauses = clauses
        self._expected = expected
        self._options = options
        self._total = 0

    def run(self, pool: Pool, faults: Sequence[Fault]) -> None:
        """Raises ControlError."""
        self._total = len(faults)
        known = {fault: self._expected[fault.id].test for fault in faults if self._expected.get(fault.id, _NEW).test}
        tests: dict[str, set[str]] = {}
        for fault, test in known.items():
            tests.setdefault(fault.system, set()).add(test)
        few = self._controls(pool, {system: sorted(names) for system, names in tests.items()})
        first = [
            quick(fault, self._clauses[fault.clause], [test], few[fault.system])
            for fault, test in known.items()
            if test in few[fault.system].result.times
        ]
        caught = set()
        for kill in drive(pool, first):
            if kill.outcome is Outcome.CAUGHT:
                caught.add(kill.fault.id)
                self._keep(kill)
        left = [fault for fault in faults if fault.id not in caught]
        whole = self._controls(pool, {fault.system: [] for fault in left})
        second: list[Stage] = [thorough(fault, self._clauses[fault.clause], whole[fault.system]) for fault in left]
        for kill in drive(pool, second):
            self._keep(kill)

    def _controls(self, pool: Pool, wanted: Mapping[str, Sequence[str]]) -> dict[str, Control]:
        found = controls(pool, wanted, self._tell, self._options.keyword)
        for control in found.values():
            self.times |= control.result.times
        return found

    def _keep(self, kill: Kill) -> None:
        self.kills.append(kill)
        if self._options.verbose:
            print(line(kill), flush=True)
        else:
            self._tell(f"{len(self.kills)} of {self._total} faults")

    def _tell(self, words: str) -> None:
        """Progress, on a terminal only."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def line(kill: Kill) -> str:
    """A fault in one line."""
    where = f"  also {', '.join(kill.others[:4])}{' …' if len(kill.others) > 4 else ''}" if kill.others else ""
    problem = f"  {kill.problem}" if kill.problem else ""
    return f"{kill.outcome:9} {kill.fault.id}  {kill.clause.id} {kill.verdict or '-'}{where}{problem}"


def _show(matrix: Matrix, expected: Mapping[str, Expected]) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    rows = [("system", "surface", "faults", *(outcome.value for outcome in Outcome), "caught", "right clause")]
    groups = dict.fromkeys((kill.fault.system, kill.clause.surface.value) for kill in matrix.kills)
    for system, surface in sorted(groups):
        rows.append(_row(system, surface, [
            kill for kill in matrix.kills if (kill.fault.system, kill.clause.surface.value) == (system, surface)
        ]))  # fmt: skip
    rows.append(_row("all", "", matrix.kills))
    rows.append(_row("documented", "", [kill for kill in matrix.kills if kill.clause.documented]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    now_missing = {kill.fault.id for kill in fallen(matrix.kills, expected)}
    for kill in matrix.kills:
        if kill.outcome is not Outcome.CAUGHT:
            print(f"\n{line(kill)}\n          {kill.fault.words}")
            if kill.fault.id in now_missing:
                print("          it was caught before")
            if reason := matrix.misses.faults.get(kill.fault.id):
                print(f"          {reason}")
    print(f"\n{matrix.conclusion} ({matrix.seconds:.0f} s, exit code {int(matrix.exit_code)})")


def _row(system: str, surface: str, kills: Iterable[Kill]) -> tuple[str, ...]:
    tally = Tally.of(kills)
    counts = [str(tally.counts.get(outcome, 0) or "·") for outcome in Outcome]
    return (system, surface, str(tally.faults), *counts, f"{tally.caught_share:.1%}", f"{tally.right_share:.1%}")


def _check(kind: str, asked: Iterable[str], known: Sequence[str]) -> None:
    """Raises FaultsError for a name that there is not."""
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            many = "`ringtrue platform --list-faults` shows all" if len(known) > 20 else f"known: {', '.join(known)}"
            hint = f"did you mean {' or '.join(near)}?" if near else many
            raise FaultsError(f"unknown {kind} {name!r}; {hint}")
