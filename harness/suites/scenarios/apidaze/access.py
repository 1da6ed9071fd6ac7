"""Steps on tokens, quota and redirects."""

from __future__ import annotations

from pytest_bdd import given, then, when

from harness.checks.evidence import json_body, seen_answer
from harness.drivers.auth import WRONG, ClientCredentials
from harness.drivers.http import HttpDriver
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.apidaze.world import World
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.target import ApidazeTarget
from harness.verdicts import Reason

_MOST_QUOTA_REQUESTS = 200


@when("a token is asked for with the right secret")
def ask_token(world: World) -> None:
    world.last = _credentials(world).request_token(world.scenario.api)


@decides("the token opens the list of SIP accounts")
def token_opens(world: World, clause: str) -> None:
    token = member(json_body(world.answer()), "access_token")
    if not isinstance(token, str):
        raise InconclusiveError(Reason.PRECONDITION, f"no token was given: {seen_answer(world.answer())}")
    world.scenario.worker.redactor.add(token)
    about = {"operation": "listSipAccounts", "auth": "valid"}
    headers = {"Authorization": f"Bearer {token}"}
    world.last = world.scenario.api.request("GET", "/sipaccounts", headers=headers, auth="none", about=about)
    words = "a token that was just given does not open the API"
    world.scenario.check(clause, world.status == 200, words, expected=200, seen=seen_answer(world.last), at=world.last)


@when("a token is asked for with a wrong secret")
def ask_token_wrongly(world: World) -> None:
    world.last = _credentials(world).request_token(world.scenario.api, secret=WRONG)


@decides("no token is given")
def no_token(world: World, clause: str) -> None:
    given_one = world.status < 300 and member(json_body(world.answer()), "access_token") is not None
    words = "a token is given for a wrong client secret"
    world.scenario.check(clause, not given_one, words, expected="a refusal", seen=world.status, at=world.last)


def _credentials(world: World) -> ClientCredentials:
    credentials = world.scenario.worker.credentials(world.scenario.system)
    assert isinstance(credentials, ClientCredentials)
    return credentials


@when("the list of SIP accounts is asked for with a slash at the end")
def ask_with_slash(world: World) -> None:
    world.last = world.scenario.api.request(
        "GET", "/sipaccounts/", about={"operation": "listSipAccounts", "case": "odd"}
    )


@then(step_pattern("a redirect names its location", clause=True))
def redirect_has_location(world: World, clause: str) -> None:
    if world.status != 302:
        return  # nothing in the documents says that there is a redirect here; the clause is judged where one occurs
    location = world.answer().response.header("location")  # type: ignore[union-attr]
    world.scenario.check(
        clause, bool(location), "a redirect has no location", expected="location", seen=location, at=world.last
    )


@given("an application with a small quota")
def small_quota(world: World) -> None:
    target = world.scenario.target
    if not isinstance(target, ApidazeTarget) or not target.limited_client_id:
        raise InconclusiveError(Reason.PRECONDITION, "the target file has no limited_client_id")


@when("it sends requests until its quota is used up")
def use_up_quota(world: World) -> None:
    limited: HttpDriver = world.scenario.driver(limited=True, retry=False)
    for _ in range(_MOST_QUOTA_REQUESTS):
        about = {"operation": "listSipAccounts", "application": "limited"}
        world.last = limited.request("GET", "/sipaccounts", about=about)
        if world.status >= 300:
            return
        response = world.last.response
        assert response is not None
        used, limit = response.header("quota-used") or "", response.header("quota-limit") or ""
        if used.isdigit() and limit.isdigit() and int(used) >= int(limit):
            world.last = limited.request("GET", "/sipaccounts", about=about)
            return
    raise InconclusiveError(Reason.PRECONDITION, f"the quota was not used up by {_MOST_QUOTA_REQUESTS} requests")


@decides("the next request fails")
def next_fails(world: World, clause: str) -> None:
    words = "a request past the quota is served"
    world.scenario.check(clause, world.status >= 400, words, expected="a refusal", seen=world.status, at=world.last)
