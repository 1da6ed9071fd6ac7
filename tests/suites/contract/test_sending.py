"""What schemathesis sends goes out as it stands, and what comes back takes bounded time and memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import requests
from schemathesis.config import ProjectConfig
from schemathesis.engine import context

from harness.drivers.wire import KEPT_BODY, Wire
from harness.suites.contract.sending import BoundedAdapter
from harness.target import Timing
from tests.drivers.hostile import answer, read_request, serving
from tests.e2e.hostile_targets import DEEDS, Deed

_TIMING = Timing(connect=0.5, answer=0.5)


@contextmanager
def _session(deed: Deed) -> Iterator[tuple[requests.Session, BoundedAdapter, str, list[bytes]]]:
    """A session as schemathesis makes it, and a server that reads requests and does that deed."""
    asked: list[bytes] = []

    def behave(connection: socket.socket, over: threading.Event) -> None:
        while request := read_request(connection):
            asked.append(request)
            deed(connection, over)

    with serving(behave) as address, closing(Wire(_TIMING)) as wire:
        adapter = BoundedAdapter(wire, lambda _request, body: body)
        with adapter.installed(), context.make_session(ProjectConfig()) as session:
            yield session, adapter, address, asked


def _answering(data: bytes) -> Deed:
    return lambda connection, over: connection.sendall(data)


def test_a_request_leaves_as_it_stands_and_its_answer_is_kept_as_it_came() -> None:
    headers = "X-Two: a\r\nx-two: b\r\nContent-Encoding: identity\r\n"
    with _session(_answering(answer("201 Made", b'{"a": 1}', headers))) as (session, adapter, address, asked):
        url = f"{address}/a%2Fb//c?q=%7B%C3%A9%27;x=1&&r=%00"
        got = session.post(url, data=b'{"x": "\xff"}', headers={"X-Odd": "caf\u00e9"}, stream=True)
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /a%2Fb//c?q=%7B%C3%A9%27;x=1&&r=%00 HTTP/1.1"
    assert b"X-Odd: caf\xe9" in head
    assert body == b'{"x": "\xff"}'
    assert (got.status_code, got.json()) == (201, {"a": 1})
    assert got.raw.headers.getlist("x-two") == ["a", "b"]
    assert adapter.answer is not None
    assert adapter.answer.reason == "Made"
    assert [pair for pair in adapter.answer.headers if pair[0].lower() == "x-two"] == [("X-Two", "a"), ("x-two", "b")]


@pytest.mark.parametrize("name", ["slow", "slow head"])
def test_bytes_that_drip_in_do_not_hold_it(name: str) -> None:
    with _session(DEEDS[name]) as (session, adapter, address, _):
        began = time.monotonic()
        with pytest.raises(requests.RequestException) as raised:
            session.get(f"{address}/x", stream=True)
        assert time.monotonic() - began < 5
    assert raised.value.request is not None, "so that it is written down"
    assert (adapter.failure or "").startswith("timeout: ")


@pytest.mark.parametrize("name", ["endless", "huge", "gzip bomb"])
def test_of_an_answer_that_never_ends_a_part_is_kept(name: str) -> None:
    with _session(DEEDS[name]) as (session, adapter, address, _):
        got = session.get(f"{address}/x", stream=True)
        assert len(got.content) == KEPT_BODY
    assert adapter.answer is not None
    assert adapter.answer.truncated


def test_who_does_not_answer_at_all_is_asked_a_few_times_only() -> None:
    with _session(lambda connection, over: connection.shutdown(socket.SHUT_RDWR)) as (session, adapter, address, asked):
        for _ in range(20):
            with pytest.raises(requests.RequestException) as raised:
                session.get(f"{address}/x", stream=True)
        assert len(asked) == 3
    assert (adapter.answer, adapter.failure, raised.value.request) == (None, None, None), (
        "it is not written down either"
    )


def test_a_request_that_cannot_be_sent_is_nobodys_silence() -> None:
    with _session(_answering(answer())) as (session, adapter, address, asked):
        for _ in range(5):
            request = session.prepare_request(requests.Request("GET", f"{address}/x"))
            request.headers["X-Odd"] = "a\x00b"
            with pytest.raises(requests.exceptions.InvalidHeader):
                session.send(request, stream=True)
            assert (adapter.answer, adapter.failure) == (None, None)
        assert session.get(f"{address}/x", stream=True).status_code == 200
        assert len(asked) == 1
