"""Steps on calls that operations place: for a device of the application, and for the IVR.

A call for a device has a callback base and a reference of its own, by which what is told of it is known.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_bdd import parsers, when

from harness.checks.evidence import seen_answer
from harness.checks.flows.values import same_uri
from harness.checks.sip import Message, parse_message
from harness.checks.sip_sdp import Media
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.calls import members_of
from harness.suites.scenarios.mediaservice.remote.devices import Device, audio_in, key, told_member, voice_codecs
from harness.suites.scenarios.mediaservice.world import World, members, name_of
from harness.suites.scenarios.telephony import is_success
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import Callback
from harness.verdicts import Reason

_OPERATIONS = {"placeremotecall": "placeRemoteCall", "placeremotecalljwt": "placeRemoteCallJwt"}
_PHONE = r"(?P<name>bob|carol)"
_MAY_FOLLOW = ("sessionCompleted", "recordingReady", "alarm")


class PlacedCall:
    """The latest call that a scenario had placed: what was given for it."""

    def __init__(self) -> None:
        self.count = 0
        self.device = Device("PCMA")
        self.source = ""
        self.reference: Any = ""
        self.base = ""

    def begin(self, ms: World) -> None:
        """Count a call that is about to be placed."""
        if self.count:
            ms.scenario.timeline.note("several-calls", "another call is placed beside the first")
        self.count += 1


@pytest.fixture
def placed() -> PlacedCall:
    """What was given for the latest call."""
    return PlacedCall()


@when(
    parsers.re(
        rf"(?P<operation>placeremotecall(jwt)?) is sent to call {_PHONE}, "
        r"with a device that takes (?P<codec>PCMA|PCMU|GSM)(?P<crypto>( and has crypto)?)"
    )
)
def place(ms: World, placed: PlacedCall, operation: str, name: str, codec: str, crypto: str) -> None:
    placed.begin(ms)
    placed.device = Device(codec, key=key(101) if crypto else None)
    placed.source, placed.reference = ms.name("desk"), ms.name(f"placed{placed.count}-")
    recorder = ms.scenario.recorder
    placed.base = recorder.url(recorder.unique("calls"))
    ms.operate(
        _OPERATIONS[operation],
        destinationUri=ms.phones[name].uri,
        sourceUser=placed.source,
        sessionReferenceId=placed.reference,
        callbackBaseUrl=placed.base,
        **placed.device.members,
    )
    _expect_placed(ms, name)


@when(parsers.re(rf"placeivrcall is sent to call {_PHONE} with"))
def place_for_ivr(ms: World, placed: PlacedCall, name: str, datatable: list[list[str]]) -> None:
    """With these members, and with an object for sessionReferenceId, as its table says."""
    placed.begin(ms)
    placed.reference = {"ringtrue": ms.name(f"placed{placed.count}-")}
    given_members = members_of(ms, datatable)
    ms.operate("placeIvrCall", destAddr=ms.phones[name].uri, sessionReferenceId=placed.reference, **given_members)
    _expect_placed(ms, name)


@when("hangupcall is sent with the replyId of callAnswered")
def hang_up(ms: World) -> None:
    ms.operate("hangupCall", replyId=ms.need("callAnswered").get("replyId"))


@decides("{name} is called at the address that was given")
def called_at_address(ms: World, name: str, clause: str) -> None:
    ms.phones[name].wait_called()
    invite = _invite(ms, name)
    given, seen = ms.phones[name].uri, invite.request_uri.text if invite and invite.request_uri else "no call"
    words = "the address that was given is not called"
    ms.scenario.check(clause, same_uri(seen, given), words, expected=given, seen=seen)


@decides("{name} is called as it was asked for")
def called_as_asked(ms: World, placed: PlacedCall, name: str, clause: str) -> None:
    """What the twin does is what the operation does: the same caller, and the same media."""
    invite, media = _invite(ms, name), audio_in(ms.phones[name].invite)
    seen = (invite and invite.from_user, media and media.address, media and media.port)
    asked = (placed.source, placed.device.host, placed.device.port)
    words = "the call of the twin is not the one that it was asked for"
    ms.scenario.check(clause, seen == asked, words, expected=asked, seen=seen if invite else "no call")


@decides("{name} sees the sourceUser that was given")
def sees_source(ms: World, placed: PlacedCall, name: str, clause: str) -> None:
    seen = _needed_invite(ms, name).from_user
    words = "the user part of From is not the sourceUser"
    ms.scenario.check(clause, seen == placed.source, words, expected=placed.source, seen=seen)


@decides("{name|bob|carol|dave} is offered the codec {codec|PCMA|PCMU|GSM}")
def offered_codec(ms: World, name: str, codec: str, clause: str) -> None:
    seen = voice_codecs(_offer(ms, name))
    words = "the SDP of the INVITE has other codecs than the one that was given"
    ms.scenario.check(clause, seen == (codec,), words, expected=codec, seen=seen)


@decides("{name|bob|carol|dave} is offered the {member} of the device")
def offered_member(ms: World, placed: PlacedCall, name: str, member: str, clause: str) -> None:
    told_member(ms.scenario, clause, _offer(ms, name), placed.device, member)


@decides("{callback} comes when {name} has answered, and not before")
def told_of_answer(ms: World, callback: str, name: str, clause: str) -> None:
    answers = [one.at for one in ms.phones[name].messages if one.direction == "out" and is_success(one, "INVITE")]
    if not answers:
        raise InconclusiveError(Reason.PRECONDITION, f"{name} was not called, or could not answer")
    told = ms.wait(callback)
    words = f"{callback} does not come when a call is answered" if told is None else f"{callback} comes too early"
    kept = told is not None and told.at >= min(answers) - ms.scenario.slack
    seen = "nothing" if told is None else f"{min(answers) - told.at:.3f} s before"
    ms.scenario.check(clause, kept, words, expected="after the answer", seen=seen)


@decides("{name}, who refuses, gets neither callAnswered nor getIvrCommand")
def told_of_no_answer(ms: World, placed: PlacedCall, name: str, clause: str) -> None:
    """The end of the session shows that callbacks of it come."""
    _needed_invite(ms, name)
    ms.need("sessionCompleted", placed.count)
    words = "a placed call that is refused is told of as if it were answered"
    _no_answer_told(ms, clause, ms.phones[name].name, placed, words)


@decides("neither callAnswered nor getIvrCommand came while {name} rang")
def told_of_no_answer_yet(ms: World, placed: PlacedCall, name: str, clause: str) -> None:
    """The end of the session shows that callbacks of it come."""
    ms.need("sessionCompleted", placed.count)
    words = "a placed call is told of as if it were answered while it rings"
    _no_answer_told(ms, clause, ms.phones[name].name, placed, words)


@decides("it comes below the callbackBaseUrl that was given")
def below_base(ms: World, placed: PlacedCall, clause: str) -> None:
    ms.need("callAnswered")
    base = urlsplit(placed.base).path.rpartition("/")[2]
    seen = [urlsplit(one.request.url).path for one in ms.scenario.timeline.of(Callback)]
    words = "a callback of the call does not go below its callbackBaseUrl"
    elsewhere = [path for path in seen if base not in path.split("/")]
    ms.scenario.check(clause, not elsewhere, words, expected=f"…/{base}/…", seen=elsewhere)


@decides("the replyId of callAnswered was accepted")
def reply_accepted(ms: World, clause: str) -> None:
    words = "hangupcall does not accept the replyId of callAnswered"
    ms.scenario.check(clause, ms.done, words, expected="success true", seen=_seen(ms), at=ms.last)


@decides("{name} is hung up by it")
def is_hung_up(ms: World, name: str, clause: str) -> None:
    ended = ms.phones[name].wait_bye() is not None
    if not ended and not ms.done:
        raise InconclusiveError(Reason.PRECONDITION, f"the operation was refused: {_seen(ms)}")
    words = "the operation does not end the call"
    ms.scenario.check(clause, ended, words, expected="a BYE", seen="none")


@decides("sessionCompleted comes, and comes once")
def completed_once(ms: World, clause: str) -> None:
    ms.need("sessionCompleted")
    ms.quiet()
    came = len(ms.callbacks("sessionCompleted"))
    words = "sessionCompleted comes more than once for a session"
    ms.scenario.check(clause, came == 1, words, expected="once", seen=f"{came} times")


@decides("no other callback of the session follows")
def completed_last(ms: World, clause: str) -> None:
    """Judged when it may be believed that nothing more comes."""
    done = ms.wait("sessionCompleted")
    if done is None:
        raise InconclusiveError(Reason.NO_EVIDENCE, "sessionCompleted did not come")
    late = [
        name_of(one)
        for one in ms.scenario.timeline.of(Callback)
        if one.at > done.at + ms.scenario.slack and name_of(one) not in _MAY_FOLLOW
    ]
    words = "a callback of the session follows after sessionCompleted"
    ms.scenario.check(clause, not late, words, expected="none", seen=late)


@decides("the sessionReferenceId of the operation comes back")
def reference_comes_back(ms: World, placed: PlacedCall, clause: str) -> None:
    seen = ms.need("sessionCompleted").get("sessionReferenceId")
    words = "the sessionReferenceId that was given does not come back"
    ms.scenario.check(clause, seen == placed.reference, words, expected=placed.reference, seen=seen)


def _no_answer_told(ms: World, clause: str, called: str, placed: PlacedCall, words: str) -> None:
    seen = [
        name
        for name in ("callAnswered", "getIvrCommand")
        for one in ms.callbacks(name)
        if members(one).get("sessionReferenceId") == placed.reference or called in str(members(one))
    ]
    ms.scenario.check(clause, not seen, words, expected="neither", seen=seen)


def _expect_placed(ms: World, name: str) -> None:
    if not ms.done:
        raise InconclusiveError(Reason.PRECONDITION, f"no call could be placed: {_seen(ms)}")
    ms.phones[name].wait_called()


def _invite(ms: World, name: str) -> Message | None:
    found = ms.phones[name].invite
    return parse_message(found.text) if found else None


def _needed_invite(ms: World, name: str) -> Message:
    found = _invite(ms, name)
    if found is None:
        raise InconclusiveError(Reason.PRECONDITION, f"{name} was not called")
    return found


def _offer(ms: World, name: str) -> Media:
    media = audio_in(ms.phones[name].invite)
    if media is None:
        raise InconclusiveError(Reason.PRECONDITION, f"{name} was not called, or offered no sound")
    return media


def _seen(ms: World) -> str:
    assert ms.last is not None
    return seen_answer(ms.last)
