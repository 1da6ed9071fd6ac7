"""The raw record of a recorder: each flow in mitmproxy's own format as it completes, and a HAR made from it at the end.

Used by the recorder's addon and by whoever closes a run. Secrets are taken out before anything is written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qsl

from harness.redact import Redactor
from harness.timeline import Headers

if TYPE_CHECKING:
    from mitmproxy.http import Headers as MitmHeaders
    from mitmproxy.http import HTTPFlow, Message


WHOLE_HEADERS = "wire"
"""`about.headers` of an exchange whose headers are those of the wire; a browser's HAR may leave some out."""


class FlowFile:
    """Appends flows to a `.mitm` file, at most `limit` of them; each is on disk when `add` returns."""

    def __init__(self, path: Path, redactor: Redactor, limit: int) -> None:
        self.path = path
        self._redactor = redactor
        self._left = limit
        self._file: BinaryIO | None = path.open("wb")

    def add(self, flow: HTTPFlow) -> bool:
        """Store a flow; False when the bound has been reached."""
        from mitmproxy.io import tnetstring

        if self._left <= 0 or self._file is None:
            return False
        self._left -= 1
        state = flow.get_state()
        state["metadata"] = {}
        for side in ("request", "response"):
            if state.get(side):
                self._scrub(state[side])
        tnetstring.dump(state, self._file)
        self._file.flush()
        return True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _scrub(self, message: dict[str, Any]) -> None:
        parts: list[bytes] = [value for _, value in message["headers"]]
        parts += [message.get("path") or b"", message.get("content") or b""]
        whole = _text(b"\n".join(parts))
        if self._redactor.text(whole) == whole:
            return
        message["headers"] = tuple((name, self._mask(value)) for name, value in message["headers"])
        for name in ("path", "content"):
            if message.get(name):
                message[name] = self._mask(message[name])

    def _mask(self, value: bytes) -> bytes:
        return self._redactor.text(_text(value)).encode("utf-8", "surrogateescape")


def message_parts(message: Message) -> tuple[bytes, Headers, bool]:
    """Body without its content coding, headers that fit it, and whether all of the body is held."""
    headers = header_pairs(message.headers)
    if message.raw_content is None:
        return b"", headers, False
    try:
        body = message.get_content()
    except ValueError:  # not encoded as it says: that is for the checks to tell
        return message.raw_content, headers, True
    return body or b"", without_coding(headers), True


def header_pairs(headers: MitmHeaders) -> Headers:
    """Header fields as the timeline holds them."""
    return tuple((_plain(name), _plain(value)) for name, value in headers.fields)


def without_coding(headers: Headers) -> Headers:
    """Header fields of a body that is no longer encoded."""
    return tuple(pair for pair in headers if pair[0].lower() != "content-encoding")


def write_har(flows: Path, har: Path) -> int:
    """Write the flows of a `.mitm` file as HAR 1.2, one at a time; returns how many there were."""
    count = 0
    with har.open("w", encoding="utf-8") as out:
        out.write('{"log": {"version": "1.2", "creator": {"name": "ringtrue", "version": ""}, "entries": [')
        for entry in _entries(flows):
            out.write(("," if count else "") + "\n" + json.dumps(entry, ensure_ascii=False))
            count += 1
        out.write("\n]}}\n")
    return count


def _entries(flows: Path) -> Iterator[dict[str, Any]]:
    """Read the states of flows, not flows: making mitmproxy's objects again would take five times as long."""
    from mitmproxy.io import tnetstring

    with flows.open("rb") as source:
        while source.peek(1):
            state = tnetstring.load(source)
            if isinstance(state, dict) and state.get("type") == "http" and state.get("request"):
                yield _entry(state)


def _entry(state: dict[str, Any]) -> dict[str, Any]:
    request, response = state["request"], state.get("response") or {}
    began = request["timestamp_start"]
    took = max(0.0, ((response.get("timestamp_end") or request.get("timestamp_end") or began) - began) * 1000)
    path, body, answer = _plain(request["path"]), request.get("content") or b"", response.get("content") or b""
    host = next((value for name, value in request["headers"] if name.lower() == b"host"), b"") or request["authority"]
    host = host or f"{request['host']}:{request['port']}".encode()
    query = parse_qsl(path.partition("?")[2], keep_blank_values=True)
    entry: dict[str, Any] = {
        "startedDateTime": datetime.fromtimestamp(began, UTC).isoformat(),
        "time": took,
        "request": {
            "method": _plain(request["method"]),
            "url": f"http://{_plain(host)}{path}",
            "httpVersion": _plain(request["http_version"]),
            "cookies": [],
            "headers": _pairs(request),
            "queryString": [{"name": name, "value": value} for name, value in query],
            "headersSize": -1,
            "bodySize": len(body),
        },
        "response": {
            "status": response.get("status_code", 0),
            "statusText": _plain(response.get("reason", b"")),
            "httpVersion": _plain(response.get("http_version", b"")),
            "cookies": [],
            "headers": _pairs(response) if response else [],
            "content": _content(answer, _type(response)),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(answer) if response else -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
    }
    if body:
        content = _content(body, _type(request))
        entry["request"]["postData"] = {key: content[key] for key in content if key != "size"}
    if state.get("error"):
        entry["comment"] = state["error"]["msg"]
    return entry


def _content(raw: bytes, mime: str) -> dict[str, Any]:
    try:
        return {"size": len(raw), "mimeType": mime, "text": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {
            "size": len(raw),
            "mimeType": mime,
            "text": base64.b64encode(raw).decode("ascii"),
            "encoding": "base64",
        }


def _pairs(message: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": _plain(name), "value": _plain(value)} for name, value in message["headers"]]


def _type(message: dict[str, Any]) -> str:
    fields = message.get("headers", ())
    return next((_plain(value) for name, value in fields if name.lower() == b"content-type"), "")


def _plain(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
