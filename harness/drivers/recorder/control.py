"""The recorder's side of the control socket: workers register routes here and get their callbacks pushed.

JSON lines over a Unix socket in a folder that only this user can enter; the first line must carry the token. It runs
on the recorder's loop, so it shares the route table with the HTTP side without locks. A worker whose connection ends,
however it ends, leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.drivers.recorder.answers import Answer, Match
from harness.drivers.recorder.errors import RecorderError
from harness.drivers.recorder.routing import RouteEntry, RouteTable, normal
from harness.redact import Redactor

LINE_LIMIT = 32 * 1024 * 1024
BACKLOG_LIMIT = 64 * 1024 * 1024
MAX_ROUTES = 10_000
# How long a worker may take to answer a callback by itself; seconds.
ASK_SECONDS = 5.0
# How long workers' connections may take to end; seconds.
STOP_SECONDS = 0.5

Message = dict[str, Any]


class ControlServer:
    """Serves workers until `stop`. `note(topic, text)` is told of workers that are cut off."""

    def __init__(
        self,
        folder: Path,
        table: RouteTable,
        redactor: Redactor,
        note: Callable[[str, str], None],
    ) -> None:
        self._path = folder / "control"
        self._token = secrets.token_urlsafe(24)
        self._table = table
        self._redactor = redactor
        self._note = note
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._serving: set[asyncio.Task[Any]] = set()
        self._owners = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._questions = itertools.count(1)
        self._asked: dict[tuple[int, int], asyncio.Future[Answer]] = {}
        self.base_url = ""

    @property
    def address(self) -> str:
        """What a worker needs to connect: the token and the socket's path."""
        return f"{self._token}@{self._path}"

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LINE_LIMIT)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers.values()):
            writer.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=STOP_SECONDS)

    def push(self, owner: int, message: Message) -> bool:
        """Send a message to a worker; False when that worker is gone or does not read."""
        writer = self._writers.get(owner)
        if writer is None or writer.is_closing():
            return False
        if writer.transport.get_write_buffer_size() > BACKLOG_LIMIT:
            self._note("worker-cut-off", f"worker {owner} does not read its callbacks: connection closed")
            writer.transport.abort()
            return False
        writer.write(_line(message))
        return True

    async def ask(self, entry: RouteEntry, event: Message) -> Answer | None:
        """Have the route's owner answer a request; None when it does not within `ASK_SECONDS`."""
        key = (entry.owner, next(self._questions))
        reply: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[key] = reply
        try:
            if not self.push(entry.owner, {"ask": key[1], "route": entry.name, "event": event}):
                return None
            return await asyncio.wait_for(reply, ASK_SECONDS)
        except TimeoutError:
            self._note("worker-late", f"worker {entry.owner} did not answer a callback within {ASK_SECONDS:g} s")
            return None
        finally:
            del self._asked[key]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        owner = next(self._owners)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            if not await self._welcome(owner, reader, writer):
                return
            while line := await reader.readline():
                message = json.loads(line)
                try:
                    reply = self._obey(owner, message)
                except RecorderError as error:
                    reply = {"ok": False, "error": str(error)}
                writer.write(_line({"re": message["id"], **reply}))
                await writer.drain()
        except (ConnectionError, ValueError, KeyError, TypeError) as error:
            self._note("worker-cut-off", f"worker {owner}: {error!r}")
        finally:
            self._writers.pop(owner, None)
            self._table.drop_owner(owner)
            writer.close()

    async def _welcome(self, owner: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        hello = json.loads(await asyncio.wait_for(reader.readline(), 5.0) or "{}")
        if not secrets.compare_digest(str(hello.get("token", "")), self._token):
            writer.write(_line({"re": hello.get("id"), "ok": False, "error": "wrong token"}))
            return False
        self._writers[owner] = writer
        writer.write(_line({"re": hello["id"], "ok": True, "base_url": self.base_url}))
        return True

    def _obey(self, owner: int, message: Mapping[str, Any]) -> Message:
        match message.get("op"):
            case "secrets":
                for secret in message["secrets"]:
                    self._redactor.add(str(secret))
            case "claim":
                self._table.claim(owner, normal(message["prefix"]))
            case "route":
                self._route(owner, message)
            case "answers":
                entry = self._own(owner, message["route"])
                entry.answers, entry.answered = _answers(message["answers"]), 0
            case "unroute":
                self._table.remove(self._own(owner, message["route"]).id)
            case "reply":
                reply = self._asked.get((owner, message["ask"]))
                if reply is not None and not reply.done():
                    reply.set_result(Answer.from_json(message["answer"]))
            case "sync":
                pass
            case other:
                raise RecorderError(f"unknown instruction {other!r}")
        return {"ok": True}

    def _route(self, owner: int, message: Mapping[str, Any]) -> None:
        if len(self._table) >= MAX_ROUTES:
            raise RecorderError(f"more than {MAX_ROUTES} routes at once")
        self._table.add(
            RouteEntry(
                id=f"{owner}:{message['route']}",
                owner=owner,
                prefix=normal(message["prefix"]),
                answers=_answers(message["answers"]),
                method=message["method"],
                match=Match.from_json(message["match"]),
                learn=tuple(message["learn"]),
                asks=bool(message["asks"]),
            )
        )

    def _own(self, owner: int, name: str) -> RouteEntry:
        entry = self._table.get(f"{owner}:{name}")
        if entry is None:
            raise RecorderError(f"no such route {name!r}")
        return entry


def _answers(items: list[Mapping[str, Any]]) -> tuple[Answer, ...]:
    if not items:
        raise RecorderError("a route needs at least one answer")
    return tuple(Answer.from_json(item) for item in items)


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
