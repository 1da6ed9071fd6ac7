"""The application side of the tests beside this file: receives callbacks, answers them as told, keeps what came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Reply = Any


@dataclass(frozen=True)
class Callback:
    """One callback: its name, path and members, and the loop's time at which it came."""

    name: str
    path: str
    members: Json
    at: float


class Application:
    """An HTTP server on loopback. `answers[name]`: an object, raw bytes, a status, or a function of the members.

    A list is used up one by one, its last item again and again. None answers nothing at all.
    """

    def __init__(self) -> None:
        self.received: list[Callback] = []
        self.answers: dict[str, Reply] = {}
        self.files: dict[str, bytes] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/app"

    async def __aenter__(self) -> Application:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_raised: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def names(self, *wanted: str) -> list[str]:
        """The names of the callbacks so far; with `wanted` only those."""
        return [one.name for one in self.received if not wanted or one.name in wanted]

    def all(self, name: str) -> list[Json]:
        return [one.members for one in self.received if one.name == name]

    async def wait(self, name: str, count: int = 1, seconds: float = 6.0, **having: Any) -> Json:
        """The members of the `count`th callback of that name that has these members."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            found = [
                one.members
                for one in self.received
                if one.name == name and all(one.members.get(key) == value for key, value in having.items())
            ]
            if len(found) >= count:
                return found[count - 1]
            seen = [(one.name, one.members.get("event") or one.members.get("error")) for one in self.received]
            assert asyncio.get_running_loop().time() < deadline, f"no {name} {having}; seen: {seen}"
            await asyncio.sleep(0.005)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # A stream handler that ends cancelled makes Python 3.11 log an error of its own.
            return
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        lengths = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        name = path.partition("?")[0].rpartition("/")[2]
        if method == "GET":
            await self._send(writer, 200, self.files[name])
            return
        callback = Callback(name, path, json.loads(body), asyncio.get_running_loop().time())
        self.received.append(callback)
        reply = await self._reply(callback)
        if reply is None:
            await reader.read()
        elif isinstance(reply, int):
            await self._send(writer, reply, b"")
        else:
            await self._send(writer, 200, reply if isinstance(reply, bytes) else json.dumps(reply).encode())

    async def _reply(self, callback: Callback) -> Reply:
        reply = self.answers.get(callback.name, {})
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if callable(reply):
            function: Callable[[Json], Reply | Awaitable[Reply]] = reply
            reply = function(callback.members)
            if isinstance(reply, Awaitable):
                reply = await reply
        return reply

    async def _send(self, writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} Answer\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
