"""What was put into a target by a request against the documents is not held against the target when it shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.checks.http import judge_exchange
from harness.checks.taken import values_of
from harness.contract import load_contracts
from harness.timeline import HttpExchange, HttpRequest, HttpResponse
from harness.verdicts import Verdict

_CLAUSE = "CA-Trunk.countryCode:pattern"


def _failed(trunk: dict[str, Any], taken: object = ()) -> set[str]:
    """What is wrong with a list of this trunk, after a body like `taken` was accepted."""
    spec = load_contracts(["callable"])["callable"].spec
    operation = spec.operation("listTrunks")
    request = HttpRequest("GET", "http://h/api/v1/account/a1/trunk", (), b"")
    response = HttpResponse(200, (("Content-Type", "application/json"),), json.dumps([trunk]).encode(), "OK")
    exchange = HttpExchange(1.0, system="callable", request=request, response=response, about={"auth": "valid"})
    found = judge_exchange(operation, exchange, set(values_of(taken)))
    return {one.clause for one in found if one.verdict is Verdict.FAIL}


def _trunk(**members: Any) -> dict[str, Any]:
    operation = load_contracts(["callable"])["callable"].spec.document["paths"]["/account/{account}/trunk"]["get"]
    content = operation["responses"]["200"]["content"]["application/json"]
    return {**content["example"][0], **members}


def test_the_example_is_right() -> None:
    assert _failed(_trunk()) == set()


def test_a_value_that_was_given_is_not_the_targets_own() -> None:
    assert _CLAUSE in _failed(_trunk(countryCode="AAA"))
    assert _failed(_trunk(countryCode="AAA"), {"countryCode": "AAA", "port": 1}) == set()
    assert _failed(_trunk(countryCode="AAA"), {"settings": [{"countryCode": "AAA"}]}) == set()


@pytest.mark.parametrize(
    "taken", [{"countryCode": "BBB"}, {"country": "AAA"}, {"countryCode": ["AAAA"]}, ["AAA"], "AAA", None]
)
def test_another_value_or_the_same_elsewhere_explains_nothing(taken: object) -> None:
    assert _CLAUSE in _failed(_trunk(countryCode="AAA"), taken)


def test_the_type_counts() -> None:
    assert _failed(_trunk(port="5060"), {"port": "5060"}) == set()
    assert _failed(_trunk(port="5060"), {"port": 5060}) != set()


def test_what_is_missing_was_given_by_nobody() -> None:
    trunk = _trunk()
    del trunk["ip"]
    assert _failed(trunk, {"ip": "absent"}) == _failed(trunk) != set()
