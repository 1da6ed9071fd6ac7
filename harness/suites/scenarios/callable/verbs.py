"""Steps on what verbs do in a call: what is heard, who is called when, and when the call ends."""

from __future__ import annotations

import math
import struct

from pytest_bdd import parsers, when

from harness.drivers.recorder import Answer
from harness.sequences import ORDER_SLACK
from harness.suites.contract.resources import wav
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.callable.calls import COLLEAGUE, DESK, OUTSIDE, Calls
from harness.suites.scenarios.callable.voice import HANG_UP, dial
from harness.suites.scenarios.telephony import Phone
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import SipMessage
from harness.verdicts import Reason

_SOUND_MS = 100
# About so many seconds: what is waited for beyond them, and how much too early is too early.
_LATE, _EARLY = 3.0, 0.5
_LONG_TEXT = ["Please stay on the line until somebody has time to talk to you about your order"] * 4


def _heard(calls: Calls, phone: Phone) -> bool:
    return phone.probe.wait_sound(_SOUND_MS, calls.scenario.plan.target.timing.answer)


@decides("the desk hears it")
def desk_hears(calls: Calls, clause: str) -> None:
    _need_answer(calls)
    words = "what is said is not heard"
    kept = _heard(calls, calls.desk)
    calls.scenario.check(
        clause, kept, words, expected="sound", seen=f"{calls.desk.probe.packets} packets without sound"
    )


def _need_answer(calls: Calls) -> None:
    if not calls.desk.wait_answered():
        raise InconclusiveError(Reason.PRECONDITION, "the call to the desk was not made")


@decides("it comes as RTP, as the desk's answer offered")
def as_rtp(calls: Calls, clause: str) -> None:
    calls.desk.wait_bye()
    received = calls.desk.report.data["received"]
    words = "no audio in a codec of the answer comes to the address of the answer"
    kept = received["codec"] in ("PCMA", "PCMU")
    seen = f"{received['packets']} packets of {received['codecs'] or 'nothing'}"
    calls.scenario.check(clause, kept, words, expected="RTP with PCMA or PCMU", seen=seen)


@when("the colleague rings for a moment and is busy")
def rings_and_declines(calls: Calls) -> None:
    """The moment is longer than what two agents may disagree about, so that what comes too early shows."""
    colleague = calls.phone(COLLEAGUE)
    if not calls.called(colleague) or not colleague.wait_ringing():
        raise InconclusiveError(Reason.PRECONDITION, "the dial verb called nobody")
    calls.pass_time(4 * ORDER_SLACK)
    if colleague.status is None:
        colleague.refuse()


@decides("it is spoken to, then the colleague rings, then it is hung up")
def in_order(calls: Calls, clause: str) -> None:
    """The order of call and hang-up is judged by the call flow; that the colleague waits for the end of the words here."""
    rang = calls.called(calls.phone(COLLEAGUE))
    calls.desk.wait_bye()
    sounds = calls.desk.probe.sounds
    if not rang or not sounds:
        return
    invite = calls.phone(COLLEAGUE).invite
    assert invite is not None
    words = "a dial verb calls before the say verb ahead of it was heard"
    late = sounds[0][0] - invite.at
    calls.scenario.check(
        clause, late <= ORDER_SLACK, words, expected="words first", seen=f"{late:.1f} s after the call"
    )


@when("the desk rings for a while and then answers")
def rings_and_answers(calls: Calls) -> None:
    if not calls.desk.wait_ringing():
        raise InconclusiveError(Reason.PRECONDITION, "the desk was not called")
    calls.pass_time(calls.quiet)  # also when the colleague is called meanwhile: before the answer for every observer
    calls.desk.answer()


