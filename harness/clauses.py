"""What is promised: clauses, and the catalogue that holds them.

A clause is one promise of the documents in our own words. Those that a schema can say are derived from the OpenAPI files
(`harness.spec`); all others stand in `specs/<system>/clauses.yaml`, and in `clauses/*.yaml` beside it where one file would
be too long. This module reads them, and imports nothing above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from harness.yamlfile import YamlFile


class Level(StrEnum):
    """How firmly a document promises: in so many words, or only by the usual reading."""

    DOCUMENTED = "documented"
    INFERRED = "inferred"


class Surface(StrEnum):
    """Where a black box shows whether the promise is kept."""

    HTTP = "http"
    CALLBACK = "callback"
    SIP = "sip"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise.

    `source` is a document's key and a section. `capability` is what a target must declare for the clause to be judged;
    `untestable` says why no black-box test can judge it; a `conditional` clause speaks of something that need not happen
    in a run, and is then not missed. `location` says in which file it was made.
    """

    id: str
    system: str
    text: str
    source: str
    level: Level
    surface: Surface
    area: str
    capability: str | None = None
    untestable: str | None = None
    conditional: bool = False
    location: str = ""

    @property
    def documented(self) -> bool:
        return self.level is Level.DOCUMENTED


class Catalogue:
    """Clauses by id, in the order of the files."""

    def __init__(self, clauses: Iterable[Clause] = ()) -> None:
        self._clauses = {clause.id: clause for clause in clauses}

    def __getitem__(self, clause_id: str) -> Clause:
        try:
            return self._clauses[clause_id]
        except KeyError:
            raise KeyError(f"no clause {clause_id!r} in the catalogue") from None

    def __iter__(self) -> Iterator[Clause]:
        return iter(self._clauses.values())

    def __len__(self) -> int:
        return len(self._clauses)

    def __contains__(self, clause_id: object) -> bool:
        return clause_id in self._clauses

    def __or__(self, other: Catalogue) -> Catalogue:
        return Catalogue([*self, *other])

    @property
    def systems(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(clause.system for clause in self))


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A contradiction or gap of the documents: who says what, what is accepted because of it, which clauses it touches."""

    topic: str
    says: tuple[str, ...]
    accepts: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClauseFile:
    """What one `clauses.yaml` holds. `serial`: areas whose tests get in each other's way when run side by side."""

    system: str
    title: str
    prefix: str
    documents: Mapping[str, str]
    capabilities: Mapping[str, str]
    clauses: tuple[Clause, ...]
    ledger: tuple[LedgerEntry, ...]
    rules: Mapping[str, str]
    serial: frozenset[str] = frozenset()


E = TypeVar("E", bound=StrEnum)

CLAUSE_ID = re.compile(r"[A-Z]{2,3}-[A-Za-z0-9][A-Za-z0-9._:-]*")
# Promises that hold for every operation alike: the checks of the harness look up here which clause stands behind them.
RULES = frozenset({
    "credentials-required",  # nothing is served without valid credentials
    "credentials-required-status",  # and the answer is then 401 or 403
    "credentials-required-401",  # or, where the documents are read more narrowly, 401
    "method-not-allowed",  # a method that a path does not have is answered 405
    "refusals-are-4xx",  # what is not accepted is refused with 4xx, never 5xx
    "content-type",
    "content-length",
    "strict-transport-security",
    "preflight-allow-origin",
    "preflight-allow-credentials",
    "preflight-allow-headers",
    "preflight-allow-methods",
    "preflight-max-age",
    "cors-allow-origin",
    "cors-other-headers",  # what a pre-flight answer carries besides, on an ordinary answer too
    "quota-used-counts",
})  # fmt: skip
_FILE_KEYS = {"system", "title", "prefix", "documents", "capabilities", "clauses", "ledger", "rules", "serial"}
_CLAUSE_KEYS = {"text", "source", "level", "surface", "capability", "untestable", "conditional"}
_LEDGER_KEYS = {"topic", "says", "accepts", "clauses"}


