"""Packet captures: those that scapy wrote are read whole; what is broken is said, with file and reason."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest

from harness.recordings.errors import RecordingError
from harness.recordings.pcap import Capture
from harness.recordings.sip_capture import CapturedSip, SipCollector
from tests.recordings.build import classic, segment, udp_frame

DATA = Path(__file__).parent / "data"
OPTIONS = b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\nl: 3\r\n\r\nabc"


def messages(path: Path) -> list[CapturedSip]:
    collector = SipCollector()
    return [message for each in Capture(path) for message in collector.feed(each)]


@pytest.mark.parametrize("name", ["ethernet.pcap", "ethernet.pcapng", "nanoseconds.pcap", "linux-any.pcap"])
def test_captures_of_another_tool_are_read_whole(name: str) -> None:
    """A datagram in three fragments (the last one first), VLAN, IPv6, and TCP out of order with a repeated segment."""
    found = messages(DATA / name)
    assert [(each.transport, each.source, len(each.text)) for each in found] == [
        ("udp", "10.0.0.1:5060", 3177),
        ("udp", "10.0.0.1:5060", 163),
        ("udp", "[::1]:5060", 163),
        ("tcp", "10.0.0.3:4000", 163),
        ("tcp", "10.0.0.3:4000", 163),
        ("tcp", "10.0.0.3:4000", 3177),
    ]
    assert [round(each.at - 1_700_000_000, 3) for each in found] == [0.4, 0.6, 0.8, 1.2, 1.2, 2.4]
    assert found[0].target == "10.0.0.2:5062"
    assert found[0].text.endswith("y" * 3000 + "\r\n")


def test_packets_without_a_link_layer_are_read() -> None:
    assert len(messages(DATA / "raw-ip.pcap")) == 5


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello, I am a text file\n", "no packet capture"),
        (b"\xd4\xc3\xb2\xa1\x02", "ends within its first bytes"),
        (classic([(1.0, b"x" * 60)])[:-3], "truncated"),
        (classic([(1.0, b"x" * 60)])[:30], "truncated"),
        (classic([(1.0, b"x" * 60)], link=147), "link type 147"),
        (classic([])[:24] + struct.pack("<IIII", 1, 0, 1 << 30, 1 << 30), "broken: a packet of 1073741824 bytes"),
        (b"\x0a\x0d\x0d\x0a" + struct.pack("<I", 0xFFFFFFF0) + b"\x4d\x3c\x2b\x1a", "broken: a block"),
        ((DATA / "ethernet.pcapng").read_bytes()[:200], "truncated"),
    ],
    ids=["text", "head", "cut", "cut-header", "link", "huge", "huge-block", "cut-block"],
)
def test_what_is_no_whole_capture_is_said(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=words) as caught:
        list(Capture(path))
    assert str(path) in str(caught.value)


def test_broken_packets_are_counted_and_left_out(tmp_path: Path) -> None:
    whole = udp_frame("192.0.2.1:5060", "192.0.2.2:5060", OPTIONS)
    frames = [(1.0, whole[:-5]), (2.0, b"\x08"), (3.0, b""), (4.0, whole), (5.0, b"\0" * 12 + b"\x08\x06" + b"arp" * 9)]
    path = tmp_path / "x.pcap"
    path.write_bytes(classic(frames))
    capture, collector = Capture(path), SipCollector()
    assert [message.at for each in capture for message in collector.feed(each)] == [4.0]
    assert (capture.packets, capture.broken) == (5, 3)


def test_any_cut_or_flipped_byte_is_an_error_or_a_result_and_nothing_else(tmp_path: Path) -> None:
    whole = (DATA / "ethernet.pcapng").read_bytes()
    path = tmp_path / "x.pcapng"
    for place in range(0, len(whole), 37):
        for data in (whole[:place], whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]):
            path.write_bytes(data)
            with contextlib.suppress(RecordingError):
                messages(path)


def test_a_frame_that_was_captured_twice_is_one_message_and_a_retransmission_is_another() -> None:
    from harness.recordings.pcap import Segment

    collector = SipCollector()
    found = [
        message.at
        for at in (1.0, 1.001, 1.5)
        for message in collector.feed(Segment(at, "192.0.2.1:5060", "192.0.2.2:5060", OPTIONS))
    ]
    assert found == [1.0, 1.5]


def test_a_stream_goes_on_behind_a_hole_and_in_the_middle_of_a_message() -> None:
    collector = SipCollector()
    found = list(collector.feed(segment(100, OPTIONS[20:])))
    found += collector.feed(segment(100 + len(OPTIONS[20:]), OPTIONS))
    assert [message.text for message in found] == [OPTIONS.decode()]
    for number in range(300):  # 500 bytes are lost; what follows waits for them, but not for ever
        found += collector.feed(segment(1000 + number * len(OPTIONS), OPTIONS))
    assert len(found) > 200


def test_streams_of_something_else_are_given_up() -> None:
    collector = SipCollector()
    assert list(collector.feed(segment(0, b"GET / HTTP/1.1\r\n" * 400, first=True))) == []
    assert collector.other == 1
    assert list(collector.feed(segment(6401, OPTIONS))) == []


def test_what_follows_the_length_of_a_datagram_is_no_part_of_the_message() -> None:
    from harness.recordings.pcap import Segment

    data = OPTIONS + b"padding"
    (message,) = SipCollector().feed(Segment(1.0, "192.0.2.1:5060", "192.0.2.2:5060", data))
    assert message.text == OPTIONS.decode()
