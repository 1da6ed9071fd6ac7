"""Reads recorded HTTP: flows of mitmproxy and HAR files, as exchanges that do not yet know who asked whom.

Bodies come out without their content coding. What a recording does not hold of a body is marked as missing, never taken
for an empty one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.drivers.recorder.flows import WHOLE_HEADERS, message_parts, without_coding
from harness.recordings.errors import RecordingError
from harness.timeline import Exchange, Headers, HttpRequest, HttpResponse

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow

LARGEST_HAR = 512 << 20
NOT_KEPT = "too-large: the recording does not hold the whole body"


def read_flows(path: Path) -> Iterator[Exchange]:
    """Raises RecordingError where the file holds no flows, or breaks off."""
    from mitmproxy.exceptions import FlowReadException
    from mitmproxy.http import HTTPFlow
    from mitmproxy.io import FlowReader

    with path.open("rb") as file:
        flows = iter(FlowReader(file).stream())
        count = 0
        while True:
            try:
                flow = next(flows, None)
            except FlowReadException as error:
                if count:
                    raise RecordingError(f"{path}: truncated or broken after {count} flows: {error}") from error
                raise RecordingError(f"{path}: no flows of mitmproxy: {error}") from error
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                words = f"{path}: broken after {count} flows: {type(error).__name__}: {error}"
                raise RecordingError(words) from error
            if flow is None:
                return
            count += 1
            if isinstance(flow, HTTPFlow):
                yield _flow(flow)


def _flow(flow: HTTPFlow) -> Exchange:
    request, response = flow.request, flow.response
    body, headers, whole = message_parts(request)
    failure = None if whole else NOT_KEPT
    answer = None
    if flow.error is not None:
        failure = f"protocol: {flow.error.msg}"
    elif response is None:
        failure = "protocol: the recording holds no answer"
    else:
        kept, fields, complete = message_parts(response)
        answer = HttpResponse(response.status_code, fields, kept, response.reason or "", truncated=not complete)
    began = request.timestamp_start
    ended = (response.timestamp_end if response else None) or request.timestamp_end or began
    about = {"headers": WHOLE_HEADERS} if request.http_version.startswith("HTTP/1") else {}
    host = request.host_header
    url = f"{request.scheme}://{host}{request.path}" if host and not request.data.authority else request.url
    sent = HttpRequest(request.method, url, headers, body)
    return Exchange(began, request=sent, response=answer, ended=max(began, ended), failure=failure, about=about)


def read_har(path: Path, text: bytes) -> Iterator[Exchange]:
    """Raises RecordingError where the file is no HAR 1.2."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: not JSON, or cut short: {error}") from error
    log = document.get("log") if isinstance(document, Mapping) else None
    entries = log.get("entries") if isinstance(log, Mapping) else None
    if not isinstance(entries, list):
        raise RecordingError(f"{path}: JSON, but no HAR: it has no log.entries")
    for number, entry in enumerate(entries):
        try:
            yield _entry(entry)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, binascii.Error) as error:
            words = f"{path}: log.entries[{number}] is no HAR entry: {type(error).__name__}: {error}"
            raise RecordingError(words) from error


def _entry(entry: Mapping[str, Any]) -> Exchange:
    request, response = entry["request"], entry["response"]
    at = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    posted = request.get("postData")
    body, whole = _text(posted, int(request.get("bodySize", -1))) if posted else (b"", request.get("bodySize", 0) < 1)
    headers = without_coding(_fields(request))
    failure: str | None = None if whole else NOT_KEPT
    answer = None
    if int(response["status"]) == 0:
        failure = f"protocol: {entry.get('comment') or response.get('_error') or 'the recording holds no answer'}"
    else:
        kept, complete = _text(response.get("content") or {}, -1)
        answer = HttpResponse(
            int(response["status"]), without_coding(_fields(response)), kept, str(response.get("statusText", "")),
            truncated=not complete,
        )  # fmt: skip
    sent = HttpRequest(str(request["method"]), str(request["url"]), headers, body)
    ended = at + max(0.0, float(entry.get("time") or 0)) / 1000
    return Exchange(at, request=sent, response=answer, ended=ended, failure=failure)


def _text(content: Mapping[str, Any], size: int) -> tuple[bytes, bool]:
    """A body, and whether the HAR holds it: tools leave bodies out, and say how long they were."""
    text = content.get("text")
    if text is None and content.get("params"):
        return b"", False
    if text is None:
        return b"", max(size, int(content.get("size") or 0)) < 1
    if content.get("encoding") == "base64":
        return base64.b64decode(text, validate=True), True
    return str(text).encode("utf-8", "backslashreplace"), True


def _fields(message: Mapping[str, Any]) -> Headers:
    pairs = ((str(each["name"]), str(each["value"])) for each in message.get("headers", ()))
    return tuple(pair for pair in pairs if not pair[0].startswith(":"))