def read_clause_file(file: YamlFile, parts: Sequence[YamlFile] = ()) -> ClauseFile:
    """Turn a parsed `clauses.yaml` into values, with the `clauses` of further files where one would be too long.

    Raises:
        DataError: an unknown or missing key, a bad id, level, surface, source or capability, with file and line.
    """
    data = file.only(file.data, _FILE_KEYS)
    for key in ("system", "title", "prefix", "documents", *(() if parts else ("clauses",))):
        if key not in data:
            raise file.error(f"missing key {key!r}")
    documents = {str(key): str(value) for key, value in file.mapping(data["documents"], "documents").items()}
    declared = file.mapping(data.get("capabilities"), "capabilities")
    capabilities = {str(key): str(value) for key, value in declared.items()}
    clauses: dict[str, Clause] = {}
    for source in (file, *parts):
        held = source.data if source is file else source.only(source.data, {"clauses"})
        for area, group in _mapping(source, held.get("clauses") or {}, "clauses").items():
            for clause_id in _mapping(source, group, "clauses", area):
                clause = _read_clause(source, file, area, clause_id, documents, capabilities)
                if clause_id in clauses:
                    earlier = clauses[clause_id].location
                    raise source.error(
                        f"clause {clause_id} stands in two areas, first in {earlier}", "clauses", area, clause_id
                    )
                clauses[clause_id] = clause
    ledger = tuple(
        _read_ledger(file, entry, index) for index, entry in enumerate(file.sequence(data.get("ledger"), "ledger"))
    )
    rules = {str(key): str(value) for key, value in file.only(data.get("rules") or {}, RULES, "rules").items()}
    return ClauseFile(
        str(data["system"]),
        str(data["title"]),
        str(data["prefix"]),
        documents,
        capabilities,
        tuple(clauses.values()),
        ledger,
        rules,
        frozenset(map(str, data.get("serial") or ())),
    )


def check_source(file: YamlFile, source: Any, documents: Mapping[str, str], *steps: str | int) -> str:
    """A source is a document's key, a space, and a section, or several of them joined by `; `."""
    expected = f"a key ({', '.join(documents)}) and a section, such as 'AS Return codes'"
    if not isinstance(source, str):
        raise file.error(f"source {source!r}: expected {expected}", *steps)
    for part in source.split("; "):
        key, _, section = part.partition(" ")
        if key not in documents or not section.strip():
            raise file.error(f"source {part!r}: expected {expected}", *steps)
    return source


def _mapping(file: YamlFile, value: Any, *steps: str | int) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise file.error(f"expected a mapping, got {type(value).__name__}", *steps)
    return value


def _read_clause(
    file: YamlFile,
    head: YamlFile,
    area: str,
    clause_id: str,
    documents: Mapping[str, str],
    capabilities: Mapping[str, str],
) -> Clause:
    steps = ("clauses", area, clause_id)
    system, prefix = str(head.data["system"]), str(head.data["prefix"])
    item = file.only(file.data["clauses"][area][clause_id], _CLAUSE_KEYS, *steps)
    if not CLAUSE_ID.fullmatch(clause_id) or not clause_id.startswith(prefix + "-"):
        raise file.error(f"clause id {clause_id!r}: expected {prefix}- and a stable name", *steps)
    if clause_id.rpartition("-")[2].isdigit() and clause_id.count("-") == 1:
        raise file.error(f"clause id {clause_id!r} is a position: expected a stable name", *steps)
    for key in ("text", "source", "level", "surface"):
        if not item.get(key):
            raise file.error(f"missing key {key!r}", *steps)
    capability = item.get("capability")
    if capability is not None and capability not in tuple(capabilities):
        declared = ", ".join(capabilities) or "none is declared in clauses.yaml"
        raise file.error(f"unknown capability {capability!r}: expected one of {declared}", *steps, "capability")
    return Clause(
        id=clause_id,
        system=system,
        text=str(item["text"]).strip(),
        source=check_source(file, item["source"], documents, *steps, "source"),
        level=_member(file, Level, item["level"], *steps, "level"),
        surface=_member(file, Surface, item["surface"], *steps, "surface"),
        area=area,
        capability=capability,
        untestable=item.get("untestable"),
        conditional=bool(item.get("conditional", False)),
        location=f"{file.path.relative_to(head.path.parent)}:{file.line(*steps)}",
    )


def _member(file: YamlFile, enum: type[E], value: Any, *steps: str | int) -> E:
    try:
        return enum(value)
    except ValueError:
        raise file.error(f"{value!r}: expected one of {', '.join(enum)}", *steps) from None


def _read_ledger(file: YamlFile, entry: Any, index: int) -> LedgerEntry:
    item = file.only(entry, _LEDGER_KEYS, "ledger", index)
    for key in ("topic", "says", "accepts"):
        if not item.get(key):
            raise file.error(f"missing key {key!r}", "ledger", index)
    says = file.texts(item["says"], "ledger", index, "says")
    clauses = file.texts(item.get("clauses"), "ledger", index, "clauses")
    return LedgerEntry(str(item["topic"]), says, str(item["accepts"]), clauses)
