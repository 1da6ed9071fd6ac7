"""SDP of audio calls: reading, offering, answering (RFC 8866, RFC 3264).

The systems call it between signalling and RTP. Pure functions over bytes; it never opens a port. Codecs are known by
name: PCMU, PCMA and GSM at 8000 Hz, and telephone-event (RFC 4733).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

STATIC = {0: "PCMU", 3: "GSM", 8: "PCMA"}
PAYLOAD_OF = {name: payload for payload, name in STATIC.items()}
DTMF_PAYLOAD = 101
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_MAX_BYTES = 20_000
_MAX_MEDIA = 32
_versions = itertools.count(1)


class SdpError(ValueError):
    """SDP that cannot be read, or with nothing in it that both sides can do (then 488 is the answer due)."""


@dataclass(frozen=True)
class Codec:
    """One format of a media line. `payload` is the RTP payload type; the clock rate in Hz."""

    name: str
    payload: int
    rate: int = 8000
    fmtp: str = ""


@dataclass(frozen=True)
class Media:
    """One media line with what applies to it; `address` is its own or the session's."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    codecs: tuple[Codec, ...]
    address: str
    direction: str


@dataclass(frozen=True)
class Description:
    """A session description."""

    origin: str
    media: tuple[Media, ...]

    @property
    def audio(self) -> Media | None:
        """The first audio line over RTP/AVP that is not switched off."""
        for media in self.media:
            if media.kind == "audio" and media.port and media.protocol in ("RTP/AVP", "RTP/AVPF"):
                return media
        return None


@dataclass(frozen=True)
class Agreement:
    """What offer and answer settled.

    `sdp` is our own description; `codec` what we send; `codecs` all that may be received; `dtmf` the telephone-event
    payload type or None; `remote` where to send, None on hold by 0.0.0.0; `send` and `receive` follow the direction.
    """

    sdp: bytes
    codec: Codec
    codecs: tuple[Codec, ...]
    dtmf: int | None
    remote: tuple[str, int] | None
    send: bool
    receive: bool


def parse_sdp(body: bytes) -> Description:
    """Read a session description; unknown lines and attributes are passed over. Raises SdpError."""
    if len(body) > _MAX_BYTES:
        raise SdpError("too long")
    origin, session, sections = "", list[tuple[str, str]](), list[list[tuple[str, str]]]()
    for line in body.decode("utf-8", "replace").splitlines():
        letter, equals, value = line.strip().partition("=")
        if not equals or len(letter) != 1:
            if line.strip():
                raise SdpError(f"not a line of SDP: {line[:40]!r}")
            continue
        if letter == "m":
            sections.append([])
        (sections[-1] if sections else session).append((letter, value.strip()))
        origin = value if letter == "o" and not sections else origin
    if not session or session[0] != ("v", "0"):
        raise SdpError("no v=0 line first")
    if not sections or len(sections) > _MAX_MEDIA:
        raise SdpError("no media line" if not sections else "too many media lines")
    address, direction = _address(session, ""), _direction(session, "sendrecv")
    return Description(origin, tuple(_media(section, address, direction) for section in sections))


