"""A worker's hold on the recorder: registers routes, and gets each callback into its scenario's timeline.

One client per scenario, in whatever process the scenario runs. A thread of its own reads what the recorder pushes;
waiting is on conditions with deadlines. Closing the client, or losing its process, removes its routes.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from harness.drivers.recorder.answers import Answer, Match
from harness.drivers.recorder.errors import RecorderError
from harness.timeline import Callback, Timeline, event_from_json

REPLY_SECONDS = 5.0

Handler = Callable[[Callback], Answer]

NO_ANSWER = Answer(500, body="the harness has no answer")


class Route:
    """A place where callbacks of one scenario arrive."""

    def __init__(self, client: RecorderClient, name: str, url: str) -> None:
        self.url = url
        self.name = name
        self._client = client
        self._callbacks: list[Callback] = []

    @property
    def callbacks(self) -> list[Callback]:
        """What has arrived so far, in order."""
        with self._client._changed:
            return list(self._callbacks)

    def wait(self, count: int = 1, timeout: float = 5.0) -> list[Callback]:
        """Wait until at least `count` callbacks were answered here, or `timeout` seconds passed; all that came.

        Raises:
            RecorderError: the recorder went away while waiting.
        """
        self._client._wait(lambda: len(self._callbacks) >= count, timeout)
        return self.callbacks

    def answer(self, answers: Answer | Sequence[Answer]) -> None:
        """Replace the answers; the next callback gets the first of the new ones."""
        self._client._ask({"op": "answers", "route": self.name, "answers": _items(answers)})

    def close(self) -> None:
        """Take the route away; what has arrived stays."""
        self._client._ask({"op": "unroute", "route": self.name})


class RecorderClient:
    """Connects to a `Recorder.control` address; a context manager.

    `look` sees each answer before it is given, and may raise to keep it back.

    Raises:
        RecorderError: no recorder there, or a wrong token.
    """

    def __init__(self, control: str, timeline: Timeline, look: Callable[[Answer], None] | None = None) -> None:
        self._timeline = timeline
        self._look = look or (lambda answer: None)
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._ids = itertools.count(1)
        self._replies: dict[int, dict[str, Any]] = {}
        self._routes: dict[str, Route] = {}
        self._unrouted: list[Callback] = []
        self._last = time.monotonic()
        self._gone: str | None = None
        self._handlers: dict[str, Handler] = {}
        self._questions: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._answering: threading.Thread | None = None
        self._broke: Exception | None = None
        token, _, path = control.partition("@")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise RecorderError(f"no recorder answers at its control socket: {error}") from error
        self._reader = threading.Thread(target=self._read, name="ringtrue-recorder-client", daemon=True)
        self._reader.start()
        try:
            self.base_url = str(self._ask({"op": "hello", "token": token})["base_url"])
            self._ask({"op": "secrets", "secrets": sorted(timeline.redactor.secrets)})
        except RecorderError:
            self.close()
            raise

    def __enter__(self) -> RecorderClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def broke(self) -> Exception | None:
        """What kept a function from answering a callback, so that 500 was answered; None while all were answered."""
        return self._broke

    def unique(self, prefix: str = "") -> str:
        """A path that nobody can guess, under `prefix`; what arrives there concerns this client only."""
        path = f"{prefix.strip('/')}/{secrets.token_urlsafe(12)}".lstrip("/")
        self.claim(path)
        return path

    def claim(self, prefix: str) -> None:
        """Have what arrives under this path and matches no route kept for `unrouted`."""
        self._ask({"op": "claim", "prefix": prefix})

    def url(self, path: str) -> str:
        """The URL of a path of the recorder, as the implementation reaches it."""
        return f"{self.base_url}/{path.lstrip('/')}"

    def route(
        self,
        path: str,
        answers: Answer | Sequence[Answer] | Handler | None = None,
        *,
        method: str | None = None,
        match: Match | None = None,
        learn: Sequence[str] = (),
    ) -> Route:
        """Take callbacks to this path and below it, and answer them in turn; the last answer repeats.

        Where several routes fit, the longest path wins, then the most conditions, then the first registered. `learn`
        names JSON members whose values make later callbacks known to this client (`Match.known`; `caller=party`: learned
        as `party`). Without `answers` it is 200 with an empty body. `answers` may be a function of the request (a
        `Callback` without response), called in a thread of this process, one call at a time; where it raises, the
        answer is 500 and the next wait raises.
        """
        handler = answers if callable(answers) else None
        given = NO_ANSWER if callable(answers) else Answer() if answers is None else answers
        for answer in [given] if isinstance(given, Answer) else given:
            self._look(answer)
        name = str(next(self._ids))
        route = Route(self, name, self.url(path))
        with self._changed:
            self._routes[name] = route
            if handler is not None:
                self._handlers[name] = handler
        if handler is not None and self._answering is None:
            self._answering = threading.Thread(target=self._answer, name="ringtrue-recorder-answers", daemon=True)
            self._answering.start()
        self._ask(
            {
                "op": "route",
                "route": name,
                "prefix": path,
                "answers": _items(given),
                "asks": handler is not None,
                "method": method,
                "match": (match or Match()).to_json(),
                "learn": list(learn),
            }
        )
        return route

    def unrouted(self) -> list[Callback]:
        """Callbacks that came under a claimed path but matched no route, and were answered with 404.

        Those under the root, or a path that several clients claim, are here but not in the timeline: they may be another
        scenario's.
        """
        self._ask({"op": "sync"})
        with self._changed:
            return list(self._unrouted)

    def quiet(self, seconds: float, timeout: float = 30.0) -> bool:
        """Wait until nothing has arrived for `seconds`; False when callbacks kept coming for `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._ask({"op": "sync"})
        start = time.monotonic()
        with self._changed:
            while True:
                self._check()
                now = time.monotonic()
                left = max(self._last, start) + seconds - now
                if left <= 0:
                    return True
                if now >= deadline:
                    return False
                self._changed.wait(min(left, deadline - now))

    def close(self) -> None:
        """End the connection; the recorder forgets this client's routes."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._gone = self._gone or "closed"  # the recorder had closed it first
        self._reader.join(REPLY_SECONDS)
        if self._answering is not None:
            self._questions.put(None)
            self._answering.join(REPLY_SECONDS)
        self._socket.close()

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        number = next(self._ids)
        line = json.dumps({**message, "id": number}).encode() + b"\n"
        try:
            with self._sending:
                self._socket.sendall(line)
        except OSError as error:
            raise RecorderError(f"the recorder has gone: {self._gone or error}") from error
        if not self._wait(lambda: number in self._replies, REPLY_SECONDS):
            raise RecorderError(f"the recorder did not reply to {message['op']!r} within {REPLY_SECONDS:g} s")
        with self._changed:
            reply = self._replies.pop(number)
        if not reply.get("ok"):
            raise RecorderError(f"the recorder refused {message['op']!r}: {reply.get('error')}")
        return reply

    def _wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition():
                self._check()
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def _check(self) -> None:
        if self._broke is not None:
            raise RecorderError(f"the function that answers callbacks failed: {self._broke!r}") from self._broke
        if self._gone is not None:
            raise RecorderError(f"the recorder has gone: {self._gone}")

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    self._take(json.loads(line))
            gone = "it closed the connection"
        except (OSError, ValueError) as error:
            gone = str(error)
        with self._changed:
            self._gone = gone
            self._changed.notify_all()

    def _answer(self) -> None:
        """The thread that calls handlers; the reader must not wait for them, they may talk to the recorder."""
        while (question := self._questions.get()) is not None:
            try:
                event = event_from_json(question["event"])
                assert isinstance(event, Callback)
                answer = self._handlers[question["route"]](event)
                self._look(answer)
                self._ask({"op": "reply", "ask": question["ask"], "answer": answer.to_json()})
            except Exception as error:  # noqa: BLE001  a scenario's own code: told to whoever waits
                with self._changed:
                    self._broke = self._broke or error
                    self._changed.notify_all()
                self._refuse(question["ask"])

    def _refuse(self, ask: int) -> None:
        """Answer a question to which the handler had no answer, past `_ask`, which now raises."""
        line = json.dumps({"op": "reply", "ask": ask, "answer": NO_ANSWER.to_json(), "id": 0}).encode() + b"\n"
        with self._sending, contextlib.suppress(OSError):  # the recorder may have gone, which waiting tells
            self._socket.sendall(line)

    def _take(self, message: dict[str, Any]) -> None:
        if "ask" in message:
            self._questions.put(message)
            return
        if "re" in message:
            with self._changed:
                self._replies[message["re"]] = message
                self._changed.notify_all()
            return
        event = event_from_json(message["event"])
        assert isinstance(event, Callback)
        if not message["shared"]:
            event = self._timeline.add(event)
        with self._changed:
            self._last = time.monotonic()
            route = self._routes.get(message["route"]) if message["route"] else None
            (route._callbacks if route else self._unrouted).append(event)
            self._changed.notify_all()


def _items(answers: Answer | Sequence[Answer]) -> list[dict[str, Any]]:
    several = [answers] if isinstance(answers, Answer) else list(answers)
    return [answer.to_json() for answer in several]
