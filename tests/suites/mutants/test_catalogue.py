"""The mutants of the shipped systems: each breaks a clause that there is, and none names anything that could exist."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.contract import load_contracts
from harness.suites.mutants import Mutant, mutants_of
from harness.suites.mutants.rules import GONE

_SYSTEMS = ("apidaze", "callable", "mediaservice", "vtx")
_ALL = [mutant for system in _SYSTEMS for mutant in mutants_of(system).values()]


@pytest.mark.parametrize("system", _SYSTEMS)
def test_each_breaks_a_clause_that_a_black_box_can_judge(system: str) -> None:
    contract = load_contracts((system,))[system]
    mutants = mutants_of(system)
    assert len(mutants) > 100
    for name, mutant in mutants.items():
        assert name == mutant.id
        assert not contract.catalogue[mutant.clause].untestable
        assert contract.spec.operation(mutant.operation)
    ways = {mutant.rule for mutant in mutants.values()}
    assert {"type", "removed", "enum", "status", "content-type", "not-json", "too-short"} <= ways


def test_ids_say_what_and_where() -> None:
    assert {
        "vtx/getServer/buildDate/type",
        "vtx/pushCallLog/callLogEvents[].callLog.direction/enum",
        "vtx/getServer/status",
        "apidaze/listSipAccounts/[].id/removed",
        "apidaze/getSipAccount/sunset:/removed",
        "mediaservice/newCall/sessionId/type",
        "callable/authorize/expires_in/number-low",
    } <= {mutant.id for mutant in _ALL}


def test_only_what_has_to_be_there_is_taken_away() -> None:
    names = {mutant.id for mutant in _ALL if mutant.rule == "removed"}
    assert "mediaservice/newCall/sipCallId/removed" in names
    assert "mediaservice/newCall/xHeaders/removed" not in names


def test_values_name_nothing_at_any_platform() -> None:
    """Whatever the harness does with them (read, change, delete, dial), there is no such thing."""

    def harmless(value: Any) -> bool:
        match value:
            case bool() | None:
                return True
            case str():
                return not re.search(r"\d{2}|:|@", value)
            case int() | float():
                return value <= -1 or value > 599 or value == 0
            case list():
                return all(map(harmless, value))
            case dict():
                return all(map(harmless, value.values()))
            case _:
                return value is GONE

    def places_of(mutant: Mutant) -> bool:
        return mutant.rule not in ("status", "content-type", "number-high", "number-low")

    assert [mutant.id for mutant in _ALL if places_of(mutant) and not harmless(mutant.value)] == []
