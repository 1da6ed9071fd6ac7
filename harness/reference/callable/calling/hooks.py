"""Tells event hooks what happens, and asks flow hooks what to do (CA Hooks; what is asked has the vendor's usual form).

Called by the modules that run calls. Each event hook has a queue of its own, so that a slow one delays neither calls nor
other hooks; a full queue drops what is new. Nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime

from harness.reference.callable.calling.live import LiveCall
from harness.reference.callable.fields import Json
from harness.reference.callable.store import Record, Store
from harness.reference.callable.verbs import Verb, read_verbs
from harness.reference.fetch import Fetcher, FetchError
from harness.reference.web import BadRequestError

_MAX_WAITING = 1000
_HEADERS = {"content-type": "application/json", "accept": "application/json"}
_log = logging.getLogger("ringtrue.callable")


class HookError(Exception):
    """A flow hook gave nothing that can be run; the text says why."""


class Hooks:
    """The way out to the applications' hooks."""

    def __init__(self, store: Store, event_fetcher: Fetcher, call_fetcher: Fetcher) -> None:
        self.store = store
        self.event_fetcher = event_fetcher
        self.call_fetcher = call_fetcher
        self._queues: dict[str, asyncio.Queue[tuple[str, str, bytes]]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}

    def tell(self, live: LiveCall, event: str, **more: object) -> None:
        """Queue an event for each event hook of the call's account; returns at once."""
        account = self.store.account(live.account)
        if account is None:
            return
        body = json.dumps(self.event(live, event, more)).encode()
        for hook in self.store.hooks(account, "event.generic"):
            self._enqueue(hook, body)

    def event(self, live: LiveCall, event: str, more: Json) -> Json:
        """What an event says; the page leaves it open."""
        return more | {
            "event": event,
            "callId": live.id,
            "accountId": live.account,
            "direction": live.direction,
            "from": live.caller,
            "to": live.called,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "tag": {"data": live.tags},
        }

    async def ask(self, live: LiveCall, url: str, method: str, action: str) -> tuple[Verb, ...]:
        """The verbs with which a call goes on. Raises HookError."""
        question = json.dumps(self.question(live, action)).encode()
        try:
            answer = await self.call_fetcher.request(method, url, question, _HEADERS)
            if not 200 <= answer.status < 300:
                raise HookError(f"{url} answered {answer.status}")
            return read_verbs("the answer", json.loads(answer.body))
        except (FetchError, BadRequestError, ValueError, RecursionError) as error:
            raise HookError(f"{url}: {error}") from error

    def question(self, live: LiveCall, action: str) -> Json:
        """What a flow hook is told about the call."""
        return {
            "callId": live.id,
            "from": live.caller,
            "to": live.called,
            "digits": live.digits,
            "speech": "",
            "action": action,
        }

    async def stop(self) -> None:
        """Drop what is still queued."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)

    def _enqueue(self, hook: Record, body: bytes) -> None:
        queue = self._queues.setdefault(hook.id, asyncio.Queue(_MAX_WAITING))
        try:
            queue.put_nowait((self.method_of(hook), self.url_of(hook), body))
        except asyncio.QueueFull:
            _log.warning("hook %s is too slow: an event is dropped", hook.id)
            return
        if hook.id not in self._workers:
            worker = asyncio.get_running_loop().create_task(self._deliver(hook.id, queue))
            self._workers[hook.id] = worker

    def url_of(self, hook: Record) -> str:
        return hook.text("url")

    def method_of(self, hook: Record) -> str:
        return hook.text("method") or "POST"

    async def _deliver(self, hook_id: str, queue: asyncio.Queue[tuple[str, str, bytes]]) -> None:
        """Send what is queued, in order; ends when there is nothing more."""
        try:
            while not queue.empty():
                method, url, body = queue.get_nowait()
                try:
                    await self.event_fetcher.request(method, url, body, _HEADERS)
                except FetchError as error:
                    _log.warning("hook %s: %s is not told: %s", hook_id, url, error)
        finally:
            self._workers.pop(hook_id, None)
            self._queues.pop(hook_id, None)
