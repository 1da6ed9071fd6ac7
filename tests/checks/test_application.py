"""Remarks about the application: what it answered, and what it asked; both directions for each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.checks.application import Remark, remarks_on
from harness.contract import load_contracts
from harness.timeline import Callback, Event, HttpExchange, HttpRequest, HttpResponse

CONTRACT = load_contracts(("mediaservice",))["mediaservice"]
JSON = (("Content-Type", "application/json"),)


def callback(name: str, answer: Any, status: int = 200, failure: str | None = None) -> Callback:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    asked = json.dumps({"sessionId": "s-1", "replyId": "r-1"}).encode()
    return Callback(
        1.0, system="mediaservice", request=HttpRequest("POST", f"http://app/{name}", JSON, asked),
        response=None if failure else HttpResponse(status, JSON, body), failure=failure, about={"operation": name}, seq=4,
    )  # fmt: skip


def operation(name: str, body: bytes, status: int = 200, headers: Any = JSON) -> HttpExchange:
    return HttpExchange(
        1.0, system="mediaservice", request=HttpRequest("POST", "http://api/x", headers, body),
        response=HttpResponse(status), about={"operation": name}, seq=5,
    )  # fmt: skip


def remarks(*events: Event) -> list[tuple[str, str]]:
    return [(remark.about, remark.message) for remark in remarks_on(events, CONTRACT)]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (callback("newCall", None, failure="timeout: no answer"), "is not answered"),
        (callback("newCall", {}, status=503), "is not taken"),
        (callback("newCall", b"<html>"), "the answer is not JSON"),
        (callback("newCall", [1]), "the answer: is not of type object"),
        (callback("newCall", {"action": 7}), "the answer: action: is not of type string"),
        (callback("getIvrCommand", {"sessionId": "other"}), "the answer has another sessionId than was asked"),
        (callback("getIvrCommand", {"replyId": "other"}), "the answer has another replyId than was asked"),
        (operation("placeIvrCall", b"{]"), "the request is not JSON"),
        (operation("placeIvrCall", b'{"destAddr": 7}'), "the request: destAddr: is not of type string"),
        (operation("placeIvrCall", b'{"destAddr": "sip:a@b"}', status=401), "its credentials are refused"),
    ],
)
def test_what_an_application_does_wrong_is_remarked(event: Callback | HttpExchange, message: str) -> None:
    assert (event.about["operation"], message) in remarks(event)


def test_what_an_application_does_right_is_not() -> None:
    fine = [
        callback("newCall", {"action": "ivr", "anything": [1]}),
        callback("getIvrCommand", {"sessionId": "s-1", "replyId": "r-1", "hangup": True}),
        callback("sessionCompleted", b""),
        operation("placeIvrCall", b'{"destAddr": "sip:a@b.example"}'),
        operation("listPromptFiles", b""),
    ]
    assert remarks(*fine) == []


def test_a_remark_says_where_what_was_expected_and_what_came() -> None:
    (remark,) = remarks_on([callback("getIvrCommand", {"sessionId": "other"})], CONTRACT)
    assert remark == Remark("getIvrCommand", "the answer has another sessionId than was asked", "s-1", "other", 4)
    assert remark.to_json()["at"] == 4
