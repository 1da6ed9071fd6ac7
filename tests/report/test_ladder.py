"""A timeline as a chart: who takes part, what becomes an arrow, where findings stand, and what is left out of a long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.redact import Redactor
from harness.report.ladder import Ladder, Plane, Row, make_ladder
from harness.timeline import (
    Callback,
    Event,
    HttpExchange,
    HttpRequest,
    HttpResponse,
    MediaReport,
    Note,
    SipMessage,
    Timeline,
)
from harness.verdicts import Finding, Verdict

DATA = Path(__file__).parent / "data"
BASE = "http://api.example/base/v1"


def exchange(at: float, path: str = "/things", *, took: float = 0.01, seq: int = 0, **more: object) -> HttpExchange:
    values = {"response": HttpResponse(200, (), b"{}", "OK"), "system": "toy", **more}
    return HttpExchange(at, seq=seq, request=HttpRequest("GET", BASE + path), ended=at + took, **values)  # type: ignore[arg-type]


def sip(
    at: float, line: str, *, direction: str = "out", cseq: str = "1 INVITE", seq: int = 0, repeats: int = 0
) -> SipMessage:
    text = f"{line}\r\nCall-ID: c1\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
    return SipMessage(at, "alice", direction, "127.0.0.1:5070", "127.0.0.1:5060", text, seq=seq, repeats=repeats)


def chart(*events: Event, findings: tuple[Finding, ...] = (), **more: object) -> Ladder:
    return make_ladder(events, findings, bases={"toy": BASE}, **more)  # type: ignore[arg-type]


def arrow(ladder: Ladder, row: Row) -> tuple[str, str, str]:
    return row.label, ladder.lanes[row.source].title, ladder.lanes[row.target].title


@pytest.fixture(scope="module")
def transfer() -> Ladder:
    return make_ladder(
        Timeline.read(DATA / "ivr_transfer.jsonl"), bases={"mediaservice": "http://127.0.0.1:8080/example.test"}
    )


def test_participants_stand_in_a_stable_order_with_their_addresses(transfer: Ladder) -> None:
    assert [(lane.title, lane.detail) for lane in transfer.lanes] == [
        ("API client", ""),
        ("mediaservice", "127.0.0.1:8080"),
        ("recorder", "127.0.0.1:41900"),
        ("caller", "127.0.0.1:45098"),
        ("desk", "127.0.0.1:45102"),
    ]
    assert [lane.iut for lane in transfer.lanes] == [False, True, False, False, False]


def test_rows_are_in_the_order_of_their_times_whichever_driver_saw_them(transfer: Ladder) -> None:
    times = [row.at for row in transfer.rows]
    assert times == sorted(times)
    assert [row.label for row in transfer.rows[:6]] == [
        "INVITE sip:ivr-sales@127.0.0.1:5060",
        "100 Trying (INVITE)",
        "POST /newCall",
        "200 OK (INVITE)",
        "ACK sip:127.0.0.1:5060",
        "POST /getIvrCommand",
    ]


def test_arrows_go_from_whoever_sent_to_whoever_got_it(transfer: Ladder) -> None:
    arrows = [arrow(transfer, row) for row in transfer.rows]
    assert ("INVITE sip:ivr-sales@127.0.0.1:5060", "caller", "mediaservice") in arrows
    assert ("INVITE sip:desk@127.0.0.1:45102", "mediaservice", "desk") in arrows
    assert ("180 Ringing (INVITE)", "desk", "mediaservice") in arrows
    assert ("POST /newCall", "mediaservice", "recorder") in arrows
    assert ("POST /placeivrcall", "API client", "mediaservice") in arrows


def test_small_print_says_what_tells_one_message_from_the_next(transfer: Ladder) -> None:
    asides = {row.label: row.aside for row in transfer.rows}
    assert asides["POST /newCall"] == "calledParty ivr-sales → action ivr"
    assert asides["INVITE sip:desk@127.0.0.1:45102"] == "SDP 41010 PCMA PCMU DTMF"
    assert asides["BYE sip:caller@127.0.0.1:45098"] == "Reason: Q.850;cause=16"
    assert "dtmfMatch 4711" in asides["POST /getIvrCommand"]


def test_media_is_a_bar_where_its_stream_began_with_heard_digits_as_arrows(transfer: Ladder) -> None:
    media = [row for row in transfer.rows if row.plane is Plane.MEDIA]
    assert [row.at for row in media] == pytest.approx([0.03, 5.53, 7.1, 7.3], abs=1e-3)
    assert [(row.label, row.aside) for row in media] == [
        ("RTP heard: 432 packets PCMA in 8.6 s, sound", "sent 170 packets, DTMF 4711#"),
        ("RTP heard: 158 packets PCMA in 3.2 s, sound, 2 lost, DTMF 9#", "sent 160 packets"),
        ("DTMF 9", ""),
        ("DTMF #", ""),
    ]
    assert arrow(transfer, media[2])[1:] == ("mediaservice", "desk")


def test_media_of_nobody_who_signals_gets_a_lane_of_its_own() -> None:
    ladder = chart(MediaReport(1.0, "probe", {"received": {"packets": 0}}))
    assert [lane.title for lane in ladder.lanes] == ["implementation", "probe"]
    assert ladder.rows[0].label == "RTP heard: nothing"


def test_paths_are_shown_without_base_and_long_identifiers_and_shorter_where_there_is_no_room() -> None:
    (row,) = chart(exchange(1.0, "/things/31561920-0a68-4546-b9dc-abe980edf96e/status?deep=1")).rows
    assert row.label == "GET /things/315619…/status?deep=1"
    assert row.shorter == ("GET /things/…/status?deep=1", "GET …/status")


def test_a_quick_exchange_is_one_arrow_and_a_slow_one_two() -> None:
    quick = chart(exchange(10.0))
    assert [(row.label, row.status, row.answer) for row in quick.rows] == [("GET /things", "200", False)]
    slow = chart(exchange(10.0, took=1.5))
    assert [(row.label, row.status, row.answer) for row in slow.rows] == [
        ("GET /things", "", False),
        ("200 OK (things)", "", True),
    ]
    assert slow.rows[1].at == pytest.approx(1.5)


def test_an_exchange_during_which_something_happened_is_two_arrows_around_it() -> None:
    ladder = chart(exchange(10.0, took=0.1, seq=0), sip(10.05, "INVITE sip:a@b SIP/2.0", direction="in", seq=1))
    assert [row.label for row in ladder.rows] == ["GET /things", "INVITE sip:a@b", "200 OK (things)"]


def test_an_exchange_without_an_answer_is_broken_and_says_why() -> None:
    (row,) = chart(exchange(10.0, response=None, failure="timeout: nothing within 2 s")).rows
    assert row.broken
    assert row.aside == "timeout: nothing within 2 s"


def test_a_sip_request_that_nobody_answered_is_broken_but_no_acknowledgement_is() -> None:
    lonely = chart(sip(1.0, "INVITE sip:a@b SIP/2.0"), sip(2.0, "ACK sip:a@b SIP/2.0", cseq="1 ACK", seq=1))
    assert [row.broken for row in lonely.rows] == [True, False]
    answered = chart(sip(1.0, "INVITE sip:a@b SIP/2.0"), sip(1.1, "SIP/2.0 486 Busy Here", direction="in", seq=1))
    assert [row.broken for row in answered.rows] == [False, False]


def test_retransmissions_are_one_arrow_with_their_number() -> None:
    folded = chart(sip(1.0, "INVITE sip:a@b SIP/2.0", repeats=2))
    assert [row.times for row in folded.rows] == [3]
    loose = chart(*(sip(1.0 + n / 2, "INVITE sip:a@b SIP/2.0", seq=n) for n in range(3)))
    assert [row.times for row in loose.rows] == [3]


def test_a_finding_at_a_retransmission_marks_the_arrow_that_stands_for_it() -> None:
    events = [sip(1.0 + n / 2, "INVITE sip:a@b SIP/2.0", seq=n) for n in range(3)]
    ladder = chart(*events, findings=(Finding("T-a", Verdict.FAIL, "m", at=(2,)),))
    assert [mark.clause for mark in ladder.rows[0].marks] == ["T-a"]


def test_findings_stand_at_the_answer_of_an_exchange_and_at_the_request_of_a_callback() -> None:
    callback = Callback(
        20.0, seq=1, request=HttpRequest("POST", "http://r.example/cb/x"), response=HttpResponse(200), ended=25.0
    )
    finding = Finding("T-a", Verdict.FAIL, "wrong", at=(0, 1))
    ladder = chart(exchange(10.0, took=3.0), callback, findings=(finding,))
    assert [(row.answer, [mark.clause for mark in row.marks], row.severe) for row in ladder.rows] == [
        (False, [], True),
        (True, ["T-a"], True),
        (False, ["T-a"], True),
        (True, [], True),
    ]


def test_only_what_is_no_pass_marks_and_inferred_clauses_warn() -> None:
    findings = (
        Finding("T-pass", Verdict.PASS, at=(0,)),
        Finding("T-inferred", Verdict.FAIL, "m", at=(0,)),
        Finding("T-undecided", Verdict.INCONC, "m", at=(1,)),
        Finding("T-broken", Verdict.FAIL, "m", at=(1,)),
    )
    ladder = chart(
        exchange(1.0), exchange(2.0, seq=1), exchange(3.0, seq=2), findings=findings, inferred={"T-inferred"}
    )
    assert [row.severe for row in ladder.rows] == [False, True, None]
    assert [(mark.verdict, mark.clause) for row in ladder.rows for mark in row.marks] == [
        (Verdict.WARN, "T-inferred"),
        (Verdict.FAIL, "T-broken"),
        (Verdict.INCONC, "T-undecided"),
    ]


def test_findings_that_point_nowhere_are_kept_below_the_chart() -> None:
    findings = (
        Finding("T-absent", Verdict.FAIL, "nothing came", "a call"),
        Finding("T-title", Verdict.FAIL, "nothing went", "the title"),
        Finding("T-far", Verdict.FAIL, "m", at=(99,)),
    )
    ladder = chart(exchange(1.0), findings=findings, title="the title")
    assert {(mark.clause, mark.message) for mark in ladder.loose} == {
        ("T-absent", "a call: nothing came"),
        ("T-title", "nothing went"),
        ("T-far", "m"),
    }
    assert ladder.rows[0].severe is None


def test_of_a_long_timeline_the_events_around_findings_are_kept_and_the_others_counted() -> None:
    events = [exchange(float(n), f"/things/{n}", seq=n) for n in range(300)]
    ladder = chart(*events, findings=(Finding("T-a", Verdict.FAIL, "m", at=(200,)),))
    shown = [row.label for row in ladder.rows if row.plane is not Plane.GAP]
    assert len(shown) == 60
    assert (shown[0], shown[-1]) == ("GET /things/170", "GET /things/229")
    assert [row.label for row in ladder.rows if row.plane is Plane.GAP] == ["170 events left out", "70 events left out"]
    assert (ladder.events, ladder.left_out) == (300, 240)


def test_of_a_long_timeline_without_findings_the_beginning_is_kept() -> None:
    ladder = chart(*(exchange(float(n), f"/things/{n}", seq=n) for n in range(100)))
    assert [ladder.rows[0].label, ladder.rows[59].label, ladder.rows[60].label] == [
        "GET /things/0",
        "GET /things/59",
        "40 events left out",
    ]


def test_findings_at_events_left_out_are_not_lost() -> None:
    events = [exchange(float(n), seq=n) for n in range(100)]
    findings = tuple(Finding(f"T-{n}", Verdict.FAIL, "m", at=(n,)) for n in range(100))
    ladder = chart(*events, findings=findings)
    named = [mark.clause for row in ladder.rows for mark in row.marks] + [mark.clause for mark in ladder.loose]
    assert sorted(named) == sorted(finding.clause for finding in findings)


def test_secrets_are_in_no_part_of_the_chart() -> None:
    secret = "correct-horse-battery"
    events = (
        exchange(1.0, f"/things?key={secret}", about={"case": secret}),
        Note(2.0, "topic", f"it is {secret}", seq=1),
        SipMessage(
            3.0, secret, "out", "l:1", "r:2", f"INVITE sip:{secret}@h SIP/2.0\r\nReason: {secret}\r\n\r\n", seq=2
        ),
        MediaReport(4.0, secret, {"received": {"packets": 1, "codec": secret}}, seq=3),
    )
    finding = Finding("T-a", Verdict.FAIL, f"saw {secret}", at=(0,))
    ladder = chart(*events, findings=(finding,), title=f"with {secret}", redactor=Redactor([secret]))
    assert secret not in repr(ladder)
    assert "***" in repr(ladder)


def test_a_timeline_without_events_is_a_chart_without_rows() -> None:
    assert chart().rows == ()
