"""G.711, packets, telephone events and SDP: the pure parts of the probe."""

from __future__ import annotations

import math
import random

import pytest

from harness.drivers.rtp import g711
from harness.drivers.rtp.packet import PacketError, RtpPacket, TelephoneEvent, is_rtcp
from harness.drivers.rtp.sdp import audio_of


# Values of ITU-T G.711 tables 1 and 2, scaled to 16 bits: the largest, the smallest, and the quiet code.
@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [
        ("PCMU", 0x80, 32124), ("PCMU", 0x00, -32124), ("PCMU", 0xFF, 0), ("PCMU", 0x7F, 0), ("PCMU", 0xFE, 8),
        ("PCMA", 0xAA, 32256), ("PCMA", 0x2A, -32256), ("PCMA", 0xD5, 8), ("PCMA", 0x55, -8), ("PCMA", 0xD4, 24),
    ],
)  # fmt: skip
def test_known_codes(law: str, code: int, sample: int) -> None:
    assert g711.SAMPLES[law][code] == sample


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_a_tone_is_as_loud_as_asked_and_silence_is_silent(law: str) -> None:
    assert g711.dbfs(g711.energy(g711.tone(law, level_dbfs=-20), law)) == pytest.approx(-20, abs=0.3)
    assert g711.dbfs(g711.energy(g711.silence(law), law)) < -70
    assert len(g711.tone(law)) == len(g711.silence(law)) == 160


def test_every_code_survives_decoding_and_encoding() -> None:
    for law, samples in g711.SAMPLES.items():
        again = g711.encode([float(sample) for sample in samples], law)
        assert [samples[code] for code in again] == list(samples)


def test_nothing_is_as_loud_as_silence() -> None:
    assert g711.dbfs(g711.energy(b"", "PCMA")) == -96.0
    assert not math.isnan(g711.dbfs(0.0))


def test_packets_survive_the_wire() -> None:
    packet = RtpPacket(8, 65535, 0xFFFFFFFF, 7, b"payload", True)
    assert RtpPacket.parse(packet.pack()) == packet


def test_padding_extension_and_contributors_are_no_payload() -> None:
    data = bytes([0xB2, 0, 0, 1]) + bytes(8) + bytes(8) + b"\xbe\xde\x00\x01" + bytes(4) + b"abc" + b"\x00\x00\x03"
    assert RtpPacket.parse(data).payload == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x80", b"OPTIONS sip:x SIP/2.0\r\n", bytes(12), b"\x80" * 11, b"\x90\x08" + bytes(10),
        b"\x90\x08" + bytes(10) + b"\x00\x00\xff\xff", b"\x8f\x08" + bytes(20), b"\xa0\x08" + bytes(10) + b"\x00",
        b"\xa0\x08" + bytes(10) + b"\xff",
    ],
)  # fmt: skip
def test_what_is_no_rtp_is_refused(data: bytes) -> None:
    with pytest.raises(PacketError):
        RtpPacket.parse(data)


def test_random_bytes_are_a_packet_or_refused() -> None:
    dice = random.Random(4733)
    for _ in range(2000):
        data = dice.randbytes(dice.randrange(40))
        try:
            packet = RtpPacket.parse(data)
        except PacketError:
            continue
        assert len(packet.payload) <= len(data) - 12


def test_rtcp_is_told_from_rtp() -> None:
    assert is_rtcp(b"\x80\xc8\x00\x06")
    assert not is_rtcp(RtpPacket(8, 1, 1, 1, b"", True).pack())


def test_telephone_events() -> None:
    event = TelephoneEvent(11, True, 10, 800)
    assert event.pack() == b"\x0b\x8a\x03\x20"
    assert TelephoneEvent.parse(event.pack()) == event
    assert event.digit == "#"
    assert TelephoneEvent(16, False, 0, 0).digit == "<16>"
    with pytest.raises(PacketError):
        TelephoneEvent.parse(b"\x00\x00\x00")


SDP = """v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 4000 RTP/AVP 0 96 97
a=rtpmap:96 Opus/48000/2
a=rtpmap:97 telephone-event/8000
a=sendonly
m=video 5000 RTP/AVP 31
a=recvonly
"""


@pytest.mark.parametrize("message", [SDP, SDP.replace("\n", "\r\n"), f"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n{SDP}"])
def test_sdp_says_where_and_how(message: str) -> None:
    audio = audio_of(message)
    assert audio is not None
    assert (audio.host, audio.port, audio.direction) == ("192.0.2.1", 4000, "sendonly")
    assert audio.codecs == {0: "PCMU", 96: "OPUS", 97: "TELEPHONE-EVENT"}
    assert audio.payload_type("telephone-event") == 97
    assert audio.payload_type("PCMA") is None


def test_a_connection_line_of_the_media_wins() -> None:
    audio = audio_of("v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 8\nc=IN IP6 2001:db8::1\n")
    assert audio is not None
    assert audio.host == "2001:db8::1"


@pytest.mark.parametrize(
    "message",
    [
        "",
        "SIP/2.0 200 OK\r\n\r\n",
        "v=0\nm=audio",
        "v=0\nm=audio x RTP/AVP 0\nc=IN IP4 x",
        "v=0\nm=audio 1 RTP/AVP 0",
        "\x00",
    ],
)
def test_sdp_that_cannot_be_read_is_none(message: str) -> None:
    assert audio_of(message) is None
