"""Cutting a recording into calls: what shares an id is together; the rest joins the only call there was, or none."""

from __future__ import annotations

from dataclasses import replace

from harness.contract import load_contracts
from harness.recordings.calls import OUTSIDE, Part, cut
from harness.recordings.reading import Pile
from harness.recordings.sides import sort_out
from harness.recordings.sip_capture import CapturedSip
from harness.timeline import Callback, Event, Exchange, HttpExchange, Note, SipMessage
from tests.recordings.build import PLATFORM, Item, another, scene


def parts_of(*items: Item, system: str = "mediaservice") -> list[Part]:
    pile = Pile(
        exchanges=[item for item in items if isinstance(item, Exchange)],
        messages=[item for item in items if not isinstance(item, Exchange)],
    )
    found = sort_out(pile, load_contracts((system,))[system], [PLATFORM])
    return cut(sorted(found.events, key=lambda event: event.at), system)


def kinds(events: tuple[Event, ...]) -> list[int]:
    """How many callbacks, API calls, SIP messages."""
    return [sum(isinstance(event, kind) for event in events) for kind in (Callback, HttpExchange, SipMessage)]


def test_a_call_is_one_part_with_both_of_its_legs() -> None:
    _, items = scene("honest", "connected-call")
    (part,) = parts_of(*items)
    assert part.title == "call from +15550101 to ivr-desk"
    assert kinds(part.events) == [5, 0, 10]


def test_calls_at_the_same_time_are_parts_of_their_own() -> None:
    _, items = scene("honest", "ivr-call")
    parts = parts_of(*items, *another(items, "second-", 0.3))
    assert len(parts) == 2
    sessions = [
        {b'"s-1"' in event.request.body for event in part.events if isinstance(event, Callback)} for part in parts
    ]
    assert sessions == [{True}, {False}] or sessions == [{False}, {True}]


def test_a_call_that_is_placed_has_the_operation_and_the_leg() -> None:
    _, items = scene("honest", "placed-ivr-call")
    parts = parts_of(*items)
    assert any(
        isinstance(event, HttpExchange) and event.about["operation"] == "placeIvrCall" for event in parts[0].events
    )
    assert kinds(parts[0].events)[2] > 0


def test_a_call_that_somebody_else_makes_joins_none() -> None:
    """An INVITE to the platform is named by its Call-ID in newCall, or is of another application."""
    _, items = scene("honest", "ivr-call")
    stranger = [
        replace(item, source=item.source.replace("5071", "5999"), target=item.target.replace("5071", "5999"),
                text=item.text.replace("4711@", "4712@"))
        for item in items
        if isinstance(item, CapturedSip)
    ]  # fmt: skip
    call, rest = parts_of(*items, *stranger)
    assert (rest.title, rest.outside) == (OUTSIDE, True)
    assert kinds(call.events)[2] == kinds(rest.events)[2] == len(stranger)


def test_subscriptions_are_parts_even_where_they_share_a_url() -> None:
    _, items = scene("honest", "call-log")
    parts = parts_of(*items, system="vtx")
    assert [part.outside for part in parts] == [False, True]
    assert kinds(parts[0].events)[0] == 2


def test_notes_belong_to_no_call() -> None:
    _, items = scene("honest", "ivr-call")
    events: list[Event] = [Note(items[0].at, "recording", "")]
    assert [part.outside for part in cut(events, "mediaservice")] == [True]
    assert [part.title for part in cut(events, "callable")] == ["the whole recording"]
    assert cut([], "mediaservice") == []
