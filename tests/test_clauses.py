"""Clauses and their catalogue, and the reading of `clauses.yaml`. Broken files: tests/specs/test_bad_input.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.clauses import Catalogue, Clause, Level, Surface, read_clause_file
from harness.yamlfile import load
from tests.specs.toy import write_toy

CLAUSE = Clause("TY-a", "toy", "A", "TD Ringing", Level.DOCUMENTED, Surface.SIP, "Calls")


def test_a_catalogue_finds_clauses_by_id_and_keeps_the_order_of_the_file() -> None:
    second = replace(CLAUSE, id="TY-b", level=Level.INFERRED)
    catalogue = Catalogue([second, CLAUSE])
    assert [clause.id for clause in catalogue] == ["TY-b", "TY-a"]
    assert catalogue["TY-a"].documented
    assert not catalogue["TY-b"].documented
    assert "TY-c" not in catalogue
    with pytest.raises(KeyError, match="no clause 'TY-c' in the catalogue"):
        catalogue["TY-c"]


def test_catalogues_join_and_name_their_systems_once() -> None:
    joined = Catalogue([CLAUSE]) | Catalogue([replace(CLAUSE, id="XX-a", system="other"), replace(CLAUSE, id="TY-b")])
    assert len(joined) == 3
    assert joined.systems == ("toy", "other")


def test_a_clause_file_is_read_with_levels_areas_and_places(tmp_path: Path) -> None:
    file = read_clause_file(load(write_toy(tmp_path) / "clauses.yaml"))
    assert (file.system, file.title, file.prefix) == ("toy", "Toy phones", "TY")
    assert file.capabilities == {"sip": "A SIP address is given"}
    rings, told = file.clauses
    assert (rings.level, rings.surface, rings.area, rings.capability) == (Level.DOCUMENTED, Surface.SIP, "Calls", "sip")
    assert (told.level, told.source, told.capability) == (Level.INFERRED, "TD Ringing; TD Telling", None)
    assert rings.location == "clauses.yaml:10"
    (entry,) = file.ledger
    assert entry.says == ("TD Ringing: once", "TD Telling: twice")
    assert entry.clauses == ("TY-told-once",)


def test_untestable_and_conditional_are_kept(tmp_path: Path) -> None:
    changed = write_toy(
        tmp_path,
        {"clauses.yaml": ("      capability: sip\n", "      untestable: Nobody hears it\n      conditional: true\n")},
    )
    clause = read_clause_file(load(changed / "clauses.yaml")).clauses[0]
    assert clause.untestable == "Nobody hears it"
    assert clause.conditional
