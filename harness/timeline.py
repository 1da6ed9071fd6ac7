"""What was seen: the append-only record of one scenario, the only thing that checks read.

Drivers append events; checks read them; `Timeline.read` loads a record from disk, so that a check cannot tell a live
run from a recorded one. Nothing here judges, and nothing here talks to a network.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
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
            # A lone surrogate (out of a hostile JSON body) has no UTF-8; this way it becomes the JSON escape that it was.
            self._file = path.open("w", encoding="utf-8", errors="backslashreplace")
            header = {
                "kind": "header",
                "version": FORMAT_VERSION,
                "scenario": self.redactor.text(scenario),
                "at": self.clock.now(),
            }
            self._write(header)

    @classmethod
    def of_events(cls, scenario: str, events: Iterable[Event]) -> Timeline:
        """A part of another timeline in memory; its events keep the `seq` that they have there."""
        made = cls(scenario)
        made._events = list(events)
        return made

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
            try:
                if self._file is not None:
                    self._write(event_to_json(numbered, self.redactor))
            finally:
                self._events.append(numbered)
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
                self._file.flush()
                # Counted where a reader will count: an interruption may have come between memory and disk.
                on_disk = Path(self._file.name).read_bytes().count(b"\n") - 1
                self._write({"kind": "footer", "events": on_disk})
                self._file.close()
                self._file = None

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    @classmethod
    def read(cls, path: Path) -> Timeline:
        """Load a record written earlier.

        Raises:
            TimelineError: the file is missing, not a record, of another version, or has no footer.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TimelineError(f"{path}: not a readable timeline: {error}") from error
        # Bodies hold characters such as U+2028, at which splitlines would cut as well.
        items = [_read_line(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if not items or items[0].get("kind") != "header":
            raise TimelineError(f"{path}: the first line is no timeline header")
        if items[0].get("version") != FORMAT_VERSION:
            raise TimelineError(f"{path}: version {items[0].get('version')!r}, this Ringtrue reads {FORMAT_VERSION}")
        if items[-1].get("kind") != "footer":
            raise TimelineError(f"{path}: truncated: the footer is missing after {len(items) - 1} events")
        if items[-1].get("events") != len(items) - 2:
            counted = items[-1].get("events")
            raise TimelineError(f"{path}: truncated: the footer counts {counted} events, {len(items) - 2} are there")
        timeline = cls(str(items[0].get("scenario", "")))
        for number, item in enumerate(items[1:-1], 2):
            try:
                timeline.add(event_from_json(item))
            except TimelineError as error:
                raise TimelineError(f"{path}:{number}: {error}") from error
        return timeline


def _read_line(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TimelineError(f"{path}:{number}: not a line of a timeline, or cut short: {error}") from error
    if not isinstance(item, Mapping):
        raise TimelineError(f"{path}:{number}: not a line of a timeline: expected an object")
    return item


def find_header(headers: Headers, name: str) -> str | None:
    """The first value of a header, by name without case; None when it is not there."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def event_to_json(event: Event, redactor: Redactor | None = None) -> dict[str, Any]:
    """An event as plain JSON values, without secrets where a `redactor` is given; `event_from_json` is the way back."""
    result: dict[str, Any] = {"kind": _NAMES[type(event)]}
    for name in event.__dataclass_fields__:
        result[name] = _plain(getattr(event, name), redactor or _NOTHING_SECRET)
    return result


def event_from_json(item: Mapping[str, Any]) -> Event:
    """Raises TimelineError for a kind or member that this version does not know, or a member of a wrong type."""
    values = dict(item)
    kind = values.pop("kind", None)
    cls = _KINDS.get(str(kind))
    if cls is None:
        raise TimelineError(f"unknown kind of event {kind!r}: expected one of {', '.join(_KINDS)}")
    try:
        if issubclass(cls, Exchange):
            values["request"] = HttpRequest(**_revive(values["request"], HttpRequest))
            if values.get("response") is not None:
                values["response"] = HttpResponse(**_revive(values["response"], HttpResponse))
        return cls(**_typed(values, cls))
    except KeyError as error:
        raise TimelineError(f"broken {kind} event: it has no {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise TimelineError(f"broken {kind} event: {error}") from error


class _NothingSecret(Redactor):
    """Leaves everything as it is, for values that stay in memory."""

    def text(self, value: str) -> str:
        return value

    def data(self, value: bytes) -> bytes:
        return value

    def header(self, name: str, value: str) -> str:
        del name
        return value

    def scrub(self, value: Any) -> Any:
        return value


_NOTHING_SECRET = _NothingSecret()
_CONTROLS = bytes({*range(0x20)} - {*b"\b\t\n\f\r"})


def _plain(value: Any, redactor: Redactor) -> Any:
    match value:
        case HttpRequest() | HttpResponse():
            members = {name: _plain(getattr(value, name), redactor) for name in value.__dataclass_fields__}
            return {**members, "headers": [[name, redactor.header(name, text)] for name, text in value.headers]}
        case bytes():
            clean = redactor.data(value)
            escaped = len(clean) - len(clean.translate(None, _CONTROLS))
            if escaped <= len(clean) // 8:  # as JSON text each of them takes six bytes
                with suppress(UnicodeDecodeError):
                    return clean.decode("utf-8")
            return {"base64": base64.b64encode(clean).decode("ascii")}
        case tuple() | list():
            return [_plain(item, redactor) for item in value]
        case Mapping():
            return redactor.scrub({str(key): _plain(item, _NOTHING_SECRET) for key, item in value.items()})
        case str():
            return redactor.text(value)
        case _:
            return value


def _revive(message: Mapping[str, Any], cls: type[HttpRequest] | type[HttpResponse]) -> dict[str, Any]:
    values = dict(message)
    body = values.get("body", "")
    values["body"] = base64.b64decode(body["base64"]) if isinstance(body, Mapping) else str(body).encode()
    values["headers"] = tuple((str(name), str(value)) for name, value in values.get("headers", ()))
    return _typed(values, cls)


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "bool": (bool,),
    "Mapping[str, str]": (Mapping,),
    "Mapping[str, Any]": (Mapping,),
}


def _typed(values: dict[str, Any], cls: type) -> dict[str, Any]:
    """The values, once it is sure that each is of the type which its field says."""
    for member in fields(cls):
        allowed = _TYPES.get(str(member.type))
        if allowed and member.name in values and not isinstance(values[member.name], allowed):
            shown = type(values[member.name]).__name__
            raise TypeError(f"{member.name}: expected {member.type}, got {shown}")
    return values
