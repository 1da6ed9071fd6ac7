"""A user's own system, from a folder of specs beside the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.contract import load_contract, load_contracts
from harness.yamlfile import DataError
from tests.specs.toy import SEQUENCES, write_toy

PARTS = {
    "unknown key": ("clauses/more.yaml", "claases: {}\n", 1, "unknown key 'claases': expected one of clauses"),
    "broken YAML": ("clauses/more.yaml", "clauses: [\n", 2, "broken YAML"),
    "id that stands elsewhere": (
        "clauses/more.yaml",
        "clauses:\n  Rings:\n    TY-told-once: {text: a, source: TD b, level: inferred, surface: http}\n",
        3,
        r"clause TY-told-once stands in two areas, first in clauses.yaml:\d+",
    ),
    "unknown level": (
        "clauses/more.yaml",
        "clauses:\n  Rings:\n    TY-more: {text: a, source: TD b, level: sure, surface: http}\n",
        3,
        "'sure': expected one of documented, inferred",
    ),
    "flow that stands elsewhere": (
        "sequences/more.yaml",
        SEQUENCES,
        3,
        "flow 'ring' stands already in .*sequences.yaml",
    ),
    "flows of another system": ("sequences/more.yaml", "system: tie\nflows: {}\n", 1, "system 'tie': expected 'toy'"),
}


@pytest.mark.parametrize(("name", "text", "line", "says"), PARTS.values(), ids=PARTS)
def test_a_part_of_a_large_system_is_complained_about_by_its_own_name(
    tmp_path: Path, name: str, text: str, line: int, says: str
) -> None:
    part = write_toy(tmp_path) / name
    part.parent.mkdir()
    part.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=says) as caught:
        load_contract(part.parent.parent)
    assert str(caught.value).startswith(f"{part}:{line}: "), str(caught.value)


def test_a_users_own_system_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    write_toy(tmp_path)
    contracts = load_contracts(extra=[tmp_path])
    assert {"apidaze", "toy"} <= set(contracts)
    toy = contracts["toy"]
    assert "TY-ring-rings" in toy.catalogue
    assert "TY-Ring.id:required" in toy.catalogue
    assert [flow.name for flow in toy.sequences] == ["ring"]


def test_a_users_broken_system_gets_the_same_message(tmp_path: Path) -> None:
    folder = write_toy(tmp_path, {"clauses.yaml": ("level: documented", "level: sure")})
    with pytest.raises(DataError, match="'sure': expected one of documented, inferred") as caught:
        load_contracts(["toy"], extra=[tmp_path])
    assert str(folder / "clauses.yaml") in str(caught.value)


def test_a_users_system_cannot_take_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    write_toy(tmp_path)
    (tmp_path / "toy").rename(tmp_path / "apidaze")
    with pytest.raises(DataError, match="system 'apidaze' stands already in"):
        load_contracts(extra=[tmp_path])


def test_an_unknown_system_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    write_toy(tmp_path)
    with pytest.raises(DataError, match=r"unknown system 'tay': expected one of .*toy"):
        load_contracts(["tay"], extra=[tmp_path])


def test_a_folder_of_specs_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder of specs"):
        load_contracts(extra=[tmp_path / "nowhere"])
