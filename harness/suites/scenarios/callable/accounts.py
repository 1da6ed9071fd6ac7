"""Steps on accounts and their addresses: read as they are listed, updated alone, unknown."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from pytest_bdd import given, parsers, when

from harness.checks.evidence import seen_answer, succeeded
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.callable.kinds import GATEWAY, KINDS
from harness.suites.scenarios.callable.world import World
from harness.suites.scenarios.sameness import as_text, same_value
from harness.suites.scenarios.vocabulary import decides, member, table
from harness.verdicts import Reason

_MOST_READ = 5
_ADDRESS = ("line1", "line2", "level1", "level2", "postalCode", "country")


@decides("each account is read as it is listed")
def read_is_listed(site: World, clause: str) -> None:
    accounts = _accounts(site)
    if not accounts:
        raise InconclusiveError(Reason.PRECONDITION, "no account is listed")
    for listed in accounts[:_MOST_READ]:
        read = site.needed("getAccount", account=str(listed.get("id")))
        for name in ("id", "name"):
            words = f"an account is read with another {name} than it is listed"
            seen, expected = member(read, name), listed.get(name)
            site.scenario.check(clause, seen == expected, words, expected=expected, seen=seen, at=site.last)


def _accounts(site: World) -> list[Mapping[str, Any]]:
    found = site.needed("listAccounts")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


@given("the addresses of the accounts")
def given_addresses(site: World) -> None:
    """That of the account to work on is given back at the end, and belongs to this scenario until then."""
    site.shelf.lease.take("callable-address")
    others = [str(one.get("id")) for one in _accounts(site) if str(one.get("id")) != site.account]
    site.before = {name: site.needed("getAddress", account=name) for name in (site.account, *others[:_MOST_READ])}
    old = {name: value for name in _ADDRESS if (value := member(site.before[site.account], name)) is not None}
    site.scenario.cleanup(lambda: site.send("updateAddress", old, {"case": "cleanup"}))


@when("every value of the address is updated to")
def update_all(site: World, datatable: list[list[str]]) -> None:
    _update(site, table(datatable))


@when(parsers.re('(?P<value>[A-Za-z0-9]+) of the address becomes "(?P<new>.*)"'))
def update_one(site: World, value: str, new: str) -> None:
    now = site.before[site.account]
    _update(site, {**{name: member(now, name) or "none" for name in _ADDRESS}, value: new})


def _update(site: World, values: Mapping[str, str]) -> None:
    site.sent = dict(values)
    exchange = site.send("updateAddress", site.sent)
    if not succeeded(exchange):
        raise InconclusiveError(Reason.PRECONDITION, f"the update was refused: {seen_answer(exchange)}")


@decides("the address has every member of the sample")
def address_whole(site: World, clause: str) -> None:
    shown = site.needed("getAddress")
    missing = [name for name in _ADDRESS if member(shown, name) is None]
    words = f"an address that was given all values is shown without {', '.join(missing)}"
    site.scenario.check(clause, not missing, words, expected=list(_ADDRESS), seen=as_text(shown), at=site.last)


@decides("the address shows what was given")
def address_shown(site: World, clause: str) -> None:
    shown = site.needed("getAddress")
    for name, value in site.sent.items():
        words = f"an updated {name} of an address does not show"
        seen = member(shown, name)
        site.scenario.check(clause, same_value(value, seen), words, expected=value, seen=seen, at=site.last)


@decides("the addresses of the other accounts are as they were")
def other_addresses(site: World, clause: str) -> None:
    others = [name for name in site.before if name != site.account]
    if not others:
        raise InconclusiveError(Reason.PRECONDITION, "there is no other account")
    for name in others:
        now, before = site.needed("getAddress", account=name), site.before[name]
        words = "an update of one account's address changes that of another"
        site.scenario.check(clause, now == before, words, expected=as_text(before), seen=as_text(now), at=site.last)


@when(parsers.re("(?P<operation>[a-z]+[A-Z][A-Za-z]+) is asked for an account that does not exist"))
def ask_unknown(site: World, operation: str) -> None:
    site.needed("getAccount")
    body = _body(operation)
    if operation == "createVoiceCall":
        own = site.take(GATEWAY).sent["extension"]
        body = {"target": {"extension": {"extension": own}}, "verbs": [{"hangup": {"reason": "call-complete"}}]}
    items = {kind.path: str(uuid.uuid4()) for kind in KINDS.values() if f"{{{kind.path}}}" in _path(site, operation)}
    site.send(operation, body, {"case": "unknown account"}, account=uuid.uuid4().hex[:24], **items)


def _path(site: World, operation: str) -> str:
    return site.scenario.contract.spec.operation(operation).path


def _body(operation: str) -> Any:
    """A valid request that would do no harm, if it were served."""
    if operation == "updateAddress":
        return dict.fromkeys(_ADDRESS, "NONE")
    for kind in KINDS.values():
        if operation == f"create{kind.noun}":
            return kind.values(**kind.harmless)
    return None


@decides("there is no such account: 404")
def unknown_404(site: World, clause: str) -> None:
    words = "an unknown account is not answered 404"
    site.scenario.check(clause, site.status == 404, words, expected=404, seen=seen_answer(site.answer()), at=site.last)
