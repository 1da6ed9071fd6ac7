"""The parts of VTX that need no socket: the dial plan, instants, the life and number of subscriptions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from harness.reference.vtx.fields import read_instant
from harness.reference.vtx.model import instant, office_time
from harness.reference.vtx.subscriptions import MAX_SUBSCRIPTIONS, SubscriptionError, Subscriptions, Wanted
from harness.reference.vtx.telephony.numbers import international, is_number, national

NOW = datetime(2031, 5, 1, 12, 0, 0, 250_000, UTC)


@pytest.mark.parametrize(
    ("dialled", "number"),
    [
        ("0215550199", "+41215550199"),
        ("0041215550199", "+41215550199"),
        ("+41215550199", "+41215550199"),
        ("41215550199", "+41215550199"),
        ("021 555 01 99", "+41215550199"),
        ("+41-21-555.01.99;phone-context=x", "+41215550199"),
        ("00441632960123", "+441632960123"),
        ("1414", "1414"),
        ("117", "117"),
        ("*21#", "*21#"),
        ("anna", "anna"),
        ("", ""),
    ],
)
def test_what_is_dialled_becomes_international(dialled: str, number: str) -> None:
    assert international(dialled) == number


def test_only_telephone_numbers_go_outside() -> None:
    assert all(is_number(text) for text in ("0215550199", "+41215550199", "117"))
    assert not any(is_number(text) for text in ("", "1", "anna", "*21#", "+", "1" * 30, "٣٣٣"))


def test_a_number_is_dialled_back_in_its_national_form() -> None:
    assert national("+41215550199") == "0215550199"
    assert national("+441632960123") == "00441632960123"
    assert national("anonymous") == "anonymous"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2031-05-01T12:00:00.25Z", NOW),
        ("2031-05-01T14:00:00.250000+02:00", NOW),
        ("2031-05-01T07:00:00.250000999-0500", NOW),
        ("2031-05-01T12:00Z", NOW.replace(microsecond=0)),
    ],
)
def test_instants_are_read_in_every_usual_form(text: str, moment: datetime) -> None:
    assert read_instant(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "2031-05-01", "2031-05-01T12:00:00", "20310501T120000Z", "2031-13-01T12:00:00Z", "2031-05-01 12:00:00Z"],
)
def test_other_texts_are_no_instants(text: str) -> None:
    assert read_instant(text) is None


def test_instants_are_written_as_sampled() -> None:
    assert instant(NOW) == "2031-05-01T12:00:00.250000Z"
    assert instant(NOW.replace(microsecond=0)) == "2031-05-01T12:00:00Z"
    assert office_time(NOW, "milliseconds") == "2031-05-01T13:00:00.250+01:00"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def _wanted(life: timedelta) -> Wanted:
    return Wanted((1,), "http://a.example/", "CALL_LOG", NOW + life)


def test_a_subscription_is_in_force_until_its_end_and_not_at_it() -> None:
    clock = Clock()
    kept = Subscriptions(clock)
    made = kept.create(_wanted(timedelta(minutes=1)), "login", "application")
    clock.now += timedelta(seconds=59)
    assert kept.all() == kept.concerned([1, 7]) == [made]
    assert kept.concerned([7]) == []
    clock.now += timedelta(seconds=1)
    assert kept.find(made.id) is None
    assert kept.all() == kept.concerned([1]) == []


def test_three_days_are_allowed_and_no_more() -> None:
    kept = Subscriptions(Clock())
    kept.create(_wanted(timedelta(days=3)), "login", "application")
    for life in (timedelta(days=3, microseconds=1), timedelta(0), timedelta(days=-1)):
        with pytest.raises(SubscriptionError):
            kept.create(_wanted(life), "login", "application")
    assert len(kept.all()) == 1


def test_the_number_of_subscriptions_is_bounded_and_those_past_their_end_do_not_count() -> None:
    clock = Clock()
    kept = Subscriptions(clock)
    for _ in range(MAX_SUBSCRIPTIONS):
        kept.create(_wanted(timedelta(minutes=1)), "login", "application")
    with pytest.raises(SubscriptionError, match="delete one first"):
        kept.create(_wanted(timedelta(minutes=2)), "login", "application")
    clock.now += timedelta(minutes=1)
    assert kept.create(_wanted(timedelta(minutes=2)), "login", "application") in kept.all()
