"""A contract: the files of one folder, loaded together; and all systems by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.contract import load_contract, load_contracts
from harness.yamlfile import DataError
from tests.specs.toy import write_toy


def test_a_contract_joins_derived_and_written_clauses(tmp_path: Path) -> None:
    contract = load_contract(write_toy(tmp_path))
    assert (contract.system, contract.title) == ("toy", "Toy phones")
    ids = [clause.id for clause in contract.catalogue]
    assert {"TY-ring", "TY-ring.status", "TY-Ring.id", "TY-ring-rings", "TY-told-once"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert contract.openapi_path.is_file()


def test_a_system_without_call_flows_needs_no_file_of_them(tmp_path: Path) -> None:
    folder = write_toy(tmp_path)
    (folder / "sequences.yaml").unlink()
    assert load_contract(folder).sequences == ()


@pytest.mark.parametrize("name", ["clauses.yaml", "openapi.yaml"])
def test_a_contract_without_one_of_its_files_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_toy(tmp_path)
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"{name}: cannot be read"):
        load_contract(folder)


def test_all_shipped_systems_load_by_name_and_in_the_order_asked_for() -> None:
    names = list(load_contracts())
    assert "apidaze" in names
    assert list(load_contracts(list(reversed(names)))) == list(reversed(names))
