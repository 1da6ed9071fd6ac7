"""A broken file of a user's own system is refused with file, line, key, and what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.contract import load_contract
from harness.yamlfile import DataError
from tests.specs.toy import FILES, line_of, write_toy

CL, OA, SE = "clauses.yaml", "openapi.yaml", "sequences.yaml"


@dataclass(frozen=True)
class Case:
    """`old` becomes `new` in `file`; the complaint then has `line` (found by its words in the whole file) and `says`."""

    file: str
    old: str
    new: str
    at: str
    says: str
    shift: int = 0


CASES = {
    "unknown key in a clause": Case(
        CL,
        "level: documented",
        "leval: documented",
        "level: documented",
        r"Calls.TY-ring-rings.leval: unknown key 'leval': expected one of .*level",
    ),
    "unknown key of the file": Case(
        CL, "prefix: TY", "prefix: TY\nprefux: x", "prefix: TY", r"unknown key 'prefux': expected one of .*prefix", 1
    ),
    "key missing": Case(CL, "title: Toy phones\n", "", "system: toy", r"missing key 'title'"),
    "text missing": Case(CL, "      text: A ring makes the phone ring\n", "", "TY-ring-rings", r"missing key 'text'"),
    "unknown level": Case(
        CL, "level: inferred", "level: guessed", "level: inferred", r"'guessed': expected one of documented, inferred"
    ),
    "unknown surface": Case(
        CL, "surface: sip", "surface: fax", "surface: sip", r"'fax': expected one of http, callback, sip, media"
    ),
    "unknown capability": Case(
        CL, "capability: sip", "capability: sup", "capability: sip", r"unknown capability 'sup': expected one of sip"
    ),
    "unknown document": Case(
        CL,
        "source: TD Ringing\n",
        "source: XX Ringing\n",
        "source: TD Ringing\n",
        r"source 'XX Ringing': expected a key \(TD\) and a section",
    ),
    "source without section": Case(
        CL, "source: TD Ringing\n", "source: TD\n", "source: TD Ringing\n", r"source 'TD': expected a key"
    ),
    "foreign prefix": Case(
        CL,
        "TY-ring-rings",
        "TX-ring-rings",
        "TY-ring-rings",
        r"clause id 'TX-ring-rings': expected TY- and a stable name",
    ),
    "id that is a position": Case(
        CL, "TY-ring-rings", "TY-17", "TY-ring-rings", r"clause id 'TY-17' is a position: expected a stable name"
    ),
    "id twice in one area": Case(
        CL, "TY-told-once:", "TY-ring-rings:", "TY-told-once:", r"key 'TY-ring-rings' stands already in line \d+"
    ),
    "id in two areas": Case(
        CL,
        "    TY-told-once:",
        "  More:\n    TY-ring-rings:",
        "    TY-told-once:",
        r"clause TY-ring-rings stands in two areas",
        1,
    ),
    "id that is derived too": Case(
        CL,
        "    TY-told-once:",
        "    TY-Ring.id:required: {text: a, source: TD b, level: inferred, surface: http}\n    TY-told-once:",
        "    TY-told-once:",
        r"clause TY-Ring.id:required is also derived from openapi.yaml:\d+",
    ),
    "dangling clause in the ledger": Case(
        CL, "[TY-told-once]", "[TY-told-twice]", "clauses: [TY-told-once]", r"unknown clause 'TY-told-twice'"
    ),
    "unknown rule of the harness": Case(
        CL,
        "ledger:",
        "rules: {credentials-raquired: TY-told-once}\nledger:",
        "ledger:",
        r"rules.credentials-raquired: unknown key 'credentials-raquired': expected one of .*credentials-required",
    ),
    "dangling clause of a rule of the harness": Case(
        CL, "ledger:", "rules: {credentials-required: TY-gone}\nledger:", "ledger:", r"unknown clause 'TY-gone'"
    ),
    "unknown area": Case(
        CL, "ledger:", "serial: [Cells]\nledger:", "ledger:", r"unknown area 'Cells': expected one of Calls"
    ),
    "clauses that are a list": Case(
        CL, "clauses:\n  Calls:\n", "clauses:\n  Calls: []\n  Other:\n", "  Calls:", r"expected a mapping, got list"
    ),
    "broken YAML": Case(CL, "prefix: TY", "prefix: [TY", "documents:", r"broken YAML: "),
    "another folder's system": Case(
        CL, "system: toy", "system: other", "system: toy", r"system 'other' stands in the folder of 'toy'"
    ),
    "not OpenAPI 3.1": Case(OA, "openapi: 3.1.0", "openapi: 3.0.3", "openapi:", r"expected an OpenAPI 3.1 document"),
    "unknown mark": Case(
        OA,
        "inferred: [required]",
        "infered: [required]",
        "x-clause: {source: TD Ringing, area",
        r"unknown key 'infered': expected one of .*inferred",
    ),
    "unknown keyword in a mark": Case(
        OA,
        "inferred: [required]",
        "inferred: [requird]",
        "x-clause: {source: TD Ringing, area",
        r"unknown keyword 'requird': expected one of .*required",
    ),
    "unknown level in a mark": Case(
        OA,
        "x-clause: {source: TD Ringing}",
        "x-clause: {level: sure, source: TD Ringing}",
        "x-clause: {source",
        r"'sure': expected one of documented, inferred",
    ),
    "unknown capability in a mark": Case(
        OA,
        "x-clause: {source: TD Ringing}",
        "x-clause: {capability: fax, source: TD R}",
        "x-clause: {source",
        r"unknown capability 'fax': expected one of sip",
    ),
    "unknown document in a mark": Case(
        OA,
        "x-clause: {source: TD Ringing}",
        "x-clause: {source: ZZ Ringing}",
        "x-clause: {source",
        r"source 'ZZ Ringing': expected a key \(TD\)",
    ),
    "no source": Case(
        OA,
        "x-clause: {source: TD Ringing}\n",
        "",
        "    post:",
        r"clause TY-ring has no source: mark it or an ancestor",
        -1,
    ),
    "no words": Case(
        OA, "      summary: Ring a phone\n", "", "    post:", r"clause TY-ring has no words: give a description"
    ),
    "no description of a member": Case(
        OA,
        "{type: string, description: The phone that rings}",
        "{type: string}",
        "phone: {",
        r"TY-Ring.phone has no words: give a description",
    ),
    "no operationId": Case(OA, "      operationId: ring\n", "", "    post:", r"missing key 'operationId'"),
    "operationId twice": Case(
        OA,
        "operationId: told",
        "operationId: ring",
        "  told:",
        r"clause TY-ring is made twice: first in openapi.yaml:\d+",
        1,
    ),
    "no tag": Case(
        OA, "      tags: [Calls]\n", "", "    post:", r"operation ring has no tag: the first one names its area"
    ),
    "broken reference": Case(
        OA, "schemas/Ring'", "schemas/Rong'", "schema: {$ref", r"reference '#/components/schemas/Rong' leads nowhere"
    ),
    "reference to another file": Case(
        OA,
        "'#/components/schemas/Ring'",
        "'other.yaml#/Ring'",
        "schema: {$ref",
        r"reference 'other.yaml#/Ring': expected one inside this file",
    ),
    "closed body": Case(
        OA,
        "      required: [id]",
        "      additionalProperties: false",
        "    Ring:",
        r"additionalProperties: false would forbid extra members",
    ),
    "our answer without a link": Case(
        OA, ", x-clause: {id: TY-ring-rings}", "", "again: {", r"the harness sends this: link it to the clause"
    ),
    "flows of another system": Case(SE, "system: toy", "system: tie", "system: toy", r"system 'tie': expected 'toy'"),
    "unknown key of a flow": Case(
        SE, "title: A phone", "titel: A phone", "title: A phone", r"unknown key 'titel': expected one of .*title"
    ),
    "flow without start": Case(SE, "    start: ring\n", "", "  ring:", r"missing key 'start'"),
    "unknown start": Case(
        SE, "start: ring", "start: rang", "start: ring", r"unknown event 'rang': expected one of ring, invite, told"
    ),
    "unknown kind": Case(
        SE, "kind: sip", "kind: fax", "kind: sip", r"'fax': expected one of http, callback, sip, media, note"
    ),
    "unknown field": Case(
        SE,
        "direction: in",
        "durection: in",
        "match: {method: INVITE",
        r"unknown field 'durection': expected one such as .*direction",
    ),
    "unknown operation": Case(
        SE,
        "operation: told",
        "operation: tald",
        "match: {operation: told}",
        r"unknown operation 'tald': expected one of told",
    ),
    "our operation as theirs": Case(
        SE,
        "operation: told",
        "operation: ring",
        "match: {operation: told}",
        r"unknown operation 'ring': expected one of told",
    ),
    "status that is none": Case(
        SE,
        "status: 2XX",
        "status: good",
        "match: {operation: ring",
        r"status 'good': expected a code such as 200, or 2XX",
    ),
    "correlation with nothing": Case(
        SE,
        "same: {request.body.id: id}",
        "same: {request.body.id: name}",
        "same: {",
        r"nothing keeps 'name': expected one of id",
    ),
    "start that correlates": Case(
        SE,
        "keep: {id: response.body.id}",
        "keep: {id: response.body.id}\n        same: {request.body.id: id}",
        "keep: {",
        r"the start of a flow has nothing to agree with yet",
        1,
    ),
    "event that no rule uses": Case(
        SE, "[ring, [invite, told]]", "[ring, invite]", "      told:", r"no rule uses this event"
    ),
    "unknown rule": Case(
        SE,
        "{expect: invite",
        "{expects: invite",
        "- {expect",
        r"expected exactly one of expect, absent, order, precede, agree, unique",
    ),
    "unknown key of a rule": Case(
        SE, "exactly: 1", "exactli: 1", "- {expect", r"unknown key 'exactli': expected one of .*exactly"
    ),
    "dangling clause of a rule": Case(
        SE, "clause: TY-told-once", "clause: TY-told-twice", "- {order", r"unknown clause 'TY-told-twice'"
    ),
    "unknown event of a rule": Case(
        SE, "[invite, told]", "[invite, tald]", "- {order", r"unknown event 'tald': expected one of ring, invite, told"
    ),
    "unknown timing": Case(
        SE,
        "within: answer",
        "within: soon",
        "- {expect",
        r"'soon': expected seconds, or one of connect, answer, callback, quiet",
    ),
    "count that is none": Case(SE, "exactly: 1", "exactly: -1", "- {expect", r"-1: expected a whole number"),
    "deadline from nowhere": Case(
        SE, "after: ring, ", "", "- {expect", r"'within' needs 'after' or 'each' to count from"
    ),
    "absence without a control": Case(
        SE, "{order: [ring, [invite, told]],", "{absent: told, after: invite,", "- {order", r"missing key 'control'"
    ),
    "order of one": Case(SE, "[ring, [invite, told]]", "[told]", "- {order", r"expected a list of two or more events"),
    "agreement with nothing": Case(
        SE,
        "{order: [ring, [invite, told]],",
        "{agree: request.body.id, of: told, with: name,",
        "- {order",
        r"nothing keeps 'name': expected one of id",
    ),
    "agreement of an unknown kind": Case(
        SE,
        "{order: [ring, [invite, told]],",
        "{agree: request.body.id, of: told, with: id, as: colour,",
        "- {order",
        r"'colour': expected one of text, number, phone, instant, uri",
    ),
    "agreement of a field that is none": Case(
        SE,
        "{order: [ring, [invite, told]],",
        "{unique: request.bady, of: told,",
        "- {order",
        r"unknown field 'request.bady'",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_message_names_file_line_and_what_was_expected(case: Case, tmp_path: Path) -> None:
    folder = write_toy(tmp_path, {case.file: (case.old, case.new)})
    with pytest.raises(DataError) as caught:
        load_contract(folder)
    line = line_of(case.file, case.at) + case.shift
    assert str(caught.value).startswith(f"{folder / case.file}:{line}: "), str(caught.value)
    assert re.search(case.says, str(caught.value))


WRONG: tuple[Any, ...] = (None, 7, "x", [], ["x"], {}, {"x": 1}, True, [{"x": 1}])


def places(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value below a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*above, key)
        yield from places(item, (*above, key))


def changed(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    """A copy with another value at a place."""
    if not place:
        return new
    result: Any = dict(value) if isinstance(value, dict) else list(value)
    result[place[0]] = changed(value[place[0]], place[1:], new)
    return result


@pytest.mark.parametrize("name", FILES)
def test_a_value_of_the_wrong_kind_anywhere_is_refused_or_harmless(tmp_path: Path, name: str) -> None:
    folder = write_toy(tmp_path)
    whole = yaml.safe_load(FILES[name])
    complaints = [
        words
        for place in places(whole)
        for wrong in WRONG
        if (words := complaint(folder, name, yaml.safe_dump(changed(whole, place, wrong), sort_keys=False)))
    ]
    assert len(complaints) > 100
    assert [words for words in complaints if not words.startswith(str(folder))] == []


def complaint(folder: Path, name: str, text: str) -> str | None:
    """What loading says with another text in one file; None when it is accepted."""
    (folder / name).write_text(text, encoding="utf-8")
    try:
        load_contract(folder)
    except DataError as error:
        return str(error)
    return None
