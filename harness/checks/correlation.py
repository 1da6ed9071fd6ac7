"""Judges what belongs together across the callbacks and operations of Mediaservice, beyond what its call flows say.

Sessions, traces, replies, references and the tenant's domain (MS, Authorisation and the tables of the callbacks). Where a
record does not tell which call something belongs to, nothing is judged; what `sequences/sessions.yaml` says is left to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from harness.checks.callbacks import first_of_each
from harness.checks.evidence import failed, passed
from harness.checks.flows.record import Record, Seen, read_field
from harness.checks.flows.values import same_text, text_of
from harness.sequences import ORDER_SLACK
from harness.verdicts import Finding

SYSTEM = "mediaservice"

_BEGINS = ("newCall", "newRemoteCall")
_PLACES = ("placeIvrCall", "placeRemoteCall", "placeRemoteCallJwt")
_REMOTE_OPERATIONS = frozenset(
    name + twin for name in ("sendRemoteCallRingback", "answerRemoteCall", "hangupCall") for twin in ("", "Jwt")
)
# Who gives a reference, and the clause that says it comes back.
_REFERENCES = {
    "newCall": "MS-newCall-sessionReferenceId",
    "newRemoteCall": "MS-newRemoteCall-sessionReferenceId",
    "callEvent": "MS-callEvent-sessionReferenceId",
    "getIvrCommand": "MS-getIvrCommand-sessionReferenceId",
    "getCallIdentifier": "MS-getCallIdentifier-sessionReferenceId",
    "placeIvrCall": "MS-placeivrcall-sessionReferenceId",
    "placeRemoteCall": "MS-placeremotecall-sessionReferenceId",
    "placeRemoteCallJwt": "MS-placeremotecall-sessionReferenceId",
    "answerRemoteCall": "MS-answerremotecall-sessionReferenceId",
    "answerRemoteCallJwt": "MS-answerremotecall-sessionReferenceId",
}
# The call flows compare the values of these two themselves; that none comes at all is left to this module.
_VALUES_BY_FLOW = ("newCall", "newRemoteCall")


def check_correlation(record: Record) -> Iterator[Finding]:
    """Findings about a record of Mediaservice; none for other systems."""
    if record.contract.system != SYSTEM:
        return
    calls = _Calls.of(record)
    checks = [_session_ids, _traces, _domains, _replies]
    # In a recording calls may belong together in ways that it does not show, and references may come from elsewhere.
    checks += [_trace_distinct] if record.passive is None else []
    checks += [_references, _invented] if record.passive is None or not calls.steered else []
    for check in checks:
        yield from first_of_each(finding for finding in check(calls) if finding.clause in record.contract.catalogue)


def check_domains(record: Record) -> Iterator[Finding]:
    """Findings about the domain in the callbacks of a whole recording, whose operations belong to no call in particular."""
    if record.contract.system == SYSTEM:
        yield from first_of_each(_domains(_Calls.of(record)))


@dataclass(frozen=True, slots=True)
class _Calls:
    """What a record tells of calls. `single`: all of it belongs to one call; `steered`: by API calls, all or none of
    which may be in a recording, or together with another."""

    callbacks: tuple[Seen, ...]
    operations: tuple[Seen, ...]
    sessions: dict[str, list[Seen]]
    own_calls: frozenset[str]
    single: bool
    led_on: frozenset[str]
    with_reference: frozenset[str]
    steered: bool

    @classmethod
    def of(cls, record: Record) -> _Calls:
        callbacks = tuple(seen for seen in record.seen if seen.kind == "callback" and seen.group)
        operations = tuple(
            seen for seen in record.seen if seen.kind == "http" and seen.group and _done(seen) is not None
        )
        sessions: dict[str, list[Seen]] = defaultdict(list)
        led_on: set[str] = set()
        for seen in callbacks:
            session = _one(seen, "request.body.sessionId")
            if session and seen.group != "alarm":
                sessions[session].append(seen)
                action = _one(seen, "response.body.action")
                if action == "connect" or (seen.group == "callEvent" and action in ("call", "httpcall", "ivr")):
                    led_on.add(session)
        invites = [
            seen.message for seen in record.seen if seen.kind == "sip" and seen.group == "INVITE" and not seen.by_target
        ]
        own_calls = frozenset(message.call_id for message in invites if message and message.starts_dialog)
        begun = {_one(seen, "request.body.sessionId") for seen in callbacks if seen.group in _BEGINS}
        placed = [seen for seen in operations if seen.group in _PLACES and _done(seen)]
        noted = any(seen.kind == "note" and seen.group == "several-calls" for seen in record.seen)
        split = any(seen.group == "splitConnection" for seen in operations)
        single = len(begun) + len(placed) == 1 and len(own_calls) < 2 and not (noted or split or led_on)
        single = single and (record.passive is None or len(sessions) < 2)
        remote = any(seen.group == "newRemoteCall" for seen in callbacks)
        with_reference = frozenset(
            hook.id
            for hook in record.contract.spec.webhooks
            for schema in hook.request.schemas.values()
            if "sessionReferenceId" in schema.get("properties", {})
        )
        return cls(
            callbacks,
            operations,
            dict(sessions),
            own_calls,
            single,
            frozenset(led_on),
            with_reference - {*_BEGINS, "alarm"},
            steered=(remote and not operations) or len(sessions) > 1,
        )


def _session_ids(calls: _Calls) -> Iterator[Finding]:
    """One call, one sessionId."""
    clause = "MS-sessionId-constant"
    if not calls.single or not calls.sessions:
        return
    (expected, first), *others = calls.sessions.items()
    for session, events in others:
        for seen in events[:3]:
            yield failed(
                clause, "a callback has another sessionId than the call that it belongs to", expected=expected,
                seen=session, subject=seen.group, at=_at(first[0], seen),
            )  # fmt: skip
    if not others and len({seen.group for seen in first}) > 1:
        yield passed(clause, at=_at(*first[:2]))


def _traces(calls: _Calls) -> Iterator[Finding]:
    """One call, one traceId. What a flow compares (callNotify with sessionCompleted) is left to it."""
    clause = "MS-traceId-constant"
    groups = (
        [list(calls.callbacks)]
        if calls.single
        else [events for session, events in calls.sessions.items() if session not in calls.led_on]
    )
    for events in groups:
        traced = [
            (seen, trace) for seen in events if seen.group != "alarm" and (trace := _one(seen, "request.body.traceId"))
        ]
        by_flow = any(seen.group == "callNotify" for seen, _ in traced)
        if len(traced) < 2:
            continue
        first, expected = traced[0]
        wrong = [(seen, trace) for seen, trace in traced[1:] if trace != expected]
        for seen, trace in wrong[:3]:
            if not (by_flow and seen.group == "sessionCompleted"):
                yield failed(
                    clause, "a callback has another traceId than the call that it belongs to", expected=expected,
                    seen=trace, subject=seen.group, at=_at(first, seen),
                )  # fmt: skip
        if not wrong:
            yield passed(clause, at=_at(first, traced[1][0]))


def _trace_distinct(calls: _Calls) -> Iterator[Finding]:
    """Two calls that the harness itself began have nothing to do with each other, unless they were connected later."""
    clause = "MS-traceId-distinct"
    if calls.led_on:
        return
    owner: dict[str, tuple[str, Seen]] = {}
    wrong = False
    for session, events in calls.sessions.items():
        begin = next((seen for seen in events if seen.group in _BEGINS), None)
        call_id = begin and (_one(begin, "request.body.sipCallId") or _one(begin, "request.body.callId"))
        if call_id not in calls.own_calls:
            continue
        for seen in events:
            trace = _one(seen, "request.body.traceId")
            if not trace:
                continue
            known, other = owner.setdefault(trace, (session, seen))
            if known != session:
                wrong = True
                yield failed(
                    clause, "two calls have the same traceId", expected="different values", seen=trace,
                    subject=seen.group, at=_at(other, seen),
                )  # fmt: skip
                break
    if not wrong and len({session for session, _ in owner.values()}) > 1:
        yield passed(clause, at=_at(*[seen for _, seen in owner.values()][:2]))


def _domains(calls: _Calls) -> Iterator[Finding]:
    """The domain that callbacks name is the one below which the operations of the record were served."""
    domains = {text.lower() for seen in calls.operations if _done(seen) and (text := _one(seen, "request.path.domain"))}
    if len(domains) != 1:
        return
    (expected,) = domains
    for seen in calls.callbacks:
        clause = "MS-alarm-domain" if seen.group == "alarm" else "MS-domain-tenant"
        domain = _one(seen, "request.body.domain")
        if not domain:
            continue
        if domain.lower() == expected:
            yield passed(clause, seen.group, at=_at(seen))
        else:
            yield failed(
                clause, "domain is not the tenant's", expected=expected, seen=domain, subject=seen.group, at=_at(seen)
            )


def _replies(calls: _Calls) -> Iterator[Finding]:
    """A replyId that a callback gave is accepted by the operations that it is for."""
    givers = {"newRemoteCall": "MS-newRemoteCall-replyId-accepted", "callAnswered": "MS-replyId-accepted"}
    given: dict[str, tuple[str, Seen]] = {}
    for seen in calls.callbacks:
        reply = _one(seen, "request.body.replyId")
        if reply and seen.group in givers:
            given.setdefault(reply, (seen.group, seen))
    for seen in calls.operations:
        giver, source = given.get(_one(seen, "request.body.replyId"), ("", None))
        if (
            source is None
            or source.index > seen.index
            or (giver == "newRemoteCall" and seen.group not in _REMOTE_OPERATIONS)
        ):
            continue
        if _done(seen):
            yield passed(givers[giver], seen.group, at=_at(source, seen))
        elif _one(seen, "about.expect") == "success":
            yield failed(
                givers[giver], f"the replyId of {giver} is not accepted", expected="success true",
                seen=_one(seen, "response.body.success") or _one(seen, "status"), subject=seen.group,
                at=_at(source, seen),
            )  # fmt: skip


def _references(calls: _Calls) -> Iterator[Finding]:
    """A reference that the application gave comes back in the later callbacks of its session, until it gives another.

    One in an operation may be taken before one in the answer to a callback that was given a moment earlier.
    """
    for session, events in _scopes(calls):
        givers = sorted(_givers(calls, session, events), key=lambda seen: seen.index)
        for giver, following in pairwise([*givers, None]):
            assert giver is not None
            clause = _REFERENCES[giver.group]
            value = _given(giver)
            if _is_empty(value):
                continue
            later = [
                seen
                for seen in events
                if seen.group in calls.with_reference
                and seen.at > giver.ended
                and (following is None or seen.at <= following.at)
            ]
            came = [
                (seen, values[0]) for seen in later if (values := read_field(seen, "request.body.sessionReferenceId"))
            ]
            came = [(seen, held) for seen, held in came if not _is_empty(held)]
            wrong = [(seen, held) for seen, held in came if not same_text(held, value)]
            if giver.group not in _VALUES_BY_FLOW:
                for seen, held in wrong[:3]:
                    if seen.at >= giver.ended + ORDER_SLACK and not _given_just_before(held, giver, givers):
                        yield failed(
                            clause, "sessionReferenceId is not the one that was given", expected=text_of(value),
                            seen=text_of(held), subject=seen.group, at=_at(giver, seen),
                        )  # fmt: skip
                if came and not wrong:
                    yield passed(clause, came[0][0].group, at=_at(giver, came[0][0]))
            if not came and any(seen.at >= giver.ended + ORDER_SLACK for seen in later):
                yield failed(
                    clause, "the given sessionReferenceId does not come back", expected=text_of(value), seen="absent",
                    subject=giver.group, at=_at(giver, *later[:3]),
                )  # fmt: skip


def _given_just_before(held: Any, giver: Seen, givers: list[Seen]) -> bool:
    """Whether a reference is one that an operation (`giver`) may have been too quick for."""
    return giver.kind == "http" and any(
        same_text(held, _given(one)) for one in givers if one.index < giver.index and giver.at - one.ended < ORDER_SLACK
    )


def _scopes(calls: _Calls) -> Iterator[tuple[str, list[Seen]]]:
    """Sessions with their callbacks; of a single call, all callbacks (callAnswered has no sessionId)."""
    if calls.single:
        yield "", [seen for seen in calls.callbacks if seen.group != "alarm"]
    else:
        yield from calls.sessions.items()


def _givers(calls: _Calls, session: str, events: list[Seen]) -> Iterator[Seen]:
    replies = {_one(seen, "request.body.replyId") for seen in events if seen.group == "newRemoteCall"} - {""}
    for seen in events:
        taken = _one(seen, "status").startswith("2") and not _one(seen, "failure")
        if seen.group in _REFERENCES and taken and read_field(seen, "response.body.sessionReferenceId"):
            yield seen
    for seen in calls.operations:
        if seen.group not in _REFERENCES or not _done(seen) or not read_field(seen, "request.body.sessionReferenceId"):
            continue
        if (not session and seen.group in _PLACES) or _one(seen, "request.body.replyId") in replies:
            yield seen


def _invented(calls: _Calls) -> Iterator[Finding]:
    """Where nobody gave a reference, none comes."""
    clause = "MS-sessionReferenceId-not-invented"
    begun = any(seen.group in _BEGINS for seen in calls.callbacks) or any(
        seen.group in _PLACES for seen in calls.operations
    )
    given = any(read_field(seen, "response.body.sessionReferenceId") for seen in calls.callbacks) or any(
        read_field(seen, "request.body.sessionReferenceId") for seen in calls.operations
    )
    if given or not begun:
        return
    for seen in calls.callbacks:
        if seen.group not in calls.with_reference:
            continue
        held = next(iter(read_field(seen, "request.body.sessionReferenceId")), None)
        if _is_empty(held):
            yield passed(clause, seen.group, at=_at(seen))
        else:
            yield failed(
                clause, "a sessionReferenceId comes that nobody gave", expected="none", seen=text_of(held),
                subject=seen.group, at=_at(seen),
            )  # fmt: skip


def _given(seen: Seen) -> Any:
    side = "response" if seen.kind == "callback" else "request"
    return next(iter(read_field(seen, f"{side}.body.sessionReferenceId")), None)


def _done(seen: Seen) -> bool | None:
    """Whether an operation was carried out; None where it was not answered."""
    if not read_field(seen, "status"):
        return None
    return _one(seen, "status").startswith("2") and _one(seen, "response.body.success") == "true"


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == {} or value == []


def _one(seen: Seen, field: str) -> str:
    """The first value of a field as text; '' where it is not there, or null."""
    value = next(iter(read_field(seen, field)), None)
    return "" if value is None else text_of(value)


def _at(*events: Seen) -> tuple[int, ...]:
    return tuple(sorted({seen.event.seq for seen in events}))
