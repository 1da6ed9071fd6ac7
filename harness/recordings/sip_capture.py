"""Finds the SIP messages in captured datagrams and TCP streams (RFC 3261 18.3); what is no SIP is left out.

`SipCollector` is fed segment by segment and gives messages as they become complete. Streams and what waits in them are
bounded, so that a capture of anything else costs nothing but the reading.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.recordings.pcap import Segment

_START = re.compile(rb"(?:SIP/2\.0 \d{3}[ \r\n]|[A-Z]{2,20} [^\s]{1,1000} SIP/2\.0\r?\n)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,7})[ \t]*\r?$")
_LONGEST = 1 << 20
_MOST_STREAMS = 4096
_MOST_WAITING = 256
# So much without the start of a message, and a stream is something else.
_FOREIGN = 4096
_WRAP = 1 << 32
# The first retransmission comes after half a second (RFC 3261 17.1.1.1); seconds.
_SAME_FRAME = 0.1
_MOST_LATEST = 256


@dataclass(frozen=True, slots=True)
class CapturedSip:
    """One SIP message on its way. Addresses are `host:port`; `at`: seconds since the epoch."""

    at: float
    transport: str
    source: str
    target: str
    text: str


@dataclass(slots=True)
class _Stream:
    """One direction of a TCP connection."""

    following: int
    buffer: bytearray = field(default_factory=bytearray)
    early: dict[int, bytes] = field(default_factory=dict)
    messages: int = 0
    foreign: bool = False


class SipCollector:
    """Takes segments of a capture; `other` counts payloads that were no SIP."""

    def __init__(self) -> None:
        self.other = 0
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._latest: OrderedDict[tuple[str, str, bytes], float] = OrderedDict()

    def feed(self, segment: Segment) -> Iterator[CapturedSip]:
        if segment.tcp:
            yield from self._stream(segment)
            return
        data = segment.data.lstrip(b"\r\n")
        if _START.match(data):
            if not self._same_frame(segment):
                yield _message(segment, "udp", _datagram(data))
        elif data:
            self.other += 1

    def _same_frame(self, segment: Segment) -> bool:
        """Whether a capture of several interfaces, or of loopback, shows a datagram once more; SIP itself waits longer."""
        key = (segment.source, segment.target, segment.data)
        before = self._latest.get(key)
        if before is not None and abs(segment.at - before) < _SAME_FRAME:
            return True
        self._latest[key] = segment.at
        self._latest.move_to_end(key)
        if len(self._latest) > _MOST_LATEST:
            self._latest.popitem(last=False)
        return False

    def _stream(self, segment: Segment) -> Iterator[CapturedSip]:
        key = (segment.source, segment.target)
        stream = self._streams.get(key)
        if stream is None or segment.first:
            if len(self._streams) >= _MOST_STREAMS and key not in self._streams:
                del self._streams[next(iter(self._streams))]
            stream = self._streams[key] = _Stream((segment.sequence + segment.first) % _WRAP)
        if not segment.data or stream.foreign:
            return
        self._put(stream, (segment.sequence + segment.first) % _WRAP, segment.data)
        yield from self._cut(stream, segment)
        if not stream.messages and len(stream.buffer) > _FOREIGN and not _START.match(stream.buffer):
            self.other += 1
            stream.foreign = True
            stream.buffer.clear()
            stream.early.clear()

    def _put(self, stream: _Stream, sequence: int, data: bytes) -> None:
        """Add what comes next; what came before is dropped, what is early waits."""
        stream.early[sequence] = data
        while stream.early:
            nearest = min(stream.early, key=lambda each: _ahead(each, stream.following))
            ahead = _ahead(nearest, stream.following)
            if ahead > 0:
                if len(stream.early) <= _MOST_WAITING:
                    return
                stream.following = nearest  # a hole that is never filled: go on behind it
                stream.buffer.clear()
                continue
            part = stream.early.pop(nearest)[-ahead:]
            stream.buffer += part
            stream.following = (stream.following + len(part)) % _WRAP

    def _cut(self, stream: _Stream, segment: Segment) -> Iterator[CapturedSip]:
        while True:
            while stream.buffer.startswith((b"\r", b"\n")):
                del stream.buffer[0]
            found = _START.search(stream.buffer)
            if found is None or len(stream.buffer) > _LONGEST:
                if len(stream.buffer) > _LONGEST:
                    stream.buffer.clear()
                return
            del stream.buffer[: found.start()]
            end = _HEAD_END.search(stream.buffer)
            if end is None:
                return
            length = _LENGTH.search(stream.buffer[: end.start() + 2])
            whole = end.end() + (int(length[1]) if length else 0)
            if len(stream.buffer) < whole:
                return
            text = bytes(stream.buffer[:whole])
            del stream.buffer[:whole]
            stream.messages += 1
            yield _message(segment, "tcp", text)


def _ahead(sequence: int, following: int) -> int:
    """How far a sequence number lies ahead (negative: behind), numbers wrapping around (RFC 9293 3.4)."""
    return (sequence - following + _WRAP // 2) % _WRAP - _WRAP // 2


def _datagram(data: bytes) -> bytes:
    """The message in a datagram: what follows the length that it gives is no part of it (RFC 3261 18.3)."""
    end = _HEAD_END.search(data)
    length = _LENGTH.search(data[: end.start() + 2]) if end else None
    return data[: end.end() + int(length[1])] if end and length else data


def _message(segment: Segment, transport: str, data: bytes) -> CapturedSip:
    text = data.decode("utf-8", "backslashreplace")
    return CapturedSip(segment.at, transport, segment.source, segment.target, text)
