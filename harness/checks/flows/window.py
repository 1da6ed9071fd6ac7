"""Which events belong to which instance of a call flow: windows, correlation, and what an instance remembers.

`harness.checks.flows.judging` asks it while it judges; nothing here judges. Everything is looked up when a rule needs it, in
lists that are sorted once, so that a record with thousands of calls takes time in proportion.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import pairwise, zip_longest
from typing import Any

from harness.checks.flows.record import Record, Seen, key_of, read_field
from harness.sequences import AGAIN, Flow


class TooMuchWork(Exception):  # noqa: N818  it is no error of anybody: a record may hold more than can be told apart
    """The calls of a record overlap so much that holding all with all would take too long."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a sorted list of events; cutting it copies nothing."""

    items: Sequence[Seen]
    indices: Sequence[int]
    low: int
    high: int

    @classmethod
    def of(cls, items: Sequence[Seen]) -> Span:
        return cls(items, [seen.index for seen in items], 0, len(items))

    def __len__(self) -> int:
        return max(0, self.high - self.low)

    def __iter__(self) -> Iterator[Seen]:
        return (self.items[place] for place in range(self.low, self.high))

    @property
    def first(self) -> Seen | None:
        return self.items[self.low] if self else None

    @property
    def last(self) -> Seen | None:
        return self.items[self.high - 1] if self else None

    def between(self, first: int, end: int) -> Span:
        """The part whose places in the record are `first` or later, and before `end`."""
        low = bisect_left(self.indices, first, self.low, max(self.low, self.high))
        high = bisect_left(self.indices, end, low, max(low, self.high))
        return Span(self.items, self.indices, low, high)


NOTHING = Span((), (), 0, 0)


class FlowRun:
    """One flow over one record: what matches each of its patterns, and the instances."""

    def __init__(self, record: Record, flow: Flow) -> None:
        self.record = record
        self.flow = flow
        self.keepers = {name: event.name for event in flow.events.values() for name in event.keep}
        self._pools: dict[str, Span] = {}
        self._indexes: dict[tuple[str, str], dict[Any, list[Seen]]] = {}
        self._others: list[Instance] = []
        self._work = 0
        self._most = 500_000 + 50 * len(record.seen)

    def pool(self, name: str) -> Span:
        """All events of the record that match, whatever instance they belong to."""
        if name not in self._pools:
            self._pools[name] = Span.of(self.record.matches(self.flow.events[name]))
        return self._pools[name]

    def keyed(self, name: str, field: str) -> dict[Any, list[Seen]]:
        """The events of a pool by each value of a field."""
        known = self._indexes.get((name, field))
        if known is None:
            known = self._indexes[name, field] = defaultdict(list)
            for seen in self.pool(name):
                for key in dict.fromkeys(key_of(field, value) for value in read_field(seen, field)):
                    known[key].append(seen)
        return known

    def instances(self) -> Iterator[Instance]:
        starts = list(self.pool(self.flow.start))
        if self.flow.until != AGAIN:
            yield from (Instance(self, start, None) for start in starts)
            return
        made = [Instance(self, start, following) for start, following in zip_longest(starts, starts[1:])]
        for one, other in pairwise(made):
            one.neighbours.append(other)
            other.neighbours.append(one)
        yield from made

    def overlapping_with(self, instance: Instance) -> Iterator[Instance]:
        """The other instances whose windows may overlap with that one's."""
        if self.overlapping:
            self._others = self._others or [Instance(self, start, None) for start in self.pool(self.flow.start)]
            yield from (other for other in self._others if other.start is not instance.start)

    def kinds(self, name: str) -> frozenset[str]:
        """The kinds of events that must be seen for this one to be found: its own, and those it is correlated with."""
        found: set[str] = set()
        names = [name]
        for each in names:
            pattern = self.flow.events[each]
            found.add(pattern.kind)
            names += [keeper for kept in pattern.same.values() if (keeper := self.keepers[kept]) not in names]
        return frozenset(found)

    @cached_property
    def overlapping(self) -> int:
        """How many instances have windows that may overlap; 0 where there is only one."""
        starts = len(self.pool(self.flow.start))
        return starts if starts > 1 and self.flow.until != AGAIN else 0

    @cached_property
    def untied(self) -> frozenset[str]:
        """The events that nothing ties to one of several overlapping instances: themselves, or by what they share."""
        events = self.flow.events.values()
        found = {event.name for event in events if not event.same and event.kind != "note"} - {self.flow.start}
        for _ in events:
            found |= {e.name for e in events if e.same and all(self.keepers[kept] in found for kept in e.same.values())}
        return frozenset(found)

    def count(self, work: int) -> None:
        self._work += work
        if self._work > self._most:
            raise TooMuchWork


