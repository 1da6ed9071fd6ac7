"""What a VTX scenario has made and seen so far, and how it asks for subscriptions and hears of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.checks.callbacks import payload
from harness.checks.evidence import json_body, seen_answer
from harness.checks.flows.values import instant, normal_url
from harness.drivers.http import Body, fill_path
from harness.drivers.recorder import Answer, Match
from harness.drivers.sipp import SippResult
from harness.sequences import ORDER_SLACK
from harness.suites.contract.resources import Workbench
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.telephony import Lease
from harness.suites.scenarios.vocabulary import LastAnswer, member
from harness.target import UserTarget
from harness.timeline import Callback, HttpExchange
from harness.verdicts import Reason

SUBSCRIPTIONS = "/v1/subscriptions"
LIFE = 120.0
"""Seconds for which a subscription is asked for where a scenario says nothing."""


@dataclass(frozen=True)
class Subscription:
    """One that a scenario asked for: what it sent, what the answer showed, and where its pushes are due."""

    sent: Mapping[str, Any]
    shown: Mapping[str, Any]
    exchange: HttpExchange

    @property
    def id(self) -> str:
        return str(self.shown["id"])

    @property
    def url(self) -> str:
        return str(self.sent["notificationUrl"])


@dataclass
class PlacedCall:
    """A call that is over: who called, what the caller's telephone saw, and when it had ended."""

    agent: str
    result: SippResult
    ended: float


@dataclass
class World(LastAnswer):
    """What a scenario has made and seen so far."""

    scenario: Scenario
    bench: Workbench
    subscriptions: list[Subscription] = field(default_factory=list)
    users: list[UserTarget] = field(default_factory=list)
    lease: Lease | None = None
    calls: list[PlacedCall] = field(default_factory=list)
    last: HttpExchange | None = None
    over: set[str] = field(default_factory=set)
    before: Any = None
    chosen: int = 0

    @property
    def subscription(self) -> Subscription:
        return self.subscriptions[self.chosen]

    @property
    def others(self) -> list[Subscription]:
        return [one for index, one in enumerate(self.subscriptions) if index != self.chosen]

    @property
    def call(self) -> PlacedCall:
        return self.calls[-1]

    def now(self) -> float:
        return self.scenario.timeline.clock.now()

    def user(self, letter: str) -> UserTarget:
        """The user whom the feature calls A, B or C."""
        place = "ABC".index(letter)
        if place >= len(self.users):
            raise RuntimeError(f"the scenario has no user {letter}: it must begin with the users that it needs")
        return self.users[place]

    def ids(self, count: int) -> list[int]:
        """Ids of so many of the target's users; of those that the scenario has taken first."""
        known = [user_id(one) for one in (*self.users, *self.scenario.target.users) if one.id]
        found = list(dict.fromkeys(known))[:count]
        if len(found) < count:
            words = f"the target file names {len(found)} users with an id, {count} are needed"
            raise InconclusiveError(Reason.PRECONDITION, words)
        return found

    def subscribe(
        self,
        users: Sequence[int],
        *,
        seconds: float = LIFE,
        below: str = "",
        answers: Answer | Sequence[Answer] | None = None,
    ) -> Subscription:
        """Ask for a subscription and have it deleted at the end; `below`: path and query under a path of its own.

        Raises:
            InconclusiveError: it was refused.
        """
        recorder = self.scenario.recorder
        path = recorder.unique("call-logs") + below
        recorder.route(path.partition("?")[0], answers)
        sent = new_subscription(users, recorder.url(path), self.now() + seconds)
        self.request_subscription(sent)
        shown = member(json_body(self.answer()), "subscription")
        if self.status >= 300 or not isinstance(shown, Mapping) or not isinstance(shown.get("id"), str):
            raise InconclusiveError(Reason.PRECONDITION, f"no subscription could be made: {seen_answer(self.answer())}")
        self.bench.remember(self.scenario.contract.spec.operation("createSubscription"), {"id": shown["id"]})
        # The documents' own sample goes to another path than its subscription names: any path of the host counts.
        recorder.route("/", answers, match=Match(json={"subscriptionId": shown["id"]}))
        made = Subscription(sent, shown, self.answer())
        self.subscriptions.append(made)
        return made

    def request_subscription(self, sent: Mapping[str, Any], *, expect: bool = True) -> HttpExchange:
        """Send a request for a subscription, whatever becomes of it."""
        about = {"operation": "createSubscription", **({"expect": "success", "case": "example"} if expect else {})}
        self.last = self.scenario.api.request("POST", SUBSCRIPTIONS, body=Body.json(sent), about=about)
        return self.last

    def listed(self) -> dict[str, Mapping[str, Any]]:
        """The list as it is now, by id."""
        about = {"operation": "listSubscriptions", "expect": "success"}
        self.last = self.scenario.api.request("GET", SUBSCRIPTIONS, about=about)
        found = member(json_body(self.answer()), "subscriptions")
        if self.status != 200 or not isinstance(found, list):
            raise InconclusiveError(Reason.PRECONDITION, f"the list cannot be read: {seen_answer(self.last)}")
        return {str(one.get("id")): one for one in found if isinstance(one, Mapping)}

    def delete(self, subscription_id: str, **about: str) -> HttpExchange:
        path = fill_path(SUBSCRIPTIONS + "/{id}", id=subscription_id)
        self.last = self.scenario.api.request("DELETE", path, about={"operation": "deleteSubscription", **about})
        self.over.add(subscription_id)
        return self.last

    def extend(self, subscription_id: str, expires: str) -> HttpExchange:
        path = fill_path(SUBSCRIPTIONS + "/{id}", id=subscription_id)
        about = {"operation": "extendSubscription", "expect": "success"}
        self.last = self.scenario.api.request("PATCH", path, body=Body.json({"expires": expires}), about=about)
        return self.last

    def pushes(self, subscription: Subscription) -> list[Callback]:
        """What has arrived for a subscription so far: at its URL, or anywhere else under its id."""
        return [push for push in self.scenario.timeline.of(Callback) if _is_for(push, subscription)]

    def wait_pushes(self, subscription: Subscription, count: int = 1) -> list[Callback]:
        """Wait until so many have arrived, as long as a push of the last call may take; what came."""
        self.wait_until(lambda: len(self.pushes(subscription)) >= count)
        return self.pushes(subscription)

    def wait_until(self, enough: Callable[[], bool]) -> bool:
        """Wait for callbacks until there are enough, or until the time is up that a push has after the last call."""
        timeline = self.scenario.timeline
        deadline = (self.calls[-1].ended if self.calls else self.now()) + self._due
        while True:
            known = len(timeline) - 1
            if enough():
                return True
            left = deadline - self.now()
            if left <= 0:
                return False
            timeline.wait_for(lambda one: isinstance(one, Callback), left, after=known)

    @property
    def _due(self) -> float:
        """Seconds after a call until its push is late, with a margin for what observers disagree about."""
        return self.scenario.plan.target.timing.callback + 2 * ORDER_SLACK

    @property
    def in_force(self) -> list[Subscription]:
        """Subscriptions for which a push may come: neither deleted nor expired."""
        return [one for one in self.subscriptions if one.id not in self.over]

    def settle(self) -> None:
        """Wait for the pushes of the calls so far, so that neither they nor a deletion seem part of the next call."""
        for subscription in self.in_force if self.calls else ():
            self.wait_pushes(subscription, len(self.calls))
        self.pass_time(2 * ORDER_SLACK)

    def pass_time(self, seconds: float) -> None:
        """Let time pass: until something has expired, or until what comes next is later for every observer."""
        self.scenario.timeline.wait_for(lambda _: False, seconds)  # nothing on the wire tells that the time has come

    def logs(self, subscription: Subscription, user: UserTarget | None = None) -> list[Mapping[str, Any]]:
        """The events of a subscription's pushes, of one user where one is named; what is no event is left out."""
        found = [one for push in self.pushes(subscription) for one in events_of(push)]
        return [one for one in found if user is None or str(member(one, "callLog.userId")) == str(user.id)]


