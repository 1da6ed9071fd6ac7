"""What can be hunted: faults of the reference platform, or mutants before it or before a target, chosen as the user asks.

Called by the command. Names that there are not are refused with the nearest ones.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.proof.expected import EXPECTED, EXPECTED_MUTANTS, Expected, read_expected
from harness.proof.hunt import REFERENCE, Ground
from harness.proof.matrix import Outcome, Seeded
from harness.proof.trial import Trial
from harness.reference.faults import FAULTS
from harness.reference.systems import SYSTEM_NAMES
from harness.suites.mutants import Mutant, mutants_of
from harness.target import Target

TARGET_SAMPLE = 20
"""Mutants that a target is tried with where the user does not say: each is a part of a run against a live platform."""
TARGET_PATIENCE = 60.0


class FaultsError(Exception):
    """The command asks for something that there is not; the message says what to do instead. Exit code 2."""


@dataclass(frozen=True)
class Lot:
    """What is hunted. `word`: what they are called; `known`: all there are, by id; `chosen`: those that were asked for.

    `file`: where it stands what they come to on the reference platform. `sample`: so many of the chosen ones at most, taken
    when it is known which have anything to change.
    """

    word: str
    known: Mapping[str, Seeded]
    chosen: Sequence[Seeded]
    file: Path
    ground: Ground = REFERENCE
    sample: int | None = None

    @property
    def expected(self) -> dict[str, Expected]:
        """What they came to the last time; nothing is known of a target, nor where only some tests may notice them."""
        return {} if self.ground.is_target or self.ground.trial.keyword else read_expected(self.file)


def fault_lot(names: Sequence[str], systems: Sequence[str], only: str | None, count: int | None) -> Lot:
    """Faults. Raises FaultsError."""
    chosen = choose("fault", FAULTS, names, systems, only)
    return Lot("faults", FAULTS, sample(chosen, count), EXPECTED)


def mutant_lot(names: Sequence[str], systems: Sequence[str], only: str | None, count: int | None) -> Lot:
    """Mutants before the reference platform; a sample is of those that can change something there. Raises FaultsError."""
    known = {name: mutant for system in SYSTEM_NAMES for name, mutant in mutants_of(system).items()}
    chosen = choose("mutant", known, names, systems, only)
    if count:
        idle = {name for name, row in read_expected(EXPECTED_MUTANTS).items() if row.outcome is Outcome.UNEXERCISED}
        chosen = sample([mutant for mutant in chosen if mutant.id not in idle], count)
    return Lot("mutants", known, chosen, EXPECTED_MUTANTS, Ground(Trial("", sight=True)))


def target_lot(
    path: Path, target: Target, names: Sequence[str], systems: Sequence[str], only: str | None, count: int | None
) -> Lot:
    """Mutants before a target, of what it says it can do. Raises FaultsError."""
    check("system", systems, list(target.systems))
    known: dict[str, Mutant] = {}
    for system in target.systems:
        if system in SYSTEM_NAMES:
            known |= {name: one for name, one in mutants_of(system).items() if _judged(one, target)}
    chosen = choose("mutant", known, names, systems, only)
    common = Trial("", target=str(path.resolve()), sight=True)
    few = count or (None if names else TARGET_SAMPLE)
    return Lot("mutants", known, chosen, EXPECTED_MUTANTS, Ground(common, TARGET_PATIENCE), few)


def _judged(mutant: Mutant, target: Target) -> bool:
    from harness.contract import load_contracts

    capability = load_contracts((mutant.system,))[mutant.system].catalogue[mutant.clause].capability
    return capability is None or capability in target.systems[mutant.system].capabilities


def choose(
    kind: str, known: Mapping[str, Seeded], names: Sequence[str], systems: Sequence[str], only: str | None
) -> list[Seeded]:
    """Those that were asked for, in the order of the catalogue.

    Raises:
        FaultsError: an unknown name or system, a wrong expression, or nothing left.
    """
    check(kind, names, list(known))
    check("system", systems, SYSTEM_NAMES)
    try:
        wanted = re.compile(only or "")
    except re.error as error:
        raise FaultsError(f"--only {only!r} is no regular expression: {error}") from error
    found = [
        one
        for one in known.values()
        if (not names or one.id in names)
        and (not systems or one.system in systems)
        and (wanted.search(one.id) or wanted.search(one.clause))
    ]
    if not found:
        raise FaultsError(f"no {kind} is left: {_LISTS[kind]} shows all, with their clauses")
    return found


def sample(found: Sequence[Seeded], count: int | None) -> list[Seeded]:
    """So many of them at most, spread evenly over the catalogue; the same ones each time."""
    if count is None or count >= len(found):
        return list(found)
    return [found[place * len(found) // count] for place in range(count)]


_LISTS = {"fault": "`ringtrue platform --list-faults`", "mutant": "`ringtrue faults --list-mutants`"}


def check(kind: str, asked: Iterable[str], known: Sequence[str]) -> None:
    """Raises FaultsError for a name that there is not."""
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            many = f"{_LISTS[kind]} shows all" if kind in _LISTS and len(known) > 20 else f"known: {', '.join(known)}"
            hint = f"did you mean {' or '.join(near)}?" if near else many
            raise FaultsError(f"unknown {kind} {name!r}; {hint}")
