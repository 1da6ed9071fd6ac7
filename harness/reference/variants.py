"""Conforming variety: ways in which an honest platform may differ from this one, and which no check may mind.

Like the faults they are chosen by name when the platform starts; unlike them they break nothing. Each changes what leaves
the platform, on one surface: HTTP answers, callbacks, or SIP messages. The server puts them in place.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.reference.faults.fault import wrap
from harness.reference.fetch import Fetcher
from harness.reference.other_ids import gathered, install_ids
from harness.reference.sip.transport import Transport

_ANSWER_DELAY = 0.3
_CALLBACK_DELAY = 1.0
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:Z|\+00:?00)")
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer or the request of a callback, whole. `chunked`: sent in pieces without a length."""

    status: int
    headers: Headers
    body: bytes
    chunked: bool = False


@dataclass(frozen=True)
class Variant:
    """One way to differ. `answer` changes HTTP answers, `callback` what applications are sent, `sip` each SIP message.

    `sip` gives the messages to send in place of one; `wait` and `callback_wait` are seconds before an answer or a callback.
    `place` does whatever else there is to do: it is given the front, and gives the one to serve.
    """

    id: str
    words: str
    answer: Callable[[Answer], Answer] | None = None
    callback: Callable[[Answer], Answer] | None = None
    sip: Callable[[bytes], list[bytes]] | None = None
    wait: float = 0.0
    callback_wait: float = 0.0
    place: Callable[[ASGIApp], ASGIApp] | None = None


def install(chosen: Iterable[Variant], front: ASGIApp) -> ASGIApp:
    """Put variants in place in this process; the front to serve from now on."""
    for variant in chosen:
        if variant.answer or variant.wait:
            front = _Changed(front, variant)
        if variant.callback or variant.callback_wait:
            wrap(Fetcher, "request", _callback_of(variant))
        if variant.sip:
            wrap(Transport, "send", _send_of(variant.sip))
        if variant.place:
            front = variant.place(front)
    return front


class _Changed:
    """ASGI application in front of another: its answers, changed as a whole."""

    def __init__(self, app: ASGIApp, variant: Variant) -> None:
        self._app = app
        self._variant = variant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(start: Message, body: bytes) -> None:
            await self._send(Answer(start["status"], list(start["headers"]), body), send)

        await self._app(scope, receive, gathered(changed))

    async def _send(self, answer: Answer, send: Send) -> None:
        await asyncio.sleep(self._variant.wait)
        if self._variant.answer:
            answer = self._variant.answer(answer)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        third = max(1, len(answer.body) // 3)
        pieces = [answer.body[at : at + third] for at in range(0, len(answer.body), third)] if answer.chunked else []
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"" if pieces else answer.body, "more_body": False})


def _callback_of(variant: Variant) -> Callable[..., Awaitable[Any]]:
    async def request(
        really: Callable[..., Awaitable[Any]],
        fetcher: Fetcher,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        if method == "POST":
            await asyncio.sleep(variant.callback_wait)
        if method == "POST" and variant.callback:
            pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
            sent = variant.callback(Answer(0, pairs, body))
            body, headers = sent.body, {name.decode(): value.decode() for name, value in sent.headers}
        return await really(fetcher, method, url, body, headers)

    return request


def _send_of(change: Callable[[bytes], list[bytes]]) -> Callable[..., None]:
    def send(really: Callable[..., None], transport: Transport, data: bytes, address: Any) -> None:
        is_message = data.strip() != b"" and (data.startswith(b"SIP/2.0 ") or b" SIP/2.0\r\n" in data)
        for message in change(data) if is_message else [data]:
            really(transport, message, address)

    return send


# HTTP and callbacks


def _with_json(change: Callable[[Any], Any], spell: Callable[[Any], str] = json.dumps) -> Callable[[Answer], Answer]:
    """Change the value of a JSON body, and say its length anew."""

    def changed(answer: Answer) -> Answer:
        if b"json" not in _header(answer.headers, b"content-type") or not answer.body:
            return answer
        body = spell(change(json.loads(answer.body))).encode()
        headers = [
            (name, str(len(body)).encode() if name.lower() == b"content-length" else value)
            for name, value in answer.headers
        ]
        return replace(answer, headers=headers, body=body)

    return changed


# Objects whose members are not the platform's: header fields by their names, and what a client gave to get it back.
_NOT_ITS_OWN = ("xHeaders", "pHeaders", "sessionReferenceId")


def _more_members(value: Any) -> Any:
    match value:
        case dict():
            more = {name: item if name in _NOT_ITS_OWN else _more_members(item) for name, item in value.items()}
            return more | {"vendorExtension": {"since": 7, "tags": ["a", None]}}
        case list():
            return [_more_members(item) for item in value]
        case _:
            return value


def _without_site(value: Any) -> Any:
    """Without what only a hybrid deployment tells (MS /newCall and others)."""
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if name not in ("siteId", "siteBaseUrl")}
    return value


