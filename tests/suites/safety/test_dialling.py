"""A run dials what the target file allows and its own agents, and keeps everything else back before it leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.contract import load_contracts
from harness.drivers.recorder import Answer
from harness.suites.plan import capabilities_of
from harness.suites.safety.dialling import DialError, DialGuard, DialRules
from harness.target import Target, parse_target

_CONTRACTS = load_contracts(("callable", "mediaservice"))


def _target(*allow: str) -> Target:
    tables: dict[str, Any] = {
        "callable": {
            "base_url": "http://127.0.0.1:9/api/v1",
            "username": "u",
            "password": "secret-1",
            "pstn": {"listen": "198.18.0.7:5999", "numbers": ["+441234567893"]},
            "users": [{"aor": "201@pbx.net", "password": "secret-2", "number": "+49301234567"}],
        },
        "dial": {"allow": list(allow)},
    }
    return parse_target(tables, capabilities_of(_CONTRACTS))


@pytest.mark.parametrize(
    "text",
    [
        "+441234567893",
        "00441234567893",
        "tel:+441234567893",
        "+49 30 1234567",
        "sip:+15550100@127.0.0.1:5070",
        "sip:anyone@[::1]:5070",
        "sip:x@198.18.0.7:5999",
        "sip:201@pbx.net",
        "sip:nobody@192.0.2.10",
        "sip:nobody@somewhere.invalid",
        "not a sip address",
    ],
)
def test_own_agents_and_numbers_of_the_target_file_may_be_dialled(text: str) -> None:
    assert DialRules(_target()).allows(text)


@pytest.mark.parametrize(
    "text",
    [
        "+441234567894",
        "112",
        "tel:999",
        "sip:112@pbx.net",
        "sip:x@sip.carrier.net",
        "sips:x@203.0.114.9",
        "sip:+441234567893@sip.carrier.net",
        "sip:127.0.0.1@sip.carrier.net",
        "sip:x@127.0.0.1.carrier.net",
    ],
)
def test_nothing_else_may_be_dialled_unless_the_target_file_says_so(text: str) -> None:
    assert not DialRules(_target()).allows(text)
    assert DialRules(_target(text)).allows(text)
    assert DialRules(_target("*")).allows(text)


def test_an_asterisk_is_the_only_wildcard() -> None:
    rules = DialRules(_target("sip:*@pbx.net", "+4930?234[56]"))
    assert rules.allows("sip:4711@pbx.net")
    assert not rules.allows("sip:4711@pbxxnet")
    assert not rules.allows("+4930123456")


def _voice(**target: Any) -> bytes:
    return json.dumps({"target": target, "verbs": [{"dial": {"targets": [target]}}]}).encode()


def test_a_request_that_would_dial_somebody_else_is_kept_back() -> None:
    rules = DialRules(_target())
    guard = DialGuard(_CONTRACTS["callable"].spec, rules)
    url = "http://127.0.0.1:9/api/v1/account/a1/channels/voice"
    guard.request("POST", url, _voice(phoneNumber={"number": "+441234567893"}))
    for target in (
        {"phoneNumber": {"number": "+12025550123"}},
        {"extension": {"extension": "200"}},
        {"sipUri": {"uri": "sip:x@carrier.net"}},
    ):
        with pytest.raises(DialError, match=r"\[dial\]"):
            guard.request("POST", url, _voice(**target))
    device = {"type": "SIP_GATEWAY", "name": "x", "extension": "200"}
    guard.request("POST", "http://127.0.0.1:9/api/v1/account/a1/device", json.dumps(device).encode())
    guard.request("POST", url, _voice(extension={"extension": "200"}))


@pytest.mark.parametrize(
    ("operation", "member"),
    [("placeivrcall", "destAddr"), ("placeremotecall", "destinationUri"), ("placeremotecalljwt", "destinationUri")],
)
def test_operations_of_mediaservice_that_call_are_watched(operation: str, member: str) -> None:
    guard = DialGuard(_CONTRACTS["mediaservice"].spec, DialRules(_target()))
    url = f"http://127.0.0.1:9/a.example/{operation}"
    guard.request("POST", url, json.dumps({member: "sip:x@127.0.0.1:5070"}).encode())
    with pytest.raises(DialError, match="carrier"):
        guard.request("POST", url, json.dumps({member: "sip:x@carrier.net"}).encode())


def test_an_answer_to_a_callback_that_would_dial_somebody_else_is_kept_back() -> None:
    guard = DialGuard(_CONTRACTS["mediaservice"].spec, DialRules(_target()))
    guard.answer(Answer(json={"action": "call", "destAddr": "sip:x@127.0.0.1:5070"}))
    guard.answer(Answer(template={"action": "call", "sessionId": "$.sessionId"}))
    for answer in (
        Answer(json={"action": "call", "destAddr": "sip:x@carrier.net"}),
        Answer(template={"action": "call", "monitorDestAddr": "sip:x@carrier.net"}),
        Answer(body='{"action": "call", "destAddr": "112"}'),
        Answer(json={"action": "call", "destAddr": [{"uri": "sip:x@127.0.0.1:1"}, {"uri": "sip:x@carrier.net"}]}),
    ):
        with pytest.raises(DialError):
            guard.answer(answer)
