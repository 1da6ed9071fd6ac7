"""What the whole matrix came to the last time: a data file, so that a fall is seen, and a fault is tried where it showed.

`expected.json` has, for each fault, its outcome and the cheapest test that caught it; `misses.yaml`, written by hand, why a
fault is not caught or a clause has none. The command reads both, and writes the first when asked to.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.proof.matrix import Kill, Outcome
from harness.yamlfile import load

EXPECTED = Path(__file__).with_name("expected.json")
EXPECTED_MUTANTS = Path(__file__).with_name("expected_mutants.json")
MISSES = Path(__file__).with_name("misses.yaml")
_FORMAT = 1


@dataclass(frozen=True)
class Expected:
    """Of one fault: its outcome, and the test that is enough to see it (empty where it is not caught)."""

    outcome: Outcome
    test: str = ""


def read_expected(path: Path = EXPECTED) -> dict[str, Expected]:
    """By fault id; empty when there is no such file."""
    if not path.exists():
        return {}
    table = json.loads(path.read_text(encoding="utf-8"))["faults"]
    return {name: Expected(Outcome(row["outcome"]), row.get("test", "")) for name, row in table.items()}


@dataclass(frozen=True)
class Misses:
    """Why something is not proven: by fault id, and by clause id."""

    faults: Mapping[str, str]
    clauses: Mapping[str, str]


def read_misses(path: Path = MISSES) -> Misses:
    """Reasons as written by hand. Raises DataError."""
    file = load(path)
    tables = file.only(file.data, ("faults", "clauses"))
    return Misses(*(
        {str(name): " ".join(str(reason).split()) for name, reason in file.mapping(tables.get(key), key).items()}
        for key in ("faults", "clauses")
    ))  # fmt: skip


def fallen(kills: Iterable[Kill], expected: Mapping[str, Expected]) -> list[Kill]:
    """Faults that were caught before and are not now."""
    return [
        kill
        for kill in kills
        if kill.outcome is not Outcome.CAUGHT
        and kill.fault.id in expected
        and expected[kill.fault.id].outcome is Outcome.CAUGHT
    ]


def write_expected(
    kills: Iterable[Kill],
    times: Mapping[str, float],
    catalogue: Collection[str],
    path: Path,
) -> None:
    """Take over what these faults came to; faults that are no longer in the catalogue go. `times`: seconds by test.

    Raises OSError where the file cannot be written.
    """
    table = {name: row for name, row in read_expected(path).items() if name in catalogue}
    for kill in kills:
        test = min(kill.tests, key=lambda name: times.get(name, 0.5), default="")
        table[kill.fault.id] = Expected(kill.outcome, test)
    rows = [
        f"  {json.dumps(name)}: {json.dumps({'outcome': row.outcome.value} | ({'test': row.test} if row.test else {}))}"
        for name, row in sorted(table.items())
    ]
    text = f'{{"format": {_FORMAT}, "faults": {{\n' + ",\n".join(rows) + "\n}}\n"
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
