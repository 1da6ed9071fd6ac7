"""The page `specs/README.md` shows the shipped contracts as they are now."""

from __future__ import annotations

from harness.contract import data_folder, load_contracts
from harness.report.catalogue import REGENERATE, index_path, render_index


def test_the_index_is_fresh() -> None:
    stands = index_path().read_text(encoding="utf-8")
    assert stands == render_index(load_contracts()), f"specs/README.md is stale: run {REGENERATE}"


def test_the_index_shows_every_clause_of_every_system() -> None:
    page = index_path().read_text(encoding="utf-8")
    clauses = [clause for contract in load_contracts().values() for clause in contract.catalogue]
    missing = [clause.id for clause in clauses if f"| `{clause.id}` |" not in page]
    assert not missing
    assert len(clauses) > 1000


def test_every_folder_of_the_specs_is_a_system() -> None:
    folders = {path.name for path in data_folder("specs").iterdir() if path.is_dir()}
    assert folders == set(load_contracts()) == {"apidaze", "callable", "mediaservice", "vtx"}
