"""Shows what is promised: the clause catalogue as text, JSON or Markdown, and the index page `specs/README.md`.

`ringtrue clauses` prints what these pure functions return; `python -m harness.report.catalogue --write` renews the index.
What covers a clause is handed in by the caller; nothing here finds it out.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from harness.clauses import Catalogue, Clause, LedgerEntry, Level, Surface
from harness.contract import Contract, data_folder, load_contracts

FORMAT_VERSION = 1
INDEX = "README.md"
REGENERATE = "python -m harness.report.catalogue --write"

Coverage = Mapping[str, Sequence[str]]
"""Clause id -> names of the checks and scenarios that decide it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which clauses to show; an empty member lets all pass. `untestable`: only those that are (True), or are not (False)."""

    systems: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    surfaces: tuple[Surface, ...] = ()
    areas: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    untestable: bool | None = None

    def accepts(self, clause: Clause) -> bool:
        chosen = (
            (self.systems, clause.system),
            (self.levels, clause.level),
            (self.surfaces, clause.surface),
            (self.areas, clause.area),
            (self.capabilities, clause.capability),
        )
        if any(wanted and value not in wanted for wanted, value in chosen):
            return False
        return self.untestable is None or self.untestable == bool(clause.untestable)


def select(catalogue: Catalogue, selection: Selection) -> tuple[Clause, ...]:
    """The clauses that a selection lets pass, in the order of the files."""
    return tuple(clause for clause in catalogue if selection.accepts(clause))


def uncovered(clauses: Iterable[Clause], coverage: Coverage) -> tuple[Clause, ...]:
    """Clauses that a black box could judge and nothing does."""
    return tuple(clause for clause in clauses if not clause.untestable and not coverage.get(clause.id))


def counts(clauses: Sequence[Clause], coverage: Coverage) -> dict[str, int]:
    """How many there are: of each level, untestable, and left uncovered."""
    levels = Counter(clause.level for clause in clauses)
    return {
        "clauses": len(clauses),
        "documented": levels[Level.DOCUMENTED],
        "inferred": levels[Level.INFERRED],
        "untestable": sum(1 for clause in clauses if clause.untestable),
        "uncovered": len(uncovered(clauses, coverage)),
    }


def as_text(clauses: Sequence[Clause], coverage: Coverage) -> str:
    """One line per clause, for terminals and grep, with a line of counts at the end."""
    header = ("CLAUSE", "LEVEL", "SURFACE", "NEEDS", "DECIDED BY", "PROMISE")
    rows = [
        (clause.id, clause.level, clause.surface, clause.capability or "-", _decided_by(clause, coverage), clause.text)
        for clause in clauses
    ]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header) - 1)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        + "  "
        + " ".join(row[-1].split())
        for row in (header, *rows)
    ]
    total = ", ".join(f"{number} {word}" for word, number in counts(clauses, coverage).items())
    return "\n".join((*lines, "", total)) + "\n"


def as_json(clauses: Sequence[Clause], coverage: Coverage, ledger: Mapping[str, Sequence[LedgerEntry]]) -> str:
    """Everything known of the clauses, and the ledger of each system, as one JSON document (`format` is its version)."""
    document = {
        "format": FORMAT_VERSION,
        "counts": counts(clauses, coverage),
        "clauses": [{**asdict(clause), "covered_by": sorted(coverage.get(clause.id, ()))} for clause in clauses],
        "ledger": [{"system": system, **asdict(entry)} for system, entries in ledger.items() for entry in entries],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_markdown(clauses: Sequence[Clause], coverage: Coverage | None = None, *, level: int = 2) -> str:
    """A table per system and area; the column of what decides a clause is there when `coverage` is given."""
    parts: list[str] = []
    for system, group in groupby(clauses, key=lambda clause: clause.system):
        by_area: dict[str, list[Clause]] = {}
        for clause in group:
            by_area.setdefault(clause.area, []).append(clause)
        for area, members in by_area.items():
            parts.append(f"{'#' * level} {system}: {area}\n\n{_table(members, coverage)}")
    return "\n".join(parts)


def ledger_text(entries: Sequence[LedgerEntry]) -> str:
    """The contradictions and gaps of one system's documents, as Markdown that a terminal shows well too."""
    parts = []
    for entry in entries:
        says = "\n".join(f"  - {line}" for line in entry.says)
        touches = f"\n  - Clauses: {', '.join(f'`{clause}`' for clause in entry.clauses)}" if entry.clauses else ""
        parts.append(f"- **{entry.topic}**\n{says}\n  - Accepted: {entry.accepts}{touches}\n")
    return "".join(parts)


def render_index(contracts: Mapping[str, Contract]) -> str:
    """The page `specs/README.md`: how to read the catalogue, then each system with its promises, gaps and flows."""
    totals = [
        (
            f"[{contract.title}](#{_anchor(contract)})",
            f"`{system}`",
            *map(str, counts(tuple(contract.catalogue), {}).values()),
        )
        for system, contract in contracts.items()
    ]
    summary = _rows(
        ("system", "folder", "clauses", "documented", "inferred", "untestable"), [row[:6] for row in totals]
    )
    return "\n".join([_HOW_TO_READ, summary, *(_system_page(contract) for contract in contracts.values())])


