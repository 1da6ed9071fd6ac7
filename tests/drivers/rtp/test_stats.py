"""Counting a stream: loss, order, gaps, sound, keys."""

from __future__ import annotations

from typing import Any

import pytest

from harness.drivers.rtp import g711
from harness.drivers.rtp.packet import RtpPacket, TelephoneEvent
from harness.drivers.rtp.sender import Sender
from harness.drivers.rtp.stats import MAX_DIGITS, MAX_SOURCES, StreamStats

CODECS = {8: "PCMA", 0: "PCMU", 3: "GSM", 101: "TELEPHONE-EVENT"}
QUIET, LOUD = g711.silence("PCMA"), g711.tone("PCMA")


def heard(sequences: list[int], payload: bytes = QUIET, payload_type: int = 8) -> dict[str, Any]:
    stats = StreamStats(CODECS)
    for place, sequence in enumerate(sequences):
        packet = RtpPacket(payload_type, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, 1, payload)
        stats.receive(packet, 100 + place * 0.02)
    return stats.figures()


@pytest.mark.parametrize(
    ("sequences", "lost", "duplicates", "reordered"),
    [
        ([1, 2, 3, 4], 0, 0, 0),
        ([1, 2, 5, 6], 2, 0, 0),
        ([1, 3, 2, 4], 0, 0, 1),
        ([1, 2, 2, 3], 0, 1, 0),
        ([65534, 65535, 65536, 65537], 0, 0, 0),
        ([65534, 65537], 2, 0, 0),
        ([2, 1, 3], 0, 0, 1),
        ([7], 0, 0, 0),
    ],
)
def test_sequence_numbers(sequences: list[int], lost: int, duplicates: int, reordered: int) -> None:
    figures = heard(sequences)
    assert (figures["lost"], figures["duplicates"], figures["reordered"]) == (lost, duplicates, reordered)
    assert figures["packets"] == len(sequences)


def test_rate_times_and_gaps() -> None:
    figures = heard(list(range(51)))
    assert figures["packets_per_second"] == 50.0
    assert (figures["duration_ms"], figures["longest_gap_ms"]) == (1000, 20)
    assert (figures["first_at"], figures["last_at"]) == (100, pytest.approx(101))
    assert figures["jitter_ms"] == 0
    assert figures["codec"] == "PCMA"


def test_sound_is_told_from_silence() -> None:
    assert heard([1, 2], QUIET)["heard"] == "silence"
    assert heard([1, 2], QUIET)["first_sound_at"] is None
    loud = heard([1, 2], LOUD)
    assert (loud["heard"], loud["sound_ms"], loud["first_sound_at"]) == ("sound", 40, 100)
    assert loud["level_dbfs"] == pytest.approx(-10, abs=0.3)


def test_stretches_of_sound_are_told_apart() -> None:
    stats = StreamStats(CODECS)
    for place in (0, 1, 3, 50, 51):  # one packet of the first stretch is lost, which does not end it
        stats.receive(RtpPacket(8, place, place * 160, 1, LOUD), 100 + place * 0.02)
    stats.receive(RtpPacket(8, 60, 60 * 160, 1, QUIET), 101.2)
    assert [(sound.begin, sound.end) for sound in stats.sounds] == [(100, 100.06), (101, 101.02)]
    assert (stats.sound_ms, stats.figures()["last_sound_at"]) == (100, 101.02)


def test_what_the_probe_cannot_listen_to_is_unknown_and_nothing_is_nothing() -> None:
    assert heard([1], b"x" * 33, 3)["heard"] == "unknown"
    assert heard([1], b"x", 77)["codecs"] == ["PT77"]
    nothing = heard([])
    assert (nothing["heard"], nothing["codec"], nothing["packets_per_second"]) == ("nothing", None, None)


def spoken(digits: str, milliseconds: int = 100) -> list[RtpPacket]:
    sender = Sender()
    sender.press(digits, milliseconds, 60)
    packets = []
    while sender.pressing:
        data = sender.next_packet()
        if data is not None:
            packets.append(RtpPacket.parse(data))
    assert sender.digits == digits
    return packets


def test_keys_are_heard_once_each_with_their_length() -> None:
    stats = StreamStats(CODECS)
    for place, packet in enumerate(spoken("11#")):
        stats.receive(packet, place * 0.02)
    figures = stats.figures()
    assert figures["digits"] == "11#"
    assert [event["duration_ms"] for event in figures["events"]] == [100, 100, 100]
    assert all(event["ended"] for event in figures["events"])
    assert figures["codec"] is None


def test_a_key_survives_the_loss_of_all_but_one_packet() -> None:
    packets = spoken("5")
    for packet in packets:
        stats = StreamStats(CODECS)
        stats.receive(packet, 0.0)
        assert stats.digits == "5"
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert len({packet.timestamp for packet in packets}) == 1


def test_memory_is_bounded() -> None:
    stats = StreamStats(CODECS)
    for number in range(MAX_SOURCES + 10):
        stats.receive(RtpPacket(8, 1, 1, number, QUIET), 0.0)
    event = TelephoneEvent(1, False, 0, 160).pack()
    for number in range(MAX_DIGITS + 10):
        stats.receive(RtpPacket(101, number, number, 1, event), 0.0)
    figures = stats.figures()
    assert figures["sources"] == MAX_SOURCES
    assert figures["refused_sources"] == 10
    assert len(figures["digits"]) == MAX_DIGITS


def test_a_broken_telephone_event_is_malformed() -> None:
    assert heard([1], b"\x01", 101)["malformed"] == 1


@pytest.mark.parametrize("law", ["PCMA", "PCMU"])
@pytest.mark.parametrize("hertz", [400, 700, 1300])
def test_tones_are_told_apart_by_their_pitch(law: str, hertz: int) -> None:
    stats = StreamStats({8: law})
    packets = [g711.tone(law, hertz, samples=160)] * 5 + [g711.tone(law, hertz + 300)] * 5 + [g711.silence(law)] * 10
    for place, payload in enumerate([*packets, g711.tone(law, hertz), *packets[:4]]):
        stats.receive(RtpPacket(8, place, place * 160, 1, payload), 100 + place * 0.02)
    tones = stats.figures()["tones"]
    assert [one["ms"] for one in tones] == [100, 100, 100]
    assert [abs(one["hertz"] - wanted) <= 25 for one, wanted in zip(tones, (hertz, hertz + 300, hertz), strict=True)]
    assert tones[0]["at"] == 100


def test_what_is_too_short_or_no_sound_is_no_tone() -> None:
    assert heard([1, 2, 3], QUIET)["tones"] == []
    assert heard([1, 2], LOUD)["tones"] == []
    assert g711.hertz(b"", "PCMA") == g711.hertz(QUIET, "PCMA") == 0
