"""The subscriptions in force: made, listed, extended, ended, and gone by themselves once their time has passed.

Written by the API, read by it and by the notifier. Everything is in memory and bounded.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from harness.reference.vtx.model import Subscription, utc_now

MAX_SUBSCRIPTIONS = 1000
LONGEST_LIFE = timedelta(days=3)


class SubscriptionError(Exception):
    """What was asked for is not kept; the text says why."""


@dataclass(frozen=True)
class Wanted:
    """What a request for a subscription says."""

    user_ids: tuple[int, ...]
    notification_url: str
    resource_type: str
    expires: datetime


class Subscriptions:
    """Keeps them by id, in the order in which they were made."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self.clock = clock
        self._held: dict[str, Subscription] = {}

    def create(self, wanted: Wanted, creator: str, application: str) -> Subscription:
        """Raises SubscriptionError for an end in the past or too far off, and when there are too many."""
        self.check_life(wanted.expires)
        if len(self.all()) >= MAX_SUBSCRIPTIONS:
            raise SubscriptionError(f"There are {MAX_SUBSCRIPTIONS} subscriptions already; delete one first")
        now = self.clock()
        made = Subscription(
            id=self.new_id(),
            user_ids=wanted.user_ids,
            notification_url=wanted.notification_url,
            resource_type=wanted.resource_type,
            expires=wanted.expires,
            created=now,
            modified=now,
            creator=creator,
            application=application,
        )
        self._held[made.id] = made
        return made

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def all(self) -> list[Subscription]:
        """Those in force, oldest first."""
        for subscription in [one for one in self._held.values() if self.expired(one)]:
            del self._held[subscription.id]
        return list(self._held.values())

    def find(self, subscription_id: str) -> Subscription | None:
        held = self._held.get(subscription_id)
        return None if held is None or self.expired(held) else held

    def extend(self, subscription: Subscription, expires: datetime) -> Subscription:
        """Move the end of a subscription that is kept. Raises SubscriptionError as `create` does."""
        self.check_life(expires)
        changed = replace(subscription, expires=expires, modified=self.clock())
        self._held[changed.id] = changed
        return changed

    def delete(self, subscription: Subscription) -> None:
        self._held.pop(subscription.id, None)

    def concerned(self, user_ids: Iterable[int]) -> list[Subscription]:
        """Those in force that ask for one of these users, or more."""
        asked = set(user_ids)
        return [subscription for subscription in self.all() if asked.intersection(subscription.user_ids)]

    def expired(self, subscription: Subscription) -> bool:
        return subscription.expires <= self.clock()

    def check_life(self, expires: datetime) -> None:
        """Raises SubscriptionError unless the end lies ahead, and not more than three days."""
        now = self.clock()
        if expires <= now:
            raise SubscriptionError("expires has passed already")
        if expires > now + LONGEST_LIFE:
            raise SubscriptionError(f"expires lies more than {LONGEST_LIFE.days} days ahead")