def _media(lines: list[tuple[str, str]], address: str, direction: str) -> Media:
    parts = lines[0][1].split()
    port = parts[1].partition("/")[0] if len(parts) > 3 else ""
    if not (port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        raise SdpError(f"media line {lines[0][1][:40]!r}")
    maps: dict[str, str] = {}
    fmtps: dict[str, str] = {}
    for letter, value in lines:
        name, _, rest = value.partition(":")
        if letter == "a" and name in ("rtpmap", "fmtp"):
            payload, _, detail = rest.strip().partition(" ")
            (maps if name == "rtpmap" else fmtps)[payload] = detail.strip()
    found = _address(lines, address)
    if not found and int(port):
        raise SdpError("no connection address")
    codecs = tuple(codec for fmt in parts[3:] if (codec := _codec(fmt, maps, fmtps)))
    return Media(parts[0], int(port), parts[2], tuple(parts[3:]), codecs, found, _direction(lines, direction))


def _codec(fmt: str, maps: dict[str, str], fmtps: dict[str, str]) -> Codec | None:
    if not (fmt.isascii() and fmt.isdigit() and int(fmt[:4]) < 128):
        return None
    name, _, rest = maps.get(fmt, STATIC.get(int(fmt), "") + "/8000").partition("/")
    rate = rest.partition("/")[0]
    known = name and rate.isascii() and rate.isdigit() and len(rate) < 8
    return Codec(name, int(fmt), int(rate), fmtps.get(fmt, "")) if known else None


def _address(lines: list[tuple[str, str]], default: str) -> str:
    for letter, value in lines:
        if letter == "c":
            parts = value.split()
            if len(parts) != 3 or parts[0] != "IN":
                raise SdpError(f"connection line {value[:40]!r}")
            return parts[2].partition("/")[0]
    return default


def _direction(lines: list[tuple[str, str]], default: str) -> str:
    return next((value for letter, value in lines if letter == "a" and value in DIRECTIONS), default)


def build_offer(
    host: str,
    port: int,
    codecs: Sequence[str] = ("PCMA", "PCMU"),
    dtmf: bool = True,
    direction: str = "sendrecv",
) -> bytes:
    """An offer of those codecs, by name, in that order."""
    listed = [Codec(name, PAYLOAD_OF[name]) for name in codecs]
    if dtmf:
        listed.append(Codec("telephone-event", DTMF_PAYLOAD, fmtp="0-16"))
    return _head(host) + _audio_lines(port, "RTP/AVP", listed, direction)


def answer_offer(
    offer: bytes | None,
    host: str,
    port: int,
    supported: Sequence[str] = ("PCMU", "PCMA"),
    dtmf: bool = True,
    hold: bool = False,
) -> Agreement:
    """Answer an offer: the first audio line with our codecs in the offerer's order and payload types; all others off.

    `hold` answers without receiving. Raises SdpError for an offer that cannot be read or shares no codec with us.
    """
    description = parse_sdp(offer or b"")
    audio = description.audio
    if audio is None:
        raise SdpError("no audio over RTP/AVP is offered")
    codecs = [c for c in audio.codecs if c.name.upper() in supported and c.rate == 8000]
    if not codecs:
        raise SdpError("no codec in common")
    event = next((c for c in audio.codecs if c.name.lower() == "telephone-event" and c.rate == 8000), None)
    listed = [*codecs, event] if event and dtmf else codecs
    direction = _MIRROR[audio.direction]
    if hold:
        direction = "sendonly" if direction in ("sendrecv", "sendonly") else "inactive"
    sdp = _head(host)
    for media in description.media:
        if media is audio:
            sdp += _audio_lines(port, media.protocol, listed, direction)
        else:
            sdp += f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}\r\n".encode()
    return _agreement(sdp, codecs, event if dtmf else None, audio, direction)


def read_answer(own_offer: bytes, answer: bytes | None) -> Agreement:
    """What an answer to our offer settled. Raises SdpError when there is none, or nothing of ours in it."""
    offered = parse_sdp(own_offer).audio
    audio = parse_sdp(answer or b"").audio
    if offered is None or audio is None:
        raise SdpError("the answer has no audio")
    names = {codec.name.upper() for codec in offered.codecs}
    codecs = [c for c in audio.codecs if c.name.upper() in names and c.name.lower() != "telephone-event"]
    if not codecs:
        raise SdpError("the answer has none of the codecs offered")
    event = next((c for c in audio.codecs if c.name.lower() == "telephone-event"), None)
    theirs = _MIRROR[audio.direction]
    send = "send" in theirs and offered.direction in ("sendrecv", "sendonly")
    receive = theirs in ("sendrecv", "recvonly") and offered.direction in ("sendrecv", "recvonly")
    direction = {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly"}
    return _agreement(own_offer, codecs, event, audio, direction.get((send, receive), "inactive"))


def _agreement(sdp: bytes, codecs: list[Codec], event: Codec | None, audio: Media, direction: str) -> Agreement:
    plain = tuple(Codec(c.name.upper(), c.payload, c.rate, c.fmtp) for c in codecs)
    remote = None if audio.address in ("0.0.0.0", "::") else (audio.address, audio.port)
    send, receive = direction in ("sendrecv", "sendonly"), direction in ("sendrecv", "recvonly")
    return Agreement(sdp, plain[0], plain, event.payload if event else None, remote, send and bool(remote), receive)


def _head(host: str) -> bytes:
    family = "IP6" if ":" in host else "IP4"
    number = f"{int(time.time())}{next(_versions) % 10_000:04}"
    lines = ["v=0", f"o=- {number} {number} IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0", ""]
    return "\r\n".join(lines).encode()


def _audio_lines(port: int, protocol: str, codecs: Sequence[Codec], direction: str) -> bytes:
    lines = [f"m=audio {port} {protocol} {' '.join(str(codec.payload) for codec in codecs)}"]
    for codec in codecs:
        lines.append(f"a=rtpmap:{codec.payload} {codec.name}/{codec.rate}")
        if codec.name.lower() == "telephone-event":
            lines.append(f"a=fmtp:{codec.payload} {codec.fmtp or '0-16'}")
        elif codec.fmtp:
            lines.append(f"a=fmtp:{codec.payload} {codec.fmtp}")
    lines += ["a=ptime:20", f"a={direction}", ""]
    return "\r\n".join(lines).encode()
