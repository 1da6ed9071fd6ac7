"""How much may be concluded from a recording that no scenario was in control of.

A scenario sees all its calls, one at a time or told apart, and knows what it provoked. A recording shows what somebody
happened to record: calls of others, half of a call, one plane of two. So in a recording a deviation of a call flow counts
only where keys of the documents tie every event of it to the call; and that something did not come counts only where that
plane was recorded all the time, and the same call was seen on it. What is seen to be kept is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.checks.flows.record import Record, Seen, key_of, read_field
from harness.checks.flows.window import FlowRun, Instance
from harness.contract import Contract
from harness.sequences import ORDER_SLACK, Flow, Rule

UNTIED = "in a recording nothing ties it to this call"
_NOT_ALL_TIME = "it may have come where, or when, nothing was recorded"
_ALARMED = "an alarm tells that something went wrong in this call, and not whose fault it was"
# A scenario dials conventional numbers, by which its calls are known; in a recording the callback that announces a call
# tells what kind it is. Flow, and that callback.
_ANNOUNCED = {"incoming-call": "newCall", "incoming-remote-call": "newRemoteCall"}


@dataclass(frozen=True, slots=True)
class Passive:
    """A recording. `slack`: seconds by which its observers disagree; `covered`: stretches of time that each kind of event
    was recorded in, from and to."""

    slack: float = ORDER_SLACK
    covered: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def covers(self, kind: str, begin: float, end: float) -> bool:
        """Whether a kind was recorded all the time between two moments, by whichever of the observers' clocks."""
        stretches = self.covered.get(kind, ())
        return any(first <= begin + self.slack and end + self.slack <= last for first, last in stretches)


def flows_of(contract: Contract, record: Record) -> tuple[Flow, ...]:
    """The call flows that a part of a recording may be held against."""
    if record.passive is None:
        return contract.sequences
    announced = {seen.group for seen in record.seen if seen.kind == "callback"}
    return tuple(
        _without_number(flow) if flow.name in _ANNOUNCED else flow
        for flow in contract.sequences
        if _ANNOUNCED.get(flow.name, "") in announced | {""}
    )


def _without_number(flow: Flow) -> Flow:
    start = flow.events[flow.start]
    kept = tuple(rule for rule in start.match if rule.field != "request-uri.user")
    return replace(flow, events={**flow.events, flow.start: replace(start, match=kept)})


def why_unseen(instance: Instance, names: Collection[str], begin: float, end: float) -> str:
    """Why events may have come without being seen between two moments; '' where they did not, or where all is seen."""
    record = instance.run.record
    if record.passive is None:
        return ""
    if any(seen.group == "alarm" for seen in record.seen):
        return _ALARMED
    for name in names:
        pattern = instance.run.flow.events[name]
        if pattern.kind == "note":
            continue
        if not record.passive.covers(pattern.kind, begin, end) or not _on_plane(instance, name):
            return _NOT_ALL_TIME
    return ""


def is_blind(run: FlowRun, rule: Rule) -> bool:
    """Whether what would excuse a deviation is of a kind that was not recorded."""
    return any(not run.kinds(name) <= run.record.present for name in rule.unless)


def _on_plane(instance: Instance, name: str) -> bool:
    """Whether something else of this call was seen where the event would have been: of the same kind, with its key."""
    pattern = instance.run.flow.events[name]
    record = instance.run.record
    for place, kept in pattern.same.items():
        wanted = {key_of(place, value) for value, _ in instance.remembered(kept)}
        like = [
            seen
            for seen in record.seen
            if seen.kind == pattern.kind and any(key_of(place, value) in wanted for value in read_field(seen, place))
        ]
        # Of a dialog somebody may have captured one direction only.
        if not like or (pattern.kind == "sip" and len({seen.by_target for seen in like}) < 2):
            return False
    return bool(pattern.same)


def counted(record: Record, events: list[Seen]) -> list[Seen]:
    """Without callbacks that the application did not take: a platform may send them again."""
    if record.passive is None:
        return events
    return [seen for seen in events if seen.kind != "callback" or _taken(seen)]


def _taken(seen: Seen) -> bool:
    response = getattr(seen.event, "response", None)
    return response is not None and 200 <= response.status < 300
