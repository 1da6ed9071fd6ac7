"""A reverse proxy that keeps what passes: between a platform and an application, and in front of the platform's API.

`ringtrue record` starts one. Each listener leads to exactly one upstream, which is asked by this module within bounds of
time and size; mitmproxy itself never connects anywhere. An upstream that is dead, slow or talks nonsense is a 502 to
whoever asked, with a failure in the record, and never a hang.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

from harness.drivers.recorder.addon import refuse, unfit
from harness.drivers.recorder.flows import (
    WHOLE_HEADERS,
    FlowFile,
    header_pairs,
    message_parts,
    without_coding,
    write_har,
)
from harness.drivers.recorder.hosting import Host, url_of
from harness.drivers.recorder.server import Limits
from harness.redact import Redactor
from harness.timeline import Callback, Exchange, HttpExchange, HttpRequest, HttpResponse, Timeline

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

LIMITS = Limits(body=16 << 20)
KEPT_BODY = 1 << 20
_KEY = "ringtrue"
_CONNECT_SECONDS = 5.0
# What speaks of one connection only (RFC 9110 7.6.1), and what a proxy says for itself.
_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect",
    b"proxy-authorization", b"host", b"content-length",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """One listener and where it leads. `callbacks`: the platform asks here; else the application asks the platform.

    `upstream`: a base URL, whose path is put before that of a request; `listen`: `host:port`.
    """

    callbacks: bool
    upstream: str
    listen: str = "127.0.0.1:0"
    verify_tls: bool = True


class UpstreamError(Exception):
    """No answer that can be passed on; the message begins with `connect`, `tls`, `timeout`, `protocol` or `too-large`."""


class PassThrough:
    """Listens for all `ways` and keeps each exchange in `timeline`, `flows.mitm` and, at the end, `flows.har`.

    `answer_seconds`: how long an upstream may take. `told` is called with each exchange, on the proxy's thread.
    """

    def __init__(
        self,
        run_dir: Path,
        system: str,
        ways: Sequence[Way],
        timeline: Timeline,
        *,
        redactor: Redactor,
        answer_seconds: float = 30.0,
        limits: Limits = LIMITS,
        told: Callable[[Exchange], None] = lambda exchange: None,
    ) -> None:
        self._run_dir = run_dir
        self._ways = tuple(ways)
        self._host = Host([way.listen for way in ways], run_dir / "mitmproxy", limits.body)
        self._redactor = redactor
        self._limits = limits
        self._flows: FlowFile | None = None
        self._addon = _Addon(system, self._ways, timeline, redactor, limits, answer_seconds, told)
        self.urls: tuple[str, ...] = ()
        """Where it listens, in the order of `ways`."""

    @property
    def broke(self) -> BaseException | None:
        """What ended it, if something did."""
        return self._host.broke

    def start(self) -> None:
        """Raises RecorderError when it cannot listen."""
        try:
            addresses = self._host.start(self)
        except BaseException:
            self._host.stop()
            raise
        self._addon.ports = {port: way for (_, port), way in zip(addresses, self._ways, strict=True)}
        self.urls = tuple(url_of(address) for address in addresses)

    def stop(self) -> None:
        """Close the ports; what is under way is recorded as unanswered. Raises RecorderError when it does not end."""
        self._host.stop()
        if (self._run_dir / "flows.mitm").exists():
            write_har(self._run_dir / "flows.mitm", self._run_dir / "flows.har")

    # What the host calls, on its loop

    async def open(self) -> Any:
        self._flows = self._addon.flows = FlowFile(self._run_dir / "flows.mitm", self._redactor, self._limits.flows)
        return self._addon

    def finish(self) -> None:
        self._addon.done()

    async def close(self) -> None:
        await self._addon.close()
        if self._flows is not None:
            self._flows.close()


class _Addon:
    """What mitmproxy calls."""

    def __init__(
        self,
        system: str,
        ways: Sequence[Way],
        timeline: Timeline,
        redactor: Redactor,
        limits: Limits,
        answer_seconds: float,
        told: Callable[[Exchange], None],
    ) -> None:
        self.ports: dict[int, Way] = {}
        self.flows: FlowFile | None = None
        self._system = system
        self._timeline = timeline
        self._redactor = redactor
        self._limits = limits
        self._told = told
        self._upstreams = {way: _Upstream(way, answer_seconds, limits.body) for way in ways}
        self._open: dict[str, HTTPFlow] = {}
        self._applications: dict[str, str] = {}
        self._full = False

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.metadata[_KEY] = self._timeline.clock.from_wall(flow.request.timestamp_start)
        self._open[flow.id] = flow
        if problem := unfit(flow, self._limits.headers):
            refuse(flow, problem.status, problem.words)

    def http_connect(self, flow: HTTPFlow) -> None:
        refuse(flow, 405, "this is no proxy for that: CONNECT is not served")

    def server_connect(self, data: ServerConnectionHookData) -> None:
        data.server.error = "requests are passed on by the recorder alone"

    async def request(self, flow: HTTPFlow) -> None:
        from mitmproxy.http import Headers, Response

        if flow.response is not None:
            return
        sockname = flow.client_conn.sockname
        way = self.ports.get(sockname[1]) if sockname else None
        if way is None:
            refuse(flow, 502, "the recorder is not ready")
            return
        self._redactor.learn(header_pairs(flow.request.headers))
        try:
            status, reason, came, body = await self._upstreams[way].ask(flow)
        except UpstreamError as error:
            flow.metadata[f"{_KEY} failure"] = str(error)
            whose = "application" if way.callbacks else "platform's API"
            refuse(flow, 502, f"the {whose} at {way.upstream} did not answer: {error}")
            return
        flow.response = Response.make(status)
        flow.response.reason = reason
        flow.response.headers = Headers(_framed(came, body, flow.request.method))
        flow.response.raw_content = body
        flow.metadata[f"{_KEY} headers"] = Headers(came)

    def response(self, flow: HTTPFlow) -> None:
        from mitmproxy.connection import ConnectionState

        gone = not flow.client_conn.state & ConnectionState.CAN_READ
        self._finish(flow, "protocol: who asked had closed the connection before the answer came" if gone else None)

    def error(self, flow: HTTPFlow) -> None:
        message = flow.error.msg if flow.error else "no answer was sent"
        large = "body_size_limit" in message
        self._finish(flow, f"too-large: over {self._limits.body} bytes" if large else f"protocol: {message}")

    def done(self) -> None:
        for flow in list(self._open.values()):
            self._finish(flow, "timeout: the recording ended before the answer")

    async def close(self) -> None:
        for upstream in self._upstreams.values():
            await upstream.close()

    def _finish(self, flow: HTTPFlow, failure: str | None) -> None:
        """Record a flow once, whichever hook ends it first."""
        from mitmproxy.flow import Error

        if self._open.pop(flow.id, None) is None:
            return
        at: float = flow.metadata[_KEY]
        failure = flow.metadata.get(f"{_KEY} failure") or failure
        if failure is not None and flow.error is None:
            flow.error = Error(failure)
        sockname = flow.client_conn.sockname
        way = self.ports.get(sockname[1]) if sockname else None
        kept = self.flows is not None and self.flows.add(flow)
        if not kept or way is None:
            if not self._full:
                self._full = True
                words = f"more than {self._limits.flows} exchanges: what comes later is passed on, but not recorded"
                self._timeline.note("flows-full", words)
            return
        exchange = self._exchange(flow, way, at, failure)
        self._timeline.add(exchange)
        self._told(exchange)

    def _exchange(self, flow: HTTPFlow, way: Way, at: float, failure: str | None) -> Exchange:
        request, response = flow.request, None
        body, headers, whole = message_parts(request)
        if len(body) > KEPT_BODY or not whole:
            body, failure = body[:KEPT_BODY], failure or "too-large: the record does not hold the whole body"
        if flow.response is not None and not (failure or "").startswith(("connect", "tls", "timeout", "protocol")):
            answer, _, complete = message_parts(flow.response)
            fields = without_coding(header_pairs(flow.metadata.get(f"{_KEY} headers", flow.response.headers)))
            cut = len(answer) > KEPT_BODY or not complete
            response = HttpResponse(
                flow.response.status_code, fields, answer[:KEPT_BODY], flow.response.reason or "", truncated=cut
            )
        about = {"headers": WHOLE_HEADERS} if request.http_version.startswith("HTTP/1") else {}
        if flow.client_conn.peername:
            about["peer"] = url_of(flow.client_conn.peername[:2]).partition("://")[2]
        credentials = request.headers.get("authorization")
        if credentials and not way.callbacks:
            about["application"] = self._applications.setdefault(credentials, str(len(self._applications) + 1))
        base = f"http://{request.host_header or request.host}" if way.callbacks else way.upstream.rstrip("/")
        kind = Callback if way.callbacks else HttpExchange
        return kind(
            at,
            system=self._system,
            request=HttpRequest(request.method, base + request.path, headers, body),
            response=response,
            ended=self._timeline.clock.now(),
            failure=failure,
            about=about,
        )


class _Upstream:
    """Asks one upstream, and nothing else."""

    def __init__(self, way: Way, answer_seconds: float, max_body: int) -> None:
        parts = urlsplit(way.upstream)
        self._scheme, self._netloc, self._host = parts.scheme, parts.netloc.rpartition("@")[2], parts.hostname or ""
        self._port, self._path = parts.port, parts.path.rstrip("/")
        self._answer_seconds = answer_seconds
        self._max_body = max_body
        self._verify = way.verify_tls
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def ask(self, flow: HTTPFlow) -> tuple[int, str, list[tuple[bytes, bytes]], bytes]:
        """Status, reason, header fields and body. Raises UpstreamError."""
        if self._pool is None:
            context = httpx.create_ssl_context(verify=self._verify, trust_env=False)
            self._pool = httpcore.AsyncConnectionPool(ssl_context=context, max_connections=None, keepalive_expiry=2.0)
        body = flow.request.raw_content or b""
        fields = _passed_on(flow.request.headers.fields)
        fields.insert(0, (b"Host", self._netloc.encode()))
        if body or flow.request.method not in ("GET", "HEAD", "OPTIONS", "DELETE"):
            fields.append((b"Content-Length", str(len(body)).encode()))
        request = httpcore.Request(
            flow.request.method,
            httpcore.URL(
                scheme=self._scheme,
                host=self._host,
                port=self._port,
                target=(self._path + flow.request.path).encode("utf-8", "surrogateescape"),
            ),
            headers=fields,
            content=body,
            extensions={"timeout": {"connect": _CONNECT_SECONDS, "pool": _CONNECT_SECONDS}},
        )
        try:
            async with asyncio.timeout(self._answer_seconds):
                response = await self._pool.handle_async_request(request)
                try:
                    return await self._read(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise UpstreamError(f"timeout: no answer within {self._answer_seconds:g} s") from error
        except httpcore.ConnectTimeout as error:
            raise UpstreamError(f"timeout: no connection within {_CONNECT_SECONDS:g} s") from error
        except httpcore.ConnectError as error:
            kind = "tls" if error.args and isinstance(error.args[0], ssl.SSLError) else "connect"
            raise UpstreamError(f"{kind}: {error or type(error).__name__}") from error
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ValueError,
            OSError,
        ) as error:
            raise UpstreamError(f"protocol: {str(error) or type(error).__name__}") from error

    async def _read(self, response: httpcore.Response) -> tuple[int, str, list[tuple[bytes, bytes]], bytes]:
        kept = bytearray()
        async for part in response.aiter_stream():
            kept += part
            if len(kept) > self._max_body:
                raise UpstreamError(f"too-large: an answer of more than {self._max_body} bytes")
        reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
        return response.status, reason, list(response.headers), bytes(kept)

    async def close(self) -> None:
        if self._pool is not None:
            with contextlib.suppress(httpcore.NetworkError, OSError):  # it is gone, which was wanted
                await self._pool.aclose()


def _framed(fields: Sequence[tuple[bytes, bytes]], body: bytes, method: str) -> list[tuple[bytes, bytes]]:
    """The header fields of an answer as they are passed on: framed as they were, as far as that fits the body."""
    framing = [pair for pair in fields if pair[0].lower() in (b"transfer-encoding", b"content-length")]
    if method != "HEAD":
        chunked = any(name.lower() == b"transfer-encoding" for name, _ in framing)
        framing = [(b"Transfer-Encoding", b"chunked")] if chunked else [(b"Content-Length", str(len(body)).encode())]
    return [*_passed_on(fields), *framing]


def _passed_on(fields: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    named = {
        part.strip().lower() for name, value in fields if name.lower() == b"connection" for part in value.split(b",")
    }
    return [pair for pair in fields if pair[0].lower() not in _HOP_BY_HOP | named]