@decides("the colleague rings then, and not before")
def rings_then(calls: Calls, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    calls.called(calls.phone(COLLEAGUE))


@decides("the colleague does not ring, as there was no answer")
def not_rung_unanswered(calls: Calls, clause: str) -> None:
    """Judged by the call flow, with the call before as its positive control."""
    del clause
    if calls.desk.wait_final() is None:
        raise InconclusiveError(Reason.PRECONDITION, "the desk was not called")
    calls.phone(COLLEAGUE).wait_called(calls.quiet + 0.1)


@when("the desk is called and hangs up while it is spoken to")
def hangs_up(calls: Calls) -> None:
    verbs = [{"say": {"text": _LONG_TEXT}}, dial(calls, COLLEAGUE)]
    calls.order(calls.target(DESK), verbs, to=DESK, cut_short=True)
    _need_answer(calls)
    _heard(calls, calls.desk)
    if calls.phone(COLLEAGUE).invite is not None:
        raise InconclusiveError(Reason.PRECONDITION, "the words were over before the desk could hang up")
    calls.desk.hang_up()


@decides("the colleague does not ring, as the call is over")
def not_rung_after(calls: Calls, clause: str) -> None:
    """Judged by the call flow, with the call before as its positive control."""
    del clause
    calls.phone(COLLEAGUE).wait_called(calls.quiet + 0.1)


@decides("both hear each other")
def both_hear(calls: Calls, clause: str) -> None:
    hear_each_other(calls, clause, (calls.desk, calls.phone(OUTSIDE)))


def hear_each_other(calls: Calls, clause: str, pair: tuple[Phone, Phone]) -> None:
    """Have both speak, one after the other, and say whether the other hears it."""
    for phone in pair:
        if not phone.wait_answered():
            raise InconclusiveError(Reason.PRECONDITION, f"{phone.name} has no call that is up")
    for speaker, listener in (pair, pair[::-1]):
        before = listener.probe.sound_ms
        speaker.speak()
        kept = listener.probe.wait_sound(before + _SOUND_MS, calls.scenario.plan.target.timing.answer)
        speaker.be_silent()
        words = f"of two who are connected, {_role(listener)} does not hear {_role(speaker)}"
        calls.scenario.check(clause, kept, words, expected="sound", seen=f"{listener.probe.packets} packets without it")


def _role(phone: Phone) -> str:
    return phone.name.partition("-")[0]


@when(parsers.re(f"the (?P<role>{DESK}|{OUTSIDE}) hangs up when they are connected"))
def one_hangs_up(calls: Calls, role: str) -> None:
    for phone in (calls.desk, calls.phone(OUTSIDE)):
        if not phone.wait_answered():
            raise InconclusiveError(Reason.PRECONDITION, f"{phone.name} has no call that is up")
    calls.phone(role).hang_up()


@decides("the {role} is hung up too")
def other_hung_up(calls: Calls, clause: str, role: str) -> None:
    """Judged by the call flow."""
    del clause
    calls.phone(role).wait_bye()


@decides("it rings for about {seconds} second")
def rings_for(calls: Calls, clause: str, seconds: str) -> None:
    phone, limit = calls.phone(OUTSIDE), float(seconds)
    if not calls.called(phone):
        raise InconclusiveError(Reason.PRECONDITION, "the dial verb called nobody")
    phone.wait_cancelled(limit + _LATE)
    _lasted(
        calls, clause, limit, _first(phone, "INVITE "), _first(phone, "CANCEL "), "an attempt of a dial verb rings on"
    )


@decides("they are connected for about {seconds} second")
def connected_for(calls: Calls, clause: str, seconds: str) -> None:
    phone, limit = calls.phone(OUTSIDE), float(seconds)
    if not phone.wait_answered():
        raise InconclusiveError(Reason.PRECONDITION, "the dial verb connected nobody")
    phone.wait_bye(limit + _LATE)
    _lasted(calls, clause, limit, _first(phone, "ACK "), phone.bye, "a connection of a dial verb goes on")


def _lasted(
    calls: Calls, clause: str, limit: float, begin: SipMessage | None, end: SipMessage | None, goes_on: str
) -> None:
    assert begin is not None
    seen = f"{end.at - begin.at:.1f} s" if end else f"more than {limit + _LATE:g} s"
    kept = end is not None and limit - _EARLY <= end.at - begin.at <= limit + _LATE
    words = f"{goes_on} after its time" if end is None or end.at - begin.at > limit else f"{goes_on} less than its time"
    calls.scenario.check(clause, kept, words, expected=f"about {limit:g} s", seen=seen)


def _first(phone: Phone, beginning: str) -> SipMessage | None:
    return next((one for one in phone.messages if one.start_line.startswith(beginning)), None)


@when("the desk is called to hear a sound file of the recorder")
def call_to_play(calls: Calls) -> None:
    recorder = calls.scenario.recorder
    route = recorder.route(recorder.unique("sounds"), Answer(headers={"Content-Type": "audio/wav"}, body=_tone()))
    calls.order(calls.target(DESK), [{"play": {"url": route.url}}, HANG_UP], to=DESK)


def _tone() -> bytes:
    """Half a second of 400 Hz as a WAV file."""
    samples = (round(10_000 * math.sin(2 * math.pi * 400 * moment / 8000)) for moment in range(4000))
    return wav(b"".join(struct.pack("<h", sample) for sample in samples))


@decides("the desk hears the sound file")
def hears_file(calls: Calls, clause: str) -> None:
    _need_answer(calls)
    words = "the sound file of a play verb is not heard"
    kept = _heard(calls, calls.desk)
    calls.scenario.check(
        clause, kept, words, expected="sound", seen=f"{calls.desk.probe.packets} packets without sound"
    )


@when("the desk is called to enter a digit, and then the colleague")
def call_to_gather(calls: Calls) -> None:
    gather = {"gather": {"maxDigits": 1, "timeout": 5, "finishOnKey": "#"}}
    calls.order(calls.target(DESK), [gather, dial(calls, COLLEAGUE)], to=DESK)


@decides("the colleague rings when the digit was entered, and not before")
def gathers(calls: Calls, clause: str) -> None:
    _need_answer(calls)
    colleague = calls.phone(COLLEAGUE)
    words = "the verb after a gather verb runs before any digit was entered"
    if not calls.scenario.check(
        clause, not colleague.wait_called(calls.quiet), words, expected="nothing yet", seen="a call to the colleague"
    ):
        return
    calls.desk.press("5")
    words = "the verb after a gather verb does not run when the digits were entered"
    calls.scenario.check(clause, calls.called(colleague), words, expected="a call to the colleague", seen="none")


@decides("the call of the desk is ended")
def is_ended(calls: Calls, clause: str) -> None:
    _need_answer(calls)
    words = "a reject verb does not end a call that was answered"
    calls.scenario.check(clause, calls.desk.wait_bye() is not None, words, expected="BYE", seen="none")


@when("the desk is called and redirected to verbs of the recorder that call the colleague")
def call_to_redirect(calls: Calls) -> None:
    recorder = calls.scenario.recorder
    calls.site.route = recorder.route(recorder.unique("verbs"), Answer(json=[dial(calls, COLLEAGUE)]))
    calls.order(calls.target(DESK), [{"redirect": {"url": calls.site.route.url}}], to=DESK)


@decides("the verbs are fetched and the colleague rings")
def redirected(calls: Calls, clause: str) -> None:
    _need_answer(calls)
    kept = calls.called(calls.phone(COLLEAGUE))
    assert calls.site.route is not None
    seen = "no call" if calls.site.route.callbacks else "the verbs were not fetched"
    words = "a redirect verb does not go on with the verbs of its URL"
    calls.scenario.check(clause, kept, words, expected="a call to the colleague", seen=seen)
