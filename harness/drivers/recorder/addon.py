"""The mitmproxy addon: answers each request from the route table and hands finished callbacks to their scenarios.

Called by mitmproxy's hooks on the recorder's loop. It never lets a request go anywhere: answers are made here, and an
attempt to connect onwards is refused. mitmproxy's classes arrive as arguments, so that importing this module is cheap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.drivers.recorder.answers import Answer
from harness.drivers.recorder.flows import FlowFile
from harness.drivers.recorder.routing import Inquiry, RouteEntry, RouteTable
from harness.timeline import Callback, Clock, Headers, HttpRequest, HttpResponse, event_to_json

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

Deliver = Callable[[int, dict[str, Any]], bool]
Ask = Callable[[RouteEntry, dict[str, Any]], Awaitable[Answer | None]]
Note = Callable[..., None]
Alter = Callable[[HttpRequest], tuple[Headers, bytes] | None]
"""Gives headers and body of a callback as it is to be seen, where something stands before the recorder; None: as it is."""

MAX_TARGET = 8192
_KEY = "ringtrue"


@dataclass
class _Progress:
    """What is known of a request between its first hook and its last."""

    at: float
    inquiry: Inquiry | None = None
    entry: RouteEntry | None = None
    refused: str | None = None
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a request is refused before anybody looks at it. `name`: a stable word."""

    name: str
    status: int
    words: str


def unfit(flow: HTTPFlow, max_headers: int) -> Unfit | None:
    """What no listener of ours takes: requests to a proxy, too many header fields, targets without end."""
    if flow.request.data.authority and flow.request.http_version.startswith("HTTP/1"):
        return Unfit("absolute-form", 400, "this is no proxy: send the path, not an absolute URL")
    if len(flow.request.headers.fields) > max_headers:
        return Unfit("too-many-headers", 431, f"more than {max_headers} header fields")
    if len(flow.request.path) > MAX_TARGET:
        return Unfit("long-target", 414, f"request target longer than {MAX_TARGET} characters")
    return None


def refuse(flow: HTTPFlow, status: int, why: str) -> None:
    """Answer a request with plain words."""
    from mitmproxy.http import Response

    flow.response = Response.make(status, f"{why}\n", {"Content-Type": "text/plain; charset=utf-8"})


