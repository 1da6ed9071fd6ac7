"""A timeline as text: one line an event in order, bodies and SIP messages below it, for every kind of event."""

from __future__ import annotations

from harness.report.text import render_timeline
from harness.timeline import (
    Callback,
    HttpExchange,
    HttpRequest,
    HttpResponse,
    MediaReport,
    Note,
    SipMessage,
    Timeline,
)


def test_every_kind_of_event_is_shown_with_its_time_and_direction() -> None:
    timeline = Timeline("t")
    request = HttpRequest("POST", "http://h/p", (), b"sent body")
    timeline.add(
        HttpExchange(
            100.0, request=request, response=HttpResponse(201, (("X-A", "1"),), b"got body"), about={"case": "c"}
        )
    )
    timeline.add(HttpExchange(100.5, request=request, failure="timeout: x"))
    timeline.add(
        Callback(101.0, request=HttpRequest("POST", "/cb", (), b"told"), response=HttpResponse(200, (), b"ok"))
    )
    timeline.add(SipMessage(101.25, "alice", "out", "l:1", "r:2", "INVITE sip:x SIP/2.0\r\nFrom: a\r\n\r\n", repeats=2))
    timeline.add(SipMessage(101.5, "alice", "in", "l:1", "r:2", "SIP/2.0 200 OK\r\n\r\n"))
    timeline.add(MediaReport(102.0, "alice", {"packets": 5}))
    timeline.add(Note(102.5, "topic", "words"))
    lines = render_timeline(timeline).splitlines()
    heads = [line for line in lines if not line.startswith("               ")]
    assert heads == [
        "   0    0.000 s  -> POST http://h/p  201  (case: c)",
        "   1    0.500 s  -> POST http://h/p  timeout: x",
        "   2    1.000 s  <- POST /cb  200",
        "   3    1.250 s  -> SIP alice l:1 r:2  INVITE sip:x SIP/2.0  (repeated 2 times)",
        "   4    1.500 s  <- SIP alice l:1 r:2  SIP/2.0 200 OK",
        '   5    2.000 s  == RTP alice: {"packets": 5}',
        "   6    2.500 s  -- topic: words",
    ]
    below = [line.strip() for line in lines if line.startswith("               ")]
    for words in ("sent: sent body", "X-A: 1", "got: got body", "got: told", "sent: ok", "From: a"):
        assert words in below


def test_an_empty_record_and_bodies_that_are_no_text_or_too_long_are_shown() -> None:
    assert render_timeline(Timeline("t")) == "\n"
    timeline = Timeline("t")
    timeline.add(HttpExchange(1.0, request=HttpRequest("PUT", "/", (), b"\xff\x00" * 5000)))
    text = render_timeline(timeline)
    assert "\x00" not in text
    assert "(10000 characters)" in text
    assert len(text) < 12_000
