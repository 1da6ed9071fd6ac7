"""RTP packets and the telephone events inside them, as bytes and as values (RFC 3550 §5.1, RFC 4733 §2).

RTP sessions call it. Pure: it counts nothing and keeps no state but `DigitReader`, which folds event packets into
key presses.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

DIGITS = "0123456789*#ABCD"
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_REMEMBERED = 32


@dataclass(frozen=True)
class RtpPacket:
    """One RTP packet; `timestamp` in units of 1/8000 s."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def serialise(self) -> bytes:
        """The packet as it goes on the wire, without extensions."""
        second = self.payload_type | (0x80 if self.marker else 0)
        head = _HEADER.pack(0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
        return head + self.payload


def parse_rtp(data: bytes) -> RtpPacket | None:
    """The packet, with contributing sources, extension and padding taken off; None for what is no RTP."""
    if len(data) < 12:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        return None
    start, end = 12 + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        end -= data[-1]
        if not data[-1]:
            return None
    if start > end:
        return None
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


def event_payload(digit: str, duration: int, end: bool) -> bytes:
    """The four bytes of a telephone event at volume -10 dBm0; `duration` in units of 1/8000 s."""
    return _EVENT.pack(DIGITS.index(digit.upper()), (0x80 if end else 0) | 10, min(duration, 0xFFFF))


class DigitReader:
    """Folds event packets into key presses: each is reported once, at its first packet.

    Repeated packets, repeated end packets, late packets of an earlier key, and the segments of an event longer than
    the duration field can say (RFC 4733 §2.5.1.3) do not report again.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, int]] = deque(maxlen=_REMEMBERED)
        self._current: tuple[int, int, int] | None = None
        self._duration = 0
        self._ended = False

    def read(self, packet: RtpPacket) -> str | None:
        """The digit that begins with this packet, or None."""
        if len(packet.payload) < 4:
            return None
        event, flags, duration = _EVENT.unpack_from(packet.payload)
        key = (packet.ssrc, packet.timestamp, event)
        ended = bool(flags & 0x80)
        if key == self._current:
            self._duration, self._ended = max(self._duration, duration), self._ended or ended
            return None
        if key in self._seen:
            return None
        continues = self._continues(packet, event)
        self._seen.append(key)
        self._current, self._duration, self._ended = key, duration, ended
        if continues or event >= len(DIGITS):
            return None
        return DIGITS[event]

    def _continues(self, packet: RtpPacket, event: int) -> bool:
        """Whether this is a further segment of the event going on: it starts where the last one was full."""
        if self._current is None or self._ended or packet.marker:
            return False
        ssrc, timestamp, current = self._current
        expected = (timestamp + self._duration) & 0xFFFFFFFF
        full = self._duration >= 0xF000
        return (ssrc, current) == (packet.ssrc, event) and full and abs(packet.timestamp - expected) <= 0x1000
