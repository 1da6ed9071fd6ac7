"""Reads session descriptions (RFC 4566) in SIP bodies: addresses, ports, codecs, telephone-event, crypto attributes.

Scenario steps hold what the API said of media against it. It never raises on what a peer sent, and judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# RFC 3551 6: payload types that need no rtpmap.
_STATIC = {"0": "PCMU", "3": "GSM", "8": "PCMA", "9": "G722", "18": "G729"}
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Crypto:
    """One crypto attribute (RFC 4568): its tag, the suite, the key parameters with what may follow them."""

    tag: str
    suite: str
    config: str


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line with its attributes; `address` is its own c= line, or the session's."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str = ""
    encodings: Mapping[str, str] = field(default_factory=dict)
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def codecs(self) -> tuple[str, ...]:
        """The names of its encodings in upper case, in order of preference, without telephone-event."""
        names = (self.encodings.get(form, "") for form in self.formats)
        return tuple(name for name in names if name and name != "TELEPHONE-EVENT")

    @property
    def telephone_event(self) -> int | None:
        """The payload type of telephone-event (RFC 4733); None where it is not offered."""
        return next((int(form) for form in self.formats if self.encodings.get(form) == "TELEPHONE-EVENT"), None)

    @property
    def cryptos(self) -> tuple[Crypto, ...]:
        parts = [value.split(None, 2) for name, value in self.attributes if name == "crypto"]
        return tuple(Crypto(*part) for part in parts if len(part) == 3)

    @property
    def direction(self) -> str:
        return next((name for name, _ in self.attributes if name in _DIRECTIONS), "sendrecv")


@dataclass(frozen=True, slots=True)
class Sdp:
    """A session description; `media` is empty where the text is none."""

    media: tuple[Media, ...] = ()

    @property
    def audio(self) -> Media | None:
        """The first audio stream that is not refused (port 0)."""
        return next((media for media in self.media if media.kind == "audio" and media.port), None)


def parse_sdp(body: str) -> Sdp:
    """A session description out of a body; lines that are none are left out."""
    session_address = ""
    session_attributes: list[tuple[str, str]] = []
    found: list[tuple[str, list[tuple[str, str]], list[str]]] = []
    for line in body.replace("\r\n", "\n").split("\n"):
        letter, equals, value = line.strip().partition("=")
        if not equals:
            continue
        match letter:
            case "m":
                found.append((value, [], []))
            case "c":
                address = value.split()[-1].partition("/")[0] if value.split() else ""
                if found:
                    found[-1][2].append(address)
                else:
                    session_address = address
            case "a":
                name, _, rest = value.partition(":")
                (found[-1][1] if found else session_attributes).append((name.strip().lower(), rest.strip()))
    media = (
        _media(line, attributes, addresses[0] if addresses else session_address, session_attributes)
        for line, attributes, addresses in found
    )
    return Sdp(tuple(item for item in media if item is not None))


def _media(
    line: str, attributes: list[tuple[str, str]], address: str, inherited: list[tuple[str, str]]
) -> Media | None:
    parts = line.split()
    port = re.match(r"[0-9]{1,5}", parts[1]) if len(parts) > 3 else None
    if port is None:
        return None
    formats = tuple(parts[3:])
    encodings = {form: _STATIC[form] for form in formats if form in _STATIC}
    for name, value in attributes:
        mapped = re.match(r"(\d{1,3})\s+([^/\s]+)", value) if name == "rtpmap" else None
        if mapped and mapped[1] in formats:
            encodings[mapped[1]] = mapped[2].upper()
    own = tuple(attributes)
    if not any(name in _DIRECTIONS for name, _ in own):
        own += tuple(item for item in inherited if item[0] in _DIRECTIONS)
    return Media(parts[0].lower(), int(port[0]), parts[2], formats, address, encodings, own)