def _elsewhere(value: Any) -> Any:
    """The same instants, as clocks two hours to the east show them."""
    match value:
        case dict():
            return {name: _elsewhere(item) for name, item in value.items()}
        case list():
            return [_elsewhere(item) for item in value]
        case str() if found := _INSTANT.fullmatch(value):
            moved = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=2)))
            return moved.isoformat(timespec="milliseconds")
        case _:
            return value


def _reordered(value: Any) -> Any:
    match value:
        case dict():
            return {name: _reordered(value[name]) for name in sorted(value, reverse=True)}
        case list():
            return [_reordered(item) for item in value]
        case _:
            return value


def _spelled(value: Any) -> str:
    return "\n" + json.dumps(value, indent=3, ensure_ascii=False, separators=(" ,", " : ")) + "\r\n"


def _title_case(answer: Answer) -> Answer:
    return replace(answer, headers=[(name.title(), value) for name, value in reversed(answer.headers)])


def _more_headers(answer: Answer) -> Answer:
    more = [
        (b"server", b"edge/2"),
        (b"vary", b"accept"),
        (b"x-request-id", b"4f2a"),
        (b"set-cookie", b"edge=1; Path=/"),
    ]
    return replace(answer, headers=[*more, *answer.headers])


def _charset(answer: Answer) -> Answer:
    return replace(
        answer,
        headers=[
            (name, value + b"; charset=UTF-8" if name.lower() == b"content-type" and b"json" in value else value)
            for name, value in answer.headers
        ],
    )


def _chunked(answer: Answer) -> Answer:
    if not answer.body:
        return answer
    kept = [(name, value) for name, value in answer.headers if name.lower() != b"content-length"]
    return replace(answer, headers=kept, chunked=True)


def _closed(answer: Answer) -> Answer:
    return replace(answer, headers=[*answer.headers, (b"connection", b"close")])


def _other_error(answer: Answer) -> Answer:
    """Refusals with a body of another kind; what a refusal says is in its status."""
    if answer.status < 400 or not answer.body:
        return answer
    body = json.dumps({"type": "about:blank", "status": answer.status, "detail": "no"}).encode()
    changed = {b"content-type": b"application/problem+json", b"content-length": str(len(body)).encode()}
    return replace(
        answer, headers=[(name, changed.get(name.lower(), value)) for name, value in answer.headers], body=body
    )


def _header(headers: Headers, wanted: bytes) -> bytes:
    return next((value for name, value in headers if name.lower() == wanted), b"")


# SIP (RFC 3261 §7.3): names without case, compact forms, any order among different names

_COMPACT = {
    "via": "v", "from": "f", "to": "t", "call-id": "i", "contact": "m", "content-type": "c", "content-length": "l",
    "subject": "s", "supported": "k", "refer-to": "r", "referred-by": "b",
}  # fmt: skip


