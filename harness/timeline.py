"""What was seen: the append-only record of one scenario, the only thing that checks read.

Drivers append events; checks read them; `Timeline.read` loads a record from disk, so that a check cannot tell a live
run from a recorded one. Nothing here judges, and nothing here talks to a network.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, TypeVar

from harness.redact import Redactor

FORMAT_VERSION = 1

Headers = tuple[tuple[str, str], ...]


class TimelineError(Exception):
    """A record on disk cannot be used: truncated, of another version, or not a record at all."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock for a whole run: seconds since the epoch that never run backwards.

    A clock is made once by the controlling process and handed to every worker; `CLOCK_MONOTONIC` is shared by all
    processes of a machine, so events of different processes can be put in order.
    """

    wall: float
    monotonic: float

    @classmethod
    def start(cls) -> Clock:
        return cls(wall=time.time(), monotonic=time.monotonic())

    def now(self) -> float:
        """Seconds since the epoch, by this run's clock."""
        return self.wall + (time.monotonic() - self.monotonic)

    def from_wall(self, wall: float) -> float:
        """Translate a wall-clock stamp (of a SIPp trace, say) into this clock's seconds."""
        return wall + (self.now() - time.time())


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it went over the wire; header order and repeats are kept."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer as it came over the wire. `truncated`: the body was longer than the driver keeps."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    reason: str = ""
    truncated: bool = False

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was seen. `at`: seconds since the epoch; `seq`: its place in the timeline, given by it."""

    at: float
    seq: int = field(default=-1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Exchange(Event):
    """A request and its answer; `ended` is when the answer was complete.

    `response` is None when no complete answer came; `failure` then says why (`connect`, `timeout`, `protocol`, `tls`,
    `too-large`, followed by a colon and details). `about` holds what the driver knows and the wire does not show:
    `auth` (valid, none, wrong, expired), `case` (what the stimulus was), `operation` (an operationId).
    """

    system: str = ""
    request: HttpRequest = field(default_factory=lambda: HttpRequest("GET", ""))
    response: HttpResponse | None = None
    ended: float | None = None
    failure: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpExchange(Exchange):
    """The harness asked, the implementation answered."""


@dataclass(frozen=True, slots=True)
class Callback(Exchange):
    """The implementation asked, the harness's recorder answered (`about.route`: which script answered)."""


@dataclass(frozen=True, slots=True)
class SipMessage(Event):
    """One SIP message at one of the harness's agents.

    `direction` is `in` or `out` as the agent sees it; `local` and `remote` are `host:port`; `text` is the whole
    message with its body; `repeats` counts retransmissions that were folded into this event.
    """

    agent: str
    direction: str
    local: str
    remote: str
    text: str
    transport: str = "udp"
    repeats: int = 0

    @property
    def start_line(self) -> str:
        return self.text.partition("\n")[0].rstrip("\r")


@dataclass(frozen=True, slots=True)
class MediaReport(Event):
    """What an RTP probe counted and heard, as plain figures (packets, codec, digits, milliseconds)."""

    agent: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something the harness did or noticed that has no wire form; `topic` is a stable word, `text` is for people."""

    topic: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


_KINDS: dict[str, type[Event]] = {
    "http": HttpExchange,
    "callback": Callback,
    "sip": SipMessage,
    "media": MediaReport,
    "note": Note,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}

E = TypeVar("E", bound=Event)


class Timeline:
    """Events of one scenario in the order in which they were appended; safe to append to from several threads.

    With `path`, each event is on disk (secrets removed) before `add` returns, and `close` writes the footer that tells
    a complete record from a truncated one. Use it as a context manager.
    """

    def __init__(
        self,
        scenario: str,
        *,
        clock: Clock | None = None,
        path: Path | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.scenario = scenario
        self.clock = clock or Clock.start()
        self.redactor = redactor or Redactor()
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._file: IO[str] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
            header = {
                "kind": "header",
                "version": FORMAT_VERSION,
                "scenario": scenario,
                "at": self.clock.now(),
            }
            self._write(header)

    def __enter__(self) -> Timeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self._events)

    @property
    def events(self) -> tuple[Event, ...]:
        with self._changed:
            return tuple(self._events)

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """All events of one kind, in order."""
        return tuple(event for event in self.events if isinstance(event, kind))

    def add(self, event: E) -> E:
        """Append an event and return it with its `seq`."""
        with self._changed:
            numbered = replace(event, seq=len(self._events))
            self._events.append(numbered)
            if self._file is not None:
                self._write(event_to_json(numbered))
            self._changed.notify_all()
        return numbered

    def note(self, topic: str, text: str, **data: Any) -> Note:
        return self.add(Note(self.clock.now(), topic, text, data))

    def wait_for(self, match: Callable[[Event], bool], timeout: float, *, after: int = -1) -> Event | None:
        """Wait until an event later than `after` (a `seq`) matches; None when `timeout` seconds passed without one."""
        deadline = time.monotonic() + timeout
        looked = after + 1
        with self._changed:
            while True:
                for event in self._events[looked:]:
                    if match(event):
                        return event
                looked = len(self._events)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def close(self) -> None:
        with self._changed:
            if self._file is not None:
                self._write({"kind": "footer", "events": len(self._events)})
                self._file.close()
                self._file = None

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(self.redactor.scrub(line), ensure_ascii=False) + "\n")
        self._file.flush()

    @classmethod
    def read(cls, path: Path) -> Timeline:
        """Load a record written earlier.

        Raises:
            TimelineError: the file is missing, not a record, of another version, or has no footer.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            items = [json.loads(line) for line in lines]
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise TimelineError(f"{path}: not a readable timeline: {error}") from error
        if not items or not isinstance(items[0], dict) or items[0].get("kind") != "header":
            raise TimelineError(f"{path}: the first line is no timeline header")
        if items[0].get("version") != FORMAT_VERSION:
            raise TimelineError(f"{path}: version {items[0].get('version')!r}, this Ringtrue reads {FORMAT_VERSION}")
        if items[-1].get("kind") != "footer" or items[-1].get("events") != len(items) - 2:
            raise TimelineError(f"{path}: truncated: the footer that counts {len(items) - 1} events is missing")
        timeline = cls(str(items[0].get("scenario", "")))
        for item in items[1:-1]:
            timeline.add(event_from_json(item))
        return timeline


def find_header(headers: Headers, name: str) -> str | None:
    """The first value of a header, by name without case; None when it is not there."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as plain JSON values; `event_from_json` is the way back."""
    result: dict[str, Any] = {"kind": _NAMES[type(event)]}
    for name in event.__dataclass_fields__:
        result[name] = _plain(getattr(event, name))
    return result


def event_from_json(item: Mapping[str, Any]) -> Event:
    """Raises TimelineError for a kind or member that this version does not know."""
    values = dict(item)
    kind = values.pop("kind", None)
    cls = _KINDS.get(str(kind))
    if cls is None:
        raise TimelineError(f"unknown kind of event {kind!r}: expected one of {', '.join(_KINDS)}")
    try:
        if issubclass(cls, Exchange):
            values["request"] = HttpRequest(**_revive(values["request"]))
            if values.get("response") is not None:
                values["response"] = HttpResponse(**_revive(values["response"]))
        return cls(**values)
    except (TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise TimelineError(f"broken {kind} event: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, HttpRequest | HttpResponse):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _revive(message: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(message)
    body = values.get("body", "")
    values["body"] = base64.b64decode(body["base64"]) if isinstance(body, Mapping) else str(body).encode()
    values["headers"] = tuple((str(name), str(value)) for name, value in values.get("headers", ()))
    return values