class Instance:
    """One start and what belongs to it.

    `possible` is what may belong, given that observers disagree by up to `Record.slack`; `sure` is what does by its time, or
    by what it is correlated with. `neighbours`: the instances whose windows adjoin this one.
    """

    def __init__(self, run: FlowRun, start: Seen, following: Seen | None) -> None:
        self.run = run
        self.start = start
        self.closing = following
        self.neighbours: list[Instance] = []
        self._end = following.index if following else len(run.record.seen)
        self._spans: dict[str, Span] = {}
        self._remembered: dict[str, list[tuple[Any, Seen]]] = {}
        until = run.flow.until
        if until is not None and until != AGAIN:
            self.closing = next((seen for seen in self.possible(until) if seen.index > start.index), None)
            if self.closing:
                self._end = self.closing.index + 1
                self._spans.clear()
                self._remembered.clear()

    @property
    def ends(self) -> float:
        """When its window ends: with the event that closes it, or with the record."""
        return self.closing.at if self.closing else self.run.record.end

    def possible(self, name: str) -> Span:
        known = self._spans.get(name)
        if known is None:
            known = self._spans[name] = self._find(name)
        return known

    def sure(self, name: str) -> Span:
        possible = self.possible(name)
        own = possible.between(self.start.index, self._end)
        if len(own) == len(possible) or not self.run.flow.events[name].same:
            return own
        # What an event shares with the instance says more than its time, unless a neighbour shares it as well. But what
        # comes after the event that closed the instance may well be none of its business any more.
        end = self._end if self.run.flow.until not in (None, AGAIN) else len(self.run.record.seen)
        others = {(seen.index, seen.number) for each in self.neighbours for seen in each.possible(name)}
        return Span.of(
            [
                seen
                for seen in possible
                if self.start.index <= seen.index < self._end
                or (seen.index < end and (seen.index, seen.number) not in others)
            ]
        )

    def any_possible(self, names: Sequence[str]) -> Span:
        return self._union([self.possible(name) for name in names])

    def any_sure(self, names: Sequence[str]) -> Span:
        return self._union([self.sure(name) for name in names])

    def first_sure(self, names: Sequence[str], after: int = -1) -> Seen | None:
        """The first of any of these events beyond a place in the record."""
        firsts = [self.sure(name).between(after + 1, len(self.run.record.seen)).first for name in names]
        return min((seen for seen in firsts if seen), key=lambda seen: seen.index, default=None)

    def remembered(self, name: str) -> list[tuple[Any, Seen]]:
        """The values kept under a name, each with the event that had it; null is no value to remember."""
        known = self._remembered.get(name)
        if known is None:
            keeper = self.run.keepers[name]
            field = self.run.flow.events[keeper].keep[name]
            events = self.possible(keeper)
            self.run.count(len(events))
            known = [(value, seen) for seen in events for value in read_field(seen, field) if value is not None]
            self._remembered[name] = known
        return known

    def anywhere(self, name: str) -> Seen | None:
        """An event that has this instance's remembered values, wherever in the record."""
        pattern = self.run.flow.events[name]
        if not pattern.same:
            return self.run.pool(name).first
        return next(iter(self._correlated(name)), None)

    def uncorrelated(self, name: str) -> Span:
        """What matches in the window, whether or not it shares the remembered values."""
        return self.run.pool(name).between(*self._bounds(self.run.flow.events[name].kind))

    def _find(self, name: str) -> Span:
        if name == self.run.flow.start:
            return Span.of([self.start])
        pattern = self.run.flow.events[name]
        low, high = self._bounds(pattern.kind)
        if not pattern.same:
            return self.run.pool(name).between(low, high)
        return Span.of([seen for seen in self._correlated(name) if low <= seen.index < high])

    def _bounds(self, kind: str) -> tuple[int, int]:
        times = self.run.record.times
        low = self.start.index
        if kind != self.start.kind:
            low = min(low, bisect_right(times, self.start.at - self.run.record.slack))
        high = self._end
        if self.closing and kind != self.closing.kind:
            high = max(high, bisect_left(times, self.closing.at + self.run.record.slack))
        return low, high

    def _correlated(self, name: str) -> list[Seen]:
        """All of the record's events of a pattern that share the remembered values, in order."""
        same = list(self.run.flow.events[name].same.items())
        wanted = [(field, {key_of(field, value) for value, _ in self.remembered(kept)}) for field, kept in same]
        field, keys = wanted[0]
        index = self.run.keyed(name, field)
        self.run.count(len(keys))
        lists = [index[key] for key in keys if key in index]
        found = lists[0] if len(lists) == 1 else _distinct(lists)
        self.run.count(len(found))
        for other, values in wanted[1:]:
            found = [seen for seen in found if any(key_of(other, value) in values for value in read_field(seen, other))]
        return found

    def _union(self, spans: list[Span]) -> Span:
        if len(spans) == 1:
            return spans[0]
        filled = [span for span in spans if span]
        if len(filled) < 2:
            return filled[0] if filled else NOTHING
        self.run.count(sum(map(len, filled)))
        return Span.of(_distinct([list(span) for span in filled]))


def _distinct(lists: list[list[Seen]]) -> list[Seen]:
    """The lists as one, in order; an event that stands in several of them, or matches several patterns, once."""
    found: list[Seen] = []
    known: set[tuple[int, int]] = set()
    for seen in merge(*lists, key=lambda each: (each.index, each.number)):
        if (seen.index, seen.number) not in known:
            known.add((seen.index, seen.number))
            found.append(seen)
    return found


def surely_before(first: Seen, second: Seen, slack: float) -> bool:
    """Whether one event came before another, beyond what their observers may disagree about."""
    if first.index >= second.index:
        return False
    return first.observer == second.observer or second.at - first.at >= slack


def is_retry(first: Seen, again: Seen, *, like: bool = True) -> bool:
    """Whether an event may be the same one sent once more, because it had not been taken; `like`: in the same words."""
    response = getattr(first.event, "response", None)
    taken = response is not None and 200 <= response.status < 300
    bodies = [getattr(getattr(seen.event, "request", None), "body", b"") for seen in (first, again)]
    return first.kind == "callback" and not taken and (not like or bodies[0] == bodies[1])


def once(events: list[Seen]) -> list[Seen]:
    """Events without those that match several of the names."""
    return list({(seen.index, seen.number): seen for seen in events}.values())


def how_late(events: list[Seen], anchor: Seen) -> str:
    """How many seconds after an anchor the first of several events came."""
    return f"{min(seen.at for seen in events) - anchor.ended:.1f}"


def places(events: list[Seen]) -> tuple[int, ...]:
    """Where events stand in their timeline, for a finding; the first few."""
    return tuple(sorted({seen.event.seq for seen in events}))[:10]
