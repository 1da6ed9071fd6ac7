"""Puts a mutant in its place in a run, and sees to it that the platform is left as it was found in spite of it.

The session places it before the recorder, each worker before its HTTP drivers.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract import Contract
from harness.drivers.recorder.addon import Alter
from harness.suites.mutants.catalogue import mutants_of
from harness.suites.mutants.mutant import Mutant
from harness.suites.mutants.standing import CHANGES, Standing

if TYPE_CHECKING:
    from harness.suites.scenario import Scenario
    from harness.target import SystemTarget
    from harness.timeline import HttpExchange


class MutantError(Exception):
    """There is no such mutant; the message names the nearest ones."""


def find_mutant(name: str, systems: Sequence[str] = ()) -> Mutant:
    """The mutant of that id; `systems`: those that the run was narrowed to, if it was. Raises MutantError."""
    from harness.reference.systems import SYSTEM_NAMES

    system = name.partition("/")[0]
    if system not in SYSTEM_NAMES:
        raise MutantError(f"unknown mutant {name!r}: it begins with a system, one of {', '.join(SYSTEM_NAMES)}")
    if systems and list(systems) != [system]:
        raise MutantError(f"the mutant {name!r} is one of {system}, and the run is about {', '.join(systems)}")
    known = mutants_of(system)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`ringtrue faults --list-mutants` shows all"
        raise MutantError(f"unknown mutant {name!r}; {hint}")
    return known[name]


def place(name: str, contracts: Mapping[str, Contract], systems: Mapping[str, SystemTarget], run_dir: Path) -> Standing:
    """The mutant before the HTTP drivers of a worker."""
    mutant = find_mutant(name)
    return Standing(mutant, contracts[mutant.system], systems[mutant.system].base_url, run_dir / CHANGES)


def place_callbacks(mutant: Mutant, contracts: Mapping[str, Contract], run_dir: Path) -> Alter:
    """The mutant before the recorder."""
    return Standing(mutant, contracts[mutant.system], "", run_dir / CHANGES).callback


def remember_hidden(scenario: Scenario, true: HttpExchange, altered: HttpExchange) -> None:
    """Where an altered answer does not say what the true one says was made: enter it into the ledger and have it deleted."""
    from harness.checks.evidence import json_body
    from harness.checks.http import find_operation
    from harness.suites.contract.links import path_parameters, pick
    from harness.suites.contract.resources import Workbench

    operation = find_operation(scenario.contract, true, scenario.target.base_url)
    bench = Workbench(scenario)
    link = bench.links.creates(operation) if operation else None
    if operation is None or link is None or bench.links.deleter(operation) is None:
        return
    sent = path_parameters(operation, true.request.url)
    made = pick(json_body(true), link.parameters, sent)
    if made is not None and made != pick(json_body(altered), link.parameters, sent):
        bench.remember(operation, made)
