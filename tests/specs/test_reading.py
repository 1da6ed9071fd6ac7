"""The readers of the documents repair only what they say they repair, and a fact without a clause is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.contract import load_contract
from tests.specs.reading import documents
from tests.specs.reading.facts import Fact, Part, Place, Sample, members_of
from tests.specs.reading.repair import parse_sample, take_block
from tests.specs.test_facts import Judge
from tests.specs.test_samples import complaint
from tests.specs.toy import write_toy

RING = Place("POST", "/rings")


def test_a_missing_document_skips_a_test_unless_the_environment_insists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "FOLDER", tmp_path)
    monkeypatch.delenv("RINGTRUE_REQUIRE_DOCUMENTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"toy.txt is missing"):
        documents.read_document("toy.txt")
    monkeypatch.setenv("RINGTRUE_REQUIRE_DOCUMENTS", "1")
    with pytest.raises(pytest.fail.Exception, match=r"toy.txt is missing"):
        documents.read_document("toy.txt")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, "b"]}', {"a": [1, "b"]}),
        ('{- "a": 1,\n- "b": [\n- {\n- "c": 2\n}\n]\n}', {"a": 1, "b": [{"c": 2}]}),
        ('{- "a": {\n- "b": 1\n}, - "c": 2\n}', {"a": {"b": 1}, "c": 2}),
        ('{\n"a": "1"\n"b": 2\n}', {"a": "1", "b": 2}),
        ('{\n"a": "1.1.1.1,\n"b": 2\n}', {"a": "1.1.1.1", "b": 2}),
        ('{\n"a": 1,\n}', {"a": 1}),
        ('{\n"a": "x="y"",\n"b": 2\n}', {"a": 'x="y"', "b": 2}),
        ('{\n"a": "- not a fold mark"\n}', {"a": "- not a fold mark"}),
    ],
)
def test_broken_samples_are_read(text: str, value: Any) -> None:
    assert parse_sample(text) == (value, False)


def test_what_was_left_out_is_told() -> None:
    assert parse_sample('{ "a": { ... }, "b": [ ... ] }') == ({"a": {}, "b": []}, True)


@pytest.mark.parametrize("text", ["{", '{"a" 1}', '{"a": b}'])
def test_what_cannot_be_repaired_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        parse_sample(text)


def test_a_block_ends_where_its_brackets_close() -> None:
    assert take_block(["{", '"a": [', "]", "}", "after"], 0) == ('{\n"a": [\n]\n}', 4)
    with pytest.raises(ValueError, match="line 1: brackets are never closed"):
        take_block(["{", "text"], 0)


def test_the_members_of_a_sample_are_facts_once_each() -> None:
    sample = Sample("toy.txt", 3, RING, Part.RESPONSE, [{"a": {"b": 1}}, {"a": {"b": 2, "c": []}}])
    assert [fact.path for fact in members_of(sample)] == [("a",), ("a", "b"), ("a", "c")]


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (Fact("toy.txt", 1, "operation", RING), None),
        (Fact("toy.txt", 1, "operation", Place("GET", "/rings")), "no such operation in the spec"),
        (Fact("toy.txt", 1, "operation", Place(webhook="told")), None),
        (Fact("toy.txt", 1, "member", RING, Part.RESPONSE, ("phone",)), None),
        (Fact("toy.txt", 1, "member", RING, Part.RESPONSE, ("colour",)), "the spec has no such member"),
        (Fact("toy.txt", 1, "member", RING, Part.REQUEST, ("phone",)), "the spec has no such body"),
        (Fact("toy.txt", 1, "type", RING, Part.RESPONSE, ("phone",), "string"), None),
        (Fact("toy.txt", 1, "type", RING, Part.RESPONSE, ("phone",), "number"), "the spec has another type"),
        (Fact("toy.txt", 1, "enum", RING, Part.RESPONSE, ("phone",), "red"), "neither the spec nor a clause has"),
        (Fact("toy.txt", 1, "required", RING, Part.RESPONSE, ("id",)), None),
        (Fact("toy.txt", 1, "required", RING, Part.RESPONSE, ("phone",)), "the spec does not require it"),
        (Fact("toy.txt", 1, "optional", RING, Part.RESPONSE, ("id",)), "the spec requires it"),
        (Fact("toy.txt", 1, "status", RING, value="404"), None),
        (Fact("toy.txt", 1, "status", RING, value="500"), "the spec lists 201 404"),
        (Fact("toy.txt", 1, "header", RING, value="location"), None),
        (Fact("toy.txt", 1, "header", RING, value="Sunset"), "no clause for header Sunset"),
        (Fact("toy.txt", 1, "parameter", RING, value="phone"), "the spec has"),
        (Fact("toy.txt", 1, "secured", RING), "the spec leaves it open to everyone"),
        (Fact("toy.txt", 1, "named", value="rings", clauses=("TY-ring-rings",)), None),
        (Fact("toy.txt", 1, "named", value="rings", clauses=("TY-ring-rings", "TY-gone")), "no clause TY-gone"),
    ],
    ids=str,
)
def test_a_fact_without_a_clause_is_reported(tmp_path: Path, fact: Fact, says: str | None) -> None:
    found = Judge(load_contract(write_toy(tmp_path))).missing(fact)
    assert found is None if says is None else says in (found or "")


def test_a_sample_that_breaks_its_schema_is_reported_and_a_placeholder_is_not() -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "enum": ["a"]}}}
    reported = [
        complaint(Sample("toy.txt", 1, RING, Part.RESPONSE, value), schema)
        for value in ({"id": "a"}, {"id": "string"}, {"id": "b"}, {"id": 7}, {})
    ]
    assert [bool(words) for words in reported] == [False, False, True, True, True]
    assert reported[3] is not None
    assert "toy.txt:1 POST /rings response: $.id" in reported[3]
