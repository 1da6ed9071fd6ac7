"""Steps on subscriptions: made, listed, deleted, unknown, extended, expired, and asked for too long.

A step that prepares or acts ends its scenario as inconclusive when it cannot be done; only Then steps decide clauses.
"""

from __future__ import annotations

import uuid
from typing import Any

from pytest_bdd import given, when

from harness.checks.evidence import json_body, seen_answer
from harness.checks.flows.values import agree
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.suites.scenarios.vtx.world import Subscription, World, new_subscription, read_instant, written
from harness.target import VtxTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

_SLACK = 1.0
_DAY = 86_400.0
_LONGEST_DAYS = 3


@given("a call log subscription")
@when("a call log subscription to two users is made")
def make_subscription(vtx: World) -> None:
    vtx.subscribe(vtx.ids(2), below="/new?tenant=7&name=a%20b")


@given(step_pattern("{count} call log subscriptions"))
def given_subscriptions(vtx: World, count: str) -> None:
    for _ in range(int(count)):
        vtx.subscribe(vtx.ids(1))


@given(step_pattern("a call log subscription that ends after {seconds} seconds"))
def given_short(vtx: World, seconds: str) -> None:
    vtx.subscribe(vtx.ids(1), seconds=float(seconds))
    if vtx.subscription.id not in vtx.listed():
        raise InconclusiveError(Reason.NO_CONTROL, "the subscription is not in the list before it ends either")


@when("the time of the subscription is over")
def wait_for_end(vtx: World) -> None:
    wait_until_over(vtx, vtx.subscription)


def wait_until_over(vtx: World, subscription: Subscription) -> None:
    """Wait until a subscription has expired, and note it for the call flows."""
    end = read_instant(subscription.sent["expires"])
    assert end is not None
    vtx.pass_time(max(0.0, end - vtx.now()) + 0.1)
    vtx.over.add(subscription.id)
    vtx.scenario.timeline.note("expired", "the time of a subscription is over", subscription=subscription.id)


@when("the second subscription is deleted")
def delete_second(vtx: World) -> None:
    vtx.chosen = 1
    delete_chosen(vtx)


@when("the subscription is deleted")
def delete_chosen(vtx: World) -> None:
    vtx.delete(vtx.subscription.id, expect="success")
    if vtx.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the deletion was refused: {seen_answer(vtx.answer())}")


@when("the same subscription is deleted once more")
def delete_again(vtx: World) -> None:
    vtx.delete(vtx.subscription.id, case="negative")


@when("a subscription that never was is deleted")
def delete_unknown(vtx: World) -> None:
    vtx.delete(str(uuid.uuid4()), case="negative")


@when("its end is moved by a minute")
def extend(vtx: World) -> None:
    end = read_instant(vtx.subscription.sent["expires"])
    assert end is not None
    vtx.before = written(end + 60)
    vtx.extend(vtx.subscription.id, vtx.before)
    if vtx.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the extension was refused: {seen_answer(vtx.answer())}")


@when("a subscription for four days is asked for")
def ask_too_long(vtx: World) -> None:
    recorder = vtx.scenario.recorder
    sent = new_subscription(vtx.ids(1), recorder.url(recorder.unique("call-logs")), vtx.now() + 4 * _DAY)
    exchange = vtx.request_subscription(sent, expect=False)
    made = member(json_body(exchange), "subscription.id")
    if vtx.status < 300 and isinstance(made, str):
        vtx.bench.remember(vtx.scenario.contract.spec.operation("createSubscription"), {"id": made})


@decides("the subscription is listed as its creation showed it")
def listed_as_made(vtx: World, clause: str) -> None:
    made = vtx.subscription
    found = vtx.listed().get(made.id)
    at = vtx.last
    if found is None:
        vtx.scenario.check(
            clause, False, "a new subscription is not in the list", expected=made.id, seen="absent", at=at
        )
        return
    differing = [name for name, value in made.shown.items() if not _same(found.get(name), value)]
    words = f"the list shows another {', '.join(differing)} than the creation did"
    expected = {name: made.shown[name] for name in differing}
    vtx.scenario.check(
        clause, not differing, words, expected=expected, seen={name: found.get(name) for name in differing}, at=at
    )


def _same(one: Any, other: Any) -> bool:
    """Equal, or the same instant written differently."""
    if one == other:
        return True
    first, second = read_instant(one), read_instant(other)
    return first is not None and second is not None and agree("instant", one, other)


def _shown(vtx: World, clause: str, name: str, kept: bool, expected: object, words: str = "") -> bool:
    made = vtx.subscription
    words = words or f"a new subscription shows another {name} than was given"
    return vtx.scenario.check(
        clause, kept, words, expected=expected, seen=made.shown.get(name, "absent"), at=made.exchange
    )


