"""SDP of calls whose media run between the remote side and a device of the application: the platform only passes it on.

Used by remote calls and by the action httpcall. Pure functions over bytes (RFC 8866; crypto: RFC 4568).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.reference.media import SdpError, parse_sdp
from harness.reference.media.sdp import PAYLOAD_OF

CODECS = ("PCMA", "PCMU", "GSM")
_CRYPTO = re.compile(rb"^a=crypto:(\d{1,9}) +(\S+) +(\S[^\r\n]*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class DeviceMedia:
    """What a device sends and receives. `event`: the payload type of telephone events, or None."""

    codec: str
    address: str
    port: int
    event: int | None = None
    crypto: tuple[tuple[int, str, str], ...] = ()

    def sdp(self) -> bytes:
        """As a session description."""
        payload = PAYLOAD_OF[self.codec]
        profile = "RTP/SAVP" if self.crypto else "RTP/AVP"
        family = "IP6" if ":" in self.address else "IP4"
        formats = [payload] if self.event is None else [payload, self.event]
        lines = [
            "v=0",
            f"o=- {self.port} 1 IN {family} {self.address}",
            "s=-",
            f"c=IN {family} {self.address}",
            "t=0 0",
            f"m=audio {self.port} {profile} {' '.join(map(str, formats))}",
            f"a=rtpmap:{payload} {self.codec}/8000",
        ]
        if self.event is not None:
            lines += [f"a=rtpmap:{self.event} telephone-event/8000", f"a=fmtp:{self.event} 0-16"]
        lines += [f"a=crypto:{tag} {suite} {config}" for tag, suite, config in self.crypto]
        return "\r\n".join([*lines, "a=sendrecv", ""]).encode()


def read_media(body: bytes | None) -> DeviceMedia:
    """The audio that a description offers: its first codec that is known here. Raises SdpError."""
    for media in parse_sdp(body or b"").media:
        codec = next((one for one in media.codecs if one.name.upper() in CODECS), None)
        if media.kind != "audio" or not media.port or codec is None:
            continue
        event = next((one.payload for one in media.codecs if one.name.lower() == "telephone-event"), None)
        crypto = tuple(
            (int(tag), suite.decode("latin-1"), config.decode("latin-1"))
            for tag, suite, config in _CRYPTO.findall(body or b"")
        )
        return DeviceMedia(codec.name.upper(), media.address, media.port, event, crypto)
    raise SdpError("no audio with a codec that is known here")


def reported(media: DeviceMedia) -> dict[str, Any]:
    """The members of newRemoteCall that the SDP fills."""
    members: dict[str, Any] = {
        "codec": media.codec,
        "remoteRtpIp": media.address,
        "remoteRtpPort": media.port,
    }
    if media.event is not None:
        members["telephoneEventPayloadType"] = media.event
    if media.crypto:
        members["crypto"] = [{"id": tag, "suite": suite, "config": config} for tag, suite, config in media.crypto]
    return members
