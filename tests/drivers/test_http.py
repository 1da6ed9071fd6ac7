"""The HTTP driver against servers that behave and servers that do not: always an exchange, always in bounded time."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from harness.drivers.auth import NoCredentials
from harness.drivers.http import KEPT_BODY, Body, HttpDriver, RateLimiter, fill_path
from harness.target import Rate, SystemTarget, Timing
from harness.timeline import HttpExchange, Note, Timeline
from tests.drivers.hostile import Behaviour, answer, answering, read_request, self_signed, serving

TIMING = Timing(connect=0.5, answer=0.5)
LONGEST = 3.0


def driver(url: str, timeline: Timeline | None = None, **options: Any) -> HttpDriver:
    target = SystemTarget(base_url=url, verify_tls=options.pop("verify_tls", True))
    options.setdefault("timing", TIMING)
    return HttpDriver("toy", target, NoCredentials(), Timeline("t") if timeline is None else timeline, **options)


def ask(url: str, method: str = "GET", path: str = "/x", **options: Any) -> HttpExchange:
    """One request; an exchange of the timeline, within the time that is allowed."""
    timeline = Timeline("t")
    started = time.monotonic()
    with driver(url, timeline) as api:
        exchange = api.request(method, path, **options)
    assert time.monotonic() - started < LONGEST
    assert timeline.of(HttpExchange)[-1] == exchange
    assert (exchange.response is None) == (exchange.failure is not None)
    assert exchange.ended is not None
    assert exchange.ended >= exchange.at
    return exchange


def test_an_exchange_shows_what_went_over_the_wire() -> None:
    seen: list[bytes] = []
    body = Body.json({"name": "Zoë"})
    with serving(answering(answer("201 Made", b'{"id": "1"}', "X-Odd-CASE: a\r\nx-odd-case: b\r\n"), seen=seen)) as url:
        exchange = ask(
            url, "POST", "/p/ü?a=1", params={"b": "2 3"}, body=body, headers={"X-Mine": "1"}, about={"case": "c"}
        )
    assert exchange.request.method == "POST"
    assert exchange.request.url == f"{url}/p/%C3%BC?a=1&b=2+3" or exchange.request.url == f"{url}/p/%C3%BC?a=1&b=2%203"
    assert exchange.request.body == body.content
    assert exchange.request.header("content-type") == "application/json"
    assert exchange.request.header("x-mine") == "1"
    assert exchange.about == {"auth": "valid", "case": "c"}
    assert exchange.system == "toy"
    response = exchange.response
    assert response is not None
    assert (response.status, response.reason, response.body) == (201, "Made", b'{"id": "1"}')
    assert [pair for pair in response.headers if pair[0].lower() == "x-odd-case"] == [
        ("X-Odd-CASE", "a"),
        ("x-odd-case", "b"),
    ]
    assert seen[0].endswith(body.content)
    assert seen[0].startswith(b"POST /p/%C3%BC?a=1&b=2")


def chunked(*parts: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "body"),
    [
        (answer(), 200, b"{}"),
        (chunked(b'{"a"', b": 1}"), 200, b'{"a": 1}'),
        (answer(body=gzip.compress(b"[1, 2]", mtime=0), headers="Content-Encoding: gzip\r\n"), 200, b"[1, 2]"),
        (answer(body=gzip.compress(b"[1, 2]", mtime=0), headers="content-encoding: X-GZIP\r\n"), 200, b"[1, 2]"),
        (answer(body=zlib.compress(b"[1, 2]"), headers="Content-Encoding: deflate\r\n"), 200, b"[1, 2]"),
        (answer(body=zlib.compress(b"[1, 2]", wbits=-15), headers="Content-Encoding: deflate\r\n"), 200, b"[1, 2]"),
        (answer(headers="Content-Encoding: identity\r\n"), 200, b"{}"),
        (answer(body=b"", headers="Content-Encoding: gzip\r\n"), 200, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), 200, b"{}"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + answer(), 200, b"{}"),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n", 599, b""),
        (answer("302 Found", b"", "Location: /elsewhere\r\n"), 302, b""),
    ],
)  # fmt: skip
def test_every_honest_form_of_an_answer_is_read(sent: bytes, status: int, body: bytes) -> None:
    with serving(answering(sent)) as url:
        response = ask(url).response
    assert response is not None
    assert (response.status, response.body, response.truncated) == (status, body, False)


def test_an_old_server_that_ends_its_answer_by_closing_is_read() -> None:
    with serving(answering(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nbye", close=True)) as url:
        response = ask(url).response
    assert response is not None
    assert response.body == b"bye"


def test_an_answer_to_head_has_no_body() -> None:
    with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")) as url:
        response = ask(url, "HEAD").response
    assert response is not None
    assert response.body == b""


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    exchange = ask(f"http://127.0.0.1:{port}")
    assert (exchange.failure or "").startswith("connect: ")


def closes_at_once(connection: socket.socket, over: threading.Event) -> None:
    del connection, over


def resets(connection: socket.socket, over: threading.Event) -> None:
    del over
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def silent(connection: socket.socket, over: threading.Event) -> None:
    del connection
    over.wait(10)


def dripping(start: bytes, again: bytes) -> Behaviour:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(start)
        while not over.wait(0.02):
            connection.sendall(again)

    return behave


def flooding(start: bytes, again: bytes) -> Behaviour:
    def behave(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(start)
        while not over.is_set():
            connection.sendall(again)

    return behave


def cut(sent: bytes) -> Behaviour:
    return answering(sent, close=True)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PACKED = HEAD + b"Content-Encoding: gzip\r\n"


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        pytest.param(closes_at_once, "protocol: ", id="closes at once"),
        pytest.param(resets, "protocol: ", id="resets"),
        pytest.param(silent, "timeout: the answer was not complete within 0.5 s", id="silent"),
        pytest.param(dripping(b"", b"H"), "timeout: ", id="drips no status line"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"a"), "timeout: ", id="drips a header"),
        pytest.param(dripping(HEAD, b"X: a\r\n"), "timeout: ", id="drips headers"),
        pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout: ", id="continues for ever"),
        pytest.param(dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b" "), "timeout: ", id="drips a body"),
        pytest.param(dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"), "timeout: ", id="drips chunks"),
        pytest.param(dripping(PACKED + b"\r\n" + gzip.compress(b"{}", mtime=0), b"x"), "timeout: ", id="drips after gzip"),
        pytest.param(flooding(HEAD, b"X: a\r\n" * 1000), "protocol: ", id="endless headers"),
        pytest.param(flooding(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 10_000), "protocol: ", id="an endless header"),
        pytest.param(
            flooding(PACKED + b"\r\n" + gzip.compress(b"{}", mtime=0), b"x" * 10_000),
            "protocol: ",
            id="floods after gzip",
        ),
        pytest.param(cut(b"\x00\xff garbage\r\n\r\n"), "protocol: ", id="garbage"),
        pytest.param(cut(b"SIP/2.0 200 OK\r\n\r\n"), "protocol: ", id="another protocol"),
        pytest.param(cut(b"HTTP/1.1 abc OK\r\n\r\n"), "protocol: ", id="no status"),
        pytest.param(cut(b"HTTP/1.1 200 OK\r\n"), "protocol: ", id="half a head"),
        pytest.param(cut(HEAD + b"Content-Length: 50\r\n\r\n{}"), "protocol: ", id="shorter than its length"),
        pytest.param(cut(HEAD + b"Content-Length: -1\r\n\r\n{}"), "protocol: ", id="negative length"),
        pytest.param(cut(HEAD + b"Content-Length: two\r\n\r\n{}"), "protocol: ", id="length no number"),
        pytest.param(cut(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), "protocol: ", id="two lengths"),
        pytest.param(cut(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"), "protocol: ", id="broken chunk"),
        pytest.param(cut(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}"), "protocol: ", id="no last chunk"),
        pytest.param(cut(answer(body=b"plain", headers="Content-Encoding: gzip\r\n")), "protocol: ", id="no gzip"),
        pytest.param(
            cut(answer(body=gzip.compress(b"x" * 999)[:-9], headers="Content-Encoding: gzip\r\n")),
            "protocol: the gzip body is cut short", id="half a gzip"),
        pytest.param(
            cut(answer(body=b"xx", headers="Content-Encoding: br\r\n")),
            "protocol: content-encoding br was not asked for", id="coding not asked for"),
        pytest.param(cut(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "protocol: ", id="switches protocols"),
    ],
)  # fmt: skip
def test_a_hostile_server_gives_an_exchange_with_a_failure_in_time(behaviour: Behaviour, failure: str) -> None:
    with serving(behaviour) as url:
        exchange = ask(url)
    assert (exchange.failure or "").startswith(failure), exchange.failure


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(flooding(HEAD + b"\r\n", b"a" * 65536), id="until it closes"),
        pytest.param(flooding(HEAD + b"Content-Length: 99999999999\r\n\r\n", b"a" * 65536), id="with a length"),
        pytest.param(
            flooding(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + b"a" * 65535 + b"\r\n"), id="in chunks"
        ),
        pytest.param(answering(answer(body=b"a" * (KEPT_BODY + 1))), id="one byte too many"),
        pytest.param(
            answering(answer(body=gzip.compress(b"\0" * (64 << 20)), headers="Content-Encoding: gzip\r\n")), id="a bomb"
        ),
    ],
)
def test_of_an_endless_body_a_bounded_part_is_kept(behaviour: Behaviour) -> None:
    with serving(behaviour) as url:
        response = ask(url).response
    assert response is not None
    assert response.truncated
    assert len(response.body) == KEPT_BODY


def test_a_body_of_just_the_size_that_is_kept_is_whole() -> None:
    with serving(answering(answer(body=b"a" * KEPT_BODY))) as url:
        response = ask(url).response
    assert response is not None
    assert not response.truncated
    assert len(response.body) == KEPT_BODY


def test_the_driver_goes_on_after_each_hostile_answer() -> None:
    closed = answer(headers="Connection: close\r\n")  # said, so that nobody sends on what is just being closed
    answers = (HEAD + b"Content-Length: zz\r\n\r\n", closed, b"garbage\r\n\r\n", answer("204 No Content", b""))
    with serving(answering(*answers, close=True)) as url, driver(url) as api:
        outcomes = [api.request("GET", "/") for _ in range(4)]
    assert [one.response and one.response.status for one in outcomes] == [None, 200, None, 204]


def test_a_redirect_is_shown_and_not_followed() -> None:
    seen: list[bytes] = []
    with serving(answering(answer("302 Found", b"", "Location: /x\r\n"), seen=seen)) as url:
        response = ask(url).response
    assert response is not None
    assert (response.status, response.header("location"), len(seen)) == (302, "/x", 1)


def test_a_cookie_is_never_sent_back() -> None:
    """A session cookie would let requests in that come without credentials, and look like a hole in the platform."""
    seen: list[bytes] = []
    with serving(answering(answer(headers="Set-Cookie: session=1; Path=/\r\n"), seen=seen)) as url, driver(url) as api:
        for _ in range(2):
            api.request("GET", "/")
    assert len(seen) == 2
    assert b"cookie" not in seen[1].lower()


@pytest.mark.parametrize(
    "options",
    [
        {"path": "http://"},
        {"path": "http://[::1"},
        {"path": "http://127.0.0.1:99999/"},
        {"path": "http://" + "a" * 70 + ".invalid/"},
        {"path": "http://" + "a." * 200 + "/"},
        {"path": "/a\x00b\nc"},
        {"headers": {"X-Bad": "a\r\nInjected: yes"}},
        {"headers": {"X Bad": "a"}},
        {"headers": {"X-Ünï": "☃"}},
        {"method": "GE T"},
        {"method": ""},
        {"path": "/" + "a" * 200_000},
    ],
)
def test_a_request_that_cannot_be_sent_is_an_exchange_as_well(options: Mapping[str, Any]) -> None:
    seen: list[bytes] = []
    with serving(answering(answer(), seen=seen)) as url:
        exchange = ask(url, **options)
    if exchange.response is None:
        assert (exchange.failure or "").startswith(("protocol: ", "connect: "))
    assert not any(b"Injected: yes" in request for request in seen)


def test_a_certificate_that_nobody_knows_is_refused_unless_told_otherwise(tmp_path: Path) -> None:
    with serving(answering(answer()), tls=self_signed(tmp_path)) as url:
        exchange = ask(url)
        assert (exchange.failure or "").startswith("tls: ")
        assert "certificate" in (exchange.failure or "").lower()
        with driver(url, verify_tls=False) as api:
            assert api.request("GET", "/").response is not None


def test_tls_to_a_server_without_it_says_so() -> None:
    def refuses(connection: socket.socket, over: threading.Event) -> None:
        del over
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(refuses) as url:
        exchange = ask(url.replace("http", "https"))
    assert (exchange.failure or "").startswith("tls: ")


def test_a_server_that_never_ends_its_handshake_is_a_timeout() -> None:
    with serving(silent) as url:
        exchange = ask(url.replace("http", "https"))
    assert (exchange.failure or "").startswith("timeout: no connection within 0.5 s")


def too_many(after: str) -> bytes:
    return answer("429 Too Many Requests", b"", f"Retry-After: {after}\r\n" if after else "")


@pytest.mark.parametrize("after", ["0", "0.05", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_bearable_pause_is_made_and_the_request_sent_again(after: str) -> None:
    timeline = Timeline("t")
    with serving(answering(too_many(after), answer())) as url, driver(url, timeline) as api:
        exchange = api.request("GET", "/", about={"expect": "success", "case": "example"})
    assert exchange.response is not None
    assert exchange.response.status == 200
    first, second = timeline.of(HttpExchange)
    assert second == exchange
    assert first.response is not None
    assert first.response.status == 429
    assert "expect" not in first.about
    assert second.about["expect"] == "success"
    assert [note.topic for note in timeline.of(Note)] == ["retry-after"]


def test_a_pause_until_a_date_is_made_as_well() -> None:
    with serving(answering(too_many(formatdate(time.time() + 1.5, usegmt=True)), answer())) as url:
        started = time.monotonic()
        response = ask(url).response
    assert response is not None
    assert response.status == 200
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("after", ["", "3600", "-5", "nan", "inf", "soon", "1e400", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_pause_is_made_that_was_not_asked_for_or_is_too_long(after: str) -> None:
    seen: list[bytes] = []
    with serving(answering(too_many(after), seen=seen)) as url:
        response = ask(url).response
    assert response is not None
    assert (response.status, len(seen)) == (429, 1)


def test_a_target_that_is_always_busy_is_not_asked_for_ever() -> None:
    seen: list[bytes] = []
    with serving(answering(too_many("0"), seen=seen)) as url:
        response = ask(url).response
        assert response is not None
        assert (response.status, len(seen)) == (429, 3)
        with driver(url, retry=False) as api:
            api.request("GET", "/")
    assert len(seen) == 4


def test_requests_leave_no_faster_than_allowed() -> None:
    limiter = RateLimiter(Rate(max_per_second=50), share=2)
    started = time.monotonic()
    for _ in range(6):
        limiter.wait()
    assert 0.19 <= time.monotonic() - started < 1


def test_an_unlimited_rate_costs_nothing() -> None:
    limiter = RateLimiter(Rate())
    started = time.monotonic()
    for _ in range(1000):
        limiter.wait()
    assert time.monotonic() - started < 0.2


def test_several_threads_share_a_driver() -> None:
    timeline = Timeline("t")
    with serving(answering(answer())) as url, driver(url, timeline) as api:
        threads = [threading.Thread(target=api.request, args=("GET", f"/{n}")) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    exchanges = timeline.of(HttpExchange)
    assert len(exchanges) == 8
    assert all(one.response is not None for one in exchanges)


def test_paths_are_filled_in_percent_encoded() -> None:
    assert fill_path("/a/{id}/b/{other}", id="x/../ü?", other="1") == "/a/x%2F..%2F%C3%BC%3F/b/1"


def test_bodies_carry_their_content_type() -> None:
    assert json.loads(Body.json({"a": "ü"}).content) == {"a": "ü"}
    form = Body.form({"a b": "c&d", "e": ""})
    assert form.content in (b"a+b=c%26d&e=", b"a%20b=c%26d&e=")
    assert form.content_type == "application/x-www-form-urlencoded"