@decides("notification URL, resource type and users come back as given")
def values_kept(vtx: World, clause: str) -> None:
    made = vtx.subscription
    for name in ("notificationUrl", "resourceType"):
        _shown(vtx, clause, name, made.shown.get(name) == made.sent[name], made.sent[name])
    users = made.shown.get("userIds")
    kept = isinstance(users, list) and {str(one) for one in users} == {str(one) for one in made.sent["userIds"]}
    _shown(vtx, clause, "userIds", kept, made.sent["userIds"])


@decides("its resource ids are the user ids as text")
def resource_ids(vtx: World, clause: str) -> None:
    given_ids = {str(one) for one in vtx.subscription.sent["userIds"]}
    ids = vtx.subscription.shown.get("resourceIds")
    kept = isinstance(ids, list) and all(isinstance(one, str) for one in ids) and set(ids) == given_ids
    _shown(vtx, clause, "resourceIds", kept, sorted(given_ids), "the resource ids are not the user ids as text")


@decides("it ends at the instant that was given")
def end_kept(vtx: World, clause: str) -> None:
    made = vtx.subscription
    _shown(vtx, clause, "expires", _same(made.shown.get("expires"), made.sent["expires"]), made.sent["expires"])


@decides("its creator is the login")
def creator_is_login(vtx: World, clause: str) -> None:
    login = vtx.scenario.target.username
    words = "the creator of a new subscription is not the login"
    _shown(vtx, clause, "creatorId", vtx.subscription.shown.get("creatorId") == login, login, words)


@decides("its application is the one of the header")
def application_is_ours(vtx: World, clause: str) -> None:
    target = vtx.scenario.target
    assert isinstance(target, VtxTarget)
    shown = str(vtx.subscription.shown.get("applicationId", ""))
    made = vtx.subscription
    vtx.scenario.check(
        clause,
        shown.lower() == target.application.lower(),
        "the application of a new subscription is not that of the header",
        expected="the value of X-C5-Application",
        seen=shown or "absent",
        at=made.exchange,
    )


@decides("it was created and modified now")
def created_now(vtx: World, clause: str) -> None:
    exchange = vtx.subscription.exchange
    first, last = exchange.at - _SLACK, (exchange.ended or exchange.at) + _SLACK
    for name in ("created", "modified"):
        moment = read_instant(vtx.subscription.shown.get(name))
        words = f"{name} of a new subscription is not the instant of its creation"
        _shown(vtx, clause, name, moment is not None and first <= moment <= last, written(exchange.at), words)


@decides("all these subscriptions are in the list")
def all_listed(vtx: World, clause: str) -> None:
    found = vtx.listed()
    missing = [one.id for one in vtx.subscriptions if one.id not in found]
    words = f"{len(missing)} of {len(vtx.subscriptions)} subscriptions are not in the list"
    vtx.scenario.check(clause, not missing, words, expected="all of them", seen=f"without {missing}", at=vtx.last)


@decides("each subscription has an id of its own")
def own_ids(vtx: World, clause: str) -> None:
    ids = [one.id for one in vtx.subscriptions]
    words = "two subscriptions have the same id"
    vtx.scenario.check(clause, len(set(ids)) == len(ids), words, expected="different ids", seen=ids, at=vtx.last)


@decides("that subscription is not in the list any more")
def not_listed(vtx: World, clause: str) -> None:
    gone = vtx.subscription.id not in vtx.listed()
    at: HttpExchange | None = vtx.last
    words = "a subscription that is over is still in the list"
    vtx.scenario.check(clause, gone, words, expected="gone", seen=vtx.subscription.id, at=at)


@decides("the other subscriptions are in the list")
def others_listed(vtx: World, clause: str) -> None:
    found = vtx.listed()
    lost = [one.id for one in vtx.others if one.id not in found]
    words = "with one subscription others are deleted"
    vtx.scenario.check(clause, not lost, words, expected="only one deleted", seen=f"also gone: {lost}", at=vtx.last)


@decides("that deletion is answered 404")
def deletion_404(vtx: World, clause: str) -> None:
    words = "deleting a subscription that is not there is not answered 404"
    vtx.scenario.check(clause, vtx.status == 404, words, expected=404, seen=vtx.status, at=vtx.last)


@decides("the list shows the new end")
def new_end_listed(vtx: World, clause: str) -> None:
    shown = member(vtx.listed().get(vtx.subscription.id), "expires")
    words = "the list does not show the end that an extension gave"
    vtx.scenario.check(
        clause, _same(shown, vtx.before), words, expected=vtx.before, seen=shown or "absent", at=vtx.last
    )


@decides("it is refused, or ends within three days")
def life_is_limited(vtx: World, clause: str) -> None:
    exchange = vtx.answer()
    end = read_instant(member(json_body(exchange), "subscription.expires"))
    longest = exchange.at + _LONGEST_DAYS * _DAY + _SLACK
    kept = 400 <= vtx.status < 500 or (vtx.status < 300 and end is not None and end <= longest)
    words = "a subscription may last longer than three days"
    vtx.scenario.check(clause, kept, words, expected="4xx, or three days", seen=seen_answer(exchange), at=exchange)
