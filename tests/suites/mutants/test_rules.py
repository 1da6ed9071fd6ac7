"""How promises of a schema are broken: which places, under which clauses, and that nothing else of a value changes."""

from __future__ import annotations

from typing import Any

import pytest

from harness.spec import CLAUSE_KEY, TWINS_KEY
from harness.suites.mutants.rules import GONE, changed, spots


def _member(clause: str, twins: dict[str, str] | None = None, **keywords: Any) -> dict[str, Any]:
    return {**keywords, CLAUSE_KEY: clause, TWINS_KEY: twins or {}}


def _found(schema: dict[str, Any]) -> dict[tuple[str, str], tuple[str, Any]]:
    return {(".".join(spot.path), spot.rule): (spot.clause, spot.value) for spot in spots(schema, "BODY")}


def test_each_keyword_of_a_member_is_broken_under_the_clause_that_the_spec_names_there() -> None:
    members = {
        "id": _member("ID", {"minLength": "ID:minLength", "required": "ID:required"}, type="string", minLength=1),
        "state": _member("STATE", {"enum": "STATE:enum"}, type="string", enum=["on", "off"]),
        "age": _member("AGE", type="integer", minimum=0, maximum=9),
        "at": _member("AT", type="string", pattern=r"^\d{4}$"),
        "tags": _member("TAGS", type="array", minItems=1, items={"type": "string"}),
    }
    assert _found({"type": "object", "required": ["id"], "properties": members}) == {
        ("", "type"): ("BODY", ["ringtrue mutant"]),
        ("id", "removed"): ("ID:required", GONE),
        ("id", "type"): ("ID", -720071),
        ("id", "too-short"): ("ID:minLength", ""),
        ("state", "type"): ("STATE", -720071),
        ("state", "enum"): ("STATE:enum", "ringtrue mutant"),
        ("age", "type"): ("AGE", "ringtrue mutant"),
        ("age", "number-low"): ("AGE", -1),
        ("age", "number-high"): ("AGE", 10),
        ("at", "type"): ("AT", -720071),
        ("at", "format"): ("AT", "ringtrue mutant"),
        ("tags", "type"): ("TAGS", {"ringtrue mutant": True}),
        ("tags", "too-few"): ("TAGS", []),
        ("tags.[]", "type"): ("TAGS", -720071),
    }


def test_what_is_in_one_of_several_shapes_breaks_the_choice() -> None:
    item = {"type": "object", "required": ["id"], "properties": {"id": _member("ID", type="string")}}
    found = list(spots({"anyOf": [item, {"type": "array", "items": item}]}, "BODY"))
    assert {(".".join(spot.path), spot.rule) for spot in found} == {
        ("", "type"), ("id", "removed"), ("id", "type"), ("[].id", "removed"), ("[].id", "type"), ("[]", "type"),
    }  # fmt: skip
    assert {spot.clause for spot in found} == {"BODY"}
    assert all(spot.in_branch for spot in found if spot.path)


def test_what_may_be_anything_has_no_wrong_type() -> None:
    assert _found({"properties": {"reference": _member("REF")}}) == {}
    every = ["string", "number", "array", "object", "boolean", "null"]
    assert _found({"properties": {"reference": _member("REF", type=every)}}) == {}


@pytest.mark.parametrize(
    ("value", "path", "new", "expected"),
    [
        ({"a": 1, "b": 2}, ("a",), "x", {"a": "x", "b": 2}),
        ({"a": 1, "b": 2}, ("a",), GONE, {"b": 2}),
        ([{"a": 1}, {"a": 1}, {"b": 1}], ("[]", "a"), GONE, [{"a": 1}, {}, {"b": 1}]),
        ({"a": [1, 2]}, ("a", "[]"), "x", {"a": [1, "x"]}),
        ({"b": 2}, ("a",), "x", GONE),
        ({"b": 2}, ("b", "c"), GONE, GONE),
        ([], ("[]", "a"), "x", GONE),
        ({"a": []}, ("a",), [], GONE),
        ({"a": 1}, ("a",), True, {"a": True}),
        (17, (), "x", "x"),
    ],
)
def test_one_place_is_changed_if_it_is_there(value: Any, path: tuple[str, ...], new: Any, expected: Any) -> None:
    before = repr(value)
    assert changed(value, path, new) == expected
    assert repr(value) == before
