"""Steps on what the callbacks of a call have in common: ids, references, the tenant's domain, and where they go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_bdd import given, parsers, then, when

from harness.checks.evidence import seen_answer
from harness.drivers.http import Body
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.answers import DEFAULTS
from harness.suites.scenarios.mediaservice.world import IVR, World, members, name_of
from harness.suites.scenarios.vocabulary import CLAUSE, decides
from harness.timeline import Callback, SipMessage
from harness.verdicts import Reason

_OTHER = "another-"
_CALLBACKS = (
    "callNotify",
    "callAnswered",
    "callEvent",
    "getIvrCommand",
    "getCallIdentifier",
    "recordingReady",
    "sessionCompleted",
)


@given(
    parsers.re(
        r"(?P<callback>callEvent|getIvrCommand|getCallIdentifier) is answered with a sessionReferenceId of its own"
    )
)
def answer_with_reference(ms: World, callback: str) -> None:
    ms.answers.set(callback, {**DEFAULTS.get(callback, {}), "sessionReferenceId": ms.name(_OTHER)})


@when("a caller calls the IVR by way of an IN")
def call_by_in(ms: World) -> None:
    """Calls to such a user part come by way of an IN where not all do; newCall gives no reference of its own."""
    ms.dial(f"{IVR}in", reference=None)


@when("hangupparticipant is sent to the siteBaseUrl of callAnswered")
def operate_at_site(ms: World) -> None:
    told = ms.need("callAnswered")
    site = told.get("siteBaseUrl")
    if not isinstance(site, str) or not site.startswith(("http://", "https://")):
        raise InconclusiveError(Reason.PRECONDITION, f"callAnswered tells no siteBaseUrl: {site!r}")
    body = {"replyId": told.get("replyId"), "participantId": told.get("calleeParticipantId")}
    url = f"{site.rstrip('/')}/{ms.domain}/hangupparticipant"
    ms.last = ms.scenario.api.request("POST", url, body=Body.json(body), about={"operation": "hangupParticipant"})


@decides("the site carries it out")
def site_operates(ms: World, clause: str) -> None:
    assert ms.last is not None
    kept = ms.done and ms.phones["bob"].wait_bye() is not None
    words = "an operation at the siteBaseUrl is not carried out"
    seen = f"{seen_answer(ms.last)}, {'a' if ms.phones['bob'].bye else 'no'} BYE"
    ms.scenario.check(clause, kept, words, expected="success true, and a BYE", seen=seen, at=ms.last)


@then(parsers.re(rf"(?P<callback>{'|'.join(_CALLBACKS)}) comes{CLAUSE}"))
def comes(ms: World, callback: str, clause: str) -> None:
    ms.wait("newCall" if callback == "getCallIdentifier" else callback)
    came = bool(_told(ms, callback))
    ms.scenario.check(clause, came, f"{callback} does not come", expected=callback, seen="nothing")


@decides("its calledParty is what the caller dialled")
def tells_called_party(ms: World, clause: str) -> None:
    asked = _told(ms, "getCallIdentifier")
    if not asked:
        raise InconclusiveError(Reason.PRECONDITION, "getCallIdentifier did not come")
    seen = members(asked[0]).get("calledParty")
    words = "calledParty is not the user part that was dialled"
    ms.scenario.check(clause, seen == ms.call.dialled, words, expected=ms.call.dialled, seen=seen)


@decides("the session is completed, and not before")
def completed_at_end(ms: World, clause: str) -> None:
    ms.wait("sessionCompleted")
    told = next(iter(_told(ms, "sessionCompleted")), None)
    if told is not None:  # which may be heard of before the phone's own trace
        ms.call.phone.agent.wait_for(_is_bye, ms.scenario.plan.target.timing.answer)
    ended = [one.at for one in ms.call.phone.messages if _is_bye(one)]
    if told is None or not ended:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the call, or its session, did not end")
    words = "sessionCompleted comes while the call is up"
    kept = told.at >= min(ended) - ms.scenario.slack
    ms.scenario.check(clause, kept, words, expected="after the BYE", seen=f"{min(ended) - told.at:.3f} s before")


@decides("all callbacks have the same sessionId")
def same_session(ms: World, clause: str) -> None:
    _same(ms, clause, "sessionId")


@decides("all callbacks have the same traceId")
def same_trace(ms: World, clause: str) -> None:
    _same(ms, clause, "traceId")


@decides("no two callbacks have the same httpTransactionId")
def own_transactions(ms: World, clause: str) -> None:
    found = list(_values(ms, "httpTransactionId"))
    if len(found) < 2:
        raise InconclusiveError(Reason.NO_EVIDENCE, "fewer than two callbacks tell an httpTransactionId")
    words = "two callbacks have the same httpTransactionId"
    ms.scenario.check(clause, len({value for _, value in found}) == len(found), words, expected="one each", seen=found)


@decides("those that tell a domain tell that of the operations")
def same_domain(ms: World, clause: str) -> None:
    found = list(_values(ms, "domain"))
    if not found:
        raise InconclusiveError(Reason.NO_EVIDENCE, "no callback tells a domain")
    others = [(name, value) for name, value in found if value.lower() != ms.domain.lower()]
    words = "a callback tells another domain than that of the operations"
    ms.scenario.check(clause, not others, words, expected=ms.domain, seen=others)


@decides("each is a POST to its own name")
def own_names(ms: World, clause: str) -> None:
    known = {hook.path.strip("/") for hook in ms.scenario.contract.spec.webhooks}
    strange = [
        f"{one.request.method} {one.request.url}"
        for one in _callbacks(ms)
        if one.request.method != "POST" or name_of(one) not in known
    ]
    words = "a callback is no POST to the name of a callback"
    ms.scenario.check(clause, not strange, words, expected="POST …/<name>", seen=strange)
    bases = {one.request.url.rpartition("/")[0] for one in _callbacks(ms)}
    words = "callbacks go below different base URLs"
    ms.scenario.check(clause, len(bases) == 1, words, expected="one base URL", seen=sorted(bases))


@decides("sessionDuration is a number, or digits")
def duration_is_numeric(ms: World, clause: str) -> None:
    seen: Any = ms.need("sessionCompleted").get("sessionDuration")
    if seen is None:
        raise InconclusiveError(Reason.NO_EVIDENCE, "sessionCompleted tells no sessionDuration")
    numeric = isinstance(seen, int | float) and not isinstance(seen, bool)
    kept = numeric or (isinstance(seen, str) and seen.replace(".", "", 1).isdecimal())
    words = "sessionDuration is neither a number nor digits"
    ms.scenario.check(clause, kept, words, expected="a number, or digits", seen=seen)


@decides("the sessionReferenceId of newCall's answer comes in what follows")
def first_reference(ms: World, clause: str) -> None:
    """What comes before callEvent is answered: it may give another one."""
    turn = ms.wait("callEvent")
    before = [one for one in _callbacks(ms) if turn is None or one.at <= turn.at]
    _comes_back(ms, clause, before, ms.call.reference)


@decides("that of {callback}'s answer comes afterwards")
def later_reference(ms: World, callback: str, clause: str) -> None:
    ms.wait("sessionCompleted")
    turn = next(iter(_told(ms, callback)), None)
    if turn is None:
        raise InconclusiveError(Reason.PRECONDITION, f"{callback} did not come")
    after = [one for one in _callbacks(ms) if one.at > (turn.ended or turn.at)]
    _comes_back(ms, clause, after, ms.name(_OTHER))


def _is_bye(message: SipMessage) -> bool:
    return message.start_line.startswith("BYE ")


def _told(ms: World, name: str) -> list[Callback]:
    """Callbacks of that name, of the scenario's sessions.

    One that came before its session was known fitted no route; now that it is, it belongs to what the scenario has seen.
    """
    known = {members(one).get("sessionId") for one in ms.callbacks("newCall") + ms.callbacks("newRemoteCall")}
    here = {one.at for one in ms.callbacks(name)}
    for one in ms.scenario.recorder.unrouted():
        if name_of(one) == name and members(one).get("sessionId") in known and one.at not in here:
            ms.scenario.timeline.add(one)
    return sorted(ms.callbacks(name), key=lambda one: one.at)


def _comes_back(ms: World, clause: str, among: list[Callback], expected: str | None) -> None:
    """The reference is in every callback that tells one, and one of them does."""
    told = [(name_of(one), members(one).get("sessionReferenceId")) for one in among if name_of(one) != "newCall"]
    if not told:
        raise InconclusiveError(Reason.NO_EVIDENCE, "no callback followed that could tell it")
    seen = [(name, value) for name, value in told if value not in (None, "", {}, [])]
    words = "the sessionReferenceId that was given does not come back"
    kept = bool(seen) and all(value == expected for _, value in seen)
    ms.scenario.check(clause, kept, words, expected=expected, seen=seen or "none")


def _same(ms: World, clause: str, member: str) -> None:
    found = list(_values(ms, member))
    if len(found) < 2:
        raise InconclusiveError(Reason.NO_EVIDENCE, f"fewer than two callbacks tell a {member}")
    words = f"callbacks of one call have different {member}s"
    ms.scenario.check(clause, len({value for _, value in found}) == 1, words, expected="one", seen=found)


def _values(ms: World, member: str) -> Iterator[tuple[str, str]]:
    """What the callbacks say in a member, with their names."""
    for one in _callbacks(ms):
        value = members(one).get(member)
        if value is not None:
            yield name_of(one), str(value)


def _callbacks(ms: World) -> list[Callback]:
    return [one for one in ms.scenario.timeline.of(Callback) if name_of(one) != "alarm"]
