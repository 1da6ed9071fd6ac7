"""Which events of a call lie in a stretch of it, given that observers may disagree about what came first.

Used by the evaluation of call flows; pure.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from harness.checks.flows.record import Seen
from harness.checks.flows.window import Instance, Span, surely_before


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a rule looks at: from an anchor (None: the start) to the next one, or to an event that ends it."""

    anchor: Seen | None
    following: Seen | None = None
    ending: Seen | None = None


def possibly_in(instance: Instance, name: str, stretch: Stretch) -> Span:
    """Events that may lie in the stretch: seen by another observer than its ends, they may be off by some."""
    times = instance.run.record.times
    low, high = 0, len(times)
    if (anchor := stretch.anchor) is not None:
        low = min(anchor.index + 1, bisect_right(times, anchor.at - instance.run.record.slack))
    for end in (stretch.following, stretch.ending):
        if end is not None:
            high = min(high, max(end.index, bisect_left(times, end.at + instance.run.record.slack)))
    return _by_order(instance, instance.possible(name).between(low, high), stretch, unsure=True)


def surely_in(instance: Instance, name: str, stretch: Stretch) -> Span:
    """Events that lie in the stretch by their times."""
    low = stretch.anchor.index + 1 if stretch.anchor else 0
    ends = [end.index for end in (stretch.following, stretch.ending) if end is not None]
    return instance.sure(name).between(low, min(ends, default=len(instance.run.record.times)))


def undoubtedly_in(instance: Instance, name: str, stretch: Stretch) -> Span:
    """Events that lie in the stretch even if observers disagree.

    What the harness itself did (a request, a note) is the cause of what follows, and needs no margin.
    """
    return _by_order(instance, surely_in(instance, name, stretch), stretch, unsure=False)


def _by_order(instance: Instance, span: Span, stretch: Stretch, *, unsure: bool) -> Span:
    """The part of a span that lies in the stretch: each event by its observer and those of the ends.

    `unsure`: what may lie there counts too.
    """
    anchor, ends = stretch.anchor, [end for end in (stretch.following, stretch.ending) if end is not None]
    times, slack = instance.run.record.times, instance.run.record.slack
    told = anchor is not None and not unsure and anchor.kind in ("http", "note")

    def lies(seen: Seen) -> bool:
        after = anchor is None or told or _in_order(anchor, seen, slack, unsure=unsure)
        return after and all(_in_order(seen, end, slack, unsure=unsure) for end in ends)

    near = [anchor, *ends] if anchor is not None and not told else ends
    doubtful = [
        (bisect_left(times, one.at - slack), bisect_right(times, one.at + slack)) for one in near
    ]  # fmt: skip
    if not any(span.between(first, end) for first, end in doubtful):
        return span
    instance.run.count(len(span))
    return Span.of([seen for seen in span if lies(seen)])


def _in_order(first: Seen, second: Seen, slack: float, *, unsure: bool) -> bool:
    """Whether one event came before another; `unsure`: whether it may have."""
    if unsure:
        return first is not second and not surely_before(second, first, slack)
    return surely_before(first, second, slack)
