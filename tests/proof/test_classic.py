"""The ten classic kinds of seeded faults, in each system that has the surface: all caught, under the right clause."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.contract import load_contracts
from harness.reference.faults import FAULTS
from harness.reference.systems import SYSTEM_NAMES
from harness.yamlfile import load
from tests.e2e.command import ringtrue

KINDS: dict[str, dict[str, dict[str, str]]] = load(Path(__file__).with_name("classic.yaml")).data
_CONTRACT = "test_contract and not generated and not linked"
# Half a minute on two free cores; other tests may run beside it.
_SECONDS = 300.0


def _seeded(suite: str) -> list[dict[str, str]]:
    """The rows with a fault that this suite is to see."""
    rows = [row for systems in KINDS.values() for row in systems.values() if "fault" in row]
    return [row for row in rows if ("scenario" in row) == (suite == "scenarios")]


def test_the_list_is_whole_and_each_fault_is_of_its_system() -> None:
    assert len(KINDS) == 10
    for systems in KINDS.values():
        assert sorted(systems) == sorted(SYSTEM_NAMES)
        for system, row in systems.items():
            assert "none" in row or FAULTS[row["fault"]].system == system


def test_what_has_no_surface_has_none_in_the_documents() -> None:
    headerless = [system for system, row in KINDS["header missing"].items() if "none" in row]
    for system, contract in load_contracts(headerless).items():
        shown = [
            header.name for one in contract.spec.operations for answer in one.responses for header in answer.headers
        ]
        assert shown == [], system


@pytest.mark.parametrize("suite", ["contract", "scenarios"])
def test_all_are_caught_under_their_clauses_by_the_suite_that_the_list_names(suite: str, tmp_path: Path) -> None:
    """The command ends 3 where the healthy platform, judged by the same tests, deviates."""
    rows = _seeded(suite)
    faults = [row["fault"] for row in rows]
    wanted = _CONTRACT if suite == "contract" else " or ".join(row["scenario"] for row in rows)
    done = ringtrue("faults", *faults, "-k", wanted, folder=tmp_path, seconds=_SECONDS)
    assert done.code == 0, done
    content = json.loads((tmp_path / "reports" / "proof.json").read_text(encoding="utf-8"))
    assert {row["id"]: row["outcome"] for row in content["faults"]} == dict.fromkeys(faults, "caught"), done
