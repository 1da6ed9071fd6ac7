"""What was seen: the append-only record of one scenario, the only thing that checks read.

Drivers append events; checks read them; `Timeline.read` loads a record from disk, so that a check cannot tell a live
run from a recorded one. Nothing here judges, and nothing here talks to a network.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeVar

from harness.events import (
    Callback,
    Event,
    Exchange,
    Headers,
    HttpExchange,
    HttpRequest,
    HttpResponse,
    MediaReport,
    Note,
    SipMessage,
    TimelineError,
    declared_type,
    event_from_json,
    event_to_json,
    find_header,
)
from harness.redact import Redactor

FORMAT_VERSION = 1

__all__ = [
    "FORMAT_VERSION",
    "Callback",
    "Clock",
    "Event",
    "Exchange",
    "Headers",
    "HttpExchange",
    "HttpRequest",
    "HttpResponse",
    "MediaReport",
    "Note",
    "SipMessage",
    "Timeline",
    "TimelineError",
    "declared_type",
    "event_from_json",
    "event_to_json",
    "find_header",
]


# How often two clocks are compared, at most, and how close together two looks at them suffice.
_LOOKS = 10
_CLOSE_SECONDS = 20e-6


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
        return wall + self._lead()

    def _lead(self) -> float:
        """Seconds by which this clock is ahead of the system's, now.

        Whoever loses the processor between a look at the one and a look at the other would put an event milliseconds
        before one that it followed; so the looks that were closest together count.
        """
        closest, lead = math.inf, 0.0
        for _ in range(_LOOKS):
            before, wall, after = self.now(), time.time(), self.now()
            if after - before < closest:
                closest, lead = after - before, (before + after) / 2 - wall
            if closest < _CLOSE_SECONDS:
                break
        return lead


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
