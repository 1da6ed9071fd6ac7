"""Steps on what callbacks tell of connected calls: ringing, answer, hang-up and failure, and who took part in it.

What the call flows judge (that a callback comes, when, how often, and which ids agree) is only waited for here. `it` is the
callback that the latest step was about; of one that did not come nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.checks.flows.values import same_number, same_phone, text_of
from harness.checks.sip import Reason as SipReason
from harness.checks.sip import parse_message
from harness.suites.scenarios.mediaservice.connected.parties import Parties
from harness.suites.scenarios.mediaservice.world import members
from harness.suites.scenarios.vocabulary import decides
from harness.verdicts import Reason

# What a platform may call an attempt that it ended itself: RFC 3261 21.4.9, 21.4.18, 21.4.25.
_OWN_CODES = (408, 480, 487)
_EVENTS = {
    "the caller has hung up": "callingPartyDrop",
    "the called party has hung up": "calledPartyDrop",
    "the called party cannot be had": "calledPartyFailure",
}


@decides("callNotify is sent")
@decides("callEvent is sent")
def is_sent(parties: Parties, clause: str) -> None:
    name = clause.removeprefix("MS-")
    found = parties.ms.wait(name)
    words = f"{name} does not come although something happened that it tells of"
    parties.scenario.check(clause, found is not None, words, expected=name, seen="none")


@decides("callNotify tells of the ringing")
def ringing_told(parties: Parties, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    _take(parties, "callNotify", event="ringing")


@decides("no ringing is told")
def no_ringing_told(parties: Parties, clause: str) -> None:
    """Judged by the call flow."""
    del parties, clause


@decides("callAnswered comes after the answer")
def answer_told(parties: Parties, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    _take(parties, "callAnswered")


@decides("no callAnswered comes")
def no_answer_told(parties: Parties, clause: str) -> None:
    """What the call flow cannot say of one that comes at once: nobody has answered, neither before nor after."""
    seen = len(parties.ms.callbacks("callAnswered"))
    if not seen and parties.ms.wait("callEvent") is None:
        parties.scenario.undecided(clause, Reason.NO_CONTROL, "the refusal is not told of either")
        return
    words = "callAnswered comes although the destination refused"
    parties.scenario.check(clause, not seen, words, expected="none", seen=seen)


@decides("callEvent tells that {what}")
def event_told(parties: Parties, what: str, clause: str) -> None:
    event = _EVENTS[what]
    came = _take(parties, "callEvent", event=event)
    words = "callEvent does not tell of it when a party hangs up, or cannot be had"
    parties.scenario.check(clause, came, words, expected=event, seen="no such callEvent")


@decides("it is told once")
@decides("its connectionId is that of callAnswered")
@decides("its participantId is {whose} of callAnswered")
@decides("its remoteParticipantId is {whose} of callAnswered")
@decides("nothing says that a leg is a monitoring one")
def judged_by_flow(parties: Parties, clause: str) -> None:
    """Judged by the call flow, from what has come by the end of the scenario."""
    del parties, clause


@decides("its user is {who|the caller|bob|carol|dave}")
def user_is(parties: Parties, who: str, clause: str) -> None:
    _is_number(parties, clause, "user", who)


@decides("its remoteUser is {who}")
def remote_user_is(parties: Parties, who: str, clause: str) -> None:
    _is_number(parties, clause, "remoteUser", who)


@decides("its callingPartyNumber is that of {who}")
def calling_number_is(parties: Parties, who: str, clause: str) -> None:
    _is_number(parties, clause, "callingPartyNumber", who)


@decides("its remotePartyNumber is that of {who}")
def remote_number_is(parties: Parties, who: str, clause: str) -> None:
    _is_number(parties, clause, "remotePartyNumber", who)


@decides("its sipCallId is the Call-ID of one of the two")
def call_id_is(parties: Parties, clause: str) -> None:
    invites = [one.phone.invite for one in parties.ms.calls] + [one.invite for one in parties.ms.phones.values()]
    known = [parse_message(one.text).call_id for one in invites if one is not None]
    _judge(parties, clause, "sipCallId", lambda seen: text_of(seen) in known, expected=known)


@decides("its two participants differ")
def participants_differ(parties: Parties, clause: str) -> None:
    caller = _member(parties, "callerParticipantId")
    words = "caller and called party have the same participantId"
    _judge(parties, clause, "calleeParticipantId", lambda seen: seen != caller, expected=f"not {caller}", words=words)


@decides("it has no codec")
def has_no_codec(parties: Parties, clause: str) -> None:
    if parties.it is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "there is no callAnswered")
        return
    seen = parties.it.get("codec")
    words = "a call that the action call connected has a codec"
    parties.scenario.check(clause, seen is None, words, expected="none", seen=seen)


@decides("the two have the same ids in all callbacks")
def ids_agree(parties: Parties, clause: str) -> None:
    """The caller's and the called party's, of callNotify, callAnswered and callEvent."""
    told: dict[str, set[str]] = {"caller": set(), "called party": set()}
    for name, event, caller, callee in (
        ("callNotify", "ringing", "remoteParticipantId", "participantId"),
        ("callAnswered", None, "callerParticipantId", "calleeParticipantId"),
        ("callEvent", "callingPartyDrop", "participantId", "remoteParticipantId"),
    ):
        told_of = [members(found) for found in parties.ms.callbacks(name)]
        for body in (body for body in told_of if event is None or body.get("event") == event):
            for who, member in (("caller", caller), ("called party", callee)):
                if body.get(member) is not None:
                    told[who].add(text_of(body[member]))
    words = "a participant has several ids"
    kept = all(len(ids) == 1 for ids in told.values())
    parties.scenario.check(
        clause, kept, words, expected="one each", seen={who: sorted(ids) for who, ids in told.items()}
    )


@decides("its sipResponseCode is {status}")
def response_code_is(parties: Parties, status: str, clause: str) -> None:
    _judge(parties, clause, "sipResponseCode", lambda seen: same_number(seen, status), expected=status)


@decides("callEvent has no sipResponseCode but one of the platform's own")
def response_code_is_own(parties: Parties, clause: str) -> None:
    found = parties.ms.wait("callEvent", event="calledPartyFailure")
    if found is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "there is no callEvent")
        return
    seen = members(found).get("sipResponseCode")
    kept = seen is None or any(same_number(seen, code) for code in _OWN_CODES)
    words = "sipResponseCode tells a final response that nobody sent"
    parties.scenario.check(clause, kept, words, expected="none, 408, 480 or 487", seen=seen)


@decides('its sipReason has the reason "{reason}"')
def reason_is(parties: Parties, reason: str, clause: str) -> None:
    _judge(parties, clause, "sipReason", lambda seen: _reason(seen) == _reason(reason), expected=reason)


@decides("its errorDescr says what went wrong")
def error_told(parties: Parties, clause: str) -> None:
    if parties.it is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "there is no callEvent")
        return
    seen = parties.it.get("errorDescr")
    words = "after a failed set-up there is no errorDescr"
    parties.scenario.check(clause, isinstance(seen, str) and bool(seen.strip()), words, expected="words", seen=seen)


def _take(parties: Parties, name: str, **about: Any) -> bool:
    """Wait for such a callback, which `it` then is; whether it came."""
    found = parties.ms.wait(name, **about)
    parties.it = members(found) if found else None
    return found is not None


def _is_number(parties: Parties, clause: str, member: str, who: str) -> None:
    number = parties.number(who)
    _judge(parties, clause, member, lambda seen: same_phone(seen, number), expected=number)


def _judge(parties: Parties, clause: str, member: str, is_right: Any, *, expected: object, words: str = "") -> None:
    """A member of `it`; whether it must be there is for the payload's schema to say."""
    seen = _member(parties, member)
    if seen is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, f"there is no callback with {member}")
        return
    parties.scenario.check(clause, is_right(seen), words or f"{member} is another one", expected=expected, seen=seen)


def _member(parties: Parties, name: str) -> Any:
    it: Mapping[str, Any] = parties.it or {}
    return it.get(name)


def _reason(value: object) -> tuple[SipReason, ...]:
    """The value of a Reason header, however it is spaced and quoted."""
    return parse_message(f"BYE sip:ringtrue SIP/2.0\r\nReason: {text_of(value)}\r\n\r\n").reasons
