"""Reads whatever somebody recorded into one pile: timelines, folders of runs, flows, HAR, captures of SIP.

`read_inputs` looks at what a file holds, not at its name. Nothing here judges, and nothing here knows which side of a
conversation is the platform's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.recordings.errors import RecordingError
from harness.recordings.http_files import LARGEST_HAR, read_flows, read_har
from harness.recordings.pcap import CLASSIC_MAGICS, NEXT_GENERATION_MAGIC, Capture
from harness.recordings.sip_capture import CapturedSip, SipCollector
from harness.timeline import Event, Exchange, Note, Timeline, TimelineError

MOST_EVENTS = 500_000
LARGEST_TIMELINE = 512 << 20
RECORDING_NOTE = "recording"
"""Topic of the note that begins a timeline of `ringtrue record`: nobody played a scenario in it."""
TIMELINES = "timelines"
RECORDING_FILE = f"{TIMELINES}/recording.jsonl"
END_NOTE = "end"
"""Topic of the note that ends it: until then somebody was listening."""
_FLOWS = ("flows.mitm", "flows.har")


@dataclass(slots=True)
class Pile:
    """What was read. `events` are of timelines that nobody played; `scenarios`: timelines of a run, each for itself.

    `exchanges` and `messages` do not know yet who asked whom; `sources` says how many things came from which file.
    """

    events: list[Event] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    messages: list[CapturedSip] = field(default_factory=list)
    scenarios: list[tuple[Path, Timeline]] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    covered: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """From when to when each kind of event was recorded, once for each file."""

    @property
    def observers(self) -> int:
        """How many clocks the times may come from: those of different machines disagree."""
        return len({stretch for stretches in self.covered.values() for stretch in stretches})

    def cover(self, kinds: Iterable[str], begin: float, end: float) -> None:
        for kind in kinds:
            self.covered.setdefault(kind, []).append((begin, end))

    def __len__(self) -> int:
        return len(self.events) + len(self.exchanges) + len(self.messages) + sum(len(one) for _, one in self.scenarios)


def read_inputs(paths: Sequence[Path]) -> Pile:
    """Read all inputs.

    Raises:
        RecordingError: no such file, of no known kind, broken, or more than can be held.
    """
    pile = Pile()
    for path in paths:
        before = len(pile)
        kind = _read(pile, path)
        pile.sources[str(path)] = f"{kind}, {len(pile) - before} entries"
        if len(pile) > MOST_EVENTS:
            raise RecordingError(
                f"{path}: more than {MOST_EVENTS:,} events at once: cut the recording (`editcap -A … -B …`, or fewer files)"
            )
    return pile


def _read(pile: Pile, path: Path) -> str:
    try:
        if path.is_dir():
            return _folder(pile, path)
        with path.open("rb") as file:
            head = file.read(4096)
            size = path.stat().st_size
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    if not head:
        raise RecordingError(f"{path}: is empty")
    if head[:4] in CLASSIC_MAGICS or head[:4] == NEXT_GENERATION_MAGIC:
        return _capture(pile, path)
    if head[:2] == b"\x1f\x8b":
        raise RecordingError(f"{path}: is compressed: unpack it first (gunzip)")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        if b'"kind": "header"' in start[:200] or b'"kind":"header"' in start[:200]:
            return _timeline(pile, path, size)
        if size > LARGEST_HAR:
            raise RecordingError(f"{path}: {size >> 20} MB of JSON are more than can be read at once: split it")
        _exchanges(pile, path, read_har(path, path.read_bytes().removeprefix(b"\xef\xbb\xbf")))
        return "HAR"
    if head[:1].isdigit():
        _exchanges(pile, path, read_flows(path))
        return "flows of mitmproxy"
    raise RecordingError(
        f"{path}: not a recording that is known here: expected a timeline (.jsonl), the folder of a run, "
        "mitmproxy flows, HAR, pcap or pcapng"
    )


def _exchanges(pile: Pile, path: Path, exchanges: Iterable[Exchange]) -> None:
    """Those of one file; what an earlier file had (a HAR beside flows, a timeline beside both) is left out."""
    begin, end = math.inf, 0.0
    earlier = (*pile.exchanges, *(event for event in pile.events if isinstance(event, Exchange)))
    known = Counter(_identity(each) for each in earlier)
    for count, exchange in enumerate(exchanges):
        if count >= MOST_EVENTS:
            raise RecordingError(f"{path}: more than {MOST_EVENTS:,} exchanges: split the recording")
        identity = _identity(exchange)
        if known[identity]:
            known[identity] -= 1
        else:
            pile.exchanges.append(exchange)
        begin, end = min(begin, exchange.at), max(end, exchange.ended or exchange.at)
    pile.cover(("http", "callback"), begin, end)


def _folder(pile: Pile, path: Path) -> str:
    timelines = sorted((path / TIMELINES).glob("*.jsonl"))
    if timelines:
        for timeline in timelines:
            _timeline(pile, timeline, timeline.stat().st_size)
        return f"folder with {len(timelines)} timeline{'s' * (len(timelines) != 1)}"
    for name in _FLOWS:
        if (path / name).is_file():
            return f"folder with {_read(pile, path / name)}"
    raise RecordingError(f"{path}: neither timelines/*.jsonl nor flows.mitm in this folder: expected that of a run")


def _timeline(pile: Pile, path: Path, size: int) -> str:
    if size > LARGEST_TIMELINE:
        raise RecordingError(f"{path}: {size >> 20} MB are more than can be read at once")
    try:
        timeline = Timeline.read(path)
    except TimelineError as error:
        raise RecordingError(str(error)) from error
    first = next(iter(timeline), None)
    if isinstance(first, Note) and first.topic == RECORDING_NOTE:
        add_recording(pile, timeline)
    else:
        pile.scenarios.append((path, timeline))
    return "timeline"


def add_recording(pile: Pile, timeline: Timeline) -> None:
    """Add a timeline that begins with the note of `ringtrue record` or `ringtrue check`: the latter says what it covers."""
    pile.events += timeline.events
    notes, exchanges = timeline.of(Note), timeline.of(Exchange)
    covered = notes[0].data.get("covered")
    if isinstance(covered, Mapping):
        for kind, stretches in covered.items():
            for stretch in stretches if isinstance(stretches, list) else ():
                if isinstance(stretch, list) and [type(each) for each in stretch] == [float, float]:
                    pile.cover((str(kind),), *stretch)
        return
    end = next((note.at for note in notes if note.topic == END_NOTE), None)
    last = max((event.ended or event.at for event in exchanges), default=notes[0].at)
    pile.cover(("http", "callback"), notes[0].at, last if end is None else end)


def _capture(pile: Pile, path: Path) -> str:
    capture, collector, before = Capture(path), SipCollector(), len(pile.messages)
    begin, end = math.inf, 0.0
    for segment in capture:
        begin, end = min(begin, segment.at), max(end, segment.at)
        pile.messages += collector.feed(segment)
        if len(pile.messages) > MOST_EVENTS:
            raise RecordingError(f"{path}: more than {MOST_EVENTS:,} SIP messages: cut it (`editcap -A … -B …`)")
    if capture.broken:
        pile.notes.append(
            f"{path}: {capture.broken} of {capture.packets} packets are cut short or broken, and left out"
        )
    if len(pile.messages) == before:
        pile.notes.append(f"{path}: no SIP in {capture.packets} packets (SIP over TLS cannot be read)")
    pile.cover(("sip",), begin, end)
    return "capture"


def _identity(exchange: Exchange) -> tuple[str, str, int, bytes]:
    path = "/" + exchange.request.url.partition("://")[2].partition("/")[2]
    return exchange.request.method, path, round(exchange.at * 100), exchange.request.body
