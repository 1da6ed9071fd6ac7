"""The trace parser on traces as SIPp 3.6.1 writes them, whole and cut anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.drivers.sipp.trace import Record, TraceParser, is_request, via_address

HERE = Path(__file__).parent
RULE = b"-" * 47


def frame(text: bytes, *, sent: bool = False, size: int | None = None) -> bytes:
    length = len(text) if size is None else size
    kind = b"sent (%d bytes):" % length if sent else b"received [%d] bytes :" % length
    return RULE + b" 2026-11-21 06:04:41.587845\nUDP message " + kind + b"\n\n" + text + b"\n"


def parse(data: bytes, step: int | None = None) -> list[Record]:
    parser = TraceParser()
    pieces = [data] if step is None else [data[at : at + step] for at in range(0, len(data), step)]
    records = [record for piece in pieces for record in parser.feed(piece)]
    return records + list(parser.close())


@pytest.mark.parametrize("step", [None, 1, 7, 100])
def test_a_recorded_trace(step: int | None) -> None:
    records = parse((HERE / "refused_register.trace").read_bytes(), step)
    assert [(record.direction, record.text.split("\r\n")[0]) for record in records] == [
        ("out", "REGISTER sip:localhost SIP/2.0"),
        ("in", "SIP/2.0 403 Forbidden"),
        ("out", "BYE sip:alice@localhost SIP/2.0"),
    ]
    assert all(record.text.endswith("\r\n\r\n") for record in records)
    assert records[0].wall == pytest.approx(1795241081.587845)
    assert records[0].transport == "udp"


@pytest.mark.parametrize("step", [None, 1, 13])
def test_a_body_that_looks_like_a_trace_is_a_body(step: int | None) -> None:
    inner = frame(b"BYE sip:x SIP/2.0\r\n\r\n")
    data = frame(b"MESSAGE sip:x SIP/2.0\r\n\r\n" + inner) + frame(b"SIP/2.0 200 OK\r\n\r\n", sent=True)
    records = parse(data)
    assert [record.text.split(" ")[0] for record in records] == ["MESSAGE", "SIP/2.0"]
    assert records[0].text.endswith(inner.decode())
    assert len(parse(data, step)) == 2


@pytest.mark.parametrize("step", [None, 1, 13])
def test_a_message_that_sipp_cut_at_a_nul_does_not_swallow_the_next(step: int | None) -> None:
    data = frame(b"INVITE sip:x", size=400) + frame(b"SIP/2.0 400 Bad\r\n\r\n", sent=True)
    records = parse(data, step)
    assert [record.text.partition("\r")[0] for record in records] == ["INVITE sip:x", "SIP/2.0 400 Bad"]


def test_bytes_that_are_no_text_survive_as_escapes() -> None:
    (record,) = parse(frame(b"INVITE sip:\xff SIP/2.0\r\n\r\n"))
    assert record.text == "INVITE sip:\\xff SIP/2.0\r\n\r\n"


@pytest.mark.parametrize(
    "data", [b"", b"nothing of a trace", RULE, RULE + b"\nUnexpected UDP message received:\n\nSIP/"]
)
def test_what_is_no_message_gives_none(data: bytes) -> None:
    assert parse(data) == []


def test_a_last_message_cut_short_is_kept() -> None:
    (record,) = parse(frame(b"INVITE sip:x SIP/2.0\r\n\r\n", sent=True)[:-10])
    assert record.text == "INVITE sip:x SI"


@pytest.mark.parametrize(
    ("via", "address"),
    [
        ("Via: SIP/2.0/UDP 127.0.0.1:5068;branch=z", "127.0.0.1:5068"),
        ("v: SIP/2.0/TCP host.example;branch=z", "host.example:5060"),
        ("Via: SIP/2.0/UDP 10.0.0.1:5060;rport=40000;received=192.0.2.1;branch=z", "192.0.2.1:40000"),
        ("Via: SIP/2.0/UDP [2001:db8::1]:5062;branch=z", "[2001:db8::1]:5062"),
        ("Via: SIP/2.0/UDP 127.0.0.1:1;branch=z, SIP/2.0/UDP 127.0.0.1:2;received=9.9.9.9", "127.0.0.1:1"),
        ("To: x", None),
    ],
)
def test_via_says_where_a_request_came_from(via: str, address: str | None) -> None:
    assert via_address(f"OPTIONS sip:x SIP/2.0\r\n{via}\r\n\r\n") == address


def test_requests_and_responses() -> None:
    assert is_request("INVITE sip:x SIP/2.0")
    assert not is_request("SIP/2.0 200 OK")
