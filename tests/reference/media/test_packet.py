"""RTP packets and the folding of telephone events."""

from __future__ import annotations

import random

import pytest

from harness.reference.media.packet import DigitReader, RtpPacket, event_payload, parse_rtp


def event(digit: str, timestamp: int, duration: int, end: bool = False, marker: bool = False) -> RtpPacket:
    return RtpPacket(101, 0, timestamp, 7, event_payload(digit, duration, end), marker)


def heard(*packets: RtpPacket) -> str:
    reader = DigitReader()
    return "".join(digit for packet in packets if (digit := reader.read(packet)))


def test_a_packet_survives_the_wire() -> None:
    packet = RtpPacket(8, 65535, 2**32 - 1, 123, b"abc", True)
    assert parse_rtp(packet.serialise()) == packet


def test_contributing_sources_extension_and_padding_are_taken_off() -> None:
    head = bytes([0x80 | 0x20 | 0x10 | 1, 8]) + b"\0\1" + bytes(8) + b"CSRC" + b"\xbe\xde\0\1" + b"EXT1"
    packet = parse_rtp(head + b"payload" + b"\0\0\3")
    assert packet is not None
    assert packet.payload == b"payload"


@pytest.mark.parametrize("data", [b"", b"\x80" * 11, bytes(40), b"\x8f" + bytes(11), b"\xa0" + bytes(11), b"\x90" * 13])
def test_what_is_no_rtp_is_told_apart(data: bytes) -> None:
    assert parse_rtp(data) is None


def test_random_bytes_never_raise() -> None:
    dice = random.Random(4)
    reader = DigitReader()
    for _ in range(2000):
        packet = parse_rtp(b"\x80" + dice.randbytes(dice.randrange(30)))
        if packet is not None:
            reader.read(packet)


def test_repeated_packets_of_a_key_are_one_digit() -> None:
    growing = [event("5", 1000, 160 * n, marker=n == 1) for n in range(1, 6)]
    assert heard(*growing, *[event("5", 1000, 960, end=True)] * 3) == "5"


def test_a_key_is_heard_when_only_its_end_arrives() -> None:
    assert heard(event("#", 1000, 960, end=True)) == "#"


def test_the_same_key_twice_is_two_digits() -> None:
    assert heard(event("1", 1000, 800, end=True), event("1", 2600, 160, marker=True)) == "11"


def test_late_end_packets_of_an_earlier_key_do_not_repeat_it() -> None:
    assert (
        heard(event("1", 1000, 800), event("2", 2000, 160), event("1", 1000, 960, end=True), event("2", 2000, 320))
        == "12"
    )


def test_segments_of_a_long_event_are_one_digit() -> None:
    first, second = event("9", 1000, 0xFFFF), event("9", 1000 + 0xFFFF, 160)
    assert heard(event("9", 1000, 160, marker=True), first, second, event("9", 1000 + 0xFFFF, 4000, end=True)) == "9"


def test_events_that_are_no_keys_and_short_payloads_are_passed_over() -> None:
    flash = RtpPacket(101, 0, 1, 7, bytes([16, 0x8A, 0, 160]))
    assert heard(flash, RtpPacket(101, 0, 2, 7, b"\1")) == ""


def test_a_character_that_is_no_key_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="substring"):
        event_payload("x", 1, False)
