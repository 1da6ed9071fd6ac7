"""Values against marked schemas: which clause a violation belongs to, and which ones a value proves."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks.schema import judge_value
from harness.spec import CLAUSE_KEY, TWINS_KEY, Schema


def labelled(clause: str, schema: dict[str, Any], **twins: str) -> dict[str, Any]:
    return {**schema, CLAUSE_KEY: clause, TWINS_KEY: {name: f"{clause}:{twin}" for name, twin in twins.items()}}


SCHEMA: Schema = {
    "type": "object",
    "required": ["a", "b"],
    "properties": {
        "a": labelled("A", {"type": "string", "enum": ["x", "y"]}, enum="enum", required="required"),
        "b": labelled("B", {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        "c": labelled("C", {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"d": labelled("D", {})}}]}),
        "e": labelled("E", {"if": {"const": 1}, "then": {"type": "string"}, "not": {"const": 2}}, **{"not": "not"}),
        "f": labelled("F", {"allOf": [{"properties": {"g": labelled("G", {"type": "string"})}}]}),
        "free": {"properties": {"h": labelled("H", {"type": "null"})}},
    },
}
GOOD = {"a": "x", "b": [1]}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (GOOD, {"A", "A:enum", "A:required", "B"}),
        ({**GOOD, "more": 1}, {"A", "A:enum", "A:required", "B"}),
        ({**GOOD, "b": [1.0, 2]}, {"A", "A:enum", "A:required", "B"}),
        ({**GOOD, "c": "text"}, {"A", "A:enum", "A:required", "B", "C"}),
        ({**GOOD, "c": {"d": 1}}, {"A", "A:enum", "A:required", "B", "C", "D"}),
        ({**GOOD, "f": {"g": "x"}}, {"A", "A:enum", "A:required", "B", "F", "G"}),
        ({**GOOD, "free": {"h": None}}, {"A", "A:enum", "A:required", "B", "H"}),
        ({**GOOD, "e": 3}, {"A", "A:enum", "A:required", "B", "E", "E:not"}),
    ],
)
def test_a_value_proves_the_clauses_of_the_members_that_it_has(value: Any, kept: set[str]) -> None:
    verdict = judge_value(SCHEMA, value)
    assert verdict.violations == ()
    assert verdict.kept == kept


@pytest.mark.parametrize(
    ("value", "clause", "path", "keyword", "message"),
    [
        ({"b": [1]}, "A:required", "a", "required", "a: is missing"),
        ({"a": "x"}, "B", "b", "required", "b: is missing"),
        ({**GOOD, "a": "z"}, "A:enum", "a", "enum", "a: is not one of the documented values"),
        ({**GOOD, "b": "1"}, "B", "b", "type", "b: is not of type array"),
        ({**GOOD, "b": []}, "B", "b", "minItems", "b: breaks minItems"),
        ({**GOOD, "b": [1, "2"]}, "B", "b[1]", "type", "b[]: is not of type integer"),
        ({**GOOD, "c": 1}, "C", "c", "anyOf", "c: has none of the documented shapes"),
        ({**GOOD, "e": 1}, "E", "e", "type", "e: is not of type string"),
        ({**GOOD, "e": 2}, "E:not", "e", "not", "e: breaks not"),
        ({**GOOD, "f": {"g": 1}}, "G", "f.g", "type", "f.g: is not of type string"),
        ({**GOOD, "free": {"h": 1}}, "H", "free.h", "type", "free.h: is not of type null"),
        ([], None, "", "type", "is not of type object"),
        (None, None, "", "type", "is not of type object"),
    ],
)
def test_each_violation_names_the_nearest_clause_and_proves_nothing_of_it(
    value: Any, clause: str | None, path: str, keyword: str, message: str
) -> None:
    verdict = judge_value(SCHEMA, value)
    violation = verdict.violations[0]
    assert (violation.clause, violation.path, violation.keyword, violation.message) == (clause, path, keyword, message)
    assert len(verdict.violations) == 1
    assert clause not in verdict.kept


def test_a_value_with_two_faults_has_two_violations() -> None:
    verdict = judge_value(SCHEMA, {"a": 1, "b": "x"})
    assert {violation.clause for violation in verdict.violations} == {"A", "A:enum", "B"}


def test_what_was_seen_is_the_value_at_its_place() -> None:
    assert judge_value(SCHEMA, {**GOOD, "b": [1, "2"]}).violations[0].seen == "2"
    assert judge_value(SCHEMA, {"a": "x"}).violations[0].seen == "absent"


@pytest.mark.parametrize("kind", ["array", ["array", "null"]])
def test_a_deeply_nested_value_is_a_violation_and_no_crash(kind: Any) -> None:
    value: Any = 1
    for _ in range(400):
        value = [value]
    schema: Schema = {"anyOf": [{"type": "string"}, {"type": kind, "minItems": 2}]}
    assert judge_value(schema, value).violations[0].clause is None
