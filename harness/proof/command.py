"""`ringtrue faults`: has faults or mutants chosen and hunted, prints the matrix and writes what it came to.

Called by the command line with checked options; gives the exit code.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.clauses import Clause
from harness.contract import load_contracts
from harness.gate.options import default_jobs
from harness.proof.expected import Expected, fallen, read_misses, write_expected
from harness.proof.hunt import Control, ControlError, Stage, controls, drive, quick, thorough, unexercised
from harness.proof.lots import FaultsError, Lot, check, fault_lot, mutant_lot, sample, target_lot
from harness.proof.matrix import Kill, Outcome, Seeded, conclusion
from harness.proof.null import KINDS
from harness.proof.null.command import run_null
from harness.proof.page import to_html
from harness.proof.pool import Pool
from harness.proof.record import MUTANTS, PROOF, Matrix, write_proof
from harness.proof.showing import line, show
from harness.proof.variety import run_variants
from harness.reference.systems import SYSTEM_NAMES
from harness.reference.variants import VARIANTS
from harness.suites.runner import wrong_expression
from harness.verdicts import Exit

REPORTS = Path("reports")


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
    mutants: bool = False
    list_mutants: bool = False
    target: Path | None = None
    times: int = 1
    verbose: bool = False


def run_faults(options: FaultsOptions) -> int:
    """Hunt, print, write, and give the exit code."""
    jobs = options.jobs or default_jobs()
    try:
        _refuse_contradictions(options)
        if options.null:
            check("null target", options.faults, KINDS)
            check("system", options.systems, SYSTEM_NAMES)
            return run_null(options.faults, options.systems, jobs)
        if options.variants:
            check("variant", options.faults, list(VARIANTS))
            check("system", options.systems, SYSTEM_NAMES)
            return run_variants(options.faults, options.systems, options.times, jobs)
        lot = _lot(options)
    except FaultsError as error:
        print(f"ringtrue: {error}", file=sys.stderr)
        return int(Exit.USAGE)
    if options.list_mutants:
        for mutant in lot.chosen:
            print(f"{mutant.id}  {mutant.clause}  {mutant.words}")
        return int(Exit.CONFORMS)
    path = options.json or REPORTS / (PROOF if lot.word == "faults" else MUTANTS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ground = lot.ground.with_options(options.keyword, path.with_name(f"{path.stem}-left").resolve())
        lot = replace(lot, ground=ground)
        matrix, times = _hunted(lot, options, 1 if lot.ground.is_target else jobs)
        write_proof(matrix, path)
        page = path.with_suffix(".html")
        page.write_text(to_html(matrix), encoding="utf-8")
        before = lot.expected
        if options.update:
            write_expected(matrix.kills, times, lot.known, lot.file)
    except OSError as error:
        print(f"ringtrue: the proof cannot be written: {error}", file=sys.stderr)
        return int(Exit.USAGE)
    show(matrix, {kill.fault.id for kill in fallen(matrix.kills, before)})
    print(f"{path}, {page}")
    return int(matrix.exit_code)


def _refuse_contradictions(options: FaultsOptions) -> None:
    """Raises FaultsError for what does not go together, and for an expression that is none."""
    if wrong := wrong_expression(options.keyword):
        raise FaultsError(wrong)
    if options.keyword and options.update:
        raise FaultsError("--update takes over what all tests say: leave -k away")
    modes = {
        "--null": options.null,
        "--variants": options.variants,
        "--mutants": options.mutants,
        "--list-mutants": options.list_mutants,
        "--target": options.target is not None,
    }
    asked = [name for name, given in modes.items() if given]
    if len(asked) > 1 and not set(asked) <= {"--mutants", "--list-mutants", "--target"}:
        raise FaultsError(f"{' and '.join(asked)} do not go together: ask for one of them")
    if options.target and options.jobs:
        raise FaultsError("--jobs: a target is tried with one mutant at a time")
    if options.target and options.update:
        raise FaultsError("--update: what is expected is kept for the reference platform only")


def _lot(options: FaultsOptions) -> Lot:
    """Raises FaultsError."""
    asked = (options.faults, options.systems, options.only, options.sample)
    if options.target is not None:
        from harness.suites.plan import capabilities_of
        from harness.target import TargetError, load_target

        try:
            target = load_target(options.target, capabilities_of(load_contracts()))
        except TargetError as error:
            raise FaultsError(str(error)) from error
        return target_lot(options.target, target, *asked)
    return mutant_lot(*asked) if options.mutants or options.list_mutants else fault_lot(*asked)


def _hunted(lot: Lot, options: FaultsOptions, jobs: int) -> tuple[Matrix, dict[str, float]]:
    """The finished matrix of a lot, and seconds by test."""
    clauses = {clause.id: clause for contract in load_contracts().values() for clause in contract.catalogue}
    expected = lot.expected
    hunt = _Hunt(clauses, expected, lot, verbose=options.verbose)
    started = time.time()
    end: tuple[Exit, str] | None = None
    try:
        with Pool(jobs) as pool:
            hunt.run(pool)
    except ControlError as error:
        end = Exit.NOTHING_SAID, f"nothing can be said: {error}"
    except KeyboardInterrupt:
        end = Exit.INTERRUPTED, f"interrupted after {len(hunt.kills)} of {hunt.total} {lot.word}"
    order = {name: place for place, name in enumerate(lot.known)}
    kills = sorted(hunt.kills, key=lambda kill: order[kill.fault.id])
    code, words = end or conclusion(kills, [kill.fault.id for kill in fallen(kills, expected)], lot.word)
    tried = {kill.fault.id for kill in kills}
    part = {fault.clause for fault in lot.known.values() if fault.id not in tried}
    matrix = Matrix(
        kills=kills,
        # Of a clause that has faults which were not tried, nothing can be said but by those that were.
        clauses=[
            clause
            for clause in clauses.values()
            if clause.id in {kill.clause.id for kill in kills}
            or (lot.word == "faults" and clause.id not in part and clause.system in {one.system for one in lot.chosen})
        ],
        misses=read_misses(),
        started=started,
        seconds=time.time() - started,
        complete=len(kills) == len(lot.known) and not options.keyword,
        exit_code=code,
        conclusion=words,
        lot=lot.word,
        target=str(options.target or ""),
        remarks=tuple(hunt.remarks),
    )
    return matrix, hunt.times


_NEW = Expected(Outcome.MISSED)


class _Hunt:
    """What is known while it goes on: `kills` so far, `times` of tests in seconds, `remarks` on what is to be known."""

    def __init__(
        self, clauses: Mapping[str, Clause], expected: Mapping[str, Expected], lot: Lot, *, verbose: bool
    ) -> None:
        self.kills: list[Kill] = []
        self.times: dict[str, float] = {}
        self.remarks: list[str] = []
        self.total = len(lot.chosen)
        self._clauses = clauses
        self._expected = expected
        self._lot = lot
        self._verbose = verbose

    def run(self, pool: Pool) -> None:
        """Raises ControlError."""
        chosen = self._lot.chosen
        known = {fault: self._expected[fault.id].test for fault in chosen if self._expected.get(fault.id, _NEW).test}
        tests: dict[str, set[str]] = {}
        for fault, test in known.items():
            tests.setdefault(fault.system, set()).add(test)
        few = self._controls(pool, {system: sorted(names) for system, names in tests.items()})
        first = [
            quick(fault, self._clauses[fault.clause], [test], few[fault.system], self._lot.ground)
            for fault, test in known.items()
            if test in few[fault.system].result.times
        ]
        caught = set()
        for kill in drive(pool, first):
            if kill.outcome is Outcome.CAUGHT:
                caught.add(kill.fault.id)
                self._keep(kill)
        left = [fault for fault in chosen if fault.id not in caught]
        whole = self._controls(pool, {fault.system: [] for fault in left})
        second: list[Stage] = [
            thorough(
                fault,
                self._clauses[fault.clause],
                whole[fault.system],
                self._lot.ground,
                before=known.get(fault, ""),
            )
            for fault in self._with_something_to_change(left, whole)
        ]
        for kill in drive(pool, second):
            self._keep(kill)

    def _with_something_to_change(self, faults: Sequence[Seeded], whole: Mapping[str, Control]) -> Sequence[Seeded]:
        """Leave out mutants that would change nothing, and take the sample, if it is to be one."""
        fit = [fault for fault in faults if whole[fault.system].meets(fault)]
        fits = {fault.id for fault in fit}
        self.kills += [unexercised(one, self._clauses[one.clause]) for one in faults if one.id not in fits]
        found = sample(fit, self._lot.sample)
        self.total -= len(fit) - len(found)
        if len(found) < len(fit):
            self.remarks.append(
                f"a sample: {len(found)} of the {len(fit)} {self._lot.word} that could change something here; "
                "--sample N takes more, --only REGEX others"
            )
        return found

    def _controls(self, pool: Pool, wanted: Mapping[str, Sequence[str]]) -> dict[str, Control]:
        found = controls(pool, wanted, self._tell, self._lot.ground)
        for control in found.values():
            self.times |= control.result.times
            if deviating := sorted(control.result.deviations):
                shown = ", ".join(deviating[:10]) + (" …" if len(deviating) > 10 else "")
                self.remarks.append(f"the target deviates by itself, which shows no mutant: {shown}")
            if control.result.left:
                self.remarks.append(control.result.left)
        return found

    def _keep(self, kill: Kill) -> None:
        self.kills.append(kill)
        if kill.left:
            self.remarks.append(kill.left)
        if self._verbose:
            print(line(kill), flush=True)
        else:
            self._tell(f"{len(self.kills)} of {self.total} {self._lot.word}")

    def _tell(self, words: str) -> None:
        """Progress, on a terminal only."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
