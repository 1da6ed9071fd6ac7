"""VTX faults in call log pushes: when one is sent, where, to whom, how often, and what it says of the call.

Part of the fault catalogue. Each function patches a VTX system that is made but not started.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.faults.vtx.subscriptions import created
from harness.reference.vtx.directory import ENTERPRISE
from harness.reference.vtx.model import instant, office_time, utc_now

collect = Collector("vtx")

_HOUR = timedelta(hours=1)


@collect("push-never", "VX-push-at-call-end", "no call log is pushed")
def _never(vtx: Any) -> None:
    put(vtx.notifier, "push", lambda _subscription, _payload: None)


@collect("push-first-only", "VX-push-each-call", "a subscription is told of its first call alone")
def _first_only(vtx: Any) -> None:
    told: set[str] = set()

    def push(really: Callable[..., None], subscription: Any, payload: Any) -> None:
        if subscription.id not in told:
            told.add(subscription.id)
            really(subscription, payload)

    wrap(vtx.notifier, "push", push)


@collect("push-at-answer", "VX-push-not-before-end", "a call log is pushed when the call is answered, besides the end")
def _at_answer(vtx: Any) -> None:
    async def connect(really: Callable[..., Any], bridge: Any, call: Any, caller: Any, route: Any) -> None:
        async def tell() -> None:
            while call.answered_at is None:
                await asyncio.sleep(0.01)
            vtx.call_logs.ended(vtx.calls.record(call, bridge, caller, route, utc_now()))

        telling = asyncio.create_task(tell())
        try:
            await really(bridge, call, caller, route)
        finally:
            telling.cancel()

    wrap(vtx.calls, "connect", connect)


def _url(change: Callable[[Any], Any], vtx: Any) -> None:
    wrap(vtx.notifier, "url", lambda url, one: urlunsplit(change(urlsplit(url(one)))))


collect.add(
    "push-other-host",
    "VX-push-host",
    "pushes go to another port than that of the notification URL",
    partial(_url, lambda url: url._replace(netloc="127.0.0.1:9")),
)
collect.add(
    "push-other-path",
    "VX-push-exact-url",
    "pushes go to /notification, whatever the path of the notification URL",
    partial(_url, lambda url: url._replace(path="/notification", query="")),
)


@collect("push-other-subscription-id", "VX-push-subscription-id", "a push carries an id of no subscription")
def _other_id(vtx: Any) -> None:
    wrap(vtx.call_logs, "payload", lambda make, *known: make(*known) | {"subscriptionId": str(uuid.uuid4())})


@collect("push-other-context", "VX-push-context-user", "context.user is not the user of the call log")
def _other_context(vtx: Any) -> None:
    def context(really: Callable[[Any], Any], user: Any) -> Any:
        return really(next(other for other in vtx.directory.users if other != user))

    wrap(vtx.call_logs, "context", context)


@collect("push-twice", "VX-push-once", "each call is told twice, in two call logs")
def _twice(vtx: Any) -> None:
    def ended(really: Callable[[Any], None], record: Any) -> None:
        really(record)
        really(record)

    wrap(vtx.call_logs, "ended", ended)


def _record_filter(wanted: Callable[[Any], bool], vtx: Any) -> None:
    wrap(vtx.call_logs, "concerned", lambda really, record: really(record) if wanted(record) else [])


collect.add(
    "push-answered-only",
    "VX-push-unanswered",
    "an attempt without an answer is not told",
    partial(_record_filter, lambda record: record.final == 200),
)


@collect("push-caller-only", "VX-push-both-users", "of two subscribed users in one call the caller alone is told of")
def _caller_only(vtx: Any) -> None:
    wrap(vtx.call_logs, "payload", lambda make, subscription, events: make(subscription, events[:1]))


@collect("push-one-subscription", "VX-push-each-subscription", "of two subscriptions to a user the newer alone is told")
def _one_subscription(vtx: Any) -> None:
    wrap(vtx.call_logs, "concerned", lambda really, record: really(record)[-1:])


@collect("push-all-users", "VX-push-other-users", "a subscription is told of the calls of all users")
def _all_users(vtx: Any) -> None:
    put(vtx.call_logs, "concerned", lambda _record: vtx.subscriptions.all())
    put(vtx.call_logs, "asked_for", lambda _subscription, _user: True)


@collect("push-after-delete", "VX-push-not-after-delete", "a deleted subscription is told of calls for ever")
def _after_delete(vtx: Any) -> None:
    deleted: list[Any] = []

    def delete(really: Callable[[Any], None], subscription: Any) -> None:
        deleted.append(subscription)
        really(subscription)

    wrap(vtx.subscriptions, "delete", delete)
    _also_told(vtx, deleted)


@collect("push-after-expiry", "VX-push-not-after-expiry", "a subscription is told of calls after its end")
def _after_expiry(vtx: Any) -> None:
    made = created(vtx)

    def delete(really: Callable[[Any], None], subscription: Any) -> None:
        made[:] = [one for one in made if one.id != subscription.id]
        really(subscription)

    wrap(vtx.subscriptions, "delete", delete)
    _also_told(vtx, made)


def _also_told(vtx: Any, others: list[Any]) -> None:
    def concerned(really: Callable[[Any], Any], record: Any) -> Any:
        users = {user.id for user in record.users}
        told = really(record)
        return [*told, *(one for one in others if users & set(one.user_ids) and one not in told)]

    wrap(vtx.call_logs, "concerned", concerned)
    put(vtx.notifier, "in_force", lambda _subscription: True)


@collect("receiver-given-up", "VX-push-after-failure", "a receiver that failed once is told nothing more")
def _given_up(vtx: Any) -> None:
    failed: set[str] = set()

    async def once(really: Callable[..., Any], subscription: Any, body: bytes) -> bool:
        if subscription.id in failed:
            return False
        if await really(subscription, body):
            failed.add(subscription.id)
        return False

    wrap(vtx.notifier, "failed", once)


def _log(change: Callable[[Any, Any], Any], vtx: Any) -> None:
    """Change members of a call log; `change` is given the record and the user."""
    wrap(vtx.call_logs, "call_log", lambda make, record, user: make(record, user) | change(record, user))


for _name, _clause, _words, _change in (
    (
        "push-other-user-id",
        "user-id",
        "userId is the enterprise's, not that of a user",
        lambda record, user: {"userId": ENTERPRISE.id},
    ),
    (
        "push-same-log-id",
        "own-log-id",
        "all call logs have the same id",
        lambda record, user: {"id": "8c1f4a3e-27a5-4f0b-9b6e-51d0c9e2f733"},
    ),
    ("call-type-other", "call-type", "callType of a voice call is FAX", lambda record, user: {"callType": "FAX"}),
    (
        "direction-swapped",
        "direction",
        "the caller's call is INCOMING, that of the called OUTGOING",
        lambda record, user: {"direction": "INCOMING" if user == record.caller else "OUTGOING"},
    ),
    (
        "duration-milliseconds",
        "duration",
        "duration is in milliseconds",
        lambda record, user: {"duration": round(record.seconds * 1000)},
    ),
    (
        "duration-minutes",
        "duration",
        "duration is rounded up to a whole minute",
        lambda record, user: {"duration": -(-round(record.seconds) // 60) * 60},
    ),
    (
        "duration-unanswered",
        "duration-unanswered",
        "an attempt without an answer has a duration",
        lambda record, user: {} if record.final == 200 else {"duration": 30},
    ),
    (
        "call-start-zone-lost",
        "call-start",
        "callStart is a local time under the Z of UTC",
        lambda record, user: {"callStart": instant(record.start + _HOUR)},
    ),
    (
        "dialled-number-normalised",
        "dialled-number",
        "callPartyDialNumber is the number in its international form",
        lambda record, user: {"callPartyDialNumber": record.callee_number},
    ),
    (
        "party-number-own",
        "party-number",
        "callPartyNumber is the user's own number",
        lambda record, user: {"callPartyNumber": user.number},
    ),
):
    collect.add(_name, f"VX-push-{_clause}", _words, partial(_log, _change))


@collect("change-type-other", "VX-push-change-type", "the event of a call that has just ended is UPDATED")
def _change_type(vtx: Any) -> None:
    wrap(vtx.call_logs, "event", lambda make, *known: make(*known) | {"changeType": "UPDATED"})


@collect("event-time-zone-lost", "VX-push-event-time", "eventTime is UTC under the offset of local time")
def _event_time(vtx: Any) -> None:
    def event(make: Callable[..., Any], record: Any, *known: Any) -> Any:
        return make(record, *known) | {"eventTime": office_time(record.ended - _HOUR, "milliseconds")}

    wrap(vtx.call_logs, "event", event)
