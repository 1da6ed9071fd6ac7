"""Steps on what the callbacks of a call have in common: ids, references, the tenant's domain, and where they go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_bdd import given, parsers

from harness.sequences import ORDER_SLACK
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.answers import DEFAULTS
from harness.suites.scenarios.mediaservice.world import World, members, name_of
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import Callback
from harness.verdicts import Reason

_SITE = ("siteId", "siteBaseUrl")
_OTHER = "another-"


@given(parsers.re(r"(?P<callback>callEvent|getIvrCommand) is answered with a sessionReferenceId of its own"))
def answer_with_reference(ms: World, callback: str) -> None:
    ms.answers.set(callback, {**DEFAULTS[callback], "sessionReferenceId": ms.name(_OTHER)})


@decides("the session is completed, and not before")
def completed_at_end(ms: World, clause: str) -> None:
    told = ms.wait("sessionCompleted")
    ended = [one.at for one in ms.call.phone.messages if one.start_line.startswith("BYE ")]
    if told is None or not ended:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the call, or its session, did not end")
    words = "sessionCompleted comes while the call is up"
    kept = told.at >= min(ended) - ORDER_SLACK
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


@decides("none tells of a site")
def no_site(ms: World, clause: str) -> None:
    if "hybrid" in ms.scenario.target.capabilities:
        ms.scenario.undecided(clause, Reason.PRECONDITION, "the target says that it is hybrid")
        return
    found = [(name, member) for member in _SITE for name, _ in _values(ms, member)]
    words = "a deployment that is not hybrid tells of a site"
    ms.scenario.check(clause, not found, words, expected="neither siteId nor siteBaseUrl", seen=found)


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
    turn = ms.wait(callback)
    ms.wait("sessionCompleted")
    if turn is None:
        raise InconclusiveError(Reason.PRECONDITION, f"{callback} did not come")
    after = [one for one in _callbacks(ms) if one.at > (turn.ended or turn.at)]
    _comes_back(ms, clause, after, ms.name(_OTHER))


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
