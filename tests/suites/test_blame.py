"""Which member an operation was refused for: told by leaving out one after the other, and by nothing less."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from harness.contract import load_contracts
from harness.suites.scenario import Scenario
from harness.suites.scenarios.mediaservice.blame import without_what_is_refused
from harness.timeline import HttpExchange
from tests.checks.build import exchange, response

SPEC = load_contracts(("mediaservice",))["mediaservice"].spec
SENT = {"codec": "PCMA", "receiveIp": "192.0.2.1", "crypto": [{"id": 1, "suite": "s", "config": "c"}]}
Refuses = Callable[[Mapping[str, Any], int], bool]


class Platform:
    """Refuses bodies as a test wants; `refuses` also gets how many came before. `blamed`: the clauses of the findings."""

    def __init__(self, refuses: Refuses, status: int = 400) -> None:
        self.refuses = refuses
        self.status = status
        self.count = 0
        self.blamed: list[str] = []

    def send(self, body: Mapping[str, Any]) -> HttpExchange:
        refused = self.refuses(body, self.count)
        self.count += 1
        status = self.status if refused else 200
        return exchange("POST", "/x", response(status, {"success": not refused}))

    def check(self, clause: str, kept: bool, *_words: object, **_more: object) -> bool:
        assert not kept
        self.blamed.append(clause)
        return kept


def tried(platform: Platform, operation: str = "answerRemoteCall", sent: Mapping[str, Any] = SENT) -> HttpExchange:
    scenario = cast(Scenario, platform)
    return without_what_is_refused(scenario, SPEC.operation(operation), sent, platform.send(sent), platform.send)


def done(one: HttpExchange) -> bool:
    return one.response is not None and json.loads(one.response.body)["success"]


@pytest.mark.parametrize(
    ("refuses", "clause"),
    [
        (lambda body, _: "receiveIp" in body, "MS-AnswerRemoteCall.receiveIp"),
        (lambda body, _: "crypto" in body, "MS-AnswerRemoteCall.crypto"),
        (lambda body, _: any("suite" in one for one in body.get("crypto", ())), "MS-Cryptos.suite"),
    ],
)
def test_the_member_without_which_it_is_done_is_blamed(refuses: Refuses, clause: str) -> None:
    platform = Platform(refuses)
    assert done(tried(platform))
    assert platform.blamed == [clause]


def test_the_only_member_is_blamed_when_it_is_refused() -> None:
    platform = Platform(lambda _body, _: True)
    assert not done(tried(platform, "hangupCall", {"replyId": "r"}))
    assert platform.blamed == ["MS-HangupCall.replyId"]


@pytest.mark.parametrize(
    "platform",
    [
        pytest.param(Platform(lambda _body, count: count == 0), id="done the second time"),
        pytest.param(Platform(lambda _body, _: True), id="refused whatever is left out"),
        pytest.param(Platform(lambda body, _: "codec" in body, status=401), id="for the credentials"),
        pytest.param(Platform(lambda body, _: "codec" in body, status=503), id="broken"),
        pytest.param(Platform(lambda body, _: "codec" in body, status=200), id="perhaps done"),
    ],
)
def test_else_nobody_is_blamed(platform: Platform) -> None:
    tried(platform)
    assert platform.blamed == []
