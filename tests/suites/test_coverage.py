"""A clause without a check, and without a reason why there can be none, is a defect of ours."""

from __future__ import annotations

import pytest

from harness.contract import data_folder, load_contracts
from harness.report.catalogue import uncovered
from harness.suites.coverage import coverage_of
from harness.suites.scenarios.features import CONTRACT, NEEDS

CONTRACTS = load_contracts()
JUDGED = [system for system in CONTRACTS if (data_folder("features") / system).is_dir()]


def test_apidaze_is_judged() -> None:
    assert "apidaze" in JUDGED


@pytest.mark.parametrize("system", JUDGED)
def test_every_clause_of_a_judged_system_is_decided_by_something(system: str) -> None:
    contract = CONTRACTS[system]
    missing = uncovered(list(contract.catalogue), coverage_of({system: contract}))
    assert [clause.id for clause in missing] == []


@pytest.mark.parametrize("system", JUDGED)
def test_features_name_no_clause_that_does_not_exist(system: str) -> None:
    named = {tag for tag in coverage_of({system: CONTRACTS[system]}) if tag != CONTRACT and not tag.startswith(NEEDS)}
    assert sorted(clause for clause in named if clause not in CONTRACTS[system].catalogue) == []
