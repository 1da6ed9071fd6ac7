"""Steps on two calls to the cloud SIP user agent side by side: what was done to the first, and not to the second.

What is done to which of them is in `remote.calls`.
"""

from __future__ import annotations

from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.world import World
from harness.suites.scenarios.telephony import statuses
from harness.suites.scenarios.vocabulary import decides
from harness.verdicts import Reason


@decides("the first call rang, and the second did not")
def only_one_rang(ms: World, clause: str) -> None:
    if not ms.calls[0].phone.wait_ringing():
        raise InconclusiveError(Reason.NO_CONTROL, "not even the call that it was for rang")
    words = "sendremotecallringback makes a call ring that it was not for"
    rung = [code for code in statuses(ms.calls[1].phone.messages, "INVITE") if 180 <= code < 200]
    ms.scenario.check(clause, not rung, words, expected="no ringing", seen=rung)


@decides("the first call was answered, and the second was not")
def only_one_answered(ms: World, clause: str) -> None:
    if not ms.calls[0].phone.wait_answered():
        raise InconclusiveError(Reason.NO_CONTROL, "not even the call that it was for was answered")
    seen = [code for code in statuses(ms.calls[1].phone.messages, "INVITE") if 200 <= code < 300]
    words = "answerremotecall answers a call that it was not for"
    ms.scenario.check(clause, not seen, words, expected="no answer", seen=seen)


@decides("the second call is over, and the first is not")
def only_one_ended(ms: World, clause: str) -> None:
    first, second = (call.phone for call in ms.calls)
    if (second.wait_final() or 0) < 300:
        raise InconclusiveError(Reason.NO_CONTROL, "not even the call that it was for is over")
    if first.bye is None:
        first.hang_up()
    words = "hangupcall ends a call that it was not for"
    ms.scenario.check(clause, first.bye is None, words, expected="no BYE", seen="a BYE")


@decides("the two calls have different sessionIds")
def sessions_differ(ms: World, clause: str) -> None:
    _differ(ms, clause, "sessionId")


@decides("the two calls have different traceIds")
def traces_differ(ms: World, clause: str) -> None:
    _differ(ms, clause, "traceId")


def _differ(ms: World, clause: str, member: str) -> None:
    seen = [ms.need("newRemoteCall", call=call).get(member) for call in ms.calls]
    if None in seen:
        raise InconclusiveError(Reason.NO_EVIDENCE, f"newRemoteCall does not tell the {member}")
    words = f"two calls have the same {member}"
    ms.scenario.check(clause, len({*map(str, seen)}) == len(seen), words, expected="different ones", seen=seen)
