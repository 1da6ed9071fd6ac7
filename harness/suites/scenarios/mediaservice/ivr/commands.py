"""Steps on the commands of the IVR: phrases, waiting, the background prompt, the end, interruptions.

What the call flows of `sequences/ivr.yaml` judge is judged from the timeline: the steps here wait for what they look at, and
judge what is heard.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from pytest_bdd import given, when

from harness.drivers.recorder import Answer, Route
from harness.suites.contract.resources import wav
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.calls import members_of
from harness.suites.scenarios.mediaservice.ivr.sessions import SLACK, Ivr
from harness.suites.scenarios.mediaservice.world import IVR, World, members, tone
from harness.suites.scenarios.vocabulary import decides, step_pattern
from harness.verdicts import Reason

# How much longer than usual a background prompt may be heard after the command that ends it; seconds.
_FADES = 1.0
# How long a phrase may still be heard after it was interrupted, and for how long there must be silence then; seconds.
_STOPS = 0.5
_PITCH = 1300


@pytest.fixture
def ivr(ms: World) -> Ivr:
    """The scenario's callers in the IVR."""
    return Ivr(ms)


@pytest.fixture
def sound() -> list[Route]:
    """Where the recorder serves a sound."""
    return []


@given("the prompts")
def given_prompts(ivr: Ivr, datatable: list[list[str]]) -> None:
    """Name, pitch and length of each."""
    for name, pitch, length in datatable:
        ivr.add(name, int(pitch.removesuffix("Hz")), float(length.removesuffix("s")))


@given("a sound at a URL")
def given_sound(ms: World, sound: list[Route]) -> None:
    recorder = ms.scenario.recorder
    data = wav(tone(_PITCH, 0.3))
    path = recorder.unique("sounds") + "/back.wav"
    sound.append(recorder.route(path, Answer(headers={"Content-Type": "audio/wav"}, body=data), method="GET"))
    ms.meant["url"] = sound[0].url


@given("getIvrCommand is answered for each call with")
@given("then for each call with")
def answer_each_call(ms: World, ivr: Ivr, datatable: list[list[str]]) -> None:
    ivr.each.append(members_of(ms, datatable))


@when(step_pattern("a caller calls the IVR and hears {name} begin"))
@when(step_pattern("another caller calls the IVR and hears {name} begin"))
def call_and_hear(ms: World, ivr: Ivr, name: str) -> None:
    ivr.need_tone(name, ms.dial(IVR, answers={"getIvrCommand": list(ivr.each)}))


@when(step_pattern("the caller hears {name} begin"))
def hears_begin(ivr: Ivr, name: str) -> None:
    ivr.need_tone(name)


@when("the command of the first call is interrupted")
def interrupt_first(ms: World, ivr: Ivr) -> None:
    asked = members(ivr.need_command(1, ms.calls[0]))
    ms.operate("interruptIvrCommand", replyId=asked.get("replyId"), sessionId=asked.get("sessionId"))
    ivr.interrupted = ms.scenario.timeline.clock.now()


@decides("the caller hears something")
def hears_something(ms: World, clause: str) -> None:
    limit = ms.scenario.plan.target.timing.callback
    heard = ms.call.phone.probe.wait_sound(60, limit)
    words = "of the phrases of a command nothing is heard"
    seen = f"{ms.call.phone.probe.packets} packets without sound"
    ms.scenario.check(clause, heard, words, expected="sound", seen=seen)


