"""Devices of an application, whose sound the cloud SIP user agent passes on: what operations say of them, and SDP says."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.checks.sip import parse_message
from harness.checks.sip_sdp import Media, parse_sdp
from harness.suites.scenario import Scenario
from harness.timeline import SipMessage

SUITE = "AES_CM_128_HMAC_SHA1_80"
# An address for examples (RFC 5737): nobody hears what is sent there, as only what is said of it is looked at.
_NOBODY = "198.51.100.9"


@dataclass(frozen=True, slots=True)
class Device:
    """A device as operations describe it; `key` is its crypto key (RFC 4568), if it has one."""

    codec: str
    host: str = _NOBODY
    port: int = 30_000
    event: int = 99
    key: str | None = None

    @property
    def members(self) -> Mapping[str, Any]:
        """What placeremotecall and answerremotecall take."""
        crypto = {"crypto": [{"id": 1, "suite": SUITE, "config": self.key}]} if self.key else {}
        return {
            "codec": self.codec,
            "receiveIp": self.host,
            "receivePort": self.port,
            "telephoneEventPayloadType": self.event,
            **crypto,
        }


def key(first: int) -> str:
    """Key parameters of 30 bytes that begin with `first`; they protect nothing."""
    return f"inline:{base64.b64encode(bytes(range(first, first + 30))).decode()}"


def crypto_offer(config: str) -> str:
    """The SDP of a phone that offers a crypto attribute; SIPp fills in where it receives."""
    return "\n".join(
        [
            "v=0",
            "o=ringtrue 1 1 IN IP4 [probe_ip]",
            "s=-",
            "c=IN IP4 [probe_ip]",
            "t=0 0",
            "m=audio [probe_port] RTP/SAVP 8 0 101",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            f"a=crypto:1 {SUITE} {config}",
            "a=sendrecv",
        ]
    )


def audio_in(message: SipMessage | None) -> Media | None:
    """The audio that a message describes; None where it describes none."""
    return parse_sdp(parse_message(message.text).body).audio if message is not None else None


def voice_codecs(media: Media) -> tuple[str, ...]:
    """The voice codecs of a description; comfort noise (RFC 3389) is none."""
    return tuple(codec for codec in media.codecs if codec != "CN")


def told_member(scenario: Scenario, clause: str, media: Media, device: Device, member: str) -> None:
    """Hold what an SDP says of a device against what an operation was given; `member` is the operation's."""
    crypto = [(one.suite, one.config) for one in media.cryptos]
    expected, seen = {
        "receiveIp": (device.host, media.address),
        "receivePort": (device.port, media.port),
        "telephoneEventPayloadType": (device.event, media.telephone_event),
        "crypto": ([(SUITE, device.key)], crypto),
    }[member]
    scenario.check(clause, expected == seen, f"the SDP does not have the given {member}", expected=expected, seen=seen)
