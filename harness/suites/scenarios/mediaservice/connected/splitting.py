"""Steps on operations that take calls apart: splitconnection, hangupparticipant and hangupremoteparticipant.

The answers to the events of a split are planned by event. What the call flows judge too is waited for here, and judged by
what the phones saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_bdd import given, parsers, when

from harness.checks.flows.values import text_of
from harness.checks.sip import parse_message
from harness.drivers.recorder import Answer
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.connected.parties import CALLERS, SILENT_SECONDS, Parties
from harness.suites.scenarios.mediaservice.world import World, members
from harness.suites.scenarios.telephony import Phone
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import Callback
from harness.verdicts import Reason

_SPLITS = ("callerConnectionSplit", "calleeConnectionSplit")
_SPLIT = r"(?P<event>callerConnectionSplit|calleeConnectionSplit)"
# How long an answer waits that is to come after a while; it must outlast the look at what a split alone does.
_WHILE = SILENT_SECONDS + 0.5
# How long after the answer to splitconnection media may still be heard.
_CUT_SECONDS = 0.4
_LOOK_SECONDS = 0.05
_OPERATIONS = {"hangupparticipant": "hangupParticipant", "hangupremoteparticipant": "hangupRemoteParticipant"}


class SplitAnswers(dict[str, Any]):
    """What the events of a split are answered with, by event; a reply to callEvent."""

    def __call__(self, body: Mapping[str, Any]) -> Any:
        planned = self.get(str(body.get("event")), {"action": "drop"})
        return planned(body) if callable(planned) else planned


@pytest.fixture
def splits(ms: World) -> SplitAnswers:
    """What the events of a split are answered with."""
    made = SplitAnswers()
    ms.answers.set("callEvent", made)
    return made


@given(parsers.re(rf"{_SPLIT} is answered (?P<late>after a while )?with drop(?: and dropCode (?P<code>\w+))?"))
def split_drops(splits: SplitAnswers, event: str, late: str | None, code: str | None) -> None:
    reply = {"action": "drop", **({"dropCode": code} if code else {})}
    splits[event] = Answer(json=reply, delay=_WHILE) if late else reply


@given(parsers.re(rf"{_SPLIT} is answered with ivr"))
def split_leads_to_ivr(splits: SplitAnswers, event: str) -> None:
    splits[event] = {"action": "ivr"}


@given(parsers.re(rf"{_SPLIT} is answered with connect to the other party"))
def split_connects(splits: SplitAnswers, event: str) -> None:
    splits[event] = lambda body: {"action": "connect", "participantId": body.get("remoteParticipantId")}


@when("splitconnection is sent for the connection")
def split(parties: Parties) -> None:
    told = parties.ms.need("callAnswered")
    parties.ms.must("splitConnection", connectionId=told["connectionId"], replyId=told["replyId"])
    parties.moments["split"] = parties.now()


@when(parsers.re(r"splitconnection is sent for the first call with (?P<whose>its own|the second's) replyId"))
def split_first(parties: Parties, whose: str) -> None:
    first, second = (parties.ms.need("callAnswered", call=call) for call in parties.ms.calls)
    own = whose == "its own"
    reply = (first if own else second)["replyId"]
    parties.ms.operate("splitConnection", expect=own, connectionId=first["connectionId"], replyId=reply)
    if not own:
        parties.untouched = parties.hear_each_other("the first caller", "bob") and not _events(parties.ms)


@when(parsers.re(r"(?P<operation>hangupparticipant|hangupremoteparticipant) is sent for (?P<who>.+)"))
def hang_up(parties: Parties, operation: str, who: str) -> None:
    """Events that follow wait a while for their answer, so that it is not taken for what the operation does."""
    told = parties.ms.need("callAnswered", call=parties.call(who))
    parties.ms.answers.set("callEvent", Answer(json={"action": "drop"}, delay=_WHILE))
    member = "callerParticipantId" if who in CALLERS else "calleeParticipantId"
    parties.ms.operate(_OPERATIONS[operation], participantId=told[member], replyId=told["replyId"])
    parties.hung_up = who


@when("hangupparticipant is sent with the sessionId of that command")
def hang_up_session(parties: Parties) -> None:
    if parties.it is None:
        raise InconclusiveError(Reason.PRECONDITION, "no command was asked for")
    parties.ms.operate("hangupParticipant", sessionId=parties.it["sessionId"])


@decides("callEvent asks about the caller")
@decides("callEvent asks about the called party")
def asks_about(parties: Parties, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    parties.ms.wait_until(lambda: len(_events(parties.ms)) > 1)


@decides("each of the two is asked about once")
@decides("each event names its own participant")
def judged_by_flow(parties: Parties, clause: str) -> None:
    """Judged by the call flow."""
    del parties, clause


@decides("the caller and bob are deaf to each other")
def deaf_to_each_other(parties: Parties, clause: str) -> None:
    """From the split to the first answer to its events; both have spoken all the time, and were heard before."""
    events = _events(parties.ms)
    if not events:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "there is no callEvent about the split")
        return
    begin, end = parties.moments["split"] + _CUT_SECONDS, min(one.ended or one.at for one in events)
    heard = [
        who
        for who in ("the caller", "bob")
        if any(sound[0] < end and sound[1] > begin for sound in parties.phone(who).probe.sounds)
    ]
    words = "parties that were split hear each other"
    parties.scenario.check(clause, not heard, words, expected="silence at both", seen=f"sound at {' and '.join(heard)}")


@decides("nobody is hung up before an event is answered")
def nobody_hung_up(parties: Parties, clause: str) -> None:
    answers = [one.ended or one.at for one in _events(parties.ms)]
    byes = [bye for who in ("the caller", "bob") if (bye := parties.phone(who).bye) is not None]
    early = [bye for bye in byes if not answers or bye.at < min(answers) - parties.scenario.slack]
    if not early and not answers:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "there is no callEvent about the split")
        return
    words = "a split alone hangs up a party"
    parties.scenario.check(clause, not early, words, expected="no BYE", seen=f"{len(early)} BYE")


@decides("the two reasons differ")
def reasons_differ(parties: Parties, clause: str) -> None:
    byes = [parties.phone(who).wait_bye() for who in ("the caller", "bob")]
    reasons = [parse_message(bye.text).reasons if bye else () for bye in byes]
    if not all(reasons):
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "there are no two reasons")
        return
    words = "two dropCodes give the same Reason"
    parties.scenario.check(clause, reasons[0] != reasons[1], words, expected="two reasons", seen=str(reasons[0]))


@decides("bob is hung up, and the caller is led to the IVR")
def each_its_action(parties: Parties, clause: str) -> None:
    caller, bob = parties.phone("the caller"), parties.phone("bob")
    command = parties.ms.wait("getIvrCommand")
    bob.wait_bye()
    seen = {
        "getIvrCommand": command is not None,
        "BYE to bob": bob.bye is not None,
        "BYE to caller": caller.bye is not None,
    }
    words = "an action is applied to the other party than the one that it was answered for"
    kept = command is not None and bob.bye is not None and caller.bye is None
    parties.scenario.check(clause, kept, words, expected="getIvrCommand for the caller, BYE to bob", seen=seen)


@decides("the caller and bob are joined again")
@decides("the caller hears bob, whom participantId names, and bob the caller")
def joined_again(parties: Parties, clause: str) -> None:
    parties.ms.wait_until(lambda: len(_events(parties.ms)) > 1)
    parties.ms.wait("callAnswered", 2)
    heard = parties.hear_each_other("the caller", "bob")
    words = "connect does not join the participant to the one that participantId names"
    parties.scenario.check(clause, heard, words, expected="sound at both", seen="silence")


@decides("its own replyId splits it, and the other did not")
def split_by_own(parties: Parties, clause: str) -> None:
    if not parties.ms.wait_until(lambda: bool(_events(parties.ms))):
        parties.scenario.undecided(clause, Reason.NO_CONTROL, "its own replyId does not split it either")
        return
    words = "splitconnection takes a call apart with the replyId of another one"
    parties.scenario.check(clause, parties.untouched, words, expected="connected until then", seen="split at once")


@decides("the connection that is split is that of the first call")
def first_is_split(parties: Parties, clause: str) -> None:
    parties.ms.wait_until(lambda: bool(_events(parties.ms)))
    promised = parties.ms.need("callAnswered", call=parties.ms.calls[0])["connectionId"]
    seen = [text_of(members(one).get("connectionId")) for one in _events(parties.ms)]
    words = "the connection that connectionId names is not split"
    kept = bool(seen) and all(one == text_of(promised) for one in seen)
    parties.scenario.check(clause, kept, words, expected=promised, seen=seen or "no callEvent")


@decides("somebody of that call is hung up")
def somebody_hung_up(parties: Parties, clause: str) -> None:
    """Which of the two is another clause."""
    one, other = _both(parties)
    deadline = parties.now() + parties.scenario.plan.target.timing.callback
    while one.bye is None and other.bye is None and parties.now() < deadline:
        one.wait_bye(_LOOK_SECONDS)
        other.wait_bye(_LOOK_SECONDS)
    kept = one.bye is not None or other.bye is not None
    words = "an operation that hangs up a party hangs up nobody"
    parties.scenario.check(clause, kept, words, expected="BYE", seen="none", at=parties.ms.last)


@decides("it is {who} who is hung up")
def right_one_hung_up(parties: Parties, who: str, clause: str) -> None:
    """Whoever remains may be hung up as well, at once or when its event is answered."""
    one, other = _both(parties)
    right, wrong = (one, other) if one is parties.phone(who) else (other, one)
    if right.bye is None and wrong.bye is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "nobody is hung up")
        return
    bye = right.wait_bye(SILENT_SECONDS)
    kept = bye is not None and (wrong.bye is None or bye.at <= wrong.bye.at + SILENT_SECONDS)
    words = "another party is hung up than the one that was chosen"
    parties.scenario.check(
        clause, kept, words, expected=f"BYE to {who}", seen=f"BYE to {'both' if bye else 'the other'}"
    )


def _both(parties: Parties) -> tuple[Phone, Phone]:
    """The two parties of the call in which somebody was to be hung up."""
    call = parties.call(parties.hung_up)
    return call.phone, list(parties.ms.phones.values())[parties.ms.calls.index(call)]


def _events(ms: World) -> list[Callback]:
    """The events of splits, of all calls."""
    return [one for event in _SPLITS for one in ms.callbacks("callEvent", event=event)]
