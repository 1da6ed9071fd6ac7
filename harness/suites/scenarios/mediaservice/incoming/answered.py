"""Steps on what becomes of an incoming call after the answer to newCall: refused with each drop code, or led to the IVR.

What the call flow `incoming-call` judges is judged from the timeline: the steps here wait for what it looks at.
"""

from __future__ import annotations

import pytest
from pytest_bdd import given, when

from harness.drivers.recorder import Answer
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.world import IVR, Call, World
from harness.suites.scenarios.telephony import hear_each_other
from harness.suites.scenarios.vocabulary import decides
from harness.verdicts import Reason

_ALIKE = ("busy", "numberNotFound", "temporarilyUnavailable")
# Longer than a caller takes to give up, shorter than a platform waits for an answer.
_LATE = 0.8


@pytest.fixture
def dropped() -> dict[str, Call]:
    """The calls of a scenario by the code with which they are dropped."""
    return {}


@given("newCall is answered late")
def answered_late(ms: World) -> None:
    ms.answers.set("newCall", Answer(json={"action": "drop", "dropCode": "busy"}, delay=_LATE))


@when("a caller calls the IVR for each drop code")
def call_for_each_code(ms: World, dropped: dict[str, Call], datatable: list[list[str]]) -> None:
    for code in datatable[0]:
        dropped[code] = ms.dial(IVR, answers={"newCall": {"action": "drop", "dropCode": code}})


@when("a caller calls the IVR and is sent there")
def call_sent_to_ivr(ms: World) -> None:
    ms.dial(IVR, answers={"newCall": {"action": "ivr"}})


@when("another caller calls the IVR and is dropped")
def call_dropped(ms: World) -> None:
    ms.dial(IVR, answers={"newCall": {"action": "drop", "dropCode": "busy"}})


@given("a caller who is left in the IVR")
def left_in_ivr(ms: World) -> None:
    """Connected with a destination, which hung up: so the participant has an id that was told."""
    bob = ms.phone("bob")
    ms.dial(
        IVR,
        answers={
            "newCall": {"action": "call", "destAddr": bob.uri},
            "callEvent": [{"action": "ivr"}, {"action": "drop"}],
            "getIvrCommand": {"getIVRCommandAfter": 60},
        },
    )
    ms.need("callAnswered", call=ms.call)
    bob.hang_up()
    ms.need("getIvrCommand", call=ms.call)


@when("another caller calls the IVR and is joined to the one there")
def join(ms: World) -> None:
    there = ms.need("callAnswered", call=ms.calls[0]).get("callerParticipantId")
    ms.dial(IVR, answers={"newCall": {"action": "connect", "participantId": there}, "callEvent": {"action": "drop"}})


@decides("the new caller is answered")
def joined(ms: World, clause: str) -> None:
    status = ms.call.phone.wait_final()
    if ms.calls[0].phone.bye is not None:
        raise InconclusiveError(Reason.PRECONDITION, "the participant to be joined has gone")
    words = "a call is not joined to the participant that the answer names"
    kept = status is not None and status < 300
    ms.scenario.check(clause, kept, words, expected="200", seen=status or "no final answer")


@decides("the two callers hear each other")
def callers_hear(ms: World, clause: str) -> None:
    first, second = (call.phone for call in ms.calls)
    answered = second.wait_answered()
    words = "somebody joined to a participant and that participant do not hear each other"
    seen = "silence" if answered else f"the new caller was not answered, but {second.status or 'let ring'}"
    ms.scenario.check(clause, answered and hear_each_other(first, second), words, expected="sound at both", seen=seen)


@decides("every call is refused")
@decides("the drop code {code} refuses a call")
def refused(ms: World, dropped: dict[str, Call], clause: str, code: str | None = None) -> None:
    """Judged by the call flow; but that a call is answered says enough at once."""
    for known, call in dropped.items():
        status = call.phone.wait_final()
        if code in (None, known) and status is not None and status < 300:
            words = f"a call that is dropped with {known} is answered"
            ms.scenario.check(clause, False, words, expected="a refusal", seen=status)


@decides("the drop code {code} is sent as {wanted}")
def sent_as(ms: World, dropped: dict[str, Call], clause: str, code: str, wanted: str) -> None:
    status = dropped[code].phone.wait_final()
    words = f"a call that is dropped with {code} is refused with another status"
    kept = str(status) in wanted.split(" or ")
    ms.scenario.check(clause, kept, words, expected=wanted, seen=status or "no final answer")


@decides("the call ends with 487")
def cancelled(ms: World, clause: str) -> None:
    """A call whose answer crosses with the CANCEL was not cancelled."""
    status = ms.call.phone.wait_final()
    if status is not None and status < 300:
        raise InconclusiveError(Reason.PRECONDITION, "the call was answered before it could be cancelled")
    words = "a cancelled call does not end with 487"
    ms.scenario.check(clause, status == 487, words, expected=487, seen=status or "no final answer")


@decides("busy, numberNotFound and temporarilyUnavailable differ")
def codes_differ(ms: World, dropped: dict[str, Call], clause: str) -> None:
    seen = {code: dropped[code].phone.wait_final() for code in _ALIKE}
    if None in seen.values() or any(status is not None and status < 300 for status in seen.values()):
        ms.scenario.undecided(clause, Reason.PRECONDITION, f"not every call was refused: {seen}")
        return
    words = "different drop codes reach the caller as the same response"
    ms.scenario.check(clause, len(set(seen.values())) == len(seen), words, expected="different responses", seen=seen)


@decides("the first call is answered, and getIvrCommand asked")
def led_to_ivr(ms: World, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    ms.calls[0].phone.wait_final()
    ms.wait("getIvrCommand", call=ms.calls[0])


@decides("each call has what the answer said")
def as_answered(ms: World, clause: str) -> None:
    statuses = [call.phone.wait_final() for call in ms.calls]
    kept = [status is not None and status < 300 for status in statuses] == [True, False]
    words = "what becomes of a call is not what the action says"
    ms.scenario.check(
        clause, kept, words, expected="ivr is answered, drop is refused", seen=f"{statuses[0]}, {statuses[1]}"
    )  # fmt: skip


@decides("neither call has the sessionId of the other")
@decides("neither call has the traceId of the other")
@decides("the sessions are completed")
def completed(ms: World, clause: str) -> None:
    """Judged by the call flows, when the calls are over."""
    del clause
    ms.finish()


@decides("each of them once")
@decides("nothing follows that")
def completed_once(ms: World, clause: str) -> None:
    """Judged by the call flow, when it has been quiet for a while."""
    del clause
    ms.finish()
    ms.quiet()
