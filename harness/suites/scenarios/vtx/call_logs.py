"""Steps on the call logs that the platform pushes when calls end.

What the call flows of `specs/vtx/sequences.yaml` and the payload schema judge is judged from the timeline when the
scenario is over: the steps here give the platform the time that it has for it. Only what neither can say is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_bdd import given, parsers, when

from harness.drivers.recorder import Answer
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.telephony import is_success
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.suites.scenarios.vtx.subscriptions import wait_until_over
from harness.suites.scenarios.vtx.world import Subscription, World, events_of, is_at, read_instant, user_id, written
from harness.verdicts import Reason

_SLACK = 1.0


@given(parsers.re(r"(a|another) subscription to the calls of user (?P<letter>[ABC])"))
def subscribe_one(vtx: World, letter: str) -> None:
    vtx.subscribe([user_id(vtx.user(letter))])


@given("a subscription to the calls of users A and B")
def subscribe_both(vtx: World) -> None:
    vtx.subscribe([user_id(vtx.user("A")), user_id(vtx.user("B"))])


@given(step_pattern('a subscription to the calls of user A whose URL ends in "{below}"'))
def subscribe_below(vtx: World, below: str) -> None:
    vtx.subscribe([user_id(vtx.user("A"))], below=below)


@given("a subscription to the calls of user A whose receiver fails once")
def subscribe_failing(vtx: World) -> None:
    vtx.subscribe([user_id(vtx.user("A"))], answers=[Answer(500), Answer()])


@given(step_pattern("a subscription to the calls of user A that ends after {seconds} seconds"))
def subscribe_shortly(vtx: World, seconds: str) -> None:
    vtx.subscribe([user_id(vtx.user("A"))], seconds=float(seconds))


@when("the first subscription is over")
def first_is_over(vtx: World) -> None:
    wait_until_over(vtx, vtx.subscriptions[0])


@when("the first subscription is deleted")
def delete_first(vtx: World) -> None:
    vtx.delete(vtx.subscriptions[0].id, expect="success")
    if vtx.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the deletion was answered {vtx.status}")


@when("the receiver has failed")
def receiver_failed(vtx: World) -> None:
    if not vtx.wait_pushes(vtx.subscription):
        raise InconclusiveError(Reason.PRECONDITION, "no push came that the receiver could fail on")
    vtx.scenario.recorder.quiet(vtx.scenario.plan.target.timing.quiet)


@decides("the call log of the call is pushed")
@decides("the call log of the attempt is pushed")
@decides("it goes to the host of the notification URL")
@decides("it carries the id of the subscription")
@decides("it carries the id of a subscribed user")
@decides("nothing was pushed before the call was over")
@decides("the change type is that of a new call log")
@decides("the call type is that of a voice call")
@decides("the direction is that of the user's part in the call")
@decides("the dialled number is shown as it was dialled")
@decides("the other party is shown by its number")
def pushed(vtx: World, clause: str) -> None:
    """Judged by the call flow; what it needs is a push, or the time for one."""
    del clause
    for subscription in vtx.in_force:
        vtx.wait_pushes(subscription)


@decides("it goes to exactly the notification URL")
def pushed_there(vtx: World, clause: str) -> None:
    """Judged by the call flow; a push to another place does not end the time for one to the right place."""
    del clause
    vtx.wait_until(lambda: any(is_at(push, vtx.subscription) for push in vtx.pushes(vtx.subscription)))


@decides("a call log is pushed for each call")
@decides("each call log has an id of its own")
def pushed_for_each(vtx: World, clause: str) -> None:
    """Judged by the call flow, after each call."""
    del clause
    for subscription in vtx.in_force:
        vtx.wait_pushes(subscription, len(vtx.calls))


@decides("the call log of the second call is pushed")
def second_pushed(vtx: World, clause: str) -> None:
    """Judged by the call flow; what was sent again for the first call is not taken for it."""
    del clause
    over = _moment(vtx, "BYE")
    vtx.wait_until(lambda: any(push.at > over for push in vtx.pushes(vtx.subscription)))


@decides("a call log is pushed for each of the two users")
def pushed_for_both(vtx: World, clause: str) -> None:
    """Judged by the call flow; the two may come in one push or in two."""
    del clause
    users = {vtx.user("A"), vtx.user("B")}
    vtx.wait_until(lambda: all(vtx.logs(vtx.subscription, user) for user in users))


@decides("it is pushed once")
@decides("nothing is pushed for the subscription that is over")
@decides("nothing is pushed for the call without user A")
def pushed_no_more(vtx: World, clause: str) -> None:
    """Judged by the call flows; that nothing more comes takes some quiet to believe."""
    del clause
    vtx.wait_pushes(vtx.in_force[-1])
    vtx.scenario.recorder.quiet(vtx.scenario.plan.target.timing.quiet + 0.1)


@decides("its user is shown by id and by login name")
def user_shown(vtx: World, clause: str) -> None:
    """The id is judged by the call flow, the name here."""
    user = vtx.user("A")
    for log in _logs(vtx, "A"):
        name = member(log, "context.user.name")
        words = "the user of a call log is shown by another name than its login name"
        vtx.scenario.check(clause, name == user.aor, words, expected=user.aor, seen=name)


@decides("both subscriptions are told of it, each under its own id")
def each_told(vtx: World, clause: str) -> None:
    for subscription in vtx.subscriptions:
        own = [push for push in vtx.wait_pushes(subscription) if _carries(push, subscription)]
        words = "of two subscriptions to one user, one is not told of a call"
        vtx.scenario.check(clause, bool(own), words, expected=f"a push for {subscription.id}", seen="none")


@decides("its duration is the time from answer to hang-up")
def duration_is_talk(vtx: World, clause: str) -> None:
    talked = _moment(vtx, "BYE") - _moment(vtx, "INVITE", answer=True)
    for log in _logs(vtx, "A"):
        shown = member(log, "callLog.duration")
        kept = _is_number(shown) and abs(shown - talked) <= _SLACK
        words = "the duration is not the time from answer to hang-up"
        vtx.scenario.check(clause, kept, words, expected=f"{talked:.1f} s, give or take one", seen=shown)


@decides("its duration is nought")
def duration_is_nought(vtx: World, clause: str) -> None:
    for log in _logs(vtx, "A"):
        shown = member(log, "callLog.duration")
        words = "a call that was not answered has a duration"
        vtx.scenario.check(clause, _is_number(shown) and shown == 0, words, expected=0, seen=shown)


@decides("its start lies between INVITE and answer")
def start_is_right(vtx: World, clause: str) -> None:
    _between(
        vtx, clause, "callLog.callStart", _moment(vtx, "INVITE"), _moment(vtx, "INVITE", answer=True),
        "callStart does not lie between INVITE and answer",
    )  # fmt: skip


@decides("its event time lies between the end of the call and the push")
def event_time_is_right(vtx: World, clause: str) -> None:
    pushes = vtx.wait_pushes(vtx.subscription)
    if not pushes:
        raise InconclusiveError(Reason.NO_EVIDENCE, "no call log was pushed")
    words = "eventTime does not lie between the end of the call and the push"
    _between(vtx, clause, "eventTime", _moment(vtx, "BYE"), pushes[-1].at, words)


def _between(vtx: World, clause: str, name: str, first: float, last: float, words: str) -> None:
    for log in _logs(vtx, "A"):
        shown = member(log, name)
        moment = read_instant(shown)
        kept = moment is not None and first - _SLACK <= moment <= last + _SLACK
        expected = f"{written(first)} to {written(last)}, give or take a second"
        vtx.scenario.check(clause, kept, words, expected=expected, seen=shown)


def _logs(vtx: World, letter: str) -> list[Mapping[str, Any]]:
    """The call logs of a user, as soon as there is one; inconclusive when none comes in time."""
    user = vtx.user(letter)
    vtx.wait_until(lambda: bool(vtx.logs(vtx.subscription, user)))
    found = vtx.logs(vtx.subscription, user)
    if not found:
        raise InconclusiveError(Reason.NO_EVIDENCE, f"no call log of user {letter} was pushed")
    return found


def _carries(push: Any, subscription: Subscription) -> bool:
    return bool(events_of(push)) and f'"{subscription.id}"'.encode() in push.request.body


def _moment(vtx: World, method: str, *, answer: bool = False) -> float:
    """When the caller's telephone saw a request first, or the success that answered it."""
    for message in vtx.call.result.messages:
        if is_success(message, method) if answer else message.text.startswith(f"{method} "):
            return message.at
    raise InconclusiveError(Reason.NO_EVIDENCE, f"the call has no {'answer to its ' if answer else ''}{method}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
