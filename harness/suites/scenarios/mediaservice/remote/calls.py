"""Steps on calls to the cloud SIP user agent: announced, rung, answered and hung up by operations, or by their twins.

The operations take the replyId that newRemoteCall brought; "the call" is the latest one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_bdd import given, parsers, when

from harness.checks.evidence import seen_answer
from harness.checks.flows.values import same_uri
from harness.checks.sip import Message, parse_message
from harness.checks.sip_sdp import Media
from harness.sequences import ORDER_SLACK
from harness.suites.contract.values import UNKNOWN_ID
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.blame import says_success
from harness.suites.scenarios.mediaservice.remote.devices import (
    Device,
    audio_in,
    crypto_offer,
    key,
    told_member,
    voice_codecs,
)
from harness.suites.scenarios.mediaservice.world import USER_AGENT, Call, World, members
from harness.suites.scenarios.telephony import is_success, statuses
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import Callback, HttpExchange
from harness.verdicts import Reason

OPERATIONS = {
    "sendremotecallringback": "sendRemoteCallRingback",
    "answerremotecall": "answerRemoteCall",
    "hangupcall": "hangupCall",
    "placeremotecall": "placeRemoteCall",
}
OPERATIONS |= {f"{name}jwt": f"{operation}Jwt" for name, operation in OPERATIONS.items()}
_BUSY = (486, 600)
_CRYPTO = {"the caller": key(1), "the device": key(101)}
_WHICH = r"(?P<which>the call|the first call|the second call)"


class RemoteCalls:
    """What a scenario tried with remote calls: its operations, and the device of the latest answer."""

    def __init__(self) -> None:
        self.referenced = True
        self.device: Device | None = None
        self.exchanges: list[HttpExchange] = []
        self.unknown: HttpExchange | None = None


@pytest.fixture
def remote() -> RemoteCalls:
    """What the scenario has tried with remote calls."""
    return RemoteCalls()


@given("no sessionReferenceId is given")
def gives_no_reference(remote: RemoteCalls) -> None:
    remote.referenced = False


@when("a caller calls the user agent")
def call_user_agent(ms: World, remote: RemoteCalls) -> None:
    _dial(ms, remote)


@when("a caller with crypto calls the user agent")
def call_with_crypto(ms: World, remote: RemoteCalls) -> None:
    _dial(ms, remote, crypto_offer(_CRYPTO["the caller"]))


def _dial(ms: World, remote: RemoteCalls, body: str | None = None) -> None:
    call = ms.dial(USER_AGENT, body=body, reference="" if remote.referenced else None)
    ms.wait("newRemoteCall", call=call)


@when("hangupcall is sent with a replyId that never was")
def hang_up_nobody(ms: World, remote: RemoteCalls) -> None:
    remote.unknown = ms.operate("hangupCall", expect=False, replyId=UNKNOWN_ID)


@when(parsers.re(rf"(?P<operation>(sendremotecallringback|hangupcall)(jwt)?) is sent for {_WHICH}"))
def operate(ms: World, remote: RemoteCalls, operation: str, which: str) -> None:
    _operate(ms, remote, operation, which)


@when(
    parsers.re(
        rf"(?P<operation>answerremotecall(jwt)?) is sent for {_WHICH}, "
        r"with a device that takes (?P<codec>PCM[AU])(?P<crypto>( and has crypto)?)"
    )
)
def answer(ms: World, remote: RemoteCalls, operation: str, which: str, codec: str, crypto: str) -> None:
    remote.device = Device(codec, key=_CRYPTO["the device"] if crypto else None)
    given = dict(remote.device.members)
    if remote.referenced:
        _let_settle(ms, _call(ms, which))
        _call(ms, which).reference = given["sessionReferenceId"] = ms.name("answered-")
    _operate(ms, remote, operation, which, **given)


def _let_settle(ms: World, call: Call) -> None:
    """Wait until the reference in the answer to newRemoteCall is taken: of two within a moment either may be the later."""
    told = ms.wait("newRemoteCall", call=call)
    if told is not None:
        clock = ms.scenario.timeline.clock
        time.sleep(max(0.0, (told.ended or told.at) + 2 * ORDER_SLACK - clock.now()))


@decides("newRemoteCall announces the call")
def is_announced(ms: World, clause: str) -> None:
    words = "a call to the user agent is not announced"
    told = ms.wait("newRemoteCall", call=ms.call)
    ms.scenario.check(clause, told is not None, words, expected="newRemoteCall", seen="nothing")


@decides("its callId is the Call-ID of the INVITE")
def has_call_id(ms: World, clause: str) -> None:
    _same(ms, clause, "callId", _invite(ms.call).call_id)


@decides("its destinationUri is what the caller dialled")
def has_destination(ms: World, clause: str) -> None:
    dialled = _invite(ms.call).request_uri
    assert dialled is not None
    seen = _told(ms, "destinationUri")
    words = "destinationUri is not the request-URI of the call"
    ms.scenario.check(clause, same_uri(str(seen), dialled.text), words, expected=dialled.text, seen=seen)


@decides("its sourceUser is the caller's number")
def has_source(ms: World, clause: str) -> None:
    _same(ms, clause, "sourceUser", _invite(ms.call).from_user)


@decides("its codec is one that the caller offers")
def has_codec(ms: World, clause: str) -> None:
    seen, offered = _told(ms, "codec"), _offer(ms).codecs
    words = "codec is none that the call offers"
    ms.scenario.check(clause, str(seen).upper() in offered, words, expected=" or ".join(offered), seen=seen)


@decides("its remoteRtpIp is the address of the caller's sound")
def has_address(ms: World, clause: str) -> None:
    _same(ms, clause, "remoteRtpIp", _offer(ms).address)


@decides("its remoteRtpPort is the port of the caller's sound")
def has_port(ms: World, clause: str) -> None:
    _same(ms, clause, "remoteRtpPort", _offer(ms).port)


@decides("its telephoneEventPayloadType is the one of the caller's keys")
def has_event(ms: World, clause: str) -> None:
    _same(ms, clause, "telephoneEventPayloadType", _offer(ms).telephone_event)


@decides("newRemoteCall lists the crypto that the caller offers")
def lists_crypto(ms: World, clause: str) -> None:
    seen = _told(ms, "crypto")
    listed = [one for one in seen if isinstance(one, Mapping)] if isinstance(seen, list) else []
    found = [(str(one.get("id")), one.get("suite"), one.get("config")) for one in listed]
    offered = [(one.tag, one.suite, one.config) for one in _offer(ms).cryptos]
    words = "crypto does not list the crypto attributes of the call"
    ms.scenario.check(clause, sorted(found, key=str) == offered, words, expected=offered, seen=seen)


@decides("the call is refused")
def is_refused(ms: World, remote: RemoteCalls, clause: str) -> None:
    status = ms.call.phone.wait_final()
    words = "hangupcall does not refuse a call that waits"
    kept = (status or 0) >= 400 or _expect_done(remote)
    ms.scenario.check(clause, kept, words, expected="a refusal", seen=status or "no final answer")


@decides("it is refused with 486 or 600")
def is_busy(ms: World, clause: str) -> None:
    status = ms.call.phone.status
    if status is None or status < 400:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the call was not refused")
    words = "the refusal by hangupcall does not say busy"
    ms.scenario.check(clause, status in _BUSY, words, expected="486 or 600", seen=status)


@decides("the replyId that never was is refused, and the other is not")
def unknown_refused(ms: World, remote: RemoteCalls, clause: str) -> None:
    _expect_done(remote)
    assert remote.unknown is not None
    response = remote.unknown.response
    if response is None:
        raise InconclusiveError(Reason.UNREACHABLE, remote.unknown.failure or "no answer")
    refused = 400 <= response.status < 500 or (response.status < 300 and not says_success(remote.unknown))
    words = "hangupcall with a replyId that never was is answered with success"
    seen = seen_answer(remote.unknown)
    ms.scenario.check(clause, refused, words, expected="success false, or 4xx", seen=seen, at=remote.unknown)


@decides("nobody answered the call")
def is_not_answered(ms: World, clause: str) -> None:
    answers = [code for code in statuses(ms.call.phone.messages, "INVITE") if 200 <= code < 300]
    words = "a call is answered although no operation said so"
    ms.scenario.check(clause, not answers, words, expected="no answer", seen=answers)


@decides("the call was announced once")
def is_announced_once(ms: World, clause: str) -> None:
    came = len(ms.callbacks("newRemoteCall", call=ms.call))
    if not came:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the call was not announced at all")
    words = "one call is announced several times"
    ms.scenario.check(clause, came == 1, words, expected="once", seen=f"{came} times")


@decides("the caller hears ringing")
def hears_ringing(ms: World, remote: RemoteCalls, clause: str) -> None:
    words = "the caller gets no ringing progress"
    rings = ms.call.phone.wait_ringing() or _expect_done(remote)
    ms.scenario.check(clause, rings, words, expected="a provisional answer", seen=_answers(ms.call) or "none")


@decides("the ringing is 180 or 183")
def is_usual_ringing(ms: World, clause: str) -> None:
    rung = [code for code in _answers(ms.call) if 180 <= code < 200]
    if not rung:
        raise InconclusiveError(Reason.NO_EVIDENCE, "there was no ringing progress")
    words = "the ringing progress is neither 180 nor 183"
    ms.scenario.check(clause, bool({180, 183} & {*rung}), words, expected="180 or 183", seen=rung)


@decides("the application has answered the call")
def is_answered(ms: World, remote: RemoteCalls, clause: str) -> None:
    words = "the caller is not answered"
    answered = ms.call.phone.wait_answered() or _expect_done(remote)
    ms.scenario.check(clause, answered, words, expected=200, seen=_answers(ms.call) or "nothing")


@decides("the answer has the codec {codec}")
def answered_with_codec(ms: World, codec: str, clause: str) -> None:
    seen = voice_codecs(_answer_media(ms))
    words = "the SDP of the answer has other codecs than the one that was given"
    ms.scenario.check(clause, seen == (codec,), words, expected=codec, seen=seen)


@decides("the answer has the {member} of the device")
def answered_with_member(ms: World, remote: RemoteCalls, member: str, clause: str) -> None:
    assert remote.device is not None
    told_member(ms.scenario, clause, _answer_media(ms), remote.device, member)


@decides("the caller is hung up by the application")
def is_hung_up(ms: World, remote: RemoteCalls, clause: str) -> None:
    words = "hangupcall does not end a call that was answered"
    ended = ms.call.phone.wait_bye() is not None or _expect_done(remote)
    ms.scenario.check(clause, ended, words, expected="a BYE", seen="none")


@decides("the replyId of newRemoteCall was accepted")
def reply_accepted(ms: World, remote: RemoteCalls, clause: str) -> None:
    refused = [one for one in remote.exchanges if not says_success(one)]
    words = "an operation on a call does not accept the replyId of its newRemoteCall"
    shown = refused[0] if refused else remote.exchanges[-1]
    ms.scenario.check(clause, not refused, words, expected="success true", seen=seen_answer(shown), at=shown)


@decides("what was carried out was answered with success true")
def says_so(ms: World, remote: RemoteCalls, clause: str) -> None:
    words = "an operation that was carried out is not answered with success true"
    for exchange in remote.exchanges:
        seen = seen_answer(exchange)
        ms.scenario.check(clause, says_success(exchange), words, expected="success true", seen=seen, at=exchange)


@decides("the session of the call is completed")
def is_completed(ms: World, clause: str) -> None:
    told = ms.wait("sessionCompleted", call=ms.call)
    words = "after the end of a call its session is not completed"
    ms.scenario.check(clause, told is not None, words, expected="sessionCompleted", seen="nothing")


@decides("the sessionReferenceId comes back")
def comes_back(ms: World, clause: str) -> None:
    given, seen = ms.call.reference, ms.need("sessionCompleted", call=ms.call).get("sessionReferenceId")
    words = "the latest sessionReferenceId that was given does not come back"
    ms.scenario.check(clause, given == seen, words, expected=given, seen=seen)


@decides("no sessionReferenceId comes")
def comes_not(ms: World, clause: str) -> None:
    ms.need("sessionCompleted", call=ms.call)
    told = [members(one) for one in ms.scenario.timeline.of(Callback)]
    seen = [value for one in told if (value := one.get("sessionReferenceId")) not in (None, "", {}, [])]
    words = "a sessionReferenceId comes that nobody gave"
    ms.scenario.check(clause, not seen, words, expected="none, or empty", seen=seen)


def _operate(ms: World, remote: RemoteCalls, name: str, which: str, **given: Any) -> None:
    reply = ms.need("newRemoteCall", call=_call(ms, which)).get("replyId")
    remote.exchanges.append(ms.operate(OPERATIONS[name], replyId=reply, **given))


def _call(ms: World, which: str) -> Call:
    return {"the first call": ms.calls[0], "the second call": ms.calls[-1]}.get(which, ms.call)


def _expect_done(remote: RemoteCalls) -> bool:
    """False for an operation that says it was done; what one that was refused should have done cannot be decided."""
    if not says_success(remote.exchanges[-1]):
        words = f"the operation was refused: {seen_answer(remote.exchanges[-1])}"
        raise InconclusiveError(Reason.PRECONDITION, words)
    return False


def _told(ms: World, member: str) -> Any:
    return ms.need("newRemoteCall", call=ms.call).get(member)


def _same(ms: World, clause: str, member: str, expected: object) -> None:
    seen = _told(ms, member)
    words = f"{member} is not that of the call"
    ms.scenario.check(clause, str(seen) == str(expected), words, expected=expected, seen=seen)


def _invite(call: Call) -> Message:
    if call.phone.invite is None:
        raise InconclusiveError(Reason.PRECONDITION, "the caller could not call")
    return parse_message(call.phone.invite.text)


def _offer(ms: World) -> Media:
    ms.call.phone.wait_called()
    media = audio_in(ms.call.phone.invite)
    if media is None:
        raise InconclusiveError(Reason.PRECONDITION, "the caller could not call")
    return media


def _answer_media(ms: World) -> Media:
    ms.call.phone.wait_final()
    answers = [one for one in ms.call.phone.messages if one.direction == "in" and is_success(one, "INVITE")]
    media = audio_in(answers[0]) if answers else None
    if media is None:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the call was not answered with an SDP that has sound")
    return media


def _answers(call: Call) -> list[int]:
    return statuses(call.phone.messages, "INVITE")
