"""The timeline: what was appended is what is read, in order, from any thread, and without secrets on disk."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.redact import Redactor
from harness.timeline import (
    FORMAT_VERSION,
    Callback,
    Clock,
    Event,
    HttpExchange,
    HttpRequest,
    HttpResponse,
    MediaReport,
    Note,
    SipMessage,
    Timeline,
    TimelineError,
    event_from_json,
    event_to_json,
)

REQUEST = HttpRequest("POST", "http://h/p?q=1", (("X-A", "1"), ("x-a", "2"), ("Ünï", "cödé")), "bödy".encode())
RESPONSE = HttpResponse(201, (("Content-Type", "application/json"),), b'{"a": "\xe2\x80\xa8"}', "Created", True)
EVENTS: tuple[Event, ...] = (
    HttpExchange(
        1.5, system="s", request=REQUEST, response=RESPONSE, ended=1.75, about={"auth": "valid", "case": "example"}
    ),
    HttpExchange(2.0, system="s", request=REQUEST, response=None, ended=3.0, failure="timeout: too long"),
    Callback(3.0, system="s", request=REQUEST, response=RESPONSE, ended=3.5, about={"route": "r"}),
    SipMessage(4.0, "a", "out", "127.0.0.1:1", "127.0.0.1:2", "INVITE sip:x@y SIP/2.0\r\nA: b\r\n\r\nbody", "tcp", 2),
    MediaReport(5.0, "a", {"packets": 50, "codec": "PCMA", "digits": ["1", "#"], "late": 1.5, "none": None}),
    Note(6.0, "topic", "words \u2028 more\x85 and \x0c", {"deep": {"list": [1, {"x": True}]}}),
)


def written(path: Path, *events: Event, redactor: Redactor | None = None) -> Path:
    with Timeline("a scenario", path=path, redactor=redactor) as timeline:
        for event in events:
            timeline.add(event)
    return path


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_kind_of_event_survives_a_round_trip(event: Event) -> None:
    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


def test_a_record_on_disk_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "t.jsonl"
    with Timeline("a scenario", path=path) as live:
        for event in EVENTS:
            live.add(event)
    again = Timeline.read(path)
    assert again.events == live.events
    assert [event.seq for event in again] == list(range(len(EVENTS)))
    assert again.scenario == "a scenario"
    assert len(again) == len(EVENTS)


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe" * 1000, bytes(range(256)), "🙂\u2028\n\r".encode(), b'{"base64": "x"}']
)
def test_bodies_of_any_bytes_survive(tmp_path: Path, body: bytes) -> None:
    event = HttpExchange(1.0, request=HttpRequest("PUT", "http://h", (), body), response=HttpResponse(200, (), body))
    again = Timeline.read(written(tmp_path / "t.jsonl", event)).of(HttpExchange)[0]
    assert again.request.body == body
    assert again.response is not None
    assert again.response.body == body


def test_half_a_surrogate_pair_out_of_a_hostile_body_can_be_written_and_read(tmp_path: Path) -> None:
    text = json.loads('"\\ud800 and \\udfff"')
    note = Timeline.read(written(tmp_path / "t.jsonl", Note(1.0, "t", text, {"k": [text]}))).of(Note)[0]
    assert note.text == text
    assert note.data == {"k": [text]}


def test_events_are_on_disk_before_add_returns(tmp_path: Path) -> None:
    timeline = Timeline("s", path=tmp_path / "t.jsonl")
    timeline.note("here", "words")
    assert '"here"' in (tmp_path / "t.jsonl").read_text(encoding="utf-8")
    timeline.close()


@pytest.mark.parametrize("written_first", [True, False])
def test_an_interruption_while_an_event_is_written_leaves_a_record_that_can_be_read(
    written_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.jsonl"
    with Timeline("s", path=path) as timeline:
        timeline.note("first", "words")
        write = timeline._write

        def interrupted(line: Mapping[str, Any]) -> None:
            if written_first:
                write(line)
            raise KeyboardInterrupt

        monkeypatch.setattr(timeline, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            timeline.note("second", "words")
        monkeypatch.setattr(timeline, "_write", write)
    assert [note.topic for note in Timeline.read(path).of(Note)] == ["first", "second"][: 1 + written_first]


def test_secrets_are_whole_in_memory_and_absent_on_disk(tmp_path: Path) -> None:
    secret = "canary-s3cret"
    quoted = "canary%2Ds3cret"
    redactor = Redactor([secret])
    exchange = HttpExchange(
        1.0,
        request=HttpRequest(
            "POST",
            f"http://me:pwd-in-url@h/p?password={secret}",
            (("Authorization", f"Bearer {secret}"), ("X-Other", secret), ("Cookie", "session=cookie-canary")),
            f"client_secret={quoted}&password=unknown-canary".encode(),
        ),
        response=HttpResponse(200, (("Set-Cookie", "a=cookie-canary"),), b"\xff" + secret.encode()),
        failure=f"protocol: {secret}",
        about={"case": secret},
    )
    callback = Callback(
        2.0, request=HttpRequest("POST", "/", (), json.dumps({"access_token": "unknown-canary"}).encode())
    )
    sip = SipMessage(3.0, "a", "in", "l", "r", f'REGISTER\r\nAuthorization: Digest response="00ffcanary"\r\n{secret}')
    events = (
        exchange,
        callback,
        sip,
        MediaReport(4.0, "a", {"x": secret}),
        Note(5.0, "t", secret, {"password": "unknown-canary"}),
    )
    path = tmp_path / "t.jsonl"
    with Timeline(f"scenario {secret}", path=path, redactor=redactor) as live:
        for event in events:
            live.add(event)
    text = path.read_text(encoding="utf-8")
    assert secret not in text
    for canary in (quoted, "unknown-canary", "cookie-canary", "pwd-in-url"):
        assert canary not in text
    again = Timeline.read(path)
    response = again.of(HttpExchange)[0].response
    assert response is not None
    assert response.body == b"\xff***"
    assert live.of(HttpExchange)[0].request.header("authorization") == f"Bearer {secret}"


def test_a_body_takes_little_more_room_on_disk_than_it_has(tmp_path: Path) -> None:
    for body in (bytes(100_000), b"\x01\x02a" * 30_000, b"text\n" * 20_000):
        with Timeline("x", path=tmp_path / "x.jsonl") as timeline:
            timeline.add(HttpExchange(1.0, request=HttpRequest("PUT", "/", body=body)))
        assert (tmp_path / "x.jsonl").stat().st_size < 1.4 * len(body) + 1000
        assert Timeline.read(tmp_path / "x.jsonl").of(HttpExchange)[0].request.body == body


def test_binary_bodies_are_not_damaged_by_secrets_that_look_like_base64(tmp_path: Path) -> None:
    body = b"\xff" + b"\x00" * 30
    secret = "AAAA"
    exchange = HttpExchange(1.0, request=HttpRequest("PUT", "http://h", (), body))
    path = written(tmp_path / "t.jsonl", exchange, redactor=Redactor([secret]))
    assert Timeline.read(path).of(HttpExchange)[0].request.body == body


HEADER = {"kind": "header", "version": FORMAT_VERSION, "scenario": "s", "at": 1.0}
NOTE = {"kind": "note", "at": 1.0, "seq": 0, "topic": "t", "text": "x", "data": {}}
HTTP = event_to_json(EVENTS[0])


def footer(count: int) -> dict[str, Any]:
    return {"kind": "footer", "events": count}


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "no timeline header"),
        ([NOTE, footer(0)], "no timeline header"),
        ([{**HEADER, "version": 99}, footer(0)], "version 99, this Ringtrue reads 1"),
        ([HEADER, NOTE], "footer is missing after 1 events"),
        ([HEADER, NOTE, footer(2)], "footer counts 2 events, 1 are there"),
        ([HEADER], "footer is missing"),
        ([HEADER, ["not", "an object"], footer(1)], r":2: .*expected an object"),
        ([HEADER, NOTE, 7], ":3: .*expected an object"),
        ([HEADER, {**NOTE, "kind": "smell"}, footer(1)], r":2: unknown kind of event 'smell': expected one of http, "),
        ([HEADER, {"kind": "note", "at": 1.0}, footer(1)], ":2: broken note event"),
        ([HEADER, {**NOTE, "extra": 1}, footer(1)], ":2: broken note event.*extra"),
        ([HEADER, {**NOTE, "at": "now"}, footer(1)], ":2: broken note event: at: expected float, got str"),
        ([HEADER, {**NOTE, "text": 5}, footer(1)], "text: expected str, got int"),
        ([HEADER, {**HTTP, "about": []}, footer(1)], "about: expected Mapping"),
        ([HEADER, {k: v for k, v in HTTP.items() if k != "request"}, footer(1)], "it has no 'request'"),
        ([HEADER, {**HTTP, "request": 5}, footer(1)], ":2: broken http event"),
        ([HEADER, {**HTTP, "request": {**HTTP["request"], "headers": [["one"]]}}, footer(1)], "broken http event"),
        ([HEADER, {**HTTP, "request": {**HTTP["request"], "body": {"base64": "é"}}}, footer(1)], "broken http event"),
        ([HEADER, {**HTTP, "request": {**HTTP["request"], "body": {}}}, footer(1)], "broken http event"),
        ([HEADER, {**HTTP, "response": {"status": "200"}}, footer(1)], "status: expected int, got str"),
    ],
)
def test_a_broken_record_is_refused_with_file_line_and_reason(tmp_path: Path, lines: list[Any], complaint: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(TimelineError, match=complaint) as caught:
        Timeline.read(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"no json", b"[" * 100_000, b'{"kind": "header"', b"\n\n"])
def test_garbage_is_refused_and_never_a_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    with pytest.raises(TimelineError):
        Timeline.read(path)


def test_every_truncation_of_a_record_is_noticed(tmp_path: Path) -> None:
    whole = written(tmp_path / "t.jsonl", *EVENTS).read_bytes()
    path = tmp_path / "cut.jsonl"
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(TimelineError):
            Timeline.read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(TimelineError, match="not a readable timeline"):
            Timeline.read(path)


def test_events_from_many_threads_are_all_there_with_one_number_each(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with Timeline("s", path=path) as timeline:
        threads = [
            threading.Thread(target=lambda name=str(i): [timeline.note(name, str(n)) for n in range(50)])
            for i in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    again = Timeline.read(path)
    assert [event.seq for event in again] == list(range(400))
    for name in map(str, range(8)):
        assert [note.text for note in again.of(Note) if note.topic == name] == [str(n) for n in range(50)]


def test_waiting_returns_what_is_there_already_and_what_comes_later() -> None:
    timeline = Timeline("s")
    first = timeline.note("a", "1")

    def is_a(event: Event) -> bool:
        return isinstance(event, Note) and event.topic == "a"

    assert timeline.wait_for(is_a, 0) == first
    assert timeline.wait_for(is_a, 0, after=first.seq) is None
    thread = threading.Thread(target=lambda: [timeline.note("b", "2"), timeline.note("a", "3")])
    thread.start()
    found = timeline.wait_for(is_a, 5, after=first.seq)
    thread.join(5)
    assert isinstance(found, Note)
    assert found.text == "3"


def test_waiting_in_vain_ends_at_its_deadline_also_when_other_events_keep_coming() -> None:
    timeline = Timeline("s")
    over = threading.Event()

    def chatter() -> None:
        while not over.wait(0.005):
            timeline.note("noise", "")

    thread = threading.Thread(target=chatter)
    thread.start()
    started = time.monotonic()
    found = timeline.wait_for(lambda event: False, 0.2)
    took = time.monotonic() - started
    over.set()
    thread.join(5)
    assert found is None
    assert 0.2 <= took < 2


def test_one_clock_never_runs_backwards_and_translates_wall_stamps() -> None:
    clock = Clock.start()
    stamps = [clock.now() for _ in range(100)]
    assert stamps == sorted(stamps)
    assert abs(clock.from_wall(time.time()) - clock.now()) < 0.5
    ahead = Clock(wall=clock.wall + 1000, monotonic=clock.monotonic)
    assert abs(ahead.from_wall(time.time()) - ahead.now()) < 0.5


def test_a_stamp_is_translated_to_the_millisecond_by_a_thread_that_loses_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock.start()
    really, looks = time.time, itertools.count(1)

    def lost_for_a_while() -> float:
        before, after = ((0.02, 0), (0, 0.02), (0, 0))[next(looks) % 3]
        time.sleep(before)
        wall = really()
        time.sleep(after)
        return wall

    stamp, lead = really(), clock.from_wall(0.0)
    monkeypatch.setattr(time, "time", lost_for_a_while)
    assert [clock.from_wall(stamp) for _ in range(3)] == pytest.approx([stamp + lead] * 3, abs=0.001)


def test_a_timeline_without_a_path_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Timeline("s") as timeline:
        timeline.note("a", "b")
    assert list(tmp_path.iterdir()) == []


def test_headers_are_found_without_case_and_the_first_one_counts() -> None:
    assert REQUEST.header("X-a") == "1"
    assert REQUEST.header("absent") is None
    assert RESPONSE.header("content-TYPE") == "application/json"


def test_the_start_line_of_a_sip_message_has_no_line_end() -> None:
    assert SipMessage(0.0, "a", "in", "l", "r", "SIP/2.0 200 OK\r\nA: b\r\n\r\n").start_line == "SIP/2.0 200 OK"
    assert SipMessage(0.0, "a", "in", "l", "r", "").start_line == ""
