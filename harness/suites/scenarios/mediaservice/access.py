"""Steps on credentials and pre-flight requests; no call is needed, since the operations name a replyId that never was."""

from __future__ import annotations

import pytest
from pytest_bdd import given, when

from harness.checks.evidence import seen_answer
from harness.drivers.http import Auth, Body, fill_path
from harness.suites.contract.values import UNKNOWN_ID
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.vocabulary import answered, decides, step_pattern
from harness.target import MediaserviceTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

_UNAUTHORISED = (401, 403)
_OPERATIONS = {"hangupcall": "hangupCall", "hangupcalljwt": "hangupCallJwt"}
_WAYS: dict[str, Auth] = {"without": "none", "with wrong": "wrong"}


class Door:
    """One operation to knock with, and the latest answer to it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.operation = "hangupcall"
        self.last: HttpExchange | None = None

    def knock(self, auth: Auth, method: str = "POST", **about: str) -> HttpExchange:
        target = self.scenario.target
        assert isinstance(target, MediaserviceTarget)
        path = fill_path("/{domain}/" + self.operation, domain=target.domain)
        body = Body.json({"replyId": UNKNOWN_ID}) if method == "POST" else None
        self.last = self.scenario.api.request(method, path, body=body, auth=auth, about=about)
        return self.last

    @property
    def status(self) -> int:
        return answered(self.last).status


@pytest.fixture
def door(scenario: Scenario) -> Door:
    """The operation with which a scenario tries whether it is let in."""
    return Door(scenario)


@when("a browser asks whether it may send hangupcall")
def ask_beforehand(door: Door) -> None:
    door.knock("none", "OPTIONS", operation="preflightHangupCall", case="preflight")


@decides("the browser is answered without credentials")
def is_open(door: Door, clause: str) -> None:
    words = "a pre-flight request without credentials is refused"
    door.scenario.check(clause, door.status < 300, words, expected="200", seen=door.status, at=door.last)


@given("hangupcall, which takes valid credentials")
def takes_credentials(door: Door) -> None:
    door.knock("valid", operation="hangupCall", case="credentials")
    if door.status in _UNAUTHORISED or door.status >= 500:
        words = f"valid credentials do not open it either: {seen_answer(_last(door))}"
        raise InconclusiveError(Reason.NO_CONTROL, words)


@given("hangupcalljwt, which is refused without credentials")
def is_closed(door: Door) -> None:
    door.operation = "hangupcalljwt"
    door.knock("none", operation="hangupCallJwt", case="credentials")
    if door.status not in _UNAUTHORISED:
        words = f"it does not ask for a token: {seen_answer(_last(door))}"
        raise InconclusiveError(Reason.NO_CONTROL, words)


@when(step_pattern("it is sent {how} credentials"))
def send_without(door: Door, how: str) -> None:
    door.knock(_WAYS[how], operation=_OPERATIONS[door.operation], case="credentials")


@when("it is sent with the bearer token")
def send_token(door: Door) -> None:
    door.knock("valid", operation=_OPERATIONS[door.operation], case="credentials")


@decides("it is refused")
def is_refused(door: Door, clause: str) -> None:
    words = "hangupcall is served to somebody without valid credentials"
    kept = door.status >= 300
    door.scenario.check(clause, kept, words, expected="a refusal", seen=seen_answer(_last(door)), at=door.last)


@decides("it is refused as unauthorised")
def is_unauthorised(door: Door, clause: str) -> None:
    if door.status < 300:
        raise InconclusiveError(Reason.PRECONDITION, "it is not refused")
    words = "a request without valid credentials is not answered 401 or 403"
    kept = door.status in _UNAUTHORISED
    door.scenario.check(clause, kept, words, expected="401 or 403", seen=door.status, at=door.last)


@decides("the token is accepted")
def token_accepted(door: Door, clause: str) -> None:
    words = "a twin refuses the bearer token"
    kept = door.status not in _UNAUTHORISED
    door.scenario.check(clause, kept, words, expected="no 401 or 403", seen=seen_answer(_last(door)), at=door.last)


def _last(door: Door) -> HttpExchange:
    answered(door.last)
    assert door.last is not None
    return door.last
