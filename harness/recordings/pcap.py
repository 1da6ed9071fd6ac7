"""Reads packet captures, classic pcap and pcapng: UDP datagrams and TCP segments with their addresses and times.

A reader of our own, because what is needed is small: no library reassembles for us, and a capture full of RTP must be
read packet by packet. Addresses are `host:port`. Fragments of IP are put together, since an INVITE with a session
description is often longer than a frame; packets that are cut short or broken are counted and left out.
"""

from __future__ import annotations

import ipaddress
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from harness.recordings.errors import RecordingError

CLASSIC_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6), b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9), b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}  # fmt: skip
NEXT_GENERATION_MAGIC = b"\x0a\x0d\x0d\x0a"
_LONGEST_PACKET = 1 << 20
_LONGEST_BLOCK = 1 << 24
_MOST_FRAGMENTED = 256
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN = (0x8100, 0x88A8)
_TCP, _UDP = 6, 17
_EXTENSION_HEADERS = (0, 43, 60, 135)
_FRAGMENT_HEADER = 44


@dataclass(frozen=True, slots=True)
class Segment:
    """A UDP datagram, or a TCP segment with its sequence number. `at`: seconds since the epoch."""

    at: float
    source: str
    target: str
    data: bytes
    tcp: bool = False
    sequence: int = 0
    first: bool = False


