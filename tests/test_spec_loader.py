"""Operations and clauses derived from a marked OpenAPI file. Broken files: tests/specs/test_bad_input.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clauses import Level, Surface
from harness.contract import Contract, load_contract, load_contracts
from harness.spec import CLAUSE_KEY, TWINS_KEY
from harness.yamlfile import DataError
from tests.specs.reading.lookup import all_members
from tests.specs.toy import write_toy

RING = "        id: {type: string, description: Names the ring}\n"


@pytest.fixture
def toy(tmp_path: Path) -> Contract:
    return load_contract(write_toy(tmp_path))


def changed(folder: Path, old: str, new: str) -> Contract:
    return load_contract(write_toy(folder, {"openapi.yaml": (old, new)}))


def test_an_operation_has_clauses_for_itself_its_statuses_and_its_body(toy: Contract) -> None:
    ring = toy.spec.operation("ring")
    assert (ring.clause, ring.status_clause, ring.body_clause) == ("TY-ring", "TY-ring.status", "TY-ring.body")
    assert toy.catalogue["TY-ring"].text == "Ring a phone"
    assert toy.catalogue["TY-ring.status"].text == "ring answers with one of 201, 404"
    assert toy.catalogue["TY-ring"].location.startswith("openapi.yaml:")


def test_a_media_type_that_is_less_firm_than_the_body_has_a_clause_of_its_own(toy: Contract, tmp_path: Path) -> None:
    ring = toy.spec.operation("ring")
    assert ring.media_clause == ring.body_clause
    root = ("x-clause: {source: TD Ringing}", "x-clause: {source: TD Ringing, inferred: [media-type]}")
    less = changed(tmp_path / "1", *root)
    assert less.spec.operation("ring").media_clause == "TY-ring.media-type"
    assert less.catalogue["TY-ring.media-type"].level is Level.INFERRED
    assert less.catalogue["TY-ring.body"].level is Level.DOCUMENTED
    assert less.spec.operation("told").media_clause == "TY-told.body"


def test_a_webhook_is_on_the_callback_surface_and_has_no_clause_for_our_status(toy: Contract) -> None:
    told = toy.spec.operation("told")
    assert toy.catalogue["TY-told"].surface is Surface.CALLBACK
    assert toy.catalogue["TY-told.body"].text == "told is sent in the documented format and shape"
    assert "TY-told.status" not in toy.catalogue
    assert told in toy.spec.webhooks


def test_members_carry_their_clauses_and_twins_where_a_keyword_is_less_firm(toy: Contract) -> None:
    schema = toy.spec.operation("ring").responses[0].payload.schemas["application/json"]
    member = schema["properties"]["id"]
    assert member[CLAUSE_KEY] == "TY-Ring.id"
    assert member[TWINS_KEY] == {"required": "TY-Ring.id:required"}
    assert toy.catalogue["TY-Ring.id"].level is Level.DOCUMENTED
    assert toy.catalogue["TY-Ring.id:required"].level is Level.INFERRED
    assert toy.catalogue["TY-Ring.id:required"].text == "Ring.id is always there"


def test_a_schema_used_twice_is_counted_once(toy: Contract) -> None:
    assert [clause.id for clause in toy.catalogue].count("TY-Ring.id") == 1


def test_a_header_has_a_clause_and_says_whether_it_must_be_there(toy: Contract) -> None:
    (header,) = toy.spec.operation("ring").responses[0].headers
    assert (header.name, header.clause, header.required) == ("Location", "TY-ring.header.Location", True)


def test_what_we_send_in_answer_only_links_to_what_it_does(toy: Contract) -> None:
    schema = toy.spec.operation("told").responses[0].payload.schemas["application/json"]
    assert schema["properties"]["again"][CLAUSE_KEY] == "TY-ring-rings"
    assert toy.catalogue["TY-ring-rings"].surface is Surface.SIP


def test_marks_are_inherited_and_overridden(tmp_path: Path) -> None:
    inferred = changed(tmp_path / "1", "area: Calls, inferred: [required]", "area: Calls, level: inferred")
    assert inferred.catalogue["TY-Ring.phone"].level is Level.INFERRED
    assert inferred.catalogue["TY-ring"].level is Level.DOCUMENTED
    mark = "x-clause: {documented: [required], capability: sip, conditional: true}"
    firm = changed(tmp_path / "2", RING, f"        id: {{type: string, description: Names the ring, {mark}}}\n")
    assert "TY-Ring.id:required" not in firm.catalogue
    assert firm.catalogue["TY-Ring.id"].capability == "sip"
    assert firm.catalogue["TY-Ring.id"].conditional


def test_members_false_makes_no_clauses(tmp_path: Path) -> None:
    contract = changed(tmp_path, "area: Calls, inferred: [required]", "area: Calls, members: false")
    assert not [clause for clause in contract.catalogue if clause.id.startswith("TY-Ring.")]


def test_alternatives_and_items_keep_the_clauses_of_their_members(tmp_path: Path) -> None:
    one = "schema: {$ref: '#/components/schemas/Ring'}\n        '404'"
    ring = "{$ref: '#/components/schemas/Ring'}"
    either = f"schema: {{anyOf: [{ring}, {{type: array, items: {ring}}}]}}"
    contract = changed(tmp_path, one, f"{either}\n        '404'")
    schema = contract.spec.operation("ring").responses[0].payload.schemas["application/json"]
    clauses = {member.get(CLAUSE_KEY) for member in all_members(schema)}
    assert clauses == {"TY-Ring.id", "TY-Ring.phone"}


def test_a_schema_that_holds_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a schema refers to itself, or is nested too deeply"):
        changed(tmp_path, RING, f"{RING}        next: {{$ref: '#/components/schemas/Ring'}}\n")


def test_references_that_go_round_in_a_circle_are_refused(tmp_path: Path) -> None:
    circle = "    Ping: {$ref: '#/components/schemas/Pong'}\n    Pong: {$ref: '#/components/schemas/Ping'}\n    Ring:"
    folder = write_toy(tmp_path, {"openapi.yaml": ("    Ring:", circle)})
    path = folder / "openapi.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("schemas/Ring'", "schemas/Ping'"), encoding="utf-8")
    with pytest.raises(DataError, match="references go round in a circle"):
        load_contract(folder)


def test_answers_are_found_by_code_then_range_then_default(tmp_path: Path) -> None:
    contract = changed(
        tmp_path, "'404': {description: No such phone}", "4XX: {description: No}\n        default: {description: Else}"
    )
    ring = contract.spec.operation("ring")
    found = [ring.response(status) for status in (201, 418, 500)]
    assert [answer.status for answer in found if answer] == ["201", "4XX", "default"]


def test_a_path_is_matched_by_the_operation_with_the_fewest_parameters() -> None:
    spec = load_contracts(["apidaze"])["apidaze"].spec
    found = [
        spec.match("GET", path) for path in ("/externalscripts/test", "/externalscripts/12", "/externalscripts/1/2")
    ]
    assert [operation.id if operation else None for operation in found] == [
        "testExternalScript",
        "getExternalScript",
        None,
    ]


def test_every_clause_behind_a_shipped_schema_is_in_the_catalogue() -> None:
    for contract in load_contracts().values():
        for operation in (*contract.spec.operations, *contract.spec.webhooks):
            bodies = [operation.request, *(answer.payload for answer in operation.responses)]
            schemas = [schema for body in bodies for schema in body.schemas.values()]
            members = [member for schema in schemas for member in all_members(schema)]
            named = {member[CLAUSE_KEY] for member in members if CLAUSE_KEY in member}
            named |= {twin for member in members for twin in member.get(TWINS_KEY, {}).values()}
            named |= {operation.clause, operation.status_clause, operation.body_clause}
            missing = [clause for clause in named if clause not in contract.catalogue]
            assert not missing, f"{contract.system} {operation.id}"