_HOW_TO_READ = f"""\
# What is promised

Generated from the files in this folder; renew it with `{REGENERATE}`. Each system has a folder:

- `openapi.yaml`: operations, callbacks (as webhooks), bodies, statuses and headers. `x-clause` marks say which promise a
  part stands for, how firm it is, and where it comes from; a part without a mark of its own has that of the part around it.
- `clauses.yaml` (and `clauses/`, where one file would be too long): every promise that a schema cannot say, and the ledger
  of contradictions and gaps.
- `sequences.yaml` (and `sequences/`): the allowed order of API calls, callbacks and SIP messages.

How to read a clause

- The id is a stable name. Those derived from `openapi.yaml` name a place in it: `AZ-listSipAccounts` is an operation,
  `….status` its answer codes, `….body` its body, `AZ-SipAccount.sip.username` a member, `AZ-header.sunset` a header. What
  follows a colon is a keyword less firm (or firmer) than the rest of its member: `AZ-Token.scope:required` is its presence.
- **D** is documented: an implementation that breaks it fails. **I** is inferred, the usual reading where the document is
  silent: breaking it is a warning, unless a run is strict.
- *needs* names the capability that a target must declare, else the clause is not judged. *if it happens* marks what need not
  happen in a run. *untestable* gives the reason why no black-box test can judge it.
"""


def _anchor(contract: Contract) -> str:
    words = re.sub(r"[^\w -]", "", f"{contract.title} {contract.system}".lower())
    return words.replace(" ", "-")


def _system_page(contract: Contract) -> str:
    file = contract.file
    clauses = tuple(contract.catalogue)
    untestable = tuple(clause for clause in clauses if clause.untestable)
    parts = [
        f"## {contract.title} (`{contract.system}`)\n",
        _rows(("key", "document"), [(f"`{key}`", name) for key, name in file.documents.items()]),
    ]
    if file.capabilities:
        parts.append(
            _rows(("capability", "a target that declares it"), [(f"`{k}`", v) for k, v in file.capabilities.items()])
        )
    parts.append(_rows(("area", "clauses", "documented", "inferred", "untestable"), _area_counts(clauses)))
    if file.ledger:
        parts.append(f"### Contradictions and gaps of {contract.title}\n\n{ledger_text(file.ledger)}")
    if contract.sequences:
        flows = [(f"`{flow.name}`", flow.title, ", ".join(map(_code, flow.clauses))) for flow in contract.sequences]
        parts.append(f"### Call flows of {contract.title}\n\n{_rows(('flow', 'what happens', 'clauses'), flows)}")
    if untestable:
        rows = [(_code(clause.id), clause.text, str(clause.untestable)) for clause in untestable]
        parts.append(f"### Not testable from outside: {contract.title}\n\n{_rows(('clause', 'promise', 'why'), rows)}")
    parts.append(as_markdown(clauses, level=3))
    return "\n".join(parts)


def _area_counts(clauses: Sequence[Clause]) -> list[tuple[str, ...]]:
    areas = dict.fromkeys(clause.area for clause in clauses)
    by_area = [(area, tuple(clause for clause in clauses if clause.area == area)) for area in areas]
    return [(area, *map(str, list(counts(members, {}).values())[:4])) for area, members in by_area]


def _table(clauses: Sequence[Clause], coverage: Coverage | None) -> str:
    header: tuple[str, ...] = ("clause", "", "surface", "promise", "source")
    rows: list[tuple[str, ...]] = []
    for clause in clauses:
        remarks = [
            f"needs `{clause.capability}`" if clause.capability else "",
            "if it happens" if clause.conditional else "",
            "untestable" if clause.untestable else "",
        ]
        said = "; ".join(filter(None, remarks))
        promise = clause.text + (f" *({said})*" if said else "")
        row = (_code(clause.id), clause.level[0].upper(), clause.surface, promise, clause.source)
        rows.append(row if coverage is None else (*row, _decided_by(clause, coverage)))
    return _rows(header if coverage is None else (*header, "decided by"), rows)


def _rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _code(clause_id: str) -> str:
    return f"`{clause_id}`"


def _decided_by(clause: Clause, coverage: Coverage) -> str:
    if clause.untestable:
        return "untestable"
    names = coverage.get(clause.id, ())
    return ", ".join(sorted(names)) if len(names) < 4 else f"{len(names)} checks"


def main(arguments: Sequence[str]) -> int:
    """Print the index of the shipped systems, or write it with `--write`. Returns an exit code."""
    if list(arguments) not in ([], ["--write"]):
        print(f"usage: {REGENERATE}", file=sys.stderr)
        return 2
    page = render_index(load_contracts())
    if arguments:
        index_path().write_text(page, encoding="utf-8")
    else:
        print(page, end="")
    return 0


def index_path() -> Path:
    """Where the index of the shipped systems stands."""
    return data_folder("specs") / INDEX


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
