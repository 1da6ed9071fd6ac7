"""Apidaze faults on the SIP side: registration, and which script a call runs.

Part of the fault catalogue. Each function patches an Apidaze system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.reference.apidaze.script import CallScript, Verb
from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.sip.digest import Verdict, parse_digest

collect = Collector("apidaze")


@collect("status-wrong-domain", "AZ-sip-register", "the status tells a domain at which nobody can register")
def _wrong_domain(apidaze: Any) -> None:
    put(apidaze.api, "domain", "elsewhere.apidaze.example")


@collect("deleted-still-registers", "AZ-sip-deleted-account", "a deleted account can still register and call")
def _deleted_registers(apidaze: Any) -> None:
    passwords: dict[str, str] = {}

    def delete(really_delete: Callable[[Any], None], account: Any) -> None:
        passwords[account.username] = account.password
        really_delete(account)

    wrap(apidaze.store, "delete_account", delete)
    wrap(apidaze.store, "password_of", lambda find, username: find(username) or passwords.get(username))


@collect("stale-script", "AZ-call-current-script", "a call runs the script at the URL with which it was first created")
def _stale_script(apidaze: Any) -> None:
    first: dict[str, str] = {}

    def create(really_create: Callable[..., Any], url: str, values: Any) -> Any:
        script = really_create(url, values)
        first[script.id] = url
        return script

    def current(find: Callable[[], Any]) -> Any:
        script = find()
        return script and replace(script, url=first[script.id])

    wrap(apidaze.store, "create_script", create)
    wrap(apidaze.store, "current_script", current)


@collect("digest-unchecked", "AZ-sip-wrong-password", "any password is taken for right")
def _digest_unchecked(apidaze: Any) -> None:
    for authenticator in (apidaze.phones.registration, apidaze.phones.calling):
        _accept(apidaze, authenticator, _login)


@collect("no-challenge", "AZ-sip-challenge", "a registration without credentials is accepted")
def _no_challenge(apidaze: Any) -> None:
    _accept(apidaze, apidaze.phones.registration, lambda request: None if _login(request) else request.to.user)


@collect("register-refused", "AZ-sip-register", "registrations are challenged again and again")
def _register_refused(apidaze: Any) -> None:
    put(apidaze.phones.registration, "check", lambda _request: Verdict(None))


@collect("script-not-fetched", "AZ-call-runs-script", "a call is answered and ended without fetching the script")
def _script_not_fetched(apidaze: Any) -> None:
    async def canned(_call: object, _username: str) -> CallScript:
        return CallScript((Verb("answer"),), ())

    put(apidaze.calls, "script_for", canned)


def _accept(apidaze: Any, authenticator: Any, user_of: Callable[[Any], str | None]) -> None:
    """Take the request for that of the user, where one is given and exists, instead of refusing it."""

    def check(really_check: Callable[[Any], Verdict], request: Any) -> Verdict:
        verdict = really_check(request)
        user = user_of(request)
        known = user is not None and apidaze.store.password_of(user) is not None
        return Verdict(user) if verdict.username is None and known else verdict

    wrap(authenticator, "check", check)


def _login(request: Any) -> str | None:
    """The user name in the request's digest credentials."""
    for name in ("Authorization", "Proxy-Authorization"):
        for row in request.headers.rows(name):
            members = parse_digest(row)
            if members:
                return members.get("username")
    return None
