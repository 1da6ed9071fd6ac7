"""The reverse proxy of `ringtrue record`: what passes, what is kept of it, and what an upstream may do to it."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from harness.drivers.recorder import Limits, RecorderError
from harness.drivers.recorder.passthrough import PassThrough, Way
from harness.redact import Redactor
from harness.timeline import Callback, Exchange, HttpExchange, Note, Timeline

Talk = Callable[[socket.socket, bytes], None]


class Upstream:
    """A server that says exactly what it is told to, one request for each connection. `asked`: what came."""

    def __init__(self, talk: Talk) -> None:
        self.asked: list[bytes] = []
        self._talk = talk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/app"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            while len(body) < length:
                body += connection.recv(65536)
            self.asked.append(head + b"\r\n\r\n" + body)
            self._talk(connection, self.asked[-1])

    def close(self) -> None:
        self._socket.close()


def saying(answer: bytes) -> Talk:
    return lambda connection, _: connection.sendall(answer)


def dripping(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # whoever listens will have enough of it
        for _ in range(30):
            connection.sendall(b"X-More: 1\r\n" if _ else b"HTTP/1.1 200 OK\r\n")
            time.sleep(0.1)


OK = b'HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\nContent-Length: 8\r\nX-A: 1\r\nX-A: 2\r\n\r\n{"a": 1}'


class Passed:
    """A proxy with what it kept."""

    def __init__(self, proxy: PassThrough, timeline: Timeline, folder: Path) -> None:
        self.proxy, self.timeline, self.folder = proxy, timeline, folder
        self.url = proxy.urls[0]

    def kept(self, count: int = 1) -> list[Exchange]:
        found = self.timeline.wait_for(lambda _: len(self.timeline.of(Exchange)) >= count, 5.0)
        assert found is not None
        return list(self.timeline.of(Exchange))


@contextmanager
def passing(folder: Path, *ways: Way, **options: object) -> Iterator[Passed]:
    redactor = Redactor()
    timeline = Timeline("r", path=folder / "r.jsonl", redactor=redactor)
    proxy = PassThrough(folder, "mediaservice", ways, timeline, redactor=redactor, **options)  # type: ignore[arg-type]
    proxy.start()
    try:
        yield Passed(proxy, timeline, folder)
    finally:
        proxy.stop()
        timeline.close()


@contextmanager
def before(folder: Path, talk: Talk, **options: object) -> Iterator[tuple[Passed, Upstream]]:
    upstream = Upstream(talk)
    try:
        with passing(folder, Way(True, upstream.url), **options) as passed:
            yield passed, upstream
    finally:
        upstream.close()


def test_requests_and_answers_pass_unchanged_and_are_kept(tmp_path: Path) -> None:
    with before(tmp_path, saying(OK)) as (passed, upstream):
        headers = {"X-Own": "yes", "Connection": "close, X-Hop", "X-Hop": "no"}
        answer = httpx.post(f"{passed.url}/cb/newCall?x=%2F1", json={"sessionId": "s"}, headers=headers)
        (kept,) = passed.kept()
    assert (answer.status_code, answer.reason_phrase, answer.json()) == (200, "Fine", {"a": 1})
    assert answer.headers.get_list("x-a") == ["1", "2"]
    (asked,) = upstream.asked
    assert asked.startswith(b"POST /app/cb/newCall?x=%2F1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert upstream.url.partition("://")[2].partition("/")[0].encode() in asked
    assert b"X-Own: yes" in asked
    assert b"X-Hop" not in asked
    assert isinstance(kept, Callback)
    assert kept.request.url == f"{passed.url}/cb/newCall?x=%2F1"
    assert json.loads(kept.request.body) == {"sessionId": "s"}
    assert kept.response is not None
    assert (kept.response.status, kept.response.header("x-a"), kept.response.body) == (200, "1", b'{"a": 1}')
    assert (tmp_path / "flows.mitm").stat().st_size > 100
    assert json.loads((tmp_path / "flows.har").read_text())["log"]["entries"][0]["response"]["status"] == 200


def test_the_api_is_another_listener_with_another_upstream(tmp_path: Path) -> None:
    application, platform = Upstream(saying(OK)), Upstream(saying(OK))
    with passing(tmp_path, Way(True, application.url), Way(False, platform.url)) as passed:
        callbacks, api = passed.proxy.urls
        httpx.post(f"{callbacks}/newCall")
        for secret in ("Bearer first-secret", "Bearer other-secret", "Bearer first-secret"):
            httpx.get(f"{api}/list", headers={"Authorization": secret})
        kept = passed.kept(4)
    assert [type(each) for each in kept] == [Callback, HttpExchange, HttpExchange, HttpExchange]
    assert kept[1].request.url == f"{platform.url}/list"
    assert [each.about.get("application") for each in kept] == [None, "1", "2", "1"]
    assert (len(application.asked), len(platform.asked)) == (1, 3)
    written = (tmp_path / "r.jsonl").read_text() + (tmp_path / "flows.har").read_text()
    assert "first-secret" not in written
    assert b"first-secret" not in (tmp_path / "flows.mitm").read_bytes()


@pytest.mark.parametrize(
    ("talk", "failure"),
    [
        (lambda connection, _: None, "protocol"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"), "protocol"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n"), "protocol"),
        (lambda connection, _: time.sleep(3), "timeout"),
        (lambda connection, _: dripping(connection), "timeout"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000), "too-large"),
    ],
    ids=["closes", "cut", "garbage", "wrong-length", "silent", "drips", "huge"],
)
def test_an_upstream_that_does_not_answer_well_is_a_502_and_no_answer(talk: Talk, failure: str, tmp_path: Path) -> None:
    with before(tmp_path, talk, answer_seconds=0.6, limits=Limits(body=200_000)) as (passed, upstream):
        began = time.monotonic()
        answer = httpx.post(f"{passed.url}/newCall", json={})
        assert time.monotonic() - began < 2.5
        (kept,) = passed.kept()
    assert answer.status_code == 502
    assert upstream.url in answer.text
    assert failure in (kept.failure or "")
    assert kept.response is None or failure == "too-large"
    har = json.loads((tmp_path / "flows.har").read_text())
    assert failure in har["log"]["entries"][0]["comment"]


def test_a_dead_upstream_is_a_502_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with passing(tmp_path, Way(True, dead)) as passed:
        answer = httpx.post(f"{passed.url}/newCall", json={})
        (kept,) = passed.kept()
    assert (answer.status_code, kept.response) == (502, None)
    assert (kept.failure or "").startswith("connect: ")


def test_chunked_packed_and_headless_answers_keep_their_framing(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"a": 1}')
    chunked = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    with before(tmp_path, saying(chunked)) as (passed, _):
        answer = httpx.get(passed.url)
        (kept,) = passed.kept()
    assert answer.json() == {"a": 1}
    assert answer.headers["transfer-encoding"] == "chunked"
    assert kept.response is not None
    assert (kept.response.body, kept.response.header("content-length")) == (b'{"a": 1}', None)
    with before(tmp_path / "2", saying(b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")) as (passed, _):
        assert httpx.head(passed.url).headers["content-length"] == "77"
    with before(tmp_path / "3", saying(b"HTTP/1.0 200 OK\r\n\r\nto the end")) as (passed, _):
        assert httpx.get(passed.url).text == "to the end"
        (kept,) = passed.kept()
    assert kept.response is not None
    assert kept.response.header("content-length") is None, "what the proxy adds is not the upstream's"


def test_redirects_are_passed_on_and_not_followed(tmp_path: Path) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"
    with before(tmp_path, saying(moved)) as (passed, upstream):
        answer = httpx.get(passed.url)
    assert (answer.status_code, answer.headers["location"], len(upstream.asked)) == (302, "http://192.0.2.1/", 1)


def test_nothing_leads_anywhere_else(tmp_path: Path) -> None:
    elsewhere = Upstream(saying(OK))
    other = elsewhere.url.partition("://")[2]
    with before(tmp_path, saying(OK)) as (passed, upstream):
        host, port = passed.url.removeprefix("http://").split(":")
        for request in (
            f"GET http://{other} HTTP/1.1\r\nHost: {other}\r\n\r\n",
            f"CONNECT {other} HTTP/1.1\r\nHost: {other}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: {other}\r\n\r\n",
        ):
            with socket.create_connection((host, int(port))) as client:
                client.settimeout(5.0)
                client.sendall(request.encode())
                status = client.recv(4096).split(b" ", 2)[1]
                assert status in ((b"400", b"405") if "://" in request or "CONNECT" in request else (b"200",))
    assert elsewhere.asked == []
    assert len(upstream.asked) == 1


def test_bodies_beyond_the_bound_are_refused_and_said(tmp_path: Path) -> None:
    with before(tmp_path, saying(OK), limits=Limits(body=1000)) as (passed, upstream):
        assert httpx.post(f"{passed.url}/newCall", content=b"x" * 5000).status_code == 413
        (kept,) = passed.kept()
    assert (kept.failure or "").startswith("too-large")
    assert upstream.asked == []


def test_beyond_so_many_exchanges_it_passes_on_and_keeps_no_more(tmp_path: Path) -> None:
    with before(tmp_path, saying(OK), limits=Limits(flows=2)) as (passed, upstream):
        assert [httpx.get(passed.url).status_code for _ in range(4)] == [200] * 4
        assert passed.timeline.wait_for(lambda event: isinstance(event, Note), 5.0)
    assert len(passed.timeline.of(Exchange)) == 2
    assert [note.topic for note in passed.timeline.of(Note)] == ["flows-full"]
    assert len(upstream.asked) == 4


def test_who_hangs_up_before_the_answer_has_not_got_it(tmp_path: Path) -> None:
    asked, gone = threading.Event(), threading.Event()

    def late(connection: socket.socket, _: bytes) -> None:
        asked.set()
        gone.wait(5.0)
        time.sleep(0.1)  # the proxy has to see the end of the connection; there is nothing to wait on
        connection.sendall(OK)

    with before(tmp_path, late) as (passed, _):
        host, port = passed.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /newCall HTTP/1.1\r\nHost: x\r\n\r\n")
            assert asked.wait(5.0)
        gone.set()
        (kept,) = passed.kept()
    assert kept.response is None
    assert (kept.failure or "").startswith("protocol")


def test_stopping_records_what_is_under_way_and_is_quick(tmp_path: Path) -> None:
    asked, stop = threading.Event(), threading.Event()

    def silent(connection: socket.socket, _: bytes) -> None:
        del connection
        asked.set()
        stop.wait(10.0)

    upstream = Upstream(silent)
    timeline = Timeline("r")
    proxy = PassThrough(tmp_path, "mediaservice", [Way(True, upstream.url)], timeline, redactor=Redactor())
    proxy.start()
    host, port = proxy.urls[0].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /newCall HTTP/1.1\r\nHost: x\r\n\r\n")
        assert asked.wait(5.0)
        began = time.monotonic()
        proxy.stop()
        assert time.monotonic() - began < 2.0
    stop.set()
    (kept,) = timeline.of(Exchange)
    assert kept.failure == "timeout: the recording ended before the answer"
    upstream.close()


def test_a_port_that_is_taken_is_said_and_a_new_start_works(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RecorderError, match="in use"), passing(tmp_path, Way(True, "http://127.0.0.1:9", address)):
            pass
    with before(tmp_path, saying(OK)) as (passed, _):
        assert httpx.get(passed.url).status_code == 200
