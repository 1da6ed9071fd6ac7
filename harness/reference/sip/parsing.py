"""Bytes into SIP messages: strict limits, tolerant of legal oddities (RFC 3261 §7, §25; cases of RFC 4475).

The transports call it. A malformed message raises MalformedMessage, with enough of the request to answer it where
that much could be read. It never guesses a missing header and never grows past its limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .message import Headers, Message, Request, Response, header_key, parse_via
from .uri import AddressError, parse_name_addr, split_top

_METHOD = re.compile(r"^[A-Za-z0-9\-.!%*_+`'~]{1,64}$")
_NAME = re.compile(r"^[A-Za-z0-9\-.!%*_+`'~]+$")
_STATUS = re.compile(r"^SIP/2\.0 ([1-6]\d\d)(?: (.*))?$", re.IGNORECASE)
_CSEQ = re.compile(r"^(\d{1,10})\s+(\S+)$", re.ASCII)
_LENGTH = re.compile(
    rb"(?:^|\n)(?:content-length|l)[ \t]*:[ \t]*(?:\r?\n[ \t]+)?(\d{1,9})[ \t]*(?=\r|\n|$)", re.IGNORECASE
)
_SINGLE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type")


@dataclass(frozen=True)
class Limits:
    """Bounds of what is read: bytes of a message, number of header lines, characters of one line, Via values."""

    message: int = 65535
    headers: int = 256
    line: int = 8192
    vias: int = 70


DEFAULT_LIMITS = Limits()


class MalformedMessage(ValueError):  # noqa: N818
    """Bytes that are no SIP message. `status` is the answer due; `partial` is the request, where it can be answered."""

    def __init__(self, reason: str, status: int = 400, partial: Request | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.partial = partial


class Unframeable(ValueError):  # noqa: N818
    """A stream that cannot be cut into messages any more: the connection has to be closed."""


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Request | Response:
    """Parse one whole message. Raises MalformedMessage."""
    if len(data) > limits.message:
        raise MalformedMessage("message too large", 513)
    data = data.lstrip(b"\r\n")
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        head, blank, body = data.partition(b"\n\n")
    text = head.decode("utf-8", "replace")
    if "\n " in text or "\n\t" in text:
        text = re.sub(r"[ \t]*\r?\n[ \t]+", " ", text)
    lines = text.split("\n") if "\r" not in text else text.replace("\r\n", "\n").split("\n")
    start = lines[0]
    if start[:8].upper().startswith("SIP/2.0 "):
        return _parse_response(start, lines[1:], body, bool(blank), limits)
    return _parse_request(start, lines[1:], body, bool(blank), limits)


def _parse_response(start: str, lines: list[str], body: bytes, complete: bool, limits: Limits) -> Response:
    match = _STATUS.match(start.rstrip("\r"))
    if not match:
        raise MalformedMessage("status line")
    headers, fault = _parse_headers(lines, limits)
    response = Response(int(match[1]), (match[2] or "").strip(), headers, body)
    fault = fault or ("" if complete else "no end of headers") or _fault(response, limits)
    if fault:
        raise MalformedMessage(fault)
    return response


def _parse_request(start: str, lines: list[str], body: bytes, complete: bool, limits: Limits) -> Request:
    start = start.rstrip("\r")
    parts = start.split(" ")
    if len(parts) < 2 or not _METHOD.match(parts[0]) or "SIP/" not in start.upper():
        raise MalformedMessage("not a SIP start line", status=0)
    status, fault = 400, ""
    if len(start) > limits.line:
        status, fault = 414, "request line too long"
    elif len(parts) != 3:
        fault = "white space in the request line"
    elif parts[2].upper() != "SIP/2.0":
        status, fault = 505, "version"
    elif not re.match(r"^[A-Za-z][A-Za-z0-9+.\-]*:[^<>\"\s]+$", parts[1]):
        fault = "request-URI"
    headers, header_fault = _parse_headers(lines, limits)
    request = Request(parts[0], parts[1], headers, body)
    fault = fault or header_fault or ("" if complete else "no end of headers") or _fault(request, limits)
    if fault:
        raise MalformedMessage(fault, status, request if _answerable(request) else None)
    return request


def _parse_headers(lines: list[str], limits: Limits) -> tuple[Headers, str]:
    """Header lines and the first fault found in them; lines that are no header are left out."""
    headers, fault = Headers(), ""
    if len(lines) > limits.headers:
        lines, fault = lines[: limits.headers], "too many header lines"
    store = headers._lines
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not _NAME.match(name):
            if line.strip():
                fault = fault or "a header line without a name"
            continue
        if len(line) > limits.line:
            fault = fault or f"header {name[:40]} too long"
            continue
        store.append((header_key(name), name, value.strip(" \t\r")))
    return headers, fault


def _fault(message: Message, limits: Limits) -> str:
    """What is wrong with the headers that every message needs; empty when nothing is. Cuts or checks the body."""
    headers = message.headers
    counts: dict[str, int] = {}
    for key, _, _ in headers._lines:
        counts[key] = counts.get(key, 0) + 1
    for name in _SINGLE:
        if counts.get(name.lower(), 0) > 1:
            return f"{name} twice"
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        if name.lower() not in counts:
            return f"{name} missing"
    fault = _check_addresses(message, limits) or _check_numbers(message)
    return fault or _fit_body(message)


def _check_addresses(message: Message, limits: Limits) -> str:
    try:
        vias = message.headers.rows("Via")
        if len(vias) > limits.vias:
            return "too many Via values"
        first = split_top(vias[0], ",")
        message._via = parse_via(first[0] if first else "")
        _ = message.from_, message.to
        for row in message.headers.rows("Contact"):
            if row.strip() != "*":
                for value in split_top(row, ","):
                    parse_name_addr(value)
    except (AddressError, ValueError) as error:
        return str(error)
    call_id = message.call_id
    return "" if call_id and not re.search(r"\s", call_id) else "Call-ID"


def _check_numbers(message: Message) -> str:
    match = _CSEQ.match(message.headers.get("CSeq") or "")
    if not match or int(match[1]) >= 2**31:
        return "CSeq"
    if isinstance(message, Request) and match[2] != message.method:
        return "CSeq method is not the method of the request"
    hops = message.headers.get("Max-Forwards")
    if hops is not None and not (hops.isascii() and hops.isdigit() and int(hops[:9]) <= 255):
        return "Max-Forwards"
    return ""


def _fit_body(message: Message) -> str:
    length = message.headers.get("Content-Length")
    if length is None:
        return ""
    if not (length.isascii() and length.isdigit() and len(length) < 10):
        return "Content-Length"
    if int(length) > len(message.body):
        return "body shorter than Content-Length"
    message.body = message.body[: int(length)]
    return ""


def _answerable(request: Request) -> bool:
    """Whether a response can be addressed and matched: a readable top Via and the copied headers."""
    if request.method == "ACK" or any(name not in request.headers for name in ("From", "To", "Call-ID", "CSeq")):
        return False
    try:
        return bool(request.via.host)
    except ValueError:
        return False


class Framer:
    """Cuts a byte stream into messages by Content-Length (RFC 3261 §18.3); line ends between them are dropped."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self.pings = 0

    @property
    def pending(self) -> int:
        """Bytes of an unfinished message."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Whole messages so far. Raises Unframeable when the stream is beyond repair or past the limit."""
        self._buffer += data
        whole: list[bytes] = []
        while self._buffer:
            if self._buffer[0] in b"\r\n":
                stripped = self._buffer.lstrip(b"\r\n")
                self.pings += (len(self._buffer) - len(stripped)) >= 4 and not stripped
                self._buffer = stripped
                continue
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > self._limits.message:
                    raise Unframeable("headers do not end")
                break
            match = _LENGTH.search(self._buffer, 0, end + 2)
            if not match and re.search(rb"\n(?:content-length|l)[ \t]*:", self._buffer[:end], re.IGNORECASE):
                raise Unframeable("Content-Length cannot be read")
            total = end + 4 + (int(match[1]) if match else 0)
            if total > self._limits.message:
                raise Unframeable("message too large")
            if len(self._buffer) < total:
                break
            whole.append(bytes(self._buffer[:total]))
            del self._buffer[:total]
        return whole
