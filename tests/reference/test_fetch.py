"""Fetching within bounds: of time, also against a slow drip, of size, and of where a request goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.reference.fetch import Fetcher, FetchError, url_problem

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"<")
        await asyncio.sleep(0.02)


async def _endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"<" * 4096)
        await writer.drain()


async def _nonsense(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01\x02 what\r\n\r\n")
    writer.close()


async def _closes(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _fetch_from(serve: Serve, fetcher: Fetcher) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        await asyncio.wait_for(fetcher.get(f"http://127.0.0.1:{port}/"), 5)
    finally:
        server.close()
        await fetcher.close()


@pytest.mark.parametrize(
    ("serve", "words"),
    [
        (_silent, "no complete answer within 0.3 seconds"),
        (_drip, "no complete answer within 0.3 seconds"),
        (_endless, "larger than 20000 bytes"),
        (_nonsense, None),
        (_closes, None),
    ],
)
def test_a_server_that_does_not_answer_well_is_a_failed_fetch(serve: Serve, words: str | None) -> None:
    async def run() -> None:
        await _fetch_from(serve, Fetcher(timeout=0.3, max_bytes=20_000))

    with pytest.raises(FetchError, match=words):
        asyncio.run(run())


def test_closing_ends_what_is_under_way_and_refuses_what_comes_after() -> None:
    async def run() -> None:
        fetcher = Fetcher(timeout=20)
        reached = asyncio.Event()

        async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            reached.set()
            await asyncio.sleep(30)

        fetching = asyncio.create_task(_fetch_from(serve, fetcher))
        await asyncio.wait_for(reached.wait(), 5)
        await fetcher.close()
        with pytest.raises(FetchError, match="stopping"):
            await asyncio.wait_for(fetching, 2)
        with pytest.raises(FetchError, match="stopping"):
            await fetcher.get("http://127.0.0.1:1/")

    asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/x",
        "x",
        "ftp://a/",
        "http://",
        "http:///x",
        "http://a b/",
        "http://a/\n",
        "http://[::/",
        "http://a/" + "x" * 2048,
    ],
)
def test_what_is_no_http_url_is_named_as_a_problem(url: str) -> None:
    assert url_problem(url)


@pytest.mark.parametrize("url", ["http://a/", "https://a.example:8443/x?y=%20z#f", "http://[::1]:80/", "HTTP://A/"])
def test_absolute_http_urls_are_no_problem(url: str) -> None:
    assert url_problem(url) is None
