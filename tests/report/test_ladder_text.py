"""A ladder as text: a hundred columns at most, lanes straight, findings under their row, and plain ASCII where asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from harness.report.ladder import Ladder, Lane, Mark, Plane, Row, make_ladder
from harness.report.ladder_text import render_text, text_lines
from harness.timeline import HttpExchange, HttpRequest, HttpResponse, SipMessage, Timeline
from harness.verdicts import Finding, Verdict

DATA = Path(__file__).parent / "data"
TWO = (Lane("API client"), Lane("toy", iut=True))


def test_a_short_call_reads_like_this() -> None:
    def sip(at: float, line: str, direction: str, seq: int, repeats: int = 0) -> SipMessage:
        text = f"{line}\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
        return SipMessage(at, "alice", direction, "l:1", "r:2", text, seq=seq, repeats=repeats)

    request = HttpRequest("POST", "http://h/calls")
    events = [
        HttpExchange(10.0, seq=0, system="toy", request=request, response=HttpResponse(201), ended=10.01),
        sip(10.2, "INVITE sip:a@h SIP/2.0", "in", seq=1, repeats=1),
        sip(10.25, "SIP/2.0 486 Busy Here", "out", seq=2),
        HttpExchange(11.0, seq=3, system="toy", request=request, failure="timeout: 2 s"),
    ]
    finding = Finding("T-busy", Verdict.FAIL, "it called twice", at=(1,))
    assert render_text(make_ladder(events, [finding], title="Busy")).splitlines() == [
        "Busy",
        "  seconds API client                                 toy                                   alice",
        "    0.000      │────────── POST /calls 201 ──────────▶│                                      │",
        "    0.200 ✗    │                                      │───────── INVITE sip:a@h ×2 ─────────▶│",
        "               ✗ fail T-busy: it called twice",
        "    0.250      │                                      │◀────── 486 Busy Here (INVITE) ───────│",
        "    1.000      │─ POST /calls  timeout: 2 s ──✗       │                                      │",
    ]


@pytest.mark.parametrize("columns", [80, 100, 140])
@pytest.mark.parametrize("name", ["ivr_transfer.jsonl", "sixty_messages.jsonl"])
def test_no_line_is_wider_than_asked_and_lanes_stand_straight(name: str, columns: int) -> None:
    ladder = make_ladder(Timeline.read(DATA / name), title="t" * 300)
    lines = text_lines(ladder, columns=columns)
    assert max(cell_len(line.text) for line in lines) <= columns
    drawn = [line.text for line in lines if "│" in line.text]
    first = drawn[0].index("│")
    assert all(line[first] == "│" for line in drawn)


def test_a_request_that_does_not_fit_keeps_the_end_of_its_path_and_its_answer() -> None:
    lanes = (*TWO, *(Lane(f"agent {number}") for number in range(3)))
    request = HttpRequest("POST", "http://h/api/v1/calls/placeivrcall")
    (made,) = make_ladder([HttpExchange(1.0, request=request, response=HttpResponse(200))]).rows
    (made_get,) = make_ladder([HttpExchange(1.0, request=HttpRequest("GET", "http://h/a/long/path/of/x"))]).rows
    assert " /placeivrcall 200 " in text_lines(Ladder("t", lanes, (made,)))[2].text
    assert " POST /api/v1/calls/placeivrcall 200 " in text_lines(Ladder("t", TWO, (made,)))[2].text
    assert " GET …/x " in text_lines(Ladder("t", lanes, (made_get,)))[2].text


def test_wide_characters_do_not_bend_the_lanes() -> None:
    row = Row(0.0, Plane.HTTP, "GET /漢字漢字", source=0, target=1)
    plain = Row(0.0, Plane.HTTP, "GET /x", source=0, target=1)
    lines = text_lines(Ladder("t", TWO, (row, plain)))
    assert cell_len(lines[2].text) == cell_len(lines[3].text)


def test_rows_and_findings_say_how_bad_they_are() -> None:
    marks = (Mark(Verdict.FAIL, "T-a", "m"), Mark(Verdict.INCONC, "T-b", "n"))
    row = Row(0.0, Plane.HTTP, "GET /", source=0, target=1, severe=True, marks=marks)
    lines = text_lines(Ladder("t", TWO, (row,), loose=(Mark(Verdict.WARN, "T-c", "o"),)))
    assert [(line.text.strip(), line.severe) for line in lines[3:]] == [
        ("✗ fail T-a: m", True),
        ("? inconc T-b: n", False),
        ("! warn T-c: o", False),
    ]
    assert lines[2].severe is True


def test_what_was_left_out_is_counted() -> None:
    events = [
        HttpExchange(float(n), seq=n, request=HttpRequest("GET", "http://h/"), response=HttpResponse(200))
        for n in range(70)
    ]
    text = render_text(make_ladder(events))
    assert "┄┄ 10 events left out ┄┄" in text
    assert "10 of 70 events left out" in text


def test_ascii_is_ascii_and_of_the_same_width() -> None:
    ladder = make_ladder(Timeline.read(DATA / "ivr_transfer.jsonl"), title="Naïve 漢")
    plain, drawn = render_text(ladder, unicode=False).splitlines(), render_text(ladder).splitlines()
    assert all(line.isascii() for line in plain)
    assert [len(line) for line in plain[1:]] == [cell_len(line) for line in drawn[1:]]
    assert "->|" in plain[3]
