"""Steps on what an application sets up in an account: SIP trunks, hooks, gateways and route starts.

A step that prepares or acts ends its scenario as inconclusive when it cannot be done; only Then steps decide clauses.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from pytest_bdd import given, parsers, then, when

from harness.checks.evidence import seen_answer, succeeded
from harness.suites.contract.values import unique
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.callable.kinds import (
    GATEWAY,
    HANGUP,
    HOOK,
    KINDS,
    NOWHERE,
    ROUTE_START,
    TRUNK,
    Kind,
    with_member,
)
from harness.suites.scenarios.callable.world import World
from harness.suites.scenarios.sameness import as_text, leaf_members, overlap_equal, same_value
from harness.suites.scenarios.vocabulary import CLAUSE, member, table
from harness.verdicts import Reason

P = ParamSpec("P")
T = TypeVar("T")
_KIND = f"(?P<kind>{'|'.join(KINDS)})"
_ORDINALS = ("first", "second")


def _words(text: str, ending: str = "") -> parsers.re:
    return parsers.re(text.replace("{kind}", _KIND) + ending)


def _decides(text: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    return then(_words(text, CLAUSE))


@given(_words("an? {kind}"))
def given_one(site: World, kind: str) -> None:
    site.take(KINDS[kind])


@given(_words("2 {kind}s"))
def given_two(site: World, kind: str) -> None:
    for _ in range(2):
        site.take(KINDS[kind])


@when(_words("an? {kind} is created with"))
def create_with(site: World, kind: str, datatable: list[list[str]]) -> None:
    _create(site, KINDS[kind], table(datatable))


def _create(site: World, kind: Kind, given_values: dict[str, str]) -> None:
    """All values that the sample shows; that of the table is made unique in the member that tells things apart."""
    values = kind.values()
    for path, text in given_values.items():
        values = with_member(values, path, _read(text))
    values[kind.mark] = f"{NOWHERE}{unique()}" if kind is HOOK else f"{values[kind.mark]} {unique()}"
    if kind is GATEWAY:
        values = with_member(values, "sipGateway.trunks", [site.take_beside(TRUNK).id])
    if kind is ROUTE_START:
        values = with_member(values, "startRoute.ddis", site.free_ddis())
    values.pop("extension", None)
    made = site.make(kind, values)
    site.things = [*([made] if made else []), *site.things]


def _read(text: str) -> Any:
    """A value of a table: figures are numbers, `true` and `false` flags, the rest text."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() and not text.startswith("0") else text


@_decides("the {kind} is in the list")
def is_listed(site: World, clause: str, kind: str) -> None:
    if not succeeded(site.answer()):
        raise InconclusiveError(Reason.PRECONDITION, f"the creation was refused: {seen_answer(site.answer())}")
    made = bool(site.things) and site.things[0].sent == site.sent
    shown = site.sent[KINDS[kind].mark]
    site.scenario.check(
        clause, made, f"a created {kind} is not in the list", expected=shown, seen="no new item with it", at=site.last
    )
    if not made:
        site.things.clear()


@_decides("the {kind} has every member of the sample")
def has_every_member(site: World, clause: str, kind: str) -> None:
    for where, item in _shown(site):
        missing = [path for path in ("id", *leaf_members(site.thing.sent)) if member(item, path) is None]
        words = f"a {kind} that was given all values is shown in the {where} without {', '.join(missing)}"
        site.scenario.check(
            clause, not missing, words, expected="all members of the sample", seen=as_text(item), at=site.last
        )


@_decides("the {kind} has the values that were given")
def has_values(site: World, clause: str, kind: str) -> None:
    for where, item in _shown(site):
        for path, value in leaf_members(site.thing.sent).items():
            seen = member(item, path)
            words = f"{path} of a {kind} does not come back in the {where} as it was given"
            site.scenario.check(clause, same_value(value, seen), words, expected=value, seen=seen, at=site.last)


def _shown(site: World) -> list[tuple[str, Any]]:
    """The thing as the list and as reading it show it now."""
    thing = site.thing
    listed = site.listed(thing.kind).get(thing.id)
    read = site.read(thing)
    shown = [(where, item) for where, item in (("list", listed), ("answer to a read", read)) if item is not None]
    if not shown:
        raise InconclusiveError(Reason.PRECONDITION, f"the {thing.kind.words} is shown nowhere")
    return shown


@_decides("reading each {kind} by its id shows what the list shows")
def read_is_listed(site: World, clause: str, kind: str) -> None:
    mine = [one for one in site.things if one.kind.words == kind]
    listed = site.listed(KINDS[kind])
    for thing in mine:
        expected, seen = listed.get(thing.id), site.read(thing)
        if seen is None:
            raise InconclusiveError(Reason.PRECONDITION, f"it cannot be read: {seen_answer(site.answer())}")
        words = f"reading a {kind} by its id shows another one than the list"
        kept = expected is not None and overlap_equal(seen, expected)
        site.scenario.check(clause, kept, words, expected=as_text(expected), seen=as_text(seen), at=site.last)


