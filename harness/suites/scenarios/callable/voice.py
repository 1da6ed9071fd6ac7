"""Steps that have voice calls made, and say whom they rang and as whom.

What the call flows of `specs/callable/sequences.yaml` judge is judged from the timeline when the scenario is over: the steps
here give the platform the time that it has for it. A call that cannot be made leaves its scenario inconclusive.
"""

from __future__ import annotations

import re
from typing import Any

from pytest_bdd import given, parsers, when

from harness.checks.evidence import seen_answer, succeeded
from harness.checks.sip import parse_address
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.callable.calls import COLLEAGUE, DESK, OUTSIDE, Calls
from harness.suites.scenarios.callable.kinds import GATEWAY, Json
from harness.suites.scenarios.callable.world import World
from harness.suites.scenarios.vocabulary import decides, table
from harness.verdicts import Reason

HANG_UP: Json = {"hangup": {"reason": "call-complete"}}
_OWN_NUMBER = "as one of the account's inbound numbers"
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
# How a phone takes its call, by the words of a step.
_MANNERS: dict[str, dict[str, str]] = {
    "": {},
    " that is busy": {"then": "refuse"},
    " who is busy": {"then": "refuse"},
    " that declines": {"then": "refuse", "refusal": "603 Decline"},
    " that is not there": {"then": "refuse", "refusal": "480 Temporarily Unavailable"},
    " that waits with its answer": {"then": "wait"},
    " that rings for ever": {"then": "wait"},
}
_ONE = rf"an? (?P<{{0}}>{DESK}|{COLLEAGUE}|{OUTSIDE})(?P<{{0}}_manner>{'|'.join(_MANNERS)})"


@given(parsers.re(_ONE.format("first")))
@given(parsers.re(_ONE.format("first") + ",? and " + _ONE.format("second")))
def given_phones(
    calls: Calls, first: str, first_manner: str, second: str | None = None, second_manner: str | None = None
) -> None:
    if second is not None:
        calls.wait_at(second, **_MANNERS[second_manner or ""])
    calls.wait_at(first, **_MANNERS[first_manner])


@given("a colleague who was called when the desk had answered")
def given_control(calls: Calls) -> None:
    """The positive control of what must not happen: the same verbs ring the colleague, who is busy."""
    calls.wait_at(COLLEAGUE, then="refuse")
    calls.wait_at(DESK)
    calls.order(calls.target(DESK), [dial(calls, COLLEAGUE)], to=DESK)
    if not calls.called(calls.phone(COLLEAGUE)):
        raise InconclusiveError(Reason.NO_CONTROL, "the colleague is not called either when the desk answers")
    calls.desk.wait_bye(calls.quiet)  # the verbs are over; a platform may end the call then, or leave that to the desk
    calls.desk.close()
    calls.wait_at(COLLEAGUE)


@given("a desk that was called before")
def given_desk_called(calls: Calls) -> None:
    calls.wait_at(DESK)
    calls.order(calls.target(DESK), [HANG_UP], to=DESK)
    if not calls.called(calls.desk):
        raise InconclusiveError(Reason.NO_CONTROL, "the desk does not ring for a call with verbs either")
    calls.desk.wait_bye()
    calls.wait_at(DESK)


@when(parsers.re(f"the (?P<role>{DESK}|{OUTSIDE}) is called with the verbs"))
def call_with_verbs(calls: Calls, role: str, datatable: list[list[str]]) -> None:
    verbs = [_verb(calls, row) for row in datatable]
    calls.order(calls.target(role), verbs, to=role)


def _verb(calls: Calls, row: list[str]) -> Json:
    """A row of a table of verbs: the verb, what it is about, and for `dial` how."""
    kind, what, *how = row
    if kind == "dial":
        return dial(calls, what.removeprefix("the "), *how)
    return {kind: {"text": [what]} if kind == "say" else {"reason": what}}


def dial(calls: Calls, role: str, how: str = "") -> Json:
    """A dial verb; `how`: a member and its number, or as whom."""
    options: Json = {}
    if how == _OWN_NUMBER:
        options["callerId"] = calls.own_number()
    elif how:
        name, _, value = how.partition(" ")
        options[name] = int(value)
    return {"dial": {**options, "targets": [calls.target(role)]}}


@when(parsers.re('the desk is called, for "(?P<user>[0-9]+)" behind it'))
def call_behind(calls: Calls, user: str) -> None:
    calls.order(calls.target(DESK, overrideTo=user), [HANG_UP], to=DESK)


@when(parsers.re("the desk is called by (?P<what>its SIP URI|the id of its gateway)"))
def call_by(calls: Calls, what: str) -> None:
    by_uri: Json = {"sipUri": {"uri": calls.desk.uri}}
    target = by_uri if what == "its SIP URI" else {"device": {"id": calls.lines[DESK].gateway.id}}
    calls.order(target, [HANG_UP], to=DESK)


@when("the desk is called as one of the account's inbound numbers")
def call_as(calls: Calls) -> None:
    calls.order(calls.target(DESK), [HANG_UP], to=DESK, callerId=calls.own_number())


@when(parsers.re("the desk is called with (?P<caller>nothing|a blank text) as the number to present"))
def call_as_nobody(calls: Calls, caller: str) -> None:
    given_caller: Json = {} if caller == "nothing" else {"callerId": ""}
    calls.order(calls.target(DESK), [HANG_UP], to=DESK, **given_caller)
    calls.site.needed("getAccount")


