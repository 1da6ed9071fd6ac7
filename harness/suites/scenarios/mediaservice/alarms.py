"""Steps on alarms: what an application or a caller does that a platform does not expect, and the alarm that follows.

Each cause is provoked in a call of its own, whose alarm is waited for before the next one begins, as the call flow `alarms`
wants it. What it judges is judged from the timeline: most steps here wait only.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_bdd import parsers, when

from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.answers import SILENCE, Reply
from harness.suites.scenarios.mediaservice.world import IVR, World, members
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.timeline import Callback
from harness.verdicts import Reason

_UNUSABLE: Mapping[str, Reply] = {
    "with nothing": b"",
    "without an action": {},
    "with an unknown action": {"action": "ringtrue-no-such-action"},
    "with an error": 500,
    "by nobody": SILENCE,
}
_HOW = rf"(?P<how>{'|'.join(_UNUSABLE)})"
_ERRORS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("newCall", "with nothing"): ("newCall response empty",),
    ("newCall", "without an action"): ("newCall response without action",),
    ("newCall", "with an unknown action"): ("newCall response with unknown action",),
    ("newCall", "with an error"): ("newCall request failed",),
    ("newCall", "by nobody"): ("newCall request failed",),
    ("callEvent", "with nothing"): ("No response to callEvent request", "No action provided in callEvent response"),
    ("callEvent", "without an action"): ("No action provided in callEvent response",),
    ("callEvent", "with an unknown action"): ("callEvent response with unknown action",),
    ("callEvent", "by nobody"): ("No response to callEvent request",),
    ("getIvrCommand", "with nothing"): ("Empty body in getIvrCommand response",),
    ("getIvrCommand", "with an error"): ("getIvrCommand request error",),
}
_SENSELESS = "v=0\nringtrue: this is no session description"


@when(parsers.re(rf"(?P<callback>newCall|getIvrCommand) is answered {_HOW}"))
def answer_unusably(ms: World, callback: str, how: str) -> None:
    _provoke(ms, *_ERRORS[callback, how])
    ms.dial(IVR, answers={callback: _UNUSABLE[how]}, reference=None)
    ms.need(callback, call=ms.call)


@when(parsers.re(rf"a destination hangs up, and callEvent is answered {_HOW}"))
def answer_event_unusably(ms: World, how: str) -> None:
    _provoke(ms, *_ERRORS["callEvent", how])
    bob = ms.phone(f"bob{len(ms.calls) + 1}-")
    ms.dial(IVR, answers={"newCall": {"action": "call", "destAddr": bob.uri}, "callEvent": _UNUSABLE[how]})
    if not bob.wait_answered() or not ms.call.phone.wait_answered():
        raise InconclusiveError(Reason.PRECONDITION, "the caller was not connected with the destination")
    bob.hang_up()
    ms.need("callEvent", call=ms.call)


@when(step_pattern('newCall is answered with the destination "{address}"'))
def answer_with_destination(ms: World, address: str) -> None:
    _provoke(ms, "Invalid sip address:")
    ms.dial(IVR, answers={"newCall": {"action": "call", "destAddr": address}})


@when("a caller calls the IVR with an SDP without sense")
def call_senselessly(ms: World) -> None:
    """A platform that refuses such a call before it tells of it has no session for which it could raise an alarm."""
    _provoke(ms, "invalidSdp")
    ms.dial(IVR, body=_SENSELESS)
    if ms.call.phone.wait_final() is not None and ms.wait("newCall") is None:
        words = f"the call is refused with {ms.call.phone.status} before it is announced"
        raise InconclusiveError(Reason.PRECONDITION, words)


@when("a caller calls the IVR, and one of its phrases is not in the storage")
def phrase_missing(ms: World) -> None:
    _provoke(ms, "phraseError")
    phrases = [{"fileName": ms.prompt(seconds=0.1)}, {"fileName": ms.name("missing") + ".wav"}]
    ms.dial(IVR, answers={"getIvrCommand": [{"phrases": phrases, "hangup": True}]})


@when("the session has ended")
def session_ended(ms: World) -> None:
    """By itself: its last command hangs up."""
    ms.need("sessionCompleted", call=ms.call)


@decides('the alarm "{error}" is raised')
def is_raised(ms: World, clause: str, error: str) -> None:
    """Judged by the call flow, but for those that it does not know of, or that may come beside the next callback."""
    found = _wait(ms, error)
    if clause in ("MS-alarm-invalidSdp", "MS-alarm-phraseError", "MS-alarm-invalid-address"):
        words = f"what gives the alarm {error} gives none"
        ms.scenario.check(clause, found is not None, words, expected=error, seen=_seen(ms), at=found)


@decides("one of the alarms for no answer or no action is raised")
def one_is_raised(ms: World, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    _wait(ms, *_ERRORS["callEvent", "with nothing"])


@decides("they are told by alarms")
def are_told(ms: World, clause: str) -> None:
    """At all: whether each has the alarm that is due to it is for the steps before."""
    words = "nothing that is unexpected is told by an alarm"
    ms.scenario.check(clause, bool(ms.callbacks("alarm")), words, expected="alarms", seen="none")


@decides("none of these calls is left hanging")
def none_hangs(ms: World, clause: str) -> None:
    """The call flow sees what ended; a call that did not is given up by its caller at the end, which hides it there."""
    for call in ms.calls:
        if call.phone.wait_final() is None:
            words = "a call for which no usable answer came is left hanging"
            ms.scenario.check(clause, False, words, expected="a final response", seen="none")
            return


@decides("the alarms are of the type {kind}")
def of_type(ms: World, clause: str, kind: str) -> None:
    found = ms.callbacks("alarm")
    if not found:
        raise InconclusiveError(Reason.NO_EVIDENCE, "no alarm was raised")
    for alarm in found:
        seen = members(alarm).get("type")
        words = "the type of an alarm does not fit what it is about"
        ms.scenario.check(clause, seen == kind, words, expected=kind, seen=seen, at=alarm)


@decides("it names the session of the call")
@decides("it names the domain of the tenant")
def judged_elsewhere(ms: World, clause: str) -> None:
    """Judged by the call flows and by the check of correlation, when the call is over."""
    del clause
    ms.finish()


@decides("no alarm was raised")
def none_raised(ms: World, clause: str) -> None:
    """What the call flow cannot see is an alarm that came before newCall told whose session it is."""
    told = ms.need("newCall", call=ms.call)
    ms.finish()
    early = [one for one in ms.scenario.recorder.unrouted() if members(one).get("sessionId") == told.get("sessionId")]
    if early:
        words = "a call in which all goes well raises an alarm"
        seen = member(members(early[0]), "error")
        ms.scenario.check(clause, False, words, expected="no alarm", seen=seen)


def _provoke(ms: World, *errors: str) -> None:
    for error in errors:
        ms.provoke(error)


def _wait(ms: World, *errors: str) -> Callback | None:
    """The alarm of the latest call, once it has come: it is as many in number as those of all calls before."""

    def raised() -> list[Callback]:
        since = ms.since
        return [
            one
            for one in ms.callbacks("alarm")
            if one.at >= since and str(member(members(one), "error")).startswith(errors)
        ]

    ms.wait_until(lambda: bool(raised()))
    found = raised()
    return found[0] if found else None


def _seen(ms: World) -> str:
    return ", ".join(str(member(members(one), "error")) for one in ms.callbacks("alarm")) or "no alarm"