@dataclass(slots=True)
class Capture:
    """One capture file. Iterate over it once; then the counts say how many packets it had and how many were broken."""

    path: Path
    packets: int = 0
    broken: int = 0
    _waiting: OrderedDict[tuple[bytes, ...], _Fragments] = field(default_factory=OrderedDict)

    def __iter__(self) -> Iterator[Segment]:
        """Raises RecordingError where the file is no capture, or of a kind of network that is not known."""
        with self.path.open("rb") as file:
            for at, link, frame in _frames(self.path, file):
                self.packets += 1
                try:
                    yield from self._unpack(at, link, frame)
                except (struct.error, IndexError, ValueError):
                    self.broken += 1

    def _unpack(self, at: float, link: int, frame: bytes) -> Iterator[Segment]:
        kind, packet = _LINKS[link](frame)
        if kind == _IPV4:
            protocol, source, target, payload, place = _ipv4(packet)
        elif kind == _IPV6:
            protocol, source, target, payload, place = _ipv6(packet)
        else:
            return
        if place is not None:
            whole = self._joined((source, target, bytes([protocol]), place.key), place, payload)
            if whole is None:
                return
            payload = whole
        hosts = str(ipaddress.ip_address(source)), str(ipaddress.ip_address(target))
        if protocol == _UDP:
            source_port, target_port, length = struct.unpack_from("!HHH", payload)
            if length > len(payload):
                raise ValueError("cut short")
            data = payload[8:length] if length >= 8 else payload[8:]
            yield Segment(at, _address(hosts[0], source_port), _address(hosts[1], target_port), data)
        elif protocol == _TCP:
            source_port, target_port, sequence = struct.unpack_from("!HHI", payload)
            start, flags = (payload[12] >> 4) * 4, payload[13]
            ends = _address(hosts[0], source_port), _address(hosts[1], target_port)
            yield Segment(at, *ends, payload[start:], True, sequence, bool(flags & 2))

    def _joined(self, key: tuple[bytes, ...], place: _Place, payload: bytes) -> bytes | None:
        """The whole payload once the last fragment has come."""
        parts = self._waiting.setdefault(key, _Fragments())
        parts.pieces[place.offset] = payload
        if not place.more:
            parts.length = place.offset + len(payload)
        whole = parts.whole()
        if whole is not None:
            del self._waiting[key]
        elif len(self._waiting) > _MOST_FRAGMENTED:
            self._waiting.popitem(last=False)
            self.broken += 1
        return whole


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fragment belongs."""

    key: bytes
    offset: int
    more: bool


@dataclass(slots=True)
class _Fragments:
    pieces: dict[int, bytes] = field(default_factory=dict)
    length: int | None = None

    def whole(self) -> bytes | None:
        data = bytearray()
        for offset in sorted(self.pieces):
            if offset > len(data):
                return None
            data[offset : offset + len(self.pieces[offset])] = self.pieces[offset]
        return bytes(data[: self.length]) if self.length is not None and len(data) >= self.length else None


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _frames(path: Path, file: BinaryIO) -> Iterator[tuple[float, int, bytes]]:
    magic = file.read(4)
    if magic in CLASSIC_MAGICS:
        return _classic(path, file, *CLASSIC_MAGICS[magic])
    if magic == NEXT_GENERATION_MAGIC:
        file.seek(0)
        return _next_generation(path, file)
    raise RecordingError(f"{path}: no packet capture")


def _known_link(path: Path, link: int) -> int:
    if link not in _LINKS:
        raise RecordingError(f"{path}: captured on a kind of network that is not known here (link type {link})")
    return link


def _classic(path: Path, file: BinaryIO, order: str, unit: float) -> Iterator[tuple[float, int, bytes]]:
    head = file.read(20)
    if len(head) < 20:
        raise RecordingError(f"{path}: the capture ends within its first bytes")
    link = _known_link(path, struct.unpack_from(f"{order}I", head, 16)[0] & 0xFFFF)
    while header := file.read(16):
        if len(header) < 16:
            raise RecordingError(f"{path}: truncated: the last packet is cut short. `editcap` can mend it")
        seconds, part, kept, _ = struct.unpack(f"{order}IIII", header)
        if kept > _LONGEST_PACKET:
            raise RecordingError(f"{path}: broken: a packet of {kept} bytes")
        frame = file.read(kept)
        if len(frame) < kept:
            raise RecordingError(f"{path}: truncated: the last packet is cut short. `editcap` can mend it")
        yield seconds + part * unit, link, frame


def _next_generation(path: Path, file: BinaryIO) -> Iterator[tuple[float, int, bytes]]:
    """pcapng, as far as captures of common tools use it (draft-ietf-opsawg-pcapng)."""
    order = "<"
    interfaces: list[tuple[int, float]] = []
    while head := file.read(8):
        if len(head) < 8:
            raise RecordingError(f"{path}: truncated: the last block is cut short")
        if head[:4] == NEXT_GENERATION_MAGIC:
            mark = file.read(4)
            order, interfaces = ("<" if mark == b"\x4d\x3c\x2b\x1a" else ">"), []
            read = 12
        else:
            read = 8
        kind, length = struct.unpack(f"{order}II", head)
        if not 12 <= length <= _LONGEST_BLOCK or length % 4:
            raise RecordingError(f"{path}: broken: a block of {length} bytes")
        body = file.read(length - read)
        if len(body) < length - read:
            raise RecordingError(f"{path}: truncated: the last block is cut short")
        if kind == 1:
            interfaces.append((struct.unpack_from(f"{order}H", body)[0], _resolution(order, body[8:-4])))
        elif kind == 6 and len(body) >= 24:
            number, high, low, kept = struct.unpack_from(f"{order}IIII", body)
            if number >= len(interfaces) or kept > len(body) - 24:
                raise RecordingError(f"{path}: broken: a packet of an interface that the capture does not have")
            link, unit = interfaces[number]
            yield ((high << 32) | low) * unit, _known_link(path, link), body[20 : 20 + kept]


def _resolution(order: str, options: bytes) -> float:
    """Seconds per tick of an interface: microseconds, unless its option if_tsresol says otherwise."""
    place = 0
    while place + 4 <= len(options):
        code, length = struct.unpack_from(f"{order}HH", options, place)
        if code == 0:
            break
        if code == 9 and length == 1:
            power = options[place + 4]
            return float(2.0 ** -(power & 0x7F) if power & 0x80 else 10.0**-power)
        place += 4 + length + (-length % 4)
    return 1e-6


def _ethernet(frame: bytes) -> tuple[int, bytes]:
    kind, place = struct.unpack_from("!H", frame, 12)[0], 14
    while kind in _VLAN:
        kind, place = struct.unpack_from("!H", frame, place + 2)[0], place + 4
    return kind, frame[place:]


def _by_version(packet: bytes) -> tuple[int, bytes]:
    return {4: _IPV4, 6: _IPV6}.get(packet[0] >> 4, 0), packet


# By link type (https://www.tcpdump.org/linktypes.html): loopback, Ethernet, raw IP, Linux "any" in both versions.
_LINKS: dict[int, Callable[[bytes], tuple[int, bytes]]] = {
    0: lambda frame: _by_version(frame[4:]),
    1: _ethernet,
    12: _by_version,
    14: _by_version,
    101: _by_version,
    108: lambda frame: _by_version(frame[4:]),
    113: lambda frame: (struct.unpack_from("!H", frame, 14)[0], frame[16:]),
    228: _by_version,
    229: _by_version,
    276: lambda frame: (struct.unpack_from("!H", frame, 0)[0], frame[20:]),
}


def _ipv4(packet: bytes) -> tuple[int, bytes, bytes, bytes, _Place | None]:
    start, length = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
    fragment = struct.unpack_from("!H", packet, 6)[0]
    if length > len(packet):
        raise ValueError("cut short")
    payload = packet[start : length or None]
    place = _Place(packet[4:6], (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)) if fragment & 0x3FFF else None
    return packet[9], packet[12:16], packet[16:20], payload, place


def _ipv6(packet: bytes) -> tuple[int, bytes, bytes, bytes, _Place | None]:
    length, following = struct.unpack_from("!HB", packet, 4)
    if 40 + length > len(packet):
        raise ValueError("cut short")
    payload = packet[40 : 40 + length] if length else packet[40:]
    place = None
    while following in (*_EXTENSION_HEADERS, _FRAGMENT_HEADER):
        if following == _FRAGMENT_HEADER:
            offset = struct.unpack_from("!H", payload, 2)[0]
            place = _Place(payload[4:8], offset & 0xFFF8, bool(offset & 1))
            following, payload = payload[0], payload[8:]
        else:
            following, payload = payload[0], payload[(payload[1] + 1) * 8 :]
    return following, packet[8:24], packet[24:40], payload, place
