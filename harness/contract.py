"""All that is promised about a system, loaded from one folder of `specs/`: clauses, OpenAPI document, call flows, ledger.

Commands, suites and checks start here: `load_contracts` finds the shipped systems and those that a user added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.clauses import Catalogue, ClauseFile, read_clause_file
from harness.sequence_loader import load_sequences
from harness.sequences import Flow
from harness.spec import Spec
from harness.spec_loader import load_spec
from harness.yamlfile import DataError, YamlFile, load

CLAUSES = "clauses.yaml"
CLAUSE_PARTS = "clauses/*.yaml"
OPENAPI = "openapi.yaml"
SEQUENCES = "sequences.yaml"
SEQUENCE_PARTS = "sequences/*.yaml"


@dataclass(frozen=True)
class Contract:
    """One system's promises; `sequences` is empty where the folder has no file of call flows."""

    system: str
    title: str
    folder: Path
    file: ClauseFile
    spec: Spec
    catalogue: Catalogue
    sequences: tuple[Flow, ...] = ()

    @property
    def openapi_path(self) -> Path:
        return self.folder / OPENAPI


def data_folder(name: str) -> Path:
    """A folder of data files (`specs`, `features`): beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parent
    inside = package / "data" / name
    return inside if inside.is_dir() else package.parent / name


def load_contract(folder: Path) -> Contract:
    """Load one system.

    Raises:
        DataError: a file is missing or says something it may not say; the message names file, line and key.
    """
    own_file = load(folder / CLAUSES)
    own = read_clause_file(own_file, [load(part) for part in sorted(folder.glob(CLAUSE_PARTS))])
    if own.system != folder.name:
        raise own_file.error(f"system {own.system!r} stands in the folder of {folder.name!r}", "system")
    spec = load_spec(load(folder / OPENAPI), own)
    derived = Catalogue(spec.clauses)
    for clause in own.clauses:
        if clause.id in derived:
            place = derived[clause.id].location
            where = f"{folder / clause.location}: clauses.{clause.area}.{clause.id}"
            raise DataError(f"{where}: clause {clause.id} is also derived from {place}")
    catalogue = derived | Catalogue(own.clauses)
    _check_links(own_file, own, catalogue)
    flows = tuple(_load_flows(folder, own.system, catalogue, spec))
    return Contract(own.system, own.title, folder, own, spec, catalogue, flows)


def _load_flows(folder: Path, system: str, catalogue: Catalogue, spec: Spec) -> Iterator[Flow]:
    known: dict[str, Path] = {}
    for path in (folder / SEQUENCES, *sorted(folder.glob(SEQUENCE_PARTS))):
        if not path.exists():
            continue
        file = load(path)
        for flow in load_sequences(file, system, catalogue, spec):
            if flow.name in known:
                raise file.error(f"flow {flow.name!r} stands already in {known[flow.name]}", "flows", flow.name)
            known[flow.name] = path
            yield flow


def load_contracts(systems: Sequence[str] = (), extra: Iterable[Path] = ()) -> dict[str, Contract]:
    """The named systems (all, when none is named), shipped ones and those below the `extra` folders, by name.

    Raises:
        DataError: no such system, the same system in two places, or a broken file.
    """
    folders: dict[str, Path] = {}
    for root in (data_folder("specs"), *extra):
        if not root.is_dir():
            raise DataError(f"{root}: no such folder of specs")
        for folder in sorted(root.iterdir()):
            if (folder / CLAUSES).is_file():
                if folder.name in folders:
                    raise DataError(f"{folder}: system {folder.name!r} stands already in {folders[folder.name]}")
                folders[folder.name] = folder
    for system in systems:
        if system not in folders:
            raise DataError(f"unknown system {system!r}: expected one of {', '.join(folders)}")
    chosen = systems or tuple(folders)
    return {system: _cached(folders[system]) for system in chosen}


@cache
def _cached(folder: Path) -> Contract:
    return load_contract(folder)


def _check_links(file: YamlFile, own: ClauseFile, catalogue: Catalogue) -> None:
    for index, entry in enumerate(own.ledger):
        for clause_id in entry.clauses:
            if clause_id not in catalogue:
                raise file.error(f"unknown clause {clause_id!r}", "ledger", index, "clauses")
    areas = {clause.area for clause in catalogue}
    for area in own.serial:
        if area not in areas:
            raise file.error(f"unknown area {area!r}: expected one of {', '.join(sorted(areas))}", "serial")
    for rule, clause_id in own.rules.items():
        if clause_id not in catalogue:
            raise file.error(f"unknown clause {clause_id!r}", "rules", rule)