@decides("the caller hears the prompt {name|low|high|back}")
def hears_prompt(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    if not ms.call.phone.probe.wait_sound(60, ms.scenario.plan.target.timing.callback):
        raise InconclusiveError(Reason.NO_EVIDENCE, "nothing is heard")
    heard = ivr.wait_tone(name)
    words = "what is heard is not the file that a phrase names"
    seen = [round(one.hertz) for one in ms.call.phone.probe.tones]
    ms.scenario.check(clause, heard is not None, words, expected=f"{ivr.prompts[name].hertz} Hz", seen=f"{seen} Hz")


@decides("the caller hears the prompt {second} after {first}")
def hears_after(ms: World, ivr: Ivr, clause: str, second: str, first: str) -> None:
    before, after = ivr.need_tone(first), ivr.wait_tone(second)
    if clause == "MS-phrases-in-order" and after is None:
        ms.scenario.undecided(clause, Reason.NO_EVIDENCE, f"the prompt {second} is not heard")
        return
    kept = after is not None and after.begin > before.begin
    words = f"the prompt {second} is not heard after {first}"
    seen = "not at all" if after is None else f"{before.begin - after.begin:.2f} s before"
    ms.scenario.check(clause, kept, words, expected=f"{second} after {first}", seen=seen)


@decides("a second command is asked for")
def second_command(ms: World, ivr: Ivr, clause: str) -> None:
    ivr.need_command(1)
    lasts = sum(one.seconds for one in ivr.prompts.values())
    found = ivr.wait_command(2, later=lasts)
    words = "when a command without hangup is done, no other is asked for"
    ms.scenario.check(clause, found is not None, words, expected="getIvrCommand", seen="none", at=found)


@decides("that is not before the prompt {name} is over")
def not_before_end(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    """All prompts are played one after the other; the one named is the last of them."""
    whole = sum(one.seconds for one in ivr.prompts.values())
    second = ivr.need_command(2, later=whole)
    expected = min(ivr.need_tone(one).begin for one in ivr.prompts if one != name) + whole
    words = "the next command is asked for while a phrase still plays"
    kept = second.at >= expected - SLACK
    seen = f"{expected - second.at:.2f} s before"
    ms.scenario.check(clause, kept, words, expected="after the phrases", seen=seen, at=second)


@decides("the sound is PCMA or PCMU, as the caller offered")
def codec_offered(ms: World, clause: str) -> None:
    media = ms.call.phone.media
    if media is None:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the IVR's answer has no SDP")
    codecs = [codec for codec in media.codecs.values() if codec not in ("TELEPHONE-EVENT", "CN")]
    kept = bool(codecs) and set(codecs) <= {"PCMA", "PCMU"}
    words = "the IVR answers with a codec that the caller did not offer"
    ms.scenario.check(clause, kept, words, expected="PCMA or PCMU", seen=codecs)


@decides("the IVR hangs up")
def ivr_hangs_up(ms: World, ivr: Ivr, clause: str) -> None:
    """The call flow cannot tell which of several commands to hang up was not obeyed; here there should be one."""
    ivr.need_command(1)
    hung_up = ms.call.phone.wait_bye() is not None
    ms.scenario.check(clause, hung_up, "a command to hang up is not obeyed", expected="BYE", seen="the call goes on")


@decides("the caller has heard the whole prompt {name} before")
def heard_before(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    bye = ms.call.phone.wait_bye()
    if bye is None:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the IVR does not hang up")
    heard, whole = ivr.heard(name), ivr.prompts[name].seconds
    words = "a command with phrases and hangup does not play them before it hangs up"
    ms.scenario.check(
        clause, heard >= whole / 2, words, expected=f"{whole:g} s of sound", seen=f"{heard:.2f} s"
    )  # fmt: skip


@decides("no command follows")
def no_command_follows(ms: World, ivr: Ivr, clause: str) -> None:
    """The only command has a phrase that lasts longer than the call did: so another one is not due in any case."""
    ivr.need_command(1)
    ms.finish()
    ms.quiet()
    found = ms.callbacks("getIvrCommand", call=ms.call)
    words = "after the caller hung up another command is asked for"
    ms.scenario.check(clause, len(found) == 1, words, expected="one command", seen=len(found), at=found[-1])


@decides("no further command is asked for")
@decides("the session is completed")
def session_over(ms: World, clause: str) -> None:
    """Judged by the call flows, when the session is over."""
    del clause
    ms.finish()


@decides("that is not while the call is up")
def not_while_up(ms: World, clause: str) -> None:
    """Judged by the call flows."""
    del clause
    ms.finish()


@decides("a second command is asked for {seconds} seconds after the first")
def second_after_first(ms: World, ivr: Ivr, clause: str, seconds: str) -> None:
    given = ivr.given(1)
    found = ivr.wait_command(2, later=float(seconds))
    words = "the collection does not end firstTimeout seconds after the phrases"
    seen = "not at all" if found is None else f"after {found.at - given:.2f} s"
    kept = found is not None and found.at - given >= float(seconds) - SLACK
    ms.scenario.check(clause, kept, words, expected=f"after {seconds} s", seen=seen, at=found)


@decides("a second command is asked for {seconds} seconds after the prompt {name}")
def second_after_prompt(ms: World, ivr: Ivr, clause: str, seconds: str, name: str) -> None:
    over = ivr.need_tone(name).begin + ivr.prompts[name].seconds
    found = ivr.wait_command(2, later=float(seconds))
    words = "the next command is not asked for getIVRCommandAfter seconds after the last prompt"
    seen = "not at all" if found is None else f"after {found.at - over:.2f} s"
    kept = found is not None and found.at - over >= float(seconds) - SLACK
    ms.scenario.check(clause, kept, words, expected=f"after {seconds} s", seen=seen, at=found)


@decides("meanwhile the caller hears nothing")
def hears_nothing(ms: World, ivr: Ivr, clause: str) -> None:
    """What is heard between the phrase and the next command; the phrase itself is the control."""
    (name,) = ivr.prompts
    over = ivr.need_tone(name).begin + ivr.prompts[name].seconds + SLACK
    second = ivr.need_command(2)
    heard = [one for one in ms.call.phone.probe.sounds if one[1] > over and one[0] < second.at]
    words = "the wait for the next command is not silent, although there is no background prompt"
    ms.scenario.check(clause, not heard, words, expected="silence", seen=f"{len(heard)} sounds", at=second)


@decides("the caller hears {name} again after {seconds} seconds of silence")
def hears_again(ms: World, ivr: Ivr, clause: str, name: str, seconds: str) -> None:
    ivr.need_command(2, later=2.0)
    heard = ivr.tones(name)
    if not heard:
        ms.scenario.undecided(clause, Reason.NO_EVIDENCE, f"the prompt {name} is not heard")
        return
    pauses = [after.begin - before.end for before, after in pairwise(heard)]
    wanted = float(seconds)
    kept = any(wanted / 2 <= one <= wanted + SLACK for one in pauses)
    words = "the background prompt is not repeated after repeatPause seconds of silence"
    seen = [f"{one:.2f}" for one in pauses] or "no repetition"
    ms.scenario.check(clause, kept, words, expected=f"{seconds} s of silence between", seen=seen)


@decides("{name} is heard until the second command is asked for")
def heard_until(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    """It is there near the beginning and near the end of the wait, as its pauses let it."""
    second = ivr.need_command(2, later=2.0)
    heard = [one for one in ivr.tones(name) if one.begin < second.at]
    reach = 1.0
    kept = bool(heard) and heard[-1].end >= second.at - reach
    words = "the wait for the next command is not filled with the background prompt"
    seen = f"last heard {second.at - heard[-1].end:.2f} s before" if heard else "not heard"
    ms.scenario.check(clause, kept, words, expected=f"{name} in the wait", seen=seen, at=second)


@decides("{name} is not heard any more once the last command was given")
def ends_with_session(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    """How long a platform takes to do what an answer says shows in how long it took to begin with the prompt."""
    usual = max(0.0, ivr.need_tone(name).begin - ivr.given(1))
    last = ivr.given(2)
    ms.call.phone.wait_bye()
    ms.finish()
    late = ivr.tones(name)[-1].end - last
    words = "the background prompt goes on although the session ends by hangup"
    seen = f"still heard {late:.2f} s later"
    ms.scenario.check(clause, late <= usual + _FADES, words, expected="silence", seen=seen)


@decides("{name} is heard, and not any more after the second command")
def ends_with_stop(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    """Before the next command comes there must have been silence for a good part of the wait."""
    ivr.need_tone(name)
    third = ivr.need_command(3, later=1.0)
    silent = third.at - ivr.tones(name)[-1].end
    words = "stop does not end the background prompt"
    seen = f"heard until {silent:.2f} s before the third command"
    ms.scenario.check(clause, silent >= _STOPS, words, expected="silence in the wait", seen=seen, at=third)


@decides("the sound is fetched from its URL")
def fetched(ms: World, ivr: Ivr, sound: list[Route], clause: str) -> None:
    ivr.need_command(1)
    (route,) = sound
    found = route.wait(1, ms.scenario.plan.target.timing.callback)
    words = "a background prompt with a url is not fetched from there"
    at = found[0] if found else None
    ms.scenario.check(clause, bool(found), words, expected=f"GET {route.url}", seen="no request", at=at)


@decides("the replyId of the command was accepted")
def reply_accepted(ms: World, clause: str) -> None:
    words = "the replyId of a getIvrCommand is not accepted by interruptivrcommand"
    ms.scenario.check(clause, ms.done, words, expected="success true", seen="not carried out", at=ms.last)


@decides("a second command is asked for in the first call")
def command_after_interruption(ms: World, ivr: Ivr, clause: str) -> None:
    """Judged by the call flow; its event is the time that is waited for."""
    del clause
    ivr.wait_command(2, ms.calls[0])


@decides("the first caller hears {name} no longer")
def stopped_after_interruption(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    first = ms.calls[0]
    ivr.need_command(2, first)
    # The other caller hears it go on for a while: so would the first one.
    _other_goes_on(ms, ivr)
    late = ivr.tones(name, first)[-1].end - ivr.interrupted
    words = "interruptivrcommand does not end the phrase that plays"
    ms.scenario.check(clause, late <= _STOPS, words, expected="silence", seen=f"still heard {late:.2f} s later")


@decides("the other command goes on")
def other_goes_on(ms: World, ivr: Ivr, clause: str) -> None:
    (name,) = ivr.prompts
    kept = _other_goes_on(ms, ivr)
    words = "interruptivrcommand interrupts another command than that of its replyId"
    ms.scenario.check(clause, kept, words, expected=f"{name} goes on", seen="it ended", at=ms.last)


@decides("the other session has no second command")
def other_session(ms: World, ivr: Ivr, clause: str) -> None:
    _other_goes_on(ms, ivr)
    found = ms.callbacks("getIvrCommand", call=ms.calls[1])
    words = "interruptivrcommand interrupts another session than that of its sessionId"
    ms.scenario.check(clause, len(found) == 1, words, expected="one command", seen=f"{len(found)}", at=found[-1])


def _other_goes_on(ms: World, ivr: Ivr) -> bool:
    """Whether the caller who was not interrupted hears the phrase for a while longer than what fades may last."""
    other = ms.calls[1]
    (name,) = ivr.prompts
    until = ivr.interrupted + 1.5 * _STOPS
    left = until - ms.scenario.timeline.clock.now()
    if left > 0:
        other.phone.probe.wait_sound(other.phone.probe.sound_ms + round(left * 1000), left + SLACK)
    return ivr.tones(name, other)[-1].end >= until - SLACK
