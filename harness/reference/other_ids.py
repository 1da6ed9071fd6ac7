"""The platform's ids in another form, in everything that goes out; what comes in with them is put back.

Installed by the variant of that name. An id that a client brought itself, as its own or as one that never was, stays as it
is.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.reference.faults.fault import wrap
from harness.reference.fetch import Fetched, Fetcher

_OWN = re.compile(rb"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_OTHER = re.compile(rb"\bZ([0-9A-F]{32})\b")


class Ids:
    """Translates between both forms. `brought`: ids in the platform's form that clients have sent."""

    def __init__(self) -> None:
        self.brought: set[bytes] = set()

    def out(self, text: bytes) -> bytes:
        return _OWN.sub(lambda found: found[0] if found[0] in self.brought else self._other(found[0]), text)

    def back(self, text: bytes) -> bytes:
        self.brought.update(_OWN.findall(text))
        return _OTHER.sub(lambda found: str(uuid.UUID(found[1].decode())).encode(), text)

    @staticmethod
    def _other(own: bytes) -> bytes:
        return b"Z" + own.replace(b"-", b"").upper()


def install_ids(front: ASGIApp) -> ASGIApp:
    """Put the other form in place in this process: in callbacks, and in the front that is served from now on."""
    ids = Ids()

    async def request(
        really: Any,
        fetcher: Fetcher,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Fetched:
        sent = ids.out(body)
        length = {
            name: str(len(sent)) if name.lower() == "content-length" else value
            for name, value in (headers or {}).items()
        }
        fetched: Fetched = await really(fetcher, method, ids.out(url.encode()).decode(), sent, length)
        return replace(fetched, body=ids.back(fetched.body))

    wrap(Fetcher, "request", request)
    return _Front(front, ids)


class _Front:
    """ASGI application in front of another."""

    def __init__(self, app: ASGIApp, ids: Ids) -> None:
        self._app = app
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body.extend(message.get("body", b""))
            more = message.get("more_body", False)
        asked = self._ids.back(bytes(body))
        headers = [(name, self._ids.back(value)) for name, value in scope["headers"]]
        changed = {
            **scope,
            "path": self._ids.back(scope["path"].encode()).decode(),
            "raw_path": self._ids.back(scope.get("raw_path") or b""),
            "query_string": self._ids.back(scope["query_string"]),
            "headers": _with_length(headers, asked),
        }
        await self._app(changed, _once(asked, receive), self._outward(send))

    def _outward(self, send: Send) -> Send:
        async def changed(start: Message, body: bytes) -> None:
            whole = self._ids.out(body)
            headers = [(name, self._ids.out(value)) for name, value in start["headers"]]
            await send({**start, "headers": _with_length(headers, whole)})
            await send({"type": "http.response.body", "body": whole})

        return gathered(changed)


def gathered(then: Callable[[Message, bytes], Awaitable[None]]) -> Send:
    """Where an application may send its answer: once it is whole, `then` gets its start and its body."""
    start: Message = {}
    body = bytearray()

    async def gather(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body", False):
            await then(start, bytes(body))

    return gather


def _once(body: bytes, receive: Receive) -> Receive:
    """The whole body at the first call; then whatever else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message


def _with_length(headers: list[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    length = str(len(body)).encode()
    return [(name, length if name.lower() == b"content-length" else value) for name, value in headers]
