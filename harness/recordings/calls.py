"""Cuts a recording into the calls that it holds: what shares an id that the documents give belongs together.

Sessions, replies, traces, connections and Call-IDs tie events of Mediaservice; subscriptions those of VTX. A SIP dialog or
an API call that shares nothing with any call joins the only one that was going on at the time, if there was only one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks.sip import parse_message
from harness.timeline import Callback, Event, Exchange, HttpExchange, MediaReport, Note, SipMessage

OUTSIDE = "outside any call"
# Members of callbacks, operations and answers, and what kind of id each holds.
_MEDIASERVICE = {
    "sessionId": "session", "replyId": "reply", "traceId": "trace", "connectionId": "connection", "sipCallId": "call",
    "callId": "call", "participantId": "participant", "remoteParticipantId": "participant",
    "callerParticipantId": "participant", "calleeParticipantId": "participant",
}  # fmt: skip
_PLACING = ("placeIvrCall", "placeRemoteCall", "placeRemoteCallJwt")
# How long before its first callback a call may have been asked for (it rings meanwhile), and what may follow its last one;
# seconds.
_RINGS = 90.0
_AROUND = 2.0

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """Events that belong together, in order; `outside`: the rest, which no key ties to a call."""

    title: str
    events: tuple[Event, ...]
    outside: bool = False


def cut(events: Sequence[Event], system: str) -> list[Part]:
    """The calls of a recording in the order in which they began, then the rest. `events` are in order of time."""
    match system:
        case "mediaservice":
            return _calls(events)
        case "vtx":
            return _by_subscription(events)
        case _:
            return [Part("the whole recording", tuple(events))]


def _calls(events: Sequence[Event]) -> list[Part]:
    keys = [tuple(_keys(event)) for event in events]
    groups = _Groups()
    for own in keys:
        groups.join(own)
    tied: dict[Key, list[int]] = defaultdict(list)
    untied: list[list[int]] = []
    for number, own in enumerate(keys):
        if own:
            tied[groups.root(own[0])].append(number)
        else:
            untied.append([number])
    called = {root: own for root, own in tied.items() if any(isinstance(events[each], Callback) for each in own)}
    untied += [own for root, own in tied.items() if root not in called]
    spans = {root: (events[own[0]].at, max(_end(events[each]) for each in own)) for root, own in called.items()}
    rest: list[int] = []
    joined: dict[Key, list[int]] = defaultdict(list)
    for places in untied:
        host = _only_one(events, places, spans)
        (joined[host] if host else rest).extend(places)
    parts = [
        Part(_title(events, own), tuple(events[each] for each in sorted([*own, *joined[root]])))
        for root, own in sorted(called.items(), key=lambda item: item[1][0])
    ]
    return [*parts, Part(OUTSIDE, tuple(events[each] for each in sorted(rest)), outside=True)] if rest else parts


def _only_one(events: Sequence[Event], own: list[int], spans: Mapping[Key, tuple[float, float]]) -> Key | None:
    """The call during which this happened, if there is exactly one."""
    first = events[own[0]]
    begin, end = first.at, max(_end(events[each]) for each in own)
    match first:
        case HttpExchange():
            if first.about.get("operation") not in _PLACING:
                return None
            end = begin + _RINGS
        case SipMessage():
            # Calls that the platform places: those that it gets are named by their Call-IDs, or are of somebody else.
            if first.direction != "in" or not first.text.startswith("INVITE "):
                return None
        case _:
            return None
    found = [root for root, (start, stop) in spans.items() if begin <= stop + _AROUND and start - _AROUND <= end]
    return found[0] if len(found) == 1 else None


class _Groups:
    """Ids that were seen together (union-find)."""

    def __init__(self) -> None:
        self._above: dict[Key, Key] = {}

    def root(self, key: Key) -> Key:
        path = []
        while (above := self._above.setdefault(key, key)) != key:
            path.append(key)
            key = above
        for each in path:
            self._above[each] = key
        return key

    def join(self, keys: Sequence[Key]) -> None:
        for key in keys[1:]:
            self._above[self.root(key)] = self.root(keys[0])
        if len(keys) == 1:
            self.root(keys[0])


def _keys(event: Event) -> Iterator[Key]:
    match event:
        case SipMessage():
            call_id = parse_message(event.text).call_id
            yield "call", call_id or f"{event.agent} without a Call-ID"
        case Exchange():
            bodies = [event.request.body, event.response.body if event.response else b""]
            for body in bodies:
                for name, value in _members(body).items():
                    kind = _MEDIASERVICE.get(name)
                    if kind and isinstance(value, str | int) and value not in ("", 0):
                        yield kind, str(value)


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, Mapping) else {}


def _end(event: Event) -> float:
    return max(event.at, getattr(event, "ended", None) or event.at)


def _title(events: Sequence[Event], own: Iterable[int]) -> str:
    """A call as people know it: who called whom."""
    for each in own:
        event = events[each]
        if isinstance(event, Callback):
            told = _members(event.request.body)
            caller = told.get("callingParty") or told.get("fromUser") or told.get("sourceUser")
            called = told.get("calledParty") or told.get("destinationUri")
            if caller or called:
                return f"call from {caller or 'unknown'} to {called or 'unknown'}"
            if told.get("sessionId"):
                return f"session {told['sessionId']}"
    return "call"


def _by_subscription(events: Sequence[Event]) -> list[Part]:
    """A part for each subscription: several may be told to the same URL."""
    parts: dict[str, list[Event]] = defaultdict(list)
    rest: list[Event] = []
    for event in events:
        subscription = _subscription(event)
        (parts[subscription] if subscription else rest).append(event)
    found = [Part(f"subscription {name}", tuple(own)) for name, own in parts.items()]
    return [*found, Part("outside any subscription", tuple(rest), outside=True)] if rest else found


def _subscription(event: Event) -> str:
    if isinstance(event, MediaReport | Note | SipMessage) or not isinstance(event, Exchange):
        return ""
    if isinstance(event, Callback):
        return str(_members(event.request.body).get("subscriptionId") or "")
    if event.about.get("operation") in ("deleteSubscription", "extendSubscription"):
        return event.request.url.partition("?")[0].rpartition("/")[2]
    created = _members(event.response.body if event.response else b"").get("subscription")
    return str(created.get("id") or "") if isinstance(created, Mapping) else ""
