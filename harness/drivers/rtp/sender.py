"""What a probe says next: audio frames, and keys as telephone events (RFC 4733 2.5). No sockets, no clock.

The probe asks once per packet time and sends what it gets.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from harness.drivers.rtp import g711
from harness.drivers.rtp.packet import DIGITS, RtpPacket, TelephoneEvent

SAMPLES = 160
# An end packet is sent three times, since it may be lost (RFC 4733 2.5.1.4).
END_REPEATS = 3
VOLUME = 10


@dataclass(frozen=True, slots=True)
class _Step:
    """One packet of a key, or a pause (`event` is None). `first` and `last` packet of their key."""

    event: TelephoneEvent | None
    first: bool = False
    last: bool = False


class Sender:
    """The outgoing half of a stream; `law` and the payload types are the far side's choice."""

    def __init__(self) -> None:
        self.law = "PCMA"
        self.payload_type = 8
        self.event_type = 101
        self.kind: str | None = None
        self.hertz = g711.PITCH
        self.packets = 0
        self.digits = ""
        self._keys: deque[_Step] = deque()
        self._sequence = random.randrange(1 << 15)
        self._timestamp = random.randrange(1 << 31)
        self._event_timestamp = 0
        self._ssrc = random.randrange(1, 1 << 32)
        self._frames: dict[tuple[str, int, str], bytes] = {}
        self._talking = False

    @property
    def busy(self) -> bool:
        """Whether there is something to send."""
        return bool(self._keys) or self.kind is not None

    @property
    def pressing(self) -> bool:
        """Whether keys are still to be sent."""
        return bool(self._keys)

    def press(self, digits: str, milliseconds: int, pause: int) -> None:
        """Queue keys of so many milliseconds each, with a pause after each."""
        packets = max(1, round(milliseconds / 20))
        for digit in digits:
            number = DIGITS.index(digit)
            for at in range(1, packets + 1):
                self._keys.append(_Step(TelephoneEvent(number, False, VOLUME, at * SAMPLES), first=at == 1))
            end = TelephoneEvent(number, True, VOLUME, packets * SAMPLES)
            self._keys.extend(_Step(end, last=copy == END_REPEATS) for copy in range(1, END_REPEATS + 1))
            self._keys.extend(_Step(None) for _ in range(max(1, round(pause / 20))))

    def rest(self, packet_times: int) -> None:
        """Let the media clock run on while nothing is sent."""
        self._timestamp += packet_times * SAMPLES
        self._talking = False

    def next_packet(self) -> bytes | None:
        """The packet of this packet time; None when it is a pause."""
        step = self._keys.popleft() if self._keys else None
        packet = None
        if step is not None and step.event is not None:
            if step.first:
                self._event_timestamp = self._timestamp
            packet = self._pack(self.event_type, self._event_timestamp, step.event.pack(), marker=step.first)
            if step.last:
                self.digits += step.event.digit
            self._talking = False
        elif self.kind is not None:
            packet = self._pack(self.payload_type, self._timestamp, self._frame(self.kind), marker=not self._talking)
            self._talking = True
        self._timestamp += SAMPLES
        return packet

    def _pack(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> bytes:
        self._sequence += 1
        self.packets += 1
        return RtpPacket(payload_type, self._sequence, timestamp, self._ssrc, payload, marker).pack()

    def _frame(self, kind: str) -> bytes:
        key = (kind, self.hertz, self.law)
        if key not in self._frames:
            self._frames[key] = g711.tone(self.law, self.hertz) if kind == "tone" else g711.silence(self.law)
        return self._frames[key]
