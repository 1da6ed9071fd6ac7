"""Fetches what an application serves to the platform (scripts, sounds), and tells it what happens: one bounded request each.

Called by the systems. It never follows a redirect and keeps no connection open: a request goes to exactly the URL that
was configured, and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

_MAX_AT_ONCE = 64
MAX_URL = 2048
_log = logging.getLogger("ringtrue.fetch")


class FetchError(Exception):
    """No usable answer: unreachable, too slow, or too large."""


@dataclass(frozen=True)
class Fetched:
    """An answer. `seconds` is the time from the request to the last byte."""

    status: int
    content_type: str
    body: bytes
    seconds: float


def url_problem(url: str) -> str | None:
    """Why this cannot be fetched, in words, or None when it is an absolute http or https URL."""
    if len(url) > MAX_URL:
        return f"is longer than {MAX_URL} characters"
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        return "holds white space or control characters"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "is not an absolute http or https URL"
    return None


def _port_exists(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


class Fetcher:
    """GET and the like with bounds on time (seconds), size (bytes) and number at once."""

    def __init__(self, *, timeout: float = 5.0, max_bytes: int = 1 << 20) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._slots = asyncio.Semaphore(_MAX_AT_ONCE)
        self._client: httpx.AsyncClient | None = None
        self._under_way: set[asyncio.Future[Fetched]] = set()
        self._closed = False

    def warm_up(self) -> None:
        """Load the client library, so that the first fetch is as quick as the others. Safe in a thread."""
        import httpx

        if self._client is None:
            limits = httpx.Limits(max_keepalive_connections=0)
            self._client = httpx.AsyncClient(
                trust_env=False, follow_redirects=False, timeout=self._timeout, limits=limits
            )

    async def get(self, url: str) -> Fetched:
        """Fetch exactly this URL. Raises FetchError with the reason in words."""
        return await self.request("GET", url)

    async def request(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Fetched:
        """Send exactly this to exactly this URL, once. Raises FetchError with the reason in words."""
        if not _port_exists(url):
            raise FetchError("there is no such port")
        if self._closed:
            raise FetchError("the platform is stopping")
        work = asyncio.ensure_future(self._request(method, url, body, dict(headers or {})))
        self._under_way.add(work)
        try:
            return await work
        except asyncio.CancelledError:
            # Either close() ended the fetch, or whoever wanted its answer is gone.
            if self._closed:
                raise FetchError("the platform is stopping") from None
            work.cancel()
            raise
        finally:
            self._under_way.discard(work)

    async def _request(self, method: str, url: str, content: bytes, headers: dict[str, str]) -> Fetched:
        import httpx

        self.warm_up()
        assert self._client is not None
        began = time.monotonic()
        exchange = self._client.stream(method, url, content=content or None, headers=headers)
        try:
            async with self._slots, asyncio.timeout(self._timeout), exchange as answer:
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > self._max_bytes:
                        raise FetchError(f"the answer is larger than {self._max_bytes} bytes")
        except TimeoutError:
            raise FetchError(f"no complete answer within {self._timeout:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, OverflowError, ValueError) as error:
            raise FetchError(str(error) or type(error).__name__) from error
        seconds = time.monotonic() - began
        _log.info("%s %s -> %d, %d bytes in %.0f ms", method, url, answer.status_code, len(body), seconds * 1000)
        return Fetched(answer.status_code, answer.headers.get("content-type", ""), bytes(body), seconds)

    async def close(self) -> None:
        """End what is under way; whoever waits for it gets FetchError."""
        self._closed = True
        for work in self._under_way:
            work.cancel()
        if self._client is not None:
            await self._client.aclose()