@when(_words('(?P<path>[A-Za-z.]+) of the (?P<which>first|second) {kind} becomes "(?P<new>.*)"'))
def update_value(site: World, path: str, which: str, kind: str, new: str) -> None:
    del kind
    site.chosen = _ORDINALS.index(which)
    thing = site.thing
    site.before = {one.id: item for one in site.others if (item := site.listed(one.kind).get(one.id))}
    exchange = site.update(thing, with_member(thing.sent, path, _new_value(site, path, new)))
    if not succeeded(exchange):
        raise InconclusiveError(Reason.PRECONDITION, f"the update was refused: {seen_answer(exchange)}")


def _new_value(site: World, path: str, new: str) -> Any:
    match new:
        case "another URL":
            return f"{NOWHERE}{unique()}"
        case "a SIP trunk":
            return [site.take_beside(TRUNK).id]
        case "a free inbound number":
            return site.free_ddis()
        case "the id of a gateway":
            return site.take_beside(GATEWAY).id
        case _:
            value = _read(new)
            return f"{value} {unique()}" if path == site.thing.kind.mark else value


@_decides("the {kind} shows its new (?P<path>[A-Za-z.]+)")
def update_shows(site: World, clause: str, kind: str, path: str) -> None:
    seen, given_value = member(site.read(site.thing), path), member(site.thing.sent, path)
    words = f"an updated {path} of a {kind} does not show"
    site.scenario.check(clause, same_value(given_value, seen), words, expected=given_value, seen=seen, at=site.last)


@_decides("its id and the other {kind} are as they were")
def only_one_changed(site: World, clause: str, kind: str) -> None:
    listed = site.listed(KINDS[kind])
    words = f"an update of a {kind} changes its id"
    site.scenario.check(
        clause, site.thing.id in listed, words, expected=site.thing.id, seen="not in the list", at=site.last
    )
    for item_id, before in site.before.items():
        now = listed.get(item_id)
        words = f"an update of one {kind} changes another one"
        site.scenario.check(clause, now == before, words, expected=as_text(before), seen=as_text(now), at=site.last)


@then(parsers.re("the update is answered without a body" + CLAUSE))
def no_body(site: World, clause: str) -> None:
    update = site.last_update()
    assert update.response is not None
    body = update.response.body
    words = "the answer to an update has a body"
    site.scenario.check(clause, not body, words, expected="no body", seen=seen_answer(update), at=update)


@when(_words("an unknown {kind} is (?P<deed>read|updated)"))
def ask_unknown(site: World, kind: str, deed: str) -> None:
    wanted = KINDS[kind]
    if site.read(site.thing) is None:
        raise InconclusiveError(Reason.NO_CONTROL, f"a {kind} that exists cannot be read either")
    unknown = str(uuid.uuid4())
    values = {"id": unknown, **wanted.values(**wanted.harmless)} if deed == "updated" else None
    operation = f"{'update' if deed == 'updated' else 'get'}{wanted.noun}"
    site.send(operation, values, {}, **{wanted.path: unknown})


@then(parsers.re("that is answered 404" + CLAUSE))
def answered_404(site: World, clause: str) -> None:
    words = "an unknown id is not answered 404"
    site.scenario.check(clause, site.status == 404, words, expected=404, seen=seen_answer(site.answer()), at=site.last)


@when(_words("a route start is created that connects to (?P<onward>HANGUP|the gateway)"))
def create_connected(site: World, onward: str) -> None:
    """Nothing is expected of the creation as such: whether it is accepted is what the scenario is about."""
    to = HANGUP if onward == HANGUP else site.thing.id
    values = ROUTE_START.values(name=unique(), startRoute={"ddis": [], "connectTo": to})
    del values["extension"]
    made = site.make(ROUTE_START, values, {"case": "connect-to"})
    site.things = [*([made] if made else []), *site.things]


@then(parsers.re("it is accepted and shows where it connects" + CLAUSE))
def connected(site: World, clause: str) -> None:
    to = site.sent["startRoute"]["connectTo"]
    words = "a route start cannot connect to " + ("HANGUP" if to == HANGUP else "a device")
    created = site.answer()
    if site.scenario.check(clause, succeeded(created), words, expected="2xx", seen=seen_answer(created), at=created):
        seen = member(site.thing.item, "startRoute.connectTo")
        words = "a route start shows another connectTo than it was given"
        site.scenario.check(clause, seen == to, words, expected=to, seen=seen, at=created)