@when("the desk is called with the tags")
def call_with_tags(calls: Calls, datatable: list[list[str]]) -> None:
    calls.order(calls.target(DESK), [HANG_UP], to=DESK, tag={"data": table(datatable)})


@when("a call to the desk is asked for without verbs")
def ask_without_verbs(calls: Calls) -> None:
    calls.note(DESK)
    if succeeded(calls.ask({"target": calls.target(DESK)}, {"case": "negative"})):
        raise InconclusiveError(Reason.PRECONDITION, "a voice call without verbs is accepted")


@decides("target and verbs are enough")
def enough(calls: Calls, clause: str) -> None:
    """The call was accepted, or the scenario would be over; a refusal for want of the rest is judged where it is made."""
    assert calls.asked is not None
    words = "a voice call with nothing but target and verbs is refused"
    kept = succeeded(calls.asked)
    calls.scenario.check(clause, kept, words, expected="2xx", seen=seen_answer(calls.asked), at=calls.asked)


@decides("the desk rings")
@decides("the trunk under the extension rings")
@decides("it is the trunk of the gateway with the extension")
@decides("that number is presented")
@decides("it is the main billing number of the account")
@decides("the tagged call rings the desk")
def desk_rings(calls: Calls, clause: str) -> None:
    """Judged by the call flow; what it needs is the call, or the time for it."""
    del clause
    calls.called(calls.desk)


@decides("the outside number rings")
@decides("it is asked for by its number")
@decides("the dialled number rings")
@decides("the number of the dial verb is presented")
def outside_rings(calls: Calls, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    calls.called(calls.phone(OUTSIDE))


@decides("its verbs run when the desk has answered")
@decides("the desk is hung up")
def desk_is_hung_up(calls: Calls, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    if calls.called(calls.desk):
        calls.desk.wait_bye()


@decides("the gateway rings its trunk")
@decides("it rings it at ip and port of the trunk")
@decides("the SIP URI is called")
@decides("the device is called")
def phone_is_called(calls: Calls, clause: str) -> None:
    """The phone listens at that address, so that reaching it proves the way."""
    words = "nobody calls at the address of the desk"
    kept = calls.called(calls.desk)
    calls.scenario.check(clause, kept, words, expected=f"an INVITE at {calls.desk.agent.address}", seen="none")


@decides("the desk has rung once")
def rung_once(calls: Calls, clause: str) -> None:
    """Judged by the call flow; that it does not ring again takes some quiet to believe."""
    del clause
    calls.pass_time(calls.quiet)


@decides('the trunk is asked for "{user}"')
def asked_for(calls: Calls, clause: str, user: str) -> None:
    """Judged by the call flow."""
    del clause, user
    calls.called(calls.desk)


@decides("a number is presented all the same")
def some_number(calls: Calls, clause: str) -> None:
    if not calls.called(calls.desk):
        words = "a voice call without a number to present is not made"
        calls.scenario.check(clause, False, words, expected="a call", seen="none")
        return
    assert calls.desk.invite is not None
    shown = [parse_address(row).uri.user for row in _callers(calls.desk.invite.text)]
    words = "a voice call without a number to present presents none"
    kept = any(_NUMBER.fullmatch(user) for user in shown)
    calls.scenario.check(clause, kept, words, expected="a number", seen=shown)


def _callers(text: str) -> list[str]:
    """The addresses by which an INVITE may say who calls (RFC 3261, RFC 3325)."""
    return re.findall(r"(?im)^(?:from|f|p-asserted-identity|remote-party-id)\s*:\s*(.+?)\s*$", text)


@decides("the desk does not ring for it")
def not_rung(calls: Calls, clause: str) -> None:
    """Judged by the call flow; the call before is the positive control."""
    del clause
    calls.desk.wait_called(calls.quiet + 0.1)


# Requests that are not accepted


@given("a voice call that is accepted")
def given_accepted(site: World) -> None:
    """To a gateway of the scenario's own that has no trunk, so that nobody is dialled."""
    gateway = site.take(GATEWAY)
    site.before = {
        "target": {"extension": {"extension": gateway.sent["extension"]}},
        "verbs": [HANG_UP],
    }
    if not succeeded(site.send("createVoiceCall", site.before)):
        words = f"a call with target and verbs is refused too: {seen_answer(site.answer())}"
        raise InconclusiveError(Reason.NO_CONTROL, words)


@when(parsers.re("the same call is asked for without its (?P<name>target|verbs)"))
def ask_without(site: World, name: str) -> None:
    body: dict[str, Any] = {key: value for key, value in site.before.items() if key != name}
    site.send("createVoiceCall", body, {"case": "negative"})


@decides("a call without {name} is not accepted")
def is_not_accepted(site: World, clause: str, name: str) -> None:
    if site.status >= 500:
        site.scenario.undecided(clause, Reason.NO_EVIDENCE, f"the platform broke: {seen_answer(site.answer())}")
        return
    words = f"a voice call without {name} is accepted"
    kept = not succeeded(site.answer())
    site.scenario.check(clause, kept, words, expected="a refusal", seen=seen_answer(site.answer()), at=site.last)


@decides("the refusal of a call is a 4xx")
def refused_4xx(site: World, clause: str) -> None:
    if succeeded(site.answer()):
        return  # it was not refused at all, which another clause says
    words = "an incomplete voice call is not answered 4xx"
    kept = 400 <= site.status < 500
    site.scenario.check(clause, kept, words, expected="4xx", seen=seen_answer(site.answer()), at=site.last)
