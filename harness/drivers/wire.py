"""Sends one HTTP request and brings back one answer, within bounds of time and size whatever the other side does.

The HTTP driver calls it. It keeps no cookies, follows no redirects, and turns every way in which an exchange can break into
words; it writes nothing down and judges nothing.
"""

from __future__ import annotations

import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from harness.target import Timing
from harness.timeline import Headers, HttpResponse

KEPT_BODY = 1 << 20
NOT_SENT = "such a request cannot be sent"
"""Part of the words for a failure that is no doing of the other side."""
# Shorter than the patience of common servers, so that none closes a connection just as it is used again.
_KEEPALIVE = 2.0


class Wire:
    """Connections to one system; may be used from several threads.

    `timing.connect` bounds each connection and `timing.answer` each silence; an exchange may last as long as both together,
    so that a server which drips bytes cannot hold a run.
    """

    def __init__(self, timing: Timing, *, verify_tls: bool = True) -> None:
        self._timing = timing
        self._backend = _DeadlineBackend()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(verify_tls),
            max_connections=None,
            keepalive_expiry=_KEEPALIVE,
            network_backend=self._backend,
        )

    def close(self) -> None:
        self._pool.close()

    def send(self, request: httpx.Request) -> tuple[HttpResponse | None, str | None]:
        """The answer, or None and why there is none: `connect`, `tls`, `timeout` or `protocol`, a colon and details.

        The request's `target` extension (bytes) replaces path and query of its URL, as in httpx.
        """
        timing = self._timing
        silences = {"connect": timing.connect, "read": timing.answer, "write": timing.answer, "pool": timing.connect}
        url = request.url
        target = request.extensions.get("target", url.raw_path)
        try:
            self._backend.start(timing.connect + timing.answer)
            sent = httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target),
                headers=request.headers.raw,
                content=request.read(),
                extensions={"timeout": silences},
            )
            response = self._pool.handle_request(sent)
            try:
                return _read(response), None
            finally:
                response.close()
        except httpcore.ConnectTimeout:
            return None, f"timeout: no connection within {timing.connect:g} s"
        except httpcore.TimeoutException:
            return None, f"timeout: the answer was not complete within {timing.answer:g} s"
        except httpcore.ConnectError as error:
            kind = "tls" if error.args and isinstance(error.args[0], ssl.SSLError) else "connect"
            return None, f"{kind}: {_words(error)}"
        except httpcore.LocalProtocolError as error:
            return None, f"protocol: {NOT_SENT}: {_words(error)}"
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, _EncodingError) as error:
            return None, f"protocol: {_words(error)}"
        except (ValueError, OverflowError, OSError) as error:
            return None, f"protocol: {_words(error)}"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


@lru_cache(maxsize=2)
def _tls(verify: bool) -> ssl.SSLContext:
    """What TLS is done with, once per process: reading all certificates takes longer than many a scenario's requests."""
    return httpx.create_ssl_context(verify=verify, trust_env=False)


def _read(response: httpcore.Response) -> HttpResponse:
    kept, truncated = bytearray(), False
    for part in _decoded(response.headers, response.iter_stream()):
        kept += part
        if len(kept) > KEPT_BODY:
            truncated = True
            break
    reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
    return HttpResponse(response.status, as_text(response.headers), bytes(kept[:KEPT_BODY]), reason, truncated)


class _EncodingError(Exception):
    """The body is not encoded as its content-encoding says."""


def _decoded(headers: Iterable[tuple[bytes, bytes]], parts: Iterable[bytes]) -> Iterator[bytes]:
    """The body without its content coding, never much more of it at once than is kept: a bomb is not unpacked."""
    listed = [value for name, value in headers if name.lower() == b"content-encoding"]
    codings = [coding.strip().lower() for coding in b",".join(listed).decode("latin-1").split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not codings:
        yield from parts
        return
    packed = iter(parts)
    first = next(packed, b"")
    if not first:
        return
    if len(codings) > 1 or codings[0] not in ("gzip", "x-gzip", "deflate"):
        raise _EncodingError(f"content-encoding {', '.join(codings)} was not asked for")
    # Plus 32: zlib tells gzip from its own form by the first bytes; some servers send bare deflate data as well.
    bare = codings[0] == "deflate" and (first[0] & 0x0F) != 8
    unpack = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS + 32)
    beyond = 0
    try:
        yield unpack.decompress(first, KEPT_BODY + 1)
        for part in packed:
            if not unpack.eof:
                yield unpack.decompress(unpack.unconsumed_tail + part, KEPT_BODY + 1)
                continue
            beyond += len(part)
            if beyond > KEPT_BODY:
                raise _EncodingError(f"more follows after the end of the {codings[0]} body")
        while unpack.unconsumed_tail:
            yield unpack.decompress(unpack.unconsumed_tail, KEPT_BODY + 1)
    except zlib.error as error:
        raise _EncodingError(f"the body is not the {codings[0]} that content-encoding says: {error}") from error
    if not unpack.eof:
        raise _EncodingError(f"the {codings[0]} body is cut short")


def as_text(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers as the timeline holds them, in their order and with their own case."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


class _DeadlineBackend(httpcore.NetworkBackend):
    """Connects as usual; no read or write on its streams outlasts the deadline of the thread's current exchange."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()
        self._current = threading.local()

    def start(self, seconds: float) -> None:
        """A new exchange of this thread begins, and has this long."""
        self._current.deadline = time.monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """Seconds until the earlier of timeout and deadline. Raises httpcore.ReadTimeout where that has passed."""
        seconds: float = self._current.deadline - time.monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout("the whole exchange took too long")
        return seconds if timeout is None else min(seconds, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        stream = self._plain.connect_tcp(host, port, timeout, local_address, socket_options)
        return _DeadlineStream(stream, self)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, backend: _DeadlineBackend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