def events_of(push: Callback) -> list[Mapping[str, Any]]:
    """The call log events that a push carries."""
    body = payload(push.request)
    events = member(body[0], "callLogEvents") if body else None
    return [one for one in (events if isinstance(events, list) else []) if isinstance(one, Mapping)]


def _is_for(push: Callback, subscription: Subscription) -> bool:
    body = payload(push.request)
    named = member(body[0], "subscriptionId") if body else None
    return named == subscription.id or is_at(push, subscription)


def is_at(push: Callback, subscription: Subscription) -> bool:
    """Whether a push came to the notification URL, query included."""
    return normal_url(push.request.url) == normal_url(subscription.url)


def user_id(user: UserTarget) -> int:
    """The id of a user as the API writes it; inconclusive where the target file gives none."""
    if user.id is None or not user.id.isascii() or not user.id.isdigit():
        raise InconclusiveError(Reason.PRECONDITION, f"the target file gives no numeric id for the user {user.aor}")
    return int(user.id)


def new_subscription(users: Sequence[int], url: str, end: float) -> dict[str, Any]:
    """A request for a subscription until `end` (seconds since the epoch), as sampled (VX, Create Subscription)."""
    return {
        "expires": written(end),
        "notificationUrl": url,
        "resourceType": "CALL_LOG",
        "userIds": list(users),
    }


def written(moment: float) -> str:
    """Seconds since the epoch as the documents write an instant that is sent: milliseconds, Z."""
    text = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def read_instant(value: object) -> float | None:
    """Seconds since the epoch of an instant in an answer or a push; None where it is none."""
    return instant(value) if isinstance(value, str) else None
