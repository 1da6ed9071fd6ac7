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

from harness.redact import Redactor

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow


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
    from mitmproxy.http import HTTPFlow
    from mitmproxy.io import FlowReader

    with flows.open("rb") as source:
        for flow in FlowReader(source).stream():
            if isinstance(flow, HTTPFlow):
                yield _entry(flow)


def _entry(flow: HTTPFlow) -> dict[str, Any]:
    request, response = flow.request, flow.response
    ended = (response.timestamp_end if response else None) or request.timestamp_end or request.timestamp_start
    took = max(0.0, (ended - request.timestamp_start) * 1000)
    entry: dict[str, Any] = {
        "startedDateTime": datetime.fromtimestamp(request.timestamp_start, UTC).isoformat(),
        "time": took,
        "request": {
            "method": request.method,
            "url": request.pretty_url,
            "httpVersion": request.http_version,
            "cookies": [],
            "headers": _pairs(request),
            "queryString": [{"name": name, "value": value} for name, value in request.query.items(multi=True)],
            "headersSize": -1,
            "bodySize": len(request.raw_content or b""),
        },
        "response": {
            "status": response.status_code if response else 0,
            "statusText": response.reason if response else "",
            "httpVersion": response.http_version if response else "",
            "cookies": [],
            "headers": _pairs(response) if response else [],
            "content": _content(response.raw_content if response else b"", _type(response)),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(response.raw_content or b"") if response else -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
    }
    if request.raw_content:
        content = _content(request.raw_content, _type(request))
        entry["request"]["postData"] = {key: content[key] for key in content if key != "size"}
    if flow.error:
        entry["comment"] = flow.error.msg
    return entry


def _content(body: bytes | None, mime: str) -> dict[str, Any]:
    raw = body or b""
    try:
        return {"size": len(raw), "mimeType": mime, "text": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {
            "size": len(raw),
            "mimeType": mime,
            "text": base64.b64encode(raw).decode("ascii"),
            "encoding": "base64",
        }


def _pairs(message: Any) -> list[dict[str, str]]:
    return [{"name": _plain(name), "value": _plain(value)} for name, value in message.headers.fields]


def _type(message: Any) -> str:
    return str(message.headers.get("content-type", "")) if message else ""


def _plain(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
