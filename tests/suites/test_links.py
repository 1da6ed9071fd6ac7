"""Which operations hang together, and which may be tried without harm, read from the specs that we ship."""

from __future__ import annotations

import pytest

from harness.contract import load_contracts
from harness.suites.contract.links import Links, path_parameters, pick

CONTRACTS = load_contracts()


def links(system: str) -> Links:
    return Links(CONTRACTS[system].spec)


def whole(system: str) -> set[str]:
    found = links(system)
    return {one.id for one in found.spec.operations if found.is_whole(one)}


@pytest.mark.parametrize(
    ("system", "operation", "maker"),
    [
        ("apidaze", "getSipAccount", "createSipAccount"),
        ("apidaze", "deleteExternalScript", "createExternalScript"),
        ("callable", "updateTrunk", "createTrunk"),
        ("vtx", "deleteSubscription", "createSubscription"),
        ("mediaservice", "getPromptFileUrl", "putPromptFile"),
    ],
)
def test_what_an_operation_works_on_is_made_by_the_one_that_links_to_it(
    system: str, operation: str, maker: str
) -> None:
    found = links(system)
    made_by = found.maker(found.spec.operation(operation))
    assert made_by is not None
    assert made_by.id == maker


def test_a_list_makes_nothing() -> None:
    found = links("apidaze")
    assert found.creates(found.spec.operation("listSipAccounts")) is None
    assert found.maker(found.spec.operation("listSipAccounts")) is None


@pytest.mark.parametrize(
    ("system", "operation"),
    [("callable", "createVoiceCall"), ("mediaservice", "placeIvrCall"), ("mediaservice", "placeRemoteCall")],
)
def test_what_can_cause_a_call_is_never_tried_by_the_contract_suite(system: str, operation: str) -> None:
    found = links(system)
    assert found.dials(found.spec.operation(operation))
    assert operation not in whole(system)


def test_what_belongs_to_others_is_never_changed() -> None:
    assert "updateAddress" not in whole("callable")
    assert {"updateTrunk", "createTrunk", "getAddress"} <= whole("callable")


def test_operations_of_a_call_that_goes_on_are_left_to_scenarios() -> None:
    assert {"hangupCall", "startRecording", "splitConnection"}.isdisjoint(whole("mediaservice"))


def test_what_no_operation_takes_away_again_is_known() -> None:
    callable_, apidaze = links("callable"), links("apidaze")
    assert callable_.leaves_behind(callable_.spec.operation("createTrunk"))
    assert callable_.leaves_behind(callable_.spec.operation("updateHook"))
    assert not callable_.leaves_behind(callable_.spec.operation("listTrunks"))
    assert not apidaze.leaves_behind(apidaze.spec.operation("createSipAccount"))


def test_path_parameters_are_read_back_from_a_url() -> None:
    operation = CONTRACTS["callable"].spec.operation("getTrunk")
    url = "https://api.example/api/v1/account/5554/trunk/a%2Fb"
    assert path_parameters(operation, url) == {"account": "5554", "trunk": "a/b"}
    assert path_parameters(operation, "https://api.example/other") == {}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"id": "7"}, {"id": "7"}),
        ([{"id": 7}], {"id": "7"}),
        ([{"id": 7}, {"id": 8}], None),
        ({"id": True}, None),
        ({"name": "x"}, None),
        ("text", None),
        (None, None),
    ],
)
def test_an_id_is_picked_from_an_item_bare_or_in_a_list_of_one(answer: object, found: dict[str, str] | None) -> None:
    assert pick(answer, {"id": "$response.body#/id"}, {}) == found


def test_an_id_of_the_request_is_picked_from_its_path() -> None:
    wanted = {"account": "$request.path.account", "trunk": "$response.body#/id"}
    assert pick({"id": "t"}, wanted, {"account": "a"}) == {"account": "a", "trunk": "t"}
    assert pick({"id": "t"}, wanted, {}) is None
