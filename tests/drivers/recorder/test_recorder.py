"""The recorder answers callbacks as scripted, and each lands once in its scenario's timeline."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from harness.drivers.recorder import Answer, Match, Recorder, RecorderClient, RecorderError, Route
from harness.timeline import Callback, Clock, Note, Timeline


def raw(recorder: Recorder, data: bytes, timeout: float = 5.0) -> bytes:
    """Send bytes and read until the recorder closes."""
    with socket.create_connection(recorder.address, timeout=timeout) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR) if b"PARTIAL" in data else None
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_answers_come_in_turn_and_callbacks_land_in_the_timeline_in_order(
    client: RecorderClient, timeline: Timeline
) -> None:
    route = client.route(client.unique("scripts"), [Answer(503, body="later"), Answer(json={"ok": True})])
    answers = [httpx.post(f"{route.url}?n={n}", json={"n": n}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [503, 200, 200]
    assert answers[1].json() == {"ok": True}
    callbacks = route.wait(3)
    assert [json.loads(callback.request.body)["n"] for callback in callbacks] == [0, 1, 2]
    assert timeline.of(Callback) == tuple(callbacks)
    first = callbacks[0]
    assert first.request.url == f"{route.url}?n=0"
    assert first.request.method == "POST"
    assert first.request.header("content-type") == "application/json"
    assert first.response is not None
    assert (first.response.status, first.response.body) == (503, b"later")
    assert first.about["route"] == route.name
    assert first.ended is not None
    assert first.at <= first.ended <= timeline.clock.now()


def test_times_are_of_the_run_clock(tmp_path: Path, recorder: Recorder) -> None:
    clock = Clock.start()
    with (
        Timeline("t", path=tmp_path / "t.jsonl", clock=clock) as timeline,
        RecorderClient(recorder.control, timeline) as client,
    ):
        route = client.route(client.unique(), Answer(delay=0.2))
        before = clock.now()
        httpx.get(route.url)
        callback = route.wait()[0]
        assert callback.ended is not None
        assert before - 0.01 <= callback.at <= callback.ended - 0.19
        assert callback.ended <= clock.now()


def test_a_delayed_answer_holds_up_nobody_else(client: RecorderClient) -> None:
    slow = client.route(client.unique("slow"), Answer(delay=1.0))
    quick = client.route(client.unique("quick"), Answer(204))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(httpx.get, slow.url)
        started = time.monotonic()
        assert httpx.get(quick.url).status_code == 204
        assert time.monotonic() - started < 0.8
        assert waiting.result(5).status_code == 200


def test_a_dropped_answer_closes_the_connection(client: RecorderClient) -> None:
    route = client.route(client.unique(), Answer(drop=True))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(route.url)
    callback = route.wait()[0]
    assert callback.response is None
    assert callback.failure == "protocol: the script closed the connection without an answer"


def test_a_caller_that_leaves_before_the_answer_is_recorded_once(client: RecorderClient, timeline: Timeline) -> None:
    route = client.route(client.unique(), Answer(delay=0.4))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(route.url, timeout=0.1)
    callbacks = route.wait()
    assert callbacks[0].failure is not None
    assert "disconnected" in callbacks[0].failure
    assert client.quiet(0.3)
    assert len(timeline.of(Callback)) == 1


def test_scenarios_that_share_a_path_are_told_apart_by_members(recorder: Recorder) -> None:
    one, two = Timeline("one"), Timeline("two")
    with RecorderClient(recorder.control, one) as first, RecorderClient(recorder.control, two) as second:
        for client, user in ((first, "ivr1"), (second, "ivr2")):
            client.route("callbacks", Answer(body=user), match=Match(json={"to": user}), learn=["sessionId"])
            client.route("callbacks", Answer(body=f"{user} again"), match=Match(known="sessionId"))
        url = first.url("callbacks/newCall")
        assert httpx.post(url, json={"to": "ivr2", "sessionId": 9}).text == "ivr2"
        assert httpx.post(url, json={"sessionId": "9"}).text == "ivr2 again"
        assert httpx.post(url, json={"sessionId": "10"}).status_code == 404
        assert len(first.unrouted()) == len(second.unrouted()) == 1
        assert len(two.of(Callback)) == 2
        assert len(one) == 0


def test_a_callback_under_a_private_path_that_fits_no_route_is_kept_and_in_the_timeline(
    client: RecorderClient, timeline: Timeline
) -> None:
    path = client.unique()
    client.route(path, method="POST")
    assert httpx.get(client.url(path)).status_code == 404
    (callback,) = client.unrouted()
    assert timeline.of(Callback) == (callback,)
    assert callback.about["route"] == ""


def test_answers_can_be_replaced_and_routes_closed(client: RecorderClient) -> None:
    route = client.route(client.unique(), Answer(500))
    assert httpx.get(route.url).status_code == 500
    route.answer([Answer(201), Answer(202)])
    assert [httpx.get(route.url).status_code for _ in range(3)] == [201, 202, 202]
    route.close()
    assert httpx.get(route.url).status_code == 404
    assert len(route.callbacks) == 4


def test_an_unknown_path_is_404_and_a_note(recorder: Recorder) -> None:
    assert httpx.get(f"{recorder.base_url}/nobody/knows?x=1").status_code == 404
    note = recorder.notes.wait_for(lambda event: isinstance(event, Note) and "/nobody/knows" in event.text, 5.0)
    assert isinstance(note, Note)
    assert note.topic == "unknown-path"


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("GET http://example.invalid/x HTTP/1.1", b"400"), ("CONNECT example.invalid:443 HTTP/1.1", b"40")],
)
def test_it_is_no_proxy(recorder: Recorder, request_line: str, status: bytes) -> None:
    answer = raw(recorder, f"{request_line}\r\nHost: example.invalid\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1].startswith(status)


def test_an_absolute_url_reaches_no_route(recorder: Recorder, client: RecorderClient) -> None:
    route = client.route(client.unique())
    path = route.url.removeprefix(recorder.base_url)
    answer = raw(recorder, f"GET http://else.invalid{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400")
    assert client.quiet(0.1)
    assert route.callbacks == []


def test_a_body_over_the_bound_is_refused_and_recorded(client: RecorderClient) -> None:
    path = client.unique()
    client.route(path)
    with contextlib.suppress(httpx.WriteError):  # the recorder may close while the body is still being sent
        assert httpx.post(client.url(path), content=b"x" * 2_000_000).status_code == 413
    assert client.quiet(0.1)
    (callback,) = client.unrouted()
    assert callback.failure is not None
    assert callback.failure.startswith("too-large: ")
    assert len(callback.request.body) <= 100_000


def test_a_body_that_ends_early_is_recorded_as_a_failure(recorder: Recorder, client: RecorderClient) -> None:
    path = client.unique()
    client.route(path)
    raw(recorder, f"POST /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nPARTIAL".encode())
    assert client.quiet(0.1)
    (callback,) = client.unrouted()
    assert callback.failure is not None
    assert callback.failure.startswith("protocol: ")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03 garbage\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + b"Connection: close\r\n\r\n",
        b"GET /" + b"a/" * 20_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
    ],
)
def test_garbage_is_refused_and_harms_nobody(recorder: Recorder, client: RecorderClient, garbage: bytes) -> None:
    try:
        answer = raw(recorder, garbage + (b"PARTIAL" if garbage[0] == 0x16 else b""))
    except ConnectionResetError:
        answer = b""
    assert not answer.startswith(b"HTTP/1.1 2")
    route = client.route(client.unique(), Answer(body="alive"))
    assert httpx.get(route.url).text == "alive"


def test_bodies_that_are_not_text_survive(client: RecorderClient) -> None:
    route = client.route(client.unique(), Answer(body=b"\xfe\xff\x00"))
    assert httpx.post(route.url, content=b"\xff\xfe{").content == b"\xfe\xff\x00"
    callback = route.wait()[0]
    assert callback.request.body == b"\xff\xfe{"
    assert callback.response is not None
    assert callback.response.body == b"\xfe\xff\x00"


def test_waiting_ends_at_its_deadline_with_what_came(client: RecorderClient) -> None:
    route = client.route(client.unique())
    httpx.get(route.url)
    started = time.monotonic()
    assert len(route.wait(2, timeout=0.2)) == 1
    assert 0.15 < time.monotonic() - started < 1.0


def test_quiet_is_refused_while_callbacks_keep_coming(client: RecorderClient) -> None:
    route = client.route(client.unique())
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(lambda: [httpx.get(route.url).status_code for _ in range(40)])
        route.wait()
        assert not client.quiet(1.0, timeout=0.2)
        assert set(calling.result(20)) == {200}
    assert client.quiet(0.1)
    assert len(route.callbacks) == 40


def test_a_wrong_token_is_refused(recorder: Recorder, timeline: Timeline) -> None:
    _, _, path = recorder.control.partition("@")
    with pytest.raises(RecorderError, match="wrong token"):
        RecorderClient(f"guess@{path}", timeline)


def test_a_bad_instruction_is_refused_and_the_client_lives_on(client: RecorderClient) -> None:
    path = client.unique()
    with pytest.raises(RecorderError, match="at least one answer"):
        client.route(path, [])
    with pytest.raises(RecorderError, match="200 to 599"):
        client.route(path, Answer(1000))
    assert httpx.get(client.route(path).url).status_code == 200


def test_a_function_answers_and_may_talk_to_the_recorder(client: RecorderClient) -> None:
    path = client.unique()
    inner: list[Route] = []

    def answer(callback: Callback) -> Answer:
        inner.append(client.route(f"{path}/inner"))
        return Answer(201, json={"echo": json.loads(callback.request.body)["n"], "next": inner[-1].url})

    route = client.route(path, answer)
    got = httpx.post(route.url, json={"n": 7})
    assert (got.status_code, got.json()["echo"]) == (201, 7)
    assert httpx.get(got.json()["next"]).status_code == 200
    callback = route.wait()[0]
    assert callback.response is not None
    assert callback.response.status == 201
    assert len(inner[0].wait()) == 1


def test_a_function_that_fails_answers_500_and_says_so_to_who_waits(client: RecorderClient) -> None:
    def answer(_: Callback) -> Answer:
        raise KeyError("oops")

    route = client.route(client.unique(), answer)
    for _ in range(2):
        assert httpx.get(route.url).status_code == 500
    with pytest.raises(RecorderError, match="oops"):
        route.wait(3)
