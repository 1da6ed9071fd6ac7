"""What is given as a recording: known by what it holds, and refused with file, reason and advice where it is none."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from harness.recordings import reading
from harness.recordings.errors import RecordingError
from harness.recordings.http_files import NOT_KEPT
from harness.recordings.reading import Pile, read_inputs
from harness.timeline import Exchange, Note, Timeline
from tests.recordings.build import scene, write_capture, write_flows, write_har_of

BROKEN = {
    "empty": (b"", "is empty"),
    "text": (b"hello\n", "not a recording that is known here"),
    "gzip": (b"\x1f\x8b\x08\x00", "gunzip"),
    "json": (b'{"a": 1}', "no HAR: it has no log.entries"),
    "json-cut": (b'{"log": {"entries": [', "not JSON, or cut short"),
    "json-deep": (b'{"a":' * 100_000, "not JSON, or cut short"),
    "har-entry": (b'{"log": {"entries": [{"request": {}}]}}', r"log.entries\[0\] is no HAR entry"),
    "har-date": (
        b'{"log": {"entries": [{"startedDateTime": "once", "request": {}, "response": {"status": 200}}]}}',
        "is no HAR entry",
    ),
    "timeline-cut": (b'{"kind": "header", "version": 1, "scenario": "x"}\n{"kind": "note"', "cut short"),
    "timeline-no-footer": (b'{"kind": "header", "version": 1, "scenario": "x", "at": 1.0}\n', "truncated"),
    "flows": (b"12:12345678901", "no flows of mitmproxy"),
    "flows-tiny": (b"7", "no flows of mitmproxy"),
    "elf": (b"\x7fELF\x02\x01\x01", "not a recording that is known here"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_recording_is_refused_with_its_name_and_the_reason(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    data, words = BROKEN[name]
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=words) as caught:
        read_inputs([path])
    assert str(path) in str(caught.value)


def test_missing_files_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read: No such file"):
        read_inputs([tmp_path / "nothing"])
    with pytest.raises(RecordingError, match="expected that of a run"):
        read_inputs([tmp_path])


def test_flows_that_break_off_are_refused_after_so_many(tmp_path: Path) -> None:
    _, items = scene("honest", "ivr-call")
    path = write_flows(tmp_path / "flows.mitm", items)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(RecordingError, match="truncated or broken after 3 flows"):
        read_inputs([path])


def test_more_than_can_be_held_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, items = scene("honest", "ivr-call")
    flows, capture = write_flows(tmp_path / "flows.mitm", items), write_capture(tmp_path / "sip.pcap", items)
    monkeypatch.setattr(reading, "MOST_EVENTS", 2)
    for path in (flows, capture):
        with pytest.raises(RecordingError, match="more than 2"):
            read_inputs([path])
    monkeypatch.setattr(reading, "LARGEST_HAR", 3)
    with pytest.raises(RecordingError, match="split it"):
        read_inputs([write_har_of(flows, tmp_path / "flows.har")])


def test_flows_and_their_har_say_the_same(tmp_path: Path) -> None:
    _, items = scene("honest", "ivr-call")
    flows = write_flows(tmp_path / "flows.mitm", items)
    har = write_har_of(flows, tmp_path / "flows.har")
    sent = [item for item in items if isinstance(item, Exchange)]
    for path in (flows, har):
        pile = read_inputs([path])
        assert [(each.request.method, each.request.url, each.request.body) for each in pile.exchanges] == [
            (each.request.method, each.request.url, each.request.body) for each in sent
        ]
        answers = [(each.response.status, each.response.body) for each in pile.exchanges if each.response]
        assert answers == [(each.response.status, each.response.body) for each in sent if each.response]
        assert [each.at for each in pile.exchanges] == pytest.approx([each.at for each in sent], abs=0.001)
    assert len(read_inputs([flows, har]).exchanges) == len(sent)


def test_bodies_that_a_har_leaves_out_are_missing_and_not_empty(tmp_path: Path) -> None:
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {"method": "POST", "url": "http://a/newCall", "bodySize": 77, "headers": []},
        "response": {"status": 200, "content": {"size": 9}, "headers": []},
    }
    unanswered = {**entry, "response": {"status": 0, "_error": "net::ERR_FAILED"}}
    path = tmp_path / "x.har"
    path.write_text(json.dumps({"log": {"entries": [entry, unanswered]}}))
    first, second = read_inputs([path]).exchanges
    assert first.failure == NOT_KEPT
    assert first.response is not None
    assert first.response.truncated
    assert (second.response, second.failure) == (None, "protocol: net::ERR_FAILED")


def test_packed_bodies_come_out_unpacked(tmp_path: Path) -> None:
    from mitmproxy.io import FlowWriter
    from mitmproxy.test import tflow

    flow = tflow.tflow(resp=True)
    for message in (flow.request, flow.response):
        assert message is not None
        message.headers["content-encoding"] = "gzip"
        message.content = b'{"a": 1}'
    path = tmp_path / "x.mitm"
    with path.open("wb") as file:
        FlowWriter(file).add(flow)  # type: ignore[no-untyped-call]
    (exchange,) = read_inputs([path]).exchanges
    assert exchange.response is not None
    assert exchange.request.body == exchange.response.body == b'{"a": 1}'
    assert exchange.request.header("content-encoding") is None


def test_a_flow_without_an_answer_has_none(tmp_path: Path) -> None:
    from mitmproxy.io import FlowWriter
    from mitmproxy.test import tflow

    path = tmp_path / "x.mitm"
    with path.open("wb") as file:
        writer = FlowWriter(file)  # type: ignore[no-untyped-call]
        for flow in (tflow.tflow(), tflow.tflow(resp=True, err=True), tflow.ttcpflow()):
            writer.add(flow)
    assert [(each.response, each.failure) for each in read_inputs([path]).exchanges] == [
        (None, "protocol: the recording holds no answer"),
        (None, "protocol: error"),
    ]


def test_a_run_is_its_scenarios_and_a_recording_is_not(tmp_path: Path) -> None:
    for name, topic in (("scenario", "call"), ("recorded", "recording")):
        with Timeline(name, path=tmp_path / "timelines" / f"{name}.jsonl") as timeline:
            timeline.note(topic, "")
    pile = read_inputs([tmp_path])
    assert [path.stem for path, _ in pile.scenarios] == ["scenario"]
    assert [event.topic for event in pile.events if isinstance(event, Note)] == ["recording"]


def test_a_recording_says_from_when_to_when_it_listened() -> None:
    timeline = Timeline("x")
    timeline.add(Note(10.0, "recording", ""))
    timeline.add(Note(30.0, "end", ""))
    pile = Pile()
    reading.add_recording(pile, timeline)
    assert pile.covered == {"http": [(10.0, 30.0)], "callback": [(10.0, 30.0)]}
    again = Timeline("y")
    again.add(Note(1.0, "recording", "", {"covered": {"sip": [[2.0, 3.0], "junk", [1]], "http": 7}}))
    other = Pile()
    reading.add_recording(other, again)
    assert other.covered == {"sip": [(2.0, 3.0)]}


def test_an_empty_capture_covers_nothing(tmp_path: Path) -> None:
    pile = read_inputs([write_capture(tmp_path / "sip.pcap", [])])
    assert pile.covered == {"sip": [(math.inf, 0.0)]}
    assert "no SIP in 0 packets" in pile.notes[0]
