"""Steps on SIP accounts and external scripts: created, listed, read, updated, deleted, unknown, tested.

A step that prepares or acts ends its scenario as inconclusive when it cannot be done; only Then steps decide clauses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_bdd import given, when

from harness.checks.evidence import json_body, seen_answer
from harness.checks.flows.values import same_phone
from harness.suites.contract.values import UNKNOWN_ID, unique
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.apidaze.world import ACCOUNT, SCRIPTS, Kind, World, one_item, sip_domain
from harness.suites.scenarios.sameness import as_text, overlap_equal
from harness.suites.scenarios.vocabulary import decides, member, step_pattern, table
from harness.verdicts import Reason

_SAMPLES: dict[str, dict[str, tuple[str, ...]]] = {
    "account": {
        "": ("id", "name", "sip", "callerid", "voicemail", "created_at", "updated_at"),
        "sip": ("username", "password"),
        "callerid": ("internal_name", "internal_number", "external_name", "external_number"),
        "voicemail": ("mwi_account",),
    },
    "script": {"": ("id", "name", "url", "created_at", "updated_at")},
}
_NEVER_GIVEN = {"callerid.internal_name", "callerid.external_name"}
_VALUES = {
    "name": "Reception",
    "internal_caller_id_number": "4711",
    "external_caller_id_number": "+31201234567",
    "mwi_account": "reception",
}
_SHOWN_AT = {
    "name": "name",
    "internal_caller_id_number": "callerid.internal_number",
    "external_caller_id_number": "callerid.external_number",
    "mwi_account": "voicemail.mwi_account",
}


@given("a SIP account")
def given_account(world: World) -> None:
    """With all values, so that an update has something to lose; without, where the target does not take them."""
    world.kind = ACCOUNT
    item = world.create(world.new_values(**_VALUES))
    if item is not None:
        world.items.append(item)
    else:
        world.precondition(world.new_values())


@given("an external script")
def given_script(world: World) -> None:
    world.kind = SCRIPTS
    world.precondition(world.new_values())


@given(step_pattern("{count} SIP accounts"))
def given_accounts(world: World, count: str) -> None:
    for _ in range(int(count)):
        world.precondition(world.new_values())


@given(step_pattern("{count} external scripts"))
def given_scripts(world: World, count: str) -> None:
    world.kind = SCRIPTS
    for _ in range(int(count)):
        world.precondition(world.new_values())


@when(step_pattern("a SIP account is created with"))
def create_account_with(world: World, datatable: list[list[str]]) -> None:
    _create(world, ACCOUNT, **table(datatable))


@when(step_pattern("an external script is created with"))
def create_script_with(world: World, datatable: list[list[str]]) -> None:
    _create(world, SCRIPTS, **table(datatable))


@when("a SIP account is created with nothing but a user name")
def create_bare_account(world: World) -> None:
    _create(world, ACCOUNT)


@when("an external script is created with nothing but a URL")
def create_bare_script(world: World) -> None:
    _create(world, SCRIPTS)


def _create(world: World, kind: Kind, **values: str) -> None:
    world.kind = kind
    item = world.create(world.new_values(**values))
    world.items = [item] if item is not None else []


@when("a SIP account is created without a user name")
def create_nameless(world: World) -> None:
    world.create({"name": unique("nameless")}, case="negative")


@when("an external script is created without a URL")
def create_urlless(world: World) -> None:
    world.create({"name": unique("urlless")}, case="negative")


@when("it is updated without a URL")
def update_urlless(world: World) -> None:
    body = world.body({"name": unique("urlless")})
    world.act(f"update{world.kind.plural}", str(world.item["id"]), body, expect=False)


@decides("it is created")
def is_created(world: World, clause: str) -> None:
    words = f"a creation with nothing but the {world.kind.required} is refused"
    world.scenario.check(
        clause, world.status < 300, words, expected="2xx", seen=seen_answer(world.answer()), at=world.last
    )


@decides("the SIP account is in the list")
@decides("the external script is in the list")
def is_listed(world: World, clause: str) -> None:
    if world.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the creation was refused: {seen_answer(world.answer())}")
    shown = world.sent.get("url") or world.sent.get("username")
    words = f"a created {world.kind.name} is not in the list"
    world.scenario.check(clause, bool(world.items), words, expected=shown, seen="no new item with it", at=world.last)


def _needs_item(world: World) -> dict[str, Any]:
    if not world.items:
        raise InconclusiveError(Reason.PRECONDITION, f"the created {world.kind.name} is not in the list")
    return world.item


@decides("it is listed with every member of the sample")
def has_every_member(world: World, clause: str) -> None:
    item = _needs_item(world)
    missing = [
        f"{parent}.{name}".lstrip(".")
        for parent, names in _SAMPLES[world.kind.name].items()
        for name in names
        if f"{parent}.{name}" not in _NEVER_GIVEN and member(item, f"{parent}.{name}".lstrip(".")) is None
    ]
    words = f"a {world.kind.name} that was given all values is listed without {', '.join(missing)}"
    world.scenario.check(clause, not missing, words, expected="all members of the sample", seen=as_text(item))


@decides("it has the user name that was given")
def has_username(world: World, clause: str) -> None:
    seen = member(_needs_item(world), "sip.username")
    words = "the listed user name is not the one that was given"
    world.scenario.check(clause, seen == world.sent["username"], words, expected=world.sent["username"], seen=seen)


@decides("it has the values that were given")
def has_values(world: World, clause: str) -> None:
    item = _needs_item(world)
    for value, path in _SHOWN_AT.items():
        if value in world.sent:
            seen = member(item, path)
            words = f"{value} as given does not come back at {path}"
            kept = _means(path, seen, world.sent[value])
            world.scenario.check(clause, kept, words, expected=world.sent[value], seen=seen)


@decides("it is not created")
def is_not_created(world: World, clause: str) -> None:
    if not world.items:
        raise InconclusiveError(Reason.NO_CONTROL, "no complete creation was seen to succeed")
    _refused(world, clause, f"a {world.kind.name} is created without its {world.kind.required}")


@decides("it is not updated")
def is_not_updated(world: World, clause: str) -> None:
    _refused(world, clause, f"a {world.kind.name} is updated without its {world.kind.required}")


def _refused(world: World, clause: str, words: str) -> None:
    if world.status >= 500:
        world.scenario.undecided(clause, Reason.NO_EVIDENCE, f"the platform broke: {seen_answer(world.answer())}")
        return
    world.scenario.check(
        clause, world.status >= 300, words, expected="a refusal", seen=seen_answer(world.answer()), at=world.last
    )


@decides("the refusal is answered {code}")
@decides("it is answered {code}")
def is_answered(world: World, clause: str, code: str) -> None:
    if world.status < 300 and code == "400":
        return  # it was not refused at all, which another clause says
    words = f"the answer is not {code}"
    world.scenario.check(
        clause, world.status == int(code), words, expected=code, seen=seen_answer(world.answer()), at=world.last
    )


@decides("all of them are in the list")
def all_listed(world: World, clause: str) -> None:
    listed = {member(one, "id") for one in world.listed()}
    missing = [one["id"] for one in world.items if one["id"] not in listed]
    words = f"a {world.kind.name} that was created is not in the list beside the others"
    world.scenario.check(
        clause, not missing, words, expected=len(world.items), seen=f"without {missing}", at=world.last
    )


@decides("reading each by its id shows what the list shows")
def read_is_listed(world: World, clause: str) -> None:
    listed = {member(one, "id"): one for one in world.listed()}
    for item in world.items:
        exchange = world.act(f"get{world.kind.plural}", str(item["id"]))
        if world.status >= 300:
            raise InconclusiveError(Reason.PRECONDITION, f"it cannot be read: {seen_answer(exchange)}")
        seen = one_item(json_body(exchange))
        expected = listed.get(item["id"])
        words = f"reading a {world.kind.name} by its id shows another one than the list"
        kept = seen is not None and expected is not None and overlap_equal(seen, expected)
        world.scenario.check(clause, kept, words, expected=as_text(expected), seen=as_text(seen), at=exchange)


@when(step_pattern('its {value} is updated to "{new}"'))
def update_value(world: World, value: str, new: str) -> None:
    world.before = [world.item]
    new = world.recorder_url() if new == "a URL of the recorder" else new
    world.sent = {value: new}
    if world.kind is SCRIPTS:
        world.sent = {"url": world.item["url"], "name": "before", **world.sent}
    exchange = world.act(f"update{world.kind.plural}", str(world.item["id"]), world.body(world.sent))
    if exchange.response is None or exchange.response.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the update was refused: {seen_answer(exchange)}")


@decides("the new {value} shows at {path}")
def update_shows(world: World, clause: str, value: str, path: str) -> None:
    exchange = world.act(f"get{world.kind.plural}", str(world.item["id"]))
    seen = member(one_item(json_body(exchange)), path)
    words = f"an updated {value} does not show at {path}"
    kept = _means(path, seen, world.sent[value])
    world.scenario.check(clause, kept, words, expected=world.sent[value], seen=seen, at=exchange)


@decides("the new {value} shows, usually at {path}")
def update_shows_somewhere(world: World, clause: str, value: str, path: str) -> None:
    """That an update shows is documented; which member shows a value is inferred, so any member will do."""
    exchange = world.act(f"get{world.kind.plural}", str(world.item["id"]))
    item, given = one_item(json_body(exchange)), world.sent[value]
    kept = any(_means(path, seen, given) for seen in _leaves(item))
    words = f"an updated {value} shows neither at {path} nor elsewhere"
    world.scenario.check(clause, kept, words, expected=given, seen=as_text(item), at=exchange)


@decides("everything else is as it was")
def others_kept(world: World, clause: str) -> None:
    old = world.before[0]
    now = one_item(json_body(world.answer())) or {}
    (value,) = world.sent
    for path in ("id", "sip.username", "sip.password", *_SHOWN_AT.values()):
        if path != _SHOWN_AT[value]:
            words = f"an update of {value} changes {path}"
            world.scenario.check(
                clause,
                member(now, path) == member(old, path),
                words,
                expected=member(old, path),
                seen=member(now, path),
                at=world.last,
            )


@when(step_pattern("the {which} one is deleted"))
def delete_item(world: World, which: str) -> None:
    world.chosen = ("first", "second", "third").index(which)
    _delete(world)


@when("the SIP account is deleted")
def delete_account(world: World) -> None:
    _delete(world)


def _delete(world: World) -> None:
    exchange = world.act(f"delete{world.kind.plural}", str(world.item["id"]))
    if exchange.response is None or exchange.response.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the deletion was refused: {seen_answer(exchange)}")


@decides("it is no longer in the list")
def not_listed(world: World, clause: str) -> None:
    listed = {member(one, "id") for one in world.listed()}
    if not {one["id"] for one in world.others} & listed:
        world.scenario.undecided(clause, Reason.NO_CONTROL, "the list does not show the others either")
        return
    words = f"a deleted {world.kind.name} is still in the list"
    world.scenario.check(
        clause, world.item["id"] not in listed, words, expected="gone", seen=world.item["id"], at=world.last
    )


@decides("the others are in the list")
def others_listed(world: World, clause: str) -> None:
    listed = {member(one, "id") for one in world.listed()}
    missing = [one["id"] for one in world.others if one["id"] not in listed]
    words = f"deleting one {world.kind.name} takes others away"
    world.scenario.check(clause, not missing, words, expected="all others", seen=f"without {missing}", at=world.last)


@decides("reading it is answered 404")
def reading_is_404(world: World, clause: str) -> None:
    exchange = world.act(f"get{world.kind.plural}", str(world.item["id"]), expect=False)
    words = f"reading a deleted {world.kind.name} is not answered 404"
    world.scenario.check(clause, world.status == 404, words, expected=404, seen=seen_answer(exchange), at=exchange)


@when(step_pattern("{operation} is asked for an unknown id"))
def ask_unknown(world: World, operation: str) -> None:
    body = None
    if operation.startswith("update"):
        body = world.body({"url": world.url, "name": "unknown"} if world.kind is SCRIPTS else {"name": "unknown"})
    world.act(operation, f"{UNKNOWN_ID}-{unique()}", body, expect=False)


@decides("it is not served")
def is_not_served(world: World, clause: str) -> None:
    if world.status >= 500:
        world.scenario.undecided(clause, Reason.NO_EVIDENCE, f"the platform broke: {seen_answer(world.answer())}")
        return
    words = f"an id that names no {world.kind.name} is served"
    world.scenario.check(
        clause, world.status >= 300, words, expected="a refusal", seen=seen_answer(world.answer()), at=world.last
    )


@when("its status is read")
def read_status(world: World) -> None:
    world.act("getSipAccountStatus", str(world.item["id"]))


@decides("the status holds a domain for SIP clients")
def status_has_domain(world: World, clause: str) -> None:
    words = "the status names no domain: no member holds a host name"
    found = sip_domain(world, world.answer())
    world.scenario.check(
        clause, found is not None, words, expected="a host name", seen=seen_answer(world.answer()), at=world.last
    )


def _means(path: str, seen: Any, given: str) -> bool:
    """Whether a value came back as given; a phone number may come back in another form."""
    return same_phone(seen, given) if path.endswith("_number") else bool(seen == given)


def _leaves(value: Any) -> Iterator[Any]:
    """All values that hold no others; without recursion, because a hostile answer may be nested deeply."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case Mapping() as members:
                waiting.extend(members.values())
            case list() as items:
                waiting.extend(items)
            case leaf:
                yield leaf