class CallbackAddon:
    """One per recorder.

    `deliver(owner, message)` pushes to a worker, `ask(route, event)` has it answer, `note` takes what concerns nobody.
    """

    def __init__(
        self,
        table: RouteTable,
        clock: Clock,
        flows: FlowFile,
        deliver: Deliver,
        ask: Ask,
        note: Note,
        *,
        max_headers: int,
        max_body: int,
        public_url: str | None,
        alter: Alter | None = None,
    ) -> None:
        self._alter = alter
        self._table = table
        self._clock = clock
        self._flows = flows
        self._deliver = deliver
        self._ask = ask
        self._note = note
        self._max_headers = max_headers
        self._max_body = max_body
        public = urlsplit(public_url or "")
        self._public_netloc, self._public_scheme = public.netloc, public.scheme
        self._public_path = public.path.strip("/")
        self._open: dict[str, HTTPFlow] = {}

    def requestheaders(self, flow: HTTPFlow) -> None:
        progress = _Progress(self._clock.from_wall(flow.request.timestamp_start))
        flow.metadata[_KEY] = progress
        self._open[flow.id] = flow
        if problem := unfit(flow, self._max_headers):
            progress.refused = problem.name
            refuse(flow, problem.status, problem.words)

    def http_connect(self, flow: HTTPFlow) -> None:
        flow.metadata[_KEY] = _Progress(self._clock.from_wall(flow.request.timestamp_start), refused="connect")
        refuse(flow, 405, "this is no proxy: CONNECT is not served")

    def server_connect(self, data: ServerConnectionHookData) -> None:
        data.server.error = "the recorder never forwards"
        self._note("forward-refused", f"an attempt to connect to {data.server.address} was stopped")

    async def request(self, flow: HTTPFlow) -> None:
        from mitmproxy.http import Headers as MitmHeaders
        from mitmproxy.http import Response

        progress: _Progress = flow.metadata[_KEY]
        if flow.response is not None:
            return
        if self._alter is not None:
            self._altered(flow, self._alter)
        inquiry = self._inquire(flow, flow.request.raw_content or b"")
        progress.entry = entry = self._table.find(inquiry)
        if entry is None:
            refuse(flow, 404, "no scenario waits for this")
            return
        answer = entry.next_answer()
        if entry.asks:
            answer = await self._ask(entry, event_to_json(self._callback(flow, progress, None))) or answer
        status, headers, body = answer.render(inquiry.json)
        if answer.delay > 0:
            await asyncio.sleep(answer.delay)
        if answer.drop:
            progress.dropped = True
            flow.kill()  # type: ignore[no-untyped-call]
            return
        fields = MitmHeaders([(_bytes(name), _bytes(value)) for name, value in headers])
        if "content-length" not in fields and "transfer-encoding" not in fields and status not in (204, 304):
            fields["Content-Length"] = str(len(body))
        flow.response = Response.make(status)
        flow.response.headers = fields
        flow.response.raw_content = b"" if flow.request.method == "HEAD" else body

    def _altered(self, flow: HTTPFlow, alter: Alter) -> None:
        from mitmproxy.http import Headers as MitmHeaders

        request = flow.request
        seen = HttpRequest(request.method, self._url(flow), _headers(request), request.raw_content or b"")
        made = alter(seen)
        if made is not None:
            headers, body = made
            request.headers = MitmHeaders([(_bytes(name), _bytes(value)) for name, value in headers])
            request.raw_content = body

    def response(self, flow: HTTPFlow) -> None:
        self._finish(flow, None)

    def error(self, flow: HTTPFlow) -> None:
        message = flow.error.msg if flow.error else "no answer was sent"
        progress: _Progress | None = flow.metadata.get(_KEY)
        if "body_size_limit" in message:
            self._finish(flow, f"too-large: the body is over {self._max_body} bytes and was refused with 413")
        elif progress is not None and progress.dropped:
            self._finish(flow, "protocol: the script closed the connection without an answer")
        else:
            self._finish(flow, f"protocol: {message}")

    def done(self) -> None:
        for flow in list(self._open.values()):
            self._finish(flow, "timeout: the recorder stopped before it answered")

    def _inquire(self, flow: HTTPFlow, body: bytes) -> Inquiry:
        progress: _Progress = flow.metadata[_KEY]
        target = flow.request.path.lstrip("/")
        if self._public_path and f"{target}/".startswith(f"{self._public_path}/"):
            target = target[len(self._public_path) :]
        progress.inquiry = Inquiry(flow.request.method, target, _headers(flow.request), body)
        return progress.inquiry

    def _finish(self, flow: HTTPFlow, failure: str | None) -> None:
        """Record a flow once, whichever hook ends it first."""
        progress: _Progress | None = flow.metadata.pop(_KEY, None)
        self._open.pop(flow.id, None)
        if progress is None:
            return
        if progress.inquiry is None:
            flow.metadata[_KEY] = progress
            self._inquire(flow, flow.request.raw_content or b"")
            del flow.metadata[_KEY]
        assert progress.inquiry is not None
        callback = self._callback(flow, progress, failure)
        if not self._flows.add(flow):
            self._note("flows-full", "the flow file has reached its bound: later flows are not stored in it")
        entry = progress.entry
        if entry is not None:
            self._deliver(entry.owner, _message(callback, entry.name, shared=False))
            return
        owners = self._table.concerned(progress.inquiry.path) if progress.refused != "absolute-form" else frozenset()
        shared = self._table.is_shared(progress.inquiry.path)
        for owner in owners:
            self._deliver(owner, _message(callback, None, shared=shared))
        if not owners:
            text = f"{callback.request.method} {callback.request.url}: {progress.refused or failure or 'unknown path'}"
            status = callback.response.status if callback.response else None
            self._note("unknown-path", text[:2000], status=status, bytes=len(callback.request.body))

    def _callback(self, flow: HTTPFlow, progress: _Progress, failure: str | None) -> Callback:
        request = flow.request
        response = None
        if flow.response is not None and not progress.dropped:
            response = HttpResponse(
                flow.response.status_code,
                _headers(flow.response),
                flow.response.raw_content or b"",
                flow.response.reason,
            )
        elif failure is not None and failure.startswith("too-large"):
            response = HttpResponse(413, reason="Payload Too Large")
        about = {"route": progress.entry.name if progress.entry else ""}
        if progress.refused:
            about["refused"] = progress.refused
        peer = flow.client_conn.peername
        if peer:
            about["peer"] = f"{peer[0]}:{peer[1]}"
        return Callback(
            progress.at,
            request=HttpRequest(
                request.method, self._url(flow), _headers(request), progress.inquiry.body if progress.inquiry else b""
            ),
            response=response,
            ended=self._clock.now(),
            failure=failure,
            about=about,
        )

    def _url(self, flow: HTTPFlow) -> str:
        """The URL as the implementation asked for it: its Host header, its path."""
        request = flow.request
        if request.data.authority and request.http_version.startswith("HTTP/1"):
            return str(request.url)
        host = request.host_header or request.host
        scheme = "https" if flow.client_conn.tls_established else "http"
        if host == self._public_netloc:
            scheme = self._public_scheme
        return f"{scheme}://{host}{request.path}"


def _message(callback: Callback, route: str | None, *, shared: bool) -> dict[str, Any]:
    return {"event": event_to_json(callback), "route": route, "shared": shared}


def _headers(message: Any) -> Headers:
    return tuple(
        (name.decode("utf-8", "backslashreplace"), value.decode("utf-8", "backslashreplace"))
        for name, value in message.headers.fields
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
