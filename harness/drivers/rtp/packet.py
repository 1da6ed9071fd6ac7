"""RTP packets (RFC 3550 5.1) and telephone events (RFC 4733 2.3): bytes to values and back. Pure functions."""

from __future__ import annotations

import struct
from dataclasses import dataclass

DIGITS = "0123456789*#ABCD"
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
# RTCP packet types 192-223 would be RTP payload types 64-95 with the marker set (RFC 5761 4).
_RTCP = range(192, 224)


class PacketError(ValueError):
    """Bytes that are no RTP packet."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        marked = self.payload_type | (0x80 if self.marker else 0)
        header = _HEADER.pack(0x80, marked, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
        return header + self.payload

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Raises PacketError when the version, the lengths or the padding are impossible."""
        if len(data) < _HEADER.size:
            raise PacketError(f"{len(data)} bytes: shorter than an RTP header")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        if first >> 6 != 2:
            raise PacketError(f"version {first >> 6}: RTP has 2")
        start, end = _HEADER.size + 4 * (first & 0x0F), len(data)
        if first & 0x10:
            if len(data) < start + 4:
                raise PacketError("the header extension is cut short")
            start += 4 + 4 * struct.unpack_from("!H", data, start + 2)[0]
        if first & 0x20:
            end -= data[-1]
            if data[-1] == 0:
                raise PacketError("padding of no bytes")
        if start > end:
            raise PacketError("the header is longer than the packet")
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


def is_rtcp(data: bytes) -> bool:
    return len(data) >= 2 and data[0] >> 6 == 2 and data[1] in _RTCP


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """`duration` in timestamp units (1/8000 s); `volume` in dB below 0 dBm0."""

    event: int
    end: bool
    volume: int
    duration: int

    @property
    def digit(self) -> str:
        """The key, or `<n>` for an event that is no key."""
        return DIGITS[self.event] if self.event < len(DIGITS) else f"<{self.event}>"

    def pack(self) -> bytes:
        return _EVENT.pack(self.event, (0x80 if self.end else 0) | (self.volume & 0x3F), self.duration & 0xFFFF)

    @classmethod
    def parse(cls, payload: bytes) -> TelephoneEvent:
        """The first event of a payload; raises PacketError when there is none."""
        if len(payload) < _EVENT.size:
            raise PacketError(f"telephone event of {len(payload)} bytes: it has four")
        event, flags, duration = _EVENT.unpack_from(payload)
        return cls(event, bool(flags & 0x80), flags & 0x3F, duration)
