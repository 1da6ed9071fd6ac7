"""Counting one direction of a media stream: packets in, plain figures out. No sockets, bounded memory.

The probe feeds it each packet that it receives; `figures` is what goes into a report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.drivers.rtp import g711
from harness.drivers.rtp.packet import PacketError, RtpPacket, TelephoneEvent

CLOCK = 8000
MAX_SOURCES = 32
MAX_DIGITS = 1000
MAX_SOUNDS = 1000
# What is shorter is noise, or the edge between two tones; milliseconds.
SHORTEST_TONE = 60
# How many of them a report names.
MAX_TONES = 50
# Packets whose pitch differs by less are of one tone; hertz.
SAME_PITCH = 75.0
# What is apart by more than this is another sound; seconds.
SOUND_GAP = 0.1


@dataclass
class _Source:
    """One SSRC: what is needed for loss (RFC 3550 A.3) and jitter (A.8)."""

    first: int
    highest: int
    cycles: int = 0
    packets: int = 0
    duplicates: int = 0
    reordered: int = 0
    jitter: float = 0.0
    transit: float | None = None
    recent: dict[int, None] = field(default_factory=dict)


@dataclass
class HeardDigit:
    """A telephone event. `at`: when its first packet came; `duration`: timestamp units; `ended`: its end was marked."""

    digit: str
    at: float
    duration: int = 0
    ended: bool = False
    packets: int = 0


@dataclass
class Sound:
    """A stretch of audible sound: when its first packet came, and its last one (seconds)."""

    begin: float
    end: float


@dataclass
class Tone:
    """A stretch of sound of one pitch (hertz): when its first packet came, its last one, and how long it is."""

    hertz: float
    begin: float
    end: float
    milliseconds: int = 0


class StreamStats:
    """What arrived at one port. `codecs` says what each payload type means, as our SDP offered it."""

    def __init__(self, codecs: Mapping[int, str]) -> None:
        self._codecs = dict(codecs)
        self._sources: dict[int, _Source] = {}
        self._types: Counter[int] = Counter()
        self._events: dict[tuple[int, int], HeardDigit] = {}
        self._first: float | None = None
        self._last: float | None = None
        self._longest_gap = 0.0
        self._bytes = 0
        self._judged = 0
        self._sound_samples = 0
        self._silent_samples = 0
        self._energy = 0.0
        self.sounds: list[Sound] = []
        self.tones: list[Tone] = []
        self.packets = 0
        self.malformed = 0
        self.rtcp = 0
        self.too_many = 0

    @property
    def digits(self) -> str:
        return "".join(heard.digit for heard in self._events.values())

    @property
    def heard_digits(self) -> int:
        return len(self._events)

    @property
    def sound_ms(self) -> int:
        """Milliseconds of audible sound so far."""
        return self._sound_samples * 1000 // CLOCK

    def receive(self, packet: RtpPacket, at: float) -> None:
        """Count a packet that arrived `at` (seconds)."""
        source = self._sources.get(packet.ssrc)
        if source is None:
            if len(self._sources) >= MAX_SOURCES:
                self.too_many += 1
                return
            source = self._sources[packet.ssrc] = _Source(packet.sequence, packet.sequence)
        self.packets += 1
        self._bytes += len(packet.payload)
        self._types[packet.payload_type] += 1
        if self._last is not None:
            self._longest_gap = max(self._longest_gap, at - self._last)
        self._first = at if self._first is None else self._first
        self._last = at
        if not self._order(source, packet, at):
            return
        codec = self._codecs.get(packet.payload_type, "")
        if codec == "TELEPHONE-EVENT":
            self._hear_digit(packet, at)
        elif codec in g711.SAMPLES:
            self._hear(packet.payload, codec, at)

    def figures(self) -> dict[str, Any]:
        """The counts as plain values: times in milliseconds, instants in seconds since the epoch."""
        sources = self._sources.values()
        expected = sum(source.cycles + source.highest - source.first + 1 for source in sources)
        unique = sum(source.packets - source.duplicates for source in sources)
        span = (self._last or 0.0) - (self._first or 0.0)
        names = [self._codecs.get(number, f"PT{number}") for number, _ in self._types.most_common()]
        audio = [name for name in names if name not in ("TELEPHONE-EVENT", "CN")]
        mean = self._energy / self._judged if self._judged else 0.0
        return {
            "packets": self.packets,
            "bytes": self._bytes,
            "codec": audio[0] if audio else None,
            "codecs": names,
            "payload_types": {str(number): count for number, count in sorted(self._types.items())},
            "sources": len(self._sources),
            "first_at": self._first,
            "last_at": self._last,
            "duration_ms": round(span * 1000),
            "packets_per_second": round((self.packets - 1) / span, 1) if self.packets > 1 and span > 0 else None,
            "lost": max(0, expected - unique),
            "duplicates": sum(source.duplicates for source in sources),
            "reordered": sum(source.reordered for source in sources),
            "jitter_ms": round(max((source.jitter for source in sources), default=0.0) * 1000 / CLOCK, 2),
            "longest_gap_ms": round(self._longest_gap * 1000),
            "heard": self._heard(),
            "sound_ms": self.sound_ms,
            "silence_ms": self._silent_samples * 1000 // CLOCK,
            "level_dbfs": round(g711.dbfs(mean), 1) if self._judged else None,
            "first_sound_at": self.sounds[0].begin if self.sounds else None,
            "last_sound_at": self.sounds[-1].end if self.sounds else None,
            "tones": [
                {"hertz": round(one.hertz), "at": one.begin, "ms": one.milliseconds}
                for one in self.tones if one.milliseconds >= SHORTEST_TONE
            ][:MAX_TONES],
            "digits": self.digits,
            "events": [
                {"digit": heard.digit, "at": heard.at, "duration_ms": heard.duration * 1000 // CLOCK,
                 "ended": heard.ended, "packets": heard.packets}
                for heard in self._events.values()
            ],
            "malformed": self.malformed,
            "rtcp": self.rtcp,
            "refused_sources": self.too_many,
        }  # fmt: skip

    def _heard(self) -> str:
        """`nothing`, `silence`, `sound`, or `unknown` when only codecs came that the probe cannot listen to."""
        if self._sound_samples:
            return "sound"
        if self._silent_samples:
            return "silence"
        return "unknown" if self.packets else "nothing"

    def _order(self, source: _Source, packet: RtpPacket, at: float) -> bool:
        """Place a packet in its source's order; False for a duplicate."""
        first_ever = source.packets == 0
        source.packets += 1
        if not first_ever and packet.sequence in source.recent:
            source.duplicates += 1
            return False
        source.recent[packet.sequence] = None
        if len(source.recent) > 512:
            del source.recent[next(iter(source.recent))]
        ahead = (packet.sequence - source.highest) & 0xFFFF
        if not first_ever and ahead < 0x8000:
            if packet.sequence < source.highest:
                source.cycles += 0x10000
            source.highest = packet.sequence
        elif not first_ever:
            source.reordered += 1
            if (source.first - packet.sequence) & 0xFFFF < 512 and source.cycles == 0:
                source.first = min(source.first, packet.sequence)
        if self._codecs.get(packet.payload_type) != "TELEPHONE-EVENT":
            transit = at * CLOCK - packet.timestamp
            if source.transit is not None and abs(transit - source.transit) < 10 * CLOCK:
                source.jitter += (abs(transit - source.transit) - source.jitter) / 16
            source.transit = transit
        return True

    def _hear(self, payload: bytes, law: str, at: float) -> None:
        square = g711.energy(payload, law)
        self._judged += 1
        self._energy += square
        if g711.dbfs(square) > g711.SOUND_DBFS:
            self._sound_samples += len(payload)
            gone = not self.sounds or at - self.sounds[-1].end > SOUND_GAP
            if gone and len(self.sounds) < MAX_SOUNDS:
                self.sounds.append(Sound(at, at))
            self.sounds[-1].end = max(at, self.sounds[-1].end)
            self._hear_tone(g711.hertz(payload, law), len(payload), at)
        else:
            self._silent_samples += len(payload)

    def _hear_tone(self, hertz: float, samples: int, at: float) -> None:
        last = self.tones[-1] if self.tones else None
        if last is None or at - last.end > SOUND_GAP or abs(hertz - last.hertz) > SAME_PITCH:
            if len(self.tones) >= MAX_SOUNDS:
                return
            last = Tone(hertz, at, at)
            self.tones.append(last)
        last.end = max(at, last.end)
        last.milliseconds += samples * 1000 // CLOCK

    def _hear_digit(self, packet: RtpPacket, at: float) -> None:
        """All packets of one event share its timestamp (RFC 4733 2.5.1.2)."""
        try:
            event = TelephoneEvent.parse(packet.payload)
        except PacketError:
            self.malformed += 1
            return
        key = (packet.ssrc, packet.timestamp)
        heard = self._events.get(key)
        if heard is None:
            if len(self._events) >= MAX_DIGITS:
                return
            heard = self._events[key] = HeardDigit(event.digit, at)
        heard.packets += 1
        heard.duration = max(heard.duration, event.duration)
        heard.ended = heard.ended or event.end
