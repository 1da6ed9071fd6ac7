"""Steps on log-in: tokens for a password and for a refresh token, what an access token says, and its end."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from pytest_bdd import given, when

from harness.checks.evidence import json_body, parse_json, seen_answer, succeeded
from harness.drivers.auth import WRONG
from harness.drivers.http import Body
from harness.suites.contract.values import unique
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.callable.world import World
from harness.suites.scenarios.sameness import as_text
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.target import CallableTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

_SAMPLE = ("access_token", "refresh_token", "refresh_expires_in", "expires_in")
_REFUSALS = (400, 401, 403)
# iat and exp are whole seconds, and clocks are read one after the other.
_SLACK = 1.0
_LONGEST_WAIT = 60.0


def _authorize(site: World, **form: str) -> HttpExchange:
    """Ask for tokens; what is given is secret, and so is what comes."""
    redactor = site.scenario.worker.redactor
    right = form in (_right(site), {"token": site.tokens.get("refresh_token")})
    about = {"operation": "authorize", **({"expect": "success"} if right else {"case": "log-in"})}
    url = f"{site.scenario.target.base_url}/oauth/authorize"
    site.last = site.scenario.api.send_unauthenticated("POST", url, body=Body.form(form), headers={}, about=about)
    answer = json_body(site.last)
    for name in ("access_token", "refresh_token"):
        if isinstance(secret := member(answer, name), str) and secret:
            redactor.add(secret)
    return site.last


def _right(site: World, *, short_lived: bool = False) -> dict[str, str]:
    target = site.scenario.target
    assert isinstance(target, CallableTarget)
    if short_lived and target.short_lived_username and target.short_lived_password:
        return {"username": target.short_lived_username, "password": target.short_lived_password}
    return {"username": target.username, "password": target.password}


@when("a user logs in with name and password")
def log_in(site: World) -> None:
    _authorize(site, **_right(site))
    site.tokens = _tokens(site)


@given("a user who has logged in")
def logged_in(site: World) -> None:
    log_in(site)
    _need_tokens(site)


@given("a user with short-lived tokens who has logged in")
def logged_in_shortly(site: World) -> None:
    _authorize(site, **_right(site, short_lived=True))
    site.tokens = _tokens(site)
    _need_tokens(site)
    if _show(site).response is None or site.status != 200:
        raise InconclusiveError(Reason.NO_CONTROL, f"a fresh token opens nothing: {seen_answer(site.answer())}")


def _need_tokens(site: World) -> None:
    if not isinstance(site.tokens.get("access_token"), str):
        raise InconclusiveError(Reason.PRECONDITION, f"the log-in gave no tokens: {seen_answer(site.answer())}")


def _tokens(site: World) -> dict[str, Any]:
    answer = json_body(site.answer())
    return dict(answer) if succeeded(site.answer()) and isinstance(answer, Mapping) else {}


@when(step_pattern("someone logs in with {what}"))
def log_in_wrongly(site: World, what: str) -> None:
    wrong = {"a wrong password": {"password": WRONG}, "an unknown name": {"username": unique("nobody")}}[what]
    _authorize(site, **{**_right(site), **wrong})


@when("the refresh token is exchanged for new tokens")
def refresh(site: World) -> None:
    exchange = _authorize(site, token=_refresh_token(site))
    if not succeeded(exchange):
        words = "a request for tokens that gives a refresh token is refused"
        seen = seen_answer(exchange)
        site.scenario.check("CA-Refresh.token", False, words, expected="new tokens", seen=seen, at=exchange)
    site.tokens = _tokens(site)


def _refresh_token(site: World) -> str:
    token = site.tokens.get("refresh_token")
    if not isinstance(token, str):
        raise InconclusiveError(Reason.PRECONDITION, "the log-in gave no refresh token")
    return token


@when(step_pattern("{what} is shown as a refresh token"))
def refresh_wrongly(site: World, what: str) -> None:
    _authorize(site, token=_refresh_token(site))
    if not _tokens(site):
        raise InconclusiveError(Reason.NO_CONTROL, "a right refresh token is not exchanged either")
    shown = {"an invented text": WRONG, "an access token": str(site.tokens["access_token"])}[what]
    _authorize(site, token=shown)


@when("the life of the access token is over")
def wait_for_end(site: World) -> None:
    life = site.tokens.get("expires_in")
    if not isinstance(life, int | float) or life > _LONGEST_WAIT:
        raise InconclusiveError(Reason.PRECONDITION, f"expires_in is {life}: too long to wait for")
    granted = site.scenario.timeline.of(HttpExchange)[0]
    left = (granted.ended or granted.at) + life + 0.1 - site.scenario.timeline.clock.now()
    site.scenario.timeline.wait_for(lambda _: False, max(0.0, left))  # nothing on the wire tells that the time has come


def _show(site: World) -> HttpExchange:
    """Ask for the accounts with the access token that was given last."""
    _need_tokens(site)
    about = {"operation": "listAccounts", "auth": "valid", "case": "log-in"}
    headers = {"Authorization": f"Bearer {site.tokens['access_token']}"}
    site.last = site.scenario.api.request("GET", "/account", headers=headers, auth="none", about=about)
    return site.last


@decides("an access token and a refresh token are given")
def tokens_given(site: World, clause: str) -> None:
    names = ("access_token", "refresh_token")
    kept = all(site.tokens.get(name) for name in names)
    words = "name and password are not exchanged for both tokens"
    site.scenario.check(clause, kept, words, expected="both tokens", seen=seen_answer(site.answer()), at=site.last)


@decides("the access token opens the API")
@decides("the new access token opens the API")
def token_opens(site: World, clause: str) -> None:
    answer = site.answer()
    if not succeeded(answer) or not isinstance(site.tokens.get("access_token"), str):
        words = "no new access token is given"
        site.scenario.check(clause, False, words, expected="an access token", seen=seen_answer(answer), at=answer)
        return
    exchange = _show(site)
    words = "an access token that was just given does not open the API"
    site.scenario.check(clause, site.status == 200, words, expected=200, seen=seen_answer(exchange), at=exchange)


@decides("the access token opens nothing any more")
def token_is_over(site: World, clause: str) -> None:
    exchange = _show(site)
    words = "an access token opens the API after its expires_in has passed"
    site.scenario.check(
        clause, 400 <= site.status < 500, words, expected="a refusal", seen=seen_answer(exchange), at=exchange
    )


@decides("the access token is a JWT")
def token_is_jwt(site: World, clause: str) -> None:
    parts = str(site.tokens.get("access_token", "")).split(".")
    shape = f"{len(parts)} parts, the first two of {[type(_part(one)).__name__ for one in parts[:2]]}"
    kept = len(parts) == 3 and all(isinstance(_part(one), Mapping) for one in parts[:2])
    words = "the access token is no JWT"
    site.scenario.check(clause, kept, words, expected="header, claims and signature", seen=shape, at=site.last)


@decides("its claims hold the roles of the user")
def token_has_roles(site: World, clause: str) -> None:
    roles = member(_claims(site), "realm_access.roles")
    kept = isinstance(roles, list) and all(isinstance(one, str) for one in roles)
    words = "the claims of the access token hold no list of roles"
    site.scenario.check(clause, kept, words, expected="realm_access.roles", seen=as_text(roles), at=site.last)


@decides("its life is given in seconds")
def life_in_seconds(site: World, clause: str) -> None:
    """Judged where the JWT says from when to when it is valid."""
    claims, life = _claims(site), site.tokens.get("expires_in")
    first, last = (member(claims, name) for name in ("iat", "exp"))
    if not (isinstance(first, int | float) and isinstance(last, int | float) and isinstance(life, int | float)):
        return
    words = "expires_in is not the number of seconds between the JWT's iat and exp"
    site.scenario.check(
        clause, abs(last - first - life) <= _SLACK, words, expected=life, seen=last - first, at=site.last
    )


@decides("the refresh token lives longer than the access token")
def refresh_outlives(site: World, clause: str) -> None:
    longer, shorter = site.tokens.get("refresh_expires_in"), site.tokens.get("expires_in")
    if not (isinstance(longer, int | float) and isinstance(shorter, int | float)):
        raise InconclusiveError(Reason.NO_EVIDENCE, "the log-in does not say with numbers how long the tokens live")
    words = "the refresh token does not live longer than the access token"
    site.scenario.check(clause, longer > shorter, words, expected=f"more than {shorter}", seen=longer, at=site.last)


@decides("the answer has the members of that to a log-in")
def refresh_shape(site: World, clause: str) -> None:
    answer = next(
        one for one in reversed(site.scenario.timeline.of(HttpExchange)) if one.about["operation"] == "authorize"
    )
    missing = [name for name in _SAMPLE if site.tokens.get(name) is None]
    words = f"the answer to a refresh lacks {', '.join(missing)}"
    site.scenario.check(clause, not missing, words, expected=list(_SAMPLE), seen=list(site.tokens), at=answer)


@decides("nobody is let in")
@decides("no new tokens are given")
def no_tokens(site: World, clause: str) -> None:
    given_some = succeeded(site.answer()) and member(json_body(site.answer()), "access_token") is not None
    words = "tokens are given for wrong credentials"
    site.scenario.check(clause, not given_some, words, expected="a refusal", seen=site.status, at=site.last)


@decides("the refusal is one that log-ins have")
def refusal_status(site: World, clause: str) -> None:
    if succeeded(site.answer()):
        return  # it was not refused at all, which another clause says
    words = "a wrong log-in is not answered 400, 401 or 403"
    site.scenario.check(
        clause, site.status in _REFUSALS, words, expected=list(_REFUSALS), seen=seen_answer(site.answer()), at=site.last
    )


def _claims(site: World) -> Any:
    parts = str(site.tokens.get("access_token", "")).split(".")
    claims = _part(parts[1]) if len(parts) == 3 else None
    if claims is None:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the access token is no JWT whose claims can be read")
    return claims


def _part(text: str) -> Any:
    """What a part of a JWT says (RFC 7519); None where it is no JSON in base64url."""
    try:
        return parse_json(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
