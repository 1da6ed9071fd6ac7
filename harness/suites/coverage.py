"""Says what decides each clause: scenarios by their tags, contract tests and checks by what they stand for.

`ringtrue clauses` shows it, and the project's own tests refuse a clause that nothing decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from harness.contract import Contract, data_folder

CONTRACT = "contract suite"
CALLBACKS = "callback checks"
_TAG_LINE = re.compile(r"^\s*@")
_SCENARIO = re.compile(r"^\s*Scenario(?: Outline| Template)?:\s*(.+?)\s*$")


def coverage_of(contracts: Mapping[str, Contract]) -> dict[str, list[str]]:
    """Names of the scenarios and suites that decide each clause, by clause id."""
    found: dict[str, list[str]] = {}
    for contract in contracts.values():
        for clause_id, name in _deciders(contract):
            found.setdefault(clause_id, []).append(name)
    return found


def _deciders(contract: Contract) -> Iterator[tuple[str, str]]:
    derived = {"http": CONTRACT, "callback": CALLBACKS}
    for clause in contract.spec.clauses:
        if clause.surface.value in derived:
            yield clause.id, derived[clause.surface.value]
    for clause_id in contract.file.rules.values():
        yield clause_id, CONTRACT
    for path in sorted((data_folder("features") / contract.system).glob("**/*.feature")):
        tags: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if _TAG_LINE.match(line):
                tags += [word.removeprefix("@") for word in line.split() if word.startswith("@")]
            elif scenario := _SCENARIO.match(line):
                for tag in tags:
                    yield tag, scenario[1]
                tags = []
            elif line.strip() and not line.lstrip().startswith("#"):
                tags = []