def _renamed(rename: Callable[[str], str]) -> Callable[[bytes], list[bytes]]:
    def change(data: bytes) -> list[bytes]:
        start, lines, body = _parts(data)
        renamed = []
        for line in lines:
            name, colon, value = line.partition(":")
            renamed.append(f"{rename(name.strip())}{colon}{value}")
        return [_whole(start, renamed, body)]

    return change


def _shuffled(data: bytes) -> list[bytes]:
    """Names in alphabetical order; lines of one name keep theirs."""
    start, lines, body = _parts(data)
    return [_whole(start, sorted(lines, key=lambda line: line.partition(":")[0].strip().lower()), body)]


def _more_sip_headers(data: bytes) -> list[bytes]:
    start, lines, body = _parts(data)
    return [_whole(start, [*lines, "Date: Thu, 26 Nov 2026 06:00:00 GMT", "X-Edge: 1", "Organization: Edge"], body)]


def _progress_first(data: bytes) -> list[bytes]:
    start, _, _ = _parts(data)
    if start != "SIP/2.0 180 Ringing":
        return [data]
    return [data.replace(b"SIP/2.0 180 Ringing", b"SIP/2.0 183 Session Progress", 1), data]


def _parts(data: bytes) -> tuple[str, list[str], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    start, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "surrogateescape")).split("\r\n")
    return start, lines, body


def _whole(start: str, lines: Iterable[str], body: bytes) -> bytes:
    return "\r\n".join([start, *lines, "", ""]).encode("utf-8", "surrogateescape") + body


_ALL = (
    Variant("http-slow", "every answer takes 300 ms longer", wait=_ANSWER_DELAY),
    Variant("http-header-case", "header names in title case, in reverse order", answer=_title_case),
    Variant("http-more-headers", "answers carry headers of a proxy, and a cookie", answer=_more_headers),
    Variant("http-charset", "JSON is declared with its charset", answer=_charset),
    Variant("http-chunked", "bodies come chunked, in pieces", answer=_chunked),
    Variant("http-closed", "each answer closes its connection", answer=_closed),
    Variant("http-more-members", "every JSON object has a member more", answer=_with_json(_more_members)),
    Variant("http-spelling", "JSON in another order of members, with white space", answer=_with_json(_reordered, _spelled)),
    Variant("http-other-errors", "refusals come as problem details (RFC 9457)", answer=_other_error),
    Variant("callback-slow", "every callback comes a second later", callback_wait=_CALLBACK_DELAY),
    Variant("callback-more-members", "callbacks have a member more in every object", callback=_with_json(_more_members)),
    Variant("callback-spelling", "callbacks in another spelling of JSON", callback=_with_json(_reordered, _spelled)),
    Variant("callback-header-case", "header names of callbacks in title case", callback=_title_case),
    Variant("callback-no-site", "callbacks of a deployment that is not hybrid", callback=_with_json(_without_site)),
    Variant("http-time-zone", "instants in another time zone", answer=_with_json(_elsewhere)),
    Variant("callback-time-zone", "instants of callbacks in another time zone", callback=_with_json(_elsewhere)),
    Variant("other-ids", "ids in another form", place=install_ids),
    Variant("sip-compact", "compact SIP header names", sip=_renamed(lambda name: _COMPACT.get(name.lower(), name))),
    Variant("sip-lower-case", "SIP header names in lower case", sip=_renamed(str.lower)),
    Variant("sip-order", "SIP headers in alphabetical order", sip=_shuffled),
    Variant("sip-more-headers", "SIP messages carry headers that nobody asked for", sip=_more_sip_headers),
    Variant("sip-progress-first", "183 before every 180", sip=_progress_first),
    Variant("sip-twice", "every SIP datagram arrives twice", sip=lambda data: [data, data]),
)  # fmt: skip
VARIANTS: dict[str, Variant] = {variant.id: variant for variant in _ALL}
