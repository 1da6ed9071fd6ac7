"""Where and how a party wants its audio: the few SDP lines (RFC 4566, RFC 3264) that a probe needs. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Static payload types of RFC 3551 6 that telephony uses.
STATIC = {0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 13: "CN", 18: "G729"}


@dataclass(frozen=True, slots=True)
class AudioMedia:
    """The first audio stream of an SDP. `codecs` maps payload types to names as in rtpmap (`PCMA`, upper case)."""

    host: str
    port: int
    codecs: Mapping[int, str] = field(default_factory=dict)
    direction: str = "sendrecv"

    def payload_type(self, name: str) -> int | None:
        """The payload type of a codec, `TELEPHONE-EVENT` among them; None when it is not in the list."""
        return next((number for number, codec in self.codecs.items() if codec == name.upper()), None)


def audio_of(message: str) -> AudioMedia | None:
    """The audio of a SIP message's body, or of a bare SDP; None when there is none or it cannot be read."""
    head, blank, body = message.replace("\r\n", "\n").partition("\n\n")
    lines = (body if blank and not head.startswith("v=") else message.replace("\r\n", "\n")).split("\n")
    host, direction = "", "sendrecv"
    media: list[str] | None = None
    names: dict[int, str] = {}
    for line in lines:
        kind, _, value = line.partition("=")
        if kind == "m" and media is not None:
            break
        if kind == "m" and value.startswith("audio "):
            media = value.split()
        elif kind == "c":
            host = value.split()[-1].partition("/")[0] if value.split() else ""
        elif kind == "a" and media is not None and value.startswith("rtpmap:"):
            number, _, name = value[len("rtpmap:") :].partition(" ")
            if number.isdecimal():
                names[int(number)] = name.partition("/")[0].strip().upper()
        elif kind == "a" and value in ("sendrecv", "sendonly", "recvonly", "inactive"):
            direction = value
    if media is None or len(media) < 4 or not media[1].partition("/")[0].isdecimal() or not host:
        return None
    numbers = [int(number) for number in media[3:] if number.isdecimal()]
    codecs = {number: names.get(number) or STATIC.get(number, f"PT{number}") for number in numbers}
    return AudioMedia(host, int(media[1].partition("/")[0]), codecs, direction)
