"""Posts notifications to the URLs of their subscriptions, each once, and once more to a receiver that failed.

Called by the call logs. A receiver that is slow, dead or talks nonsense costs its own notification and nothing else: the
number of pushes under way and the time of each are bounded.
"""

from __future__ import annotations

import asyncio
import json
import logging
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from harness.reference.fetch import Fetcher, FetchError
from harness.reference.vtx.model import Json, Subscription
from harness.reference.vtx.subscriptions import Subscriptions

MAX_WAITING = 2000
# So that a slow receiver does not take all the connections that the platform opens at once.
MAX_AT_ONE_RECEIVER = 8
# The hang-up is on its way to the telephones when a call is over; nobody shall hear of the end before them.
SETTLE_SECONDS = 0.1
RETRY_SECONDS = 0.5
_log = logging.getLogger("ringtrue.vtx")


class Notifier:
    """Pushes that are under way."""

    def __init__(self, subscriptions: Subscriptions, fetcher: Fetcher) -> None:
        self.subscriptions = subscriptions
        self.fetcher = fetcher
        self.attempts = 2
        self.settle = SETTLE_SECONDS
        self.retry = RETRY_SECONDS
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def push(self, subscription: Subscription, payload: Json) -> None:
        """Send it soon, from now on without whoever called."""
        if len(self._tasks) >= MAX_WAITING:
            _log.error("subscription %s: more than %d pushes wait; one is lost", subscription.id, MAX_WAITING)
            return
        task = asyncio.get_running_loop().create_task(self._deliver(subscription, json.dumps(payload).encode()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def waiting(self) -> int:
        """How many pushes are under way."""
        return len(self._tasks)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, subscription: Subscription) -> str:
        return subscription.notification_url

    def in_force(self, subscription: Subscription) -> bool:
        return self.subscriptions.find(subscription.id) is not None

    async def _deliver(self, subscription: Subscription, body: bytes) -> None:
        await asyncio.sleep(self.settle)
        for attempt in range(self.attempts):
            if attempt:
                await asyncio.sleep(self.retry)
            if not self.in_force(subscription):
                _log.info("subscription %s is gone; its push is dropped", subscription.id)
                return
            if not await self.failed(subscription, body):
                return
        _log.warning("subscription %s: the push is given up after %d attempts", subscription.id, self.attempts)

    async def failed(self, subscription: Subscription, body: bytes) -> bool:
        """Send it once; whether the receiver said that it failed. One that says nothing may have it all the same."""
        url = self.url(subscription)
        lane = self._lanes.setdefault(urlsplit(url).netloc, asyncio.Semaphore(MAX_AT_ONE_RECEIVER))
        try:
            async with lane:
                answer = await self.fetcher.request("POST", url, body, {"content-type": "application/json"})
        except FetchError as error:
            _log.warning("subscription %s: push to %s: %s", subscription.id, url, error)
            return False
        return answer.status >= 500
