"""SIP messages: Request, Response and Headers, and the text form of them (RFC 3261 §7, §20).

Every other module of the engine uses these classes; `parsing` makes them out of bytes. Header names are matched
without case and in their compact forms. Nothing here sends or receives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .uri import NameAddr, Params, format_params, parse_name_addr, parse_params, split_top

HeaderList = Iterable[tuple[str, str]]

COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
}

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}

_VIA = re.compile(
    r"^\s*SIP\s*/\s*2\.0\s*/\s*([A-Za-z]+)\s+(\[[0-9A-Fa-f:.]+\]|[^\s;:,]+)\s*(?::\s*(\d{1,5}))?\s*(;.*)?$",
    re.IGNORECASE | re.DOTALL,
)


def header_key(name: str) -> str:
    """The form under which a header name is compared: lower case, compact forms written out."""
    lower = name.lower()
    full = COMPACT.get(lower) if len(lower) == 1 else None
    return full.lower() if full else lower


class Headers:
    """The header lines of one message, in order. Names compare without case; compact names are their long form."""

    __slots__ = ("_lines",)

    def __init__(self, lines: HeaderList = ()) -> None:
        self._lines: list[tuple[str, str, str]] = []
        for name, value in lines:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Append one header line. Line breaks in the value become spaces: a value can never add a header."""
        if "\r" in value or "\n" in value:
            value = re.sub(r"[\r\n]+", " ", value)
        self._lines.append((header_key(name), name, value))

    def prepend(self, name: str, value: str) -> None:
        """Put one header line before all others (a Via)."""
        self._lines.insert(0, (header_key(name), name, value))

    def set(self, name: str, value: str) -> None:
        """Replace all lines of that name by one, in the place of the first."""
        key = header_key(name)
        for index, line in enumerate(self._lines):
            if line[0] == key:
                rest = [entry for entry in self._lines[index + 1 :] if entry[0] != key]
                self._lines[index:] = [(key, name, value.replace("\r", " ").replace("\n", " ")), *rest]
                return
        self.add(name, value)

    def remove(self, name: str) -> None:
        """Drop all lines of that name; none is fine."""
        key = header_key(name)
        self._lines = [line for line in self._lines if line[0] != key]

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of the first line of that name, or the default."""
        key = header_key(name)
        for line in self._lines:
            if line[0] == key:
                return line[2]
        return default

    def rows(self, name: str) -> list[str]:
        """The values of all lines of that name, one per line, not split at commas."""
        key = header_key(name)
        return [line[2] for line in self._lines if line[0] == key]

    def values(self, name: str) -> list[str]:
        """The values of all lines of that name, split at commas outside quotes and brackets (RFC 3261 §7.3.1)."""
        return [value for row in self.rows(name) for value in split_top(row, ",")]

    def copy(self) -> Headers:
        """An independent copy."""
        twin = Headers()
        twin._lines = list(self._lines)
        return twin

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, value) for _, name, value in self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def replace_first(self, name: str, value: str) -> None:
        """Change the first line of that name only (the top Via)."""
        key = header_key(name)
        for index, line in enumerate(self._lines):
            if line[0] == key:
                self._lines[index] = (key, line[1], value)
                return


@dataclass(frozen=True)
class Via:
    """One Via value: transport in upper case, sent-by, parameters (RFC 3261 §20.42)."""

    transport: str
    host: str
    port: int | None
    params: Params

    def param(self, name: str) -> str | None:
        """The value of a parameter; an empty string for a flag, None when absent."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return None

    @property
    def branch(self) -> str:
        """The branch parameter, empty when absent (RFC 2543 peers)."""
        return self.param("branch") or ""

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        return f"SIP/2.0/{self.transport} {self.host}{port}{format_params(self.params)}"


def parse_via(text: str) -> Via:
    """Parse one Via value. Raises ValueError when it is none, or its port is out of range."""
    match = _VIA.match(text)
    if not match:
        raise ValueError(f"not a Via value: {text[:80]!r}")
    port = int(match[3]) if match[3] else None
    if port is not None and port > 65535:
        raise ValueError("port out of range in Via")
    return Via(match[1].upper(), match[2], port, parse_params(match[4] or ""))


class Message:
    """What requests and responses share. `body` is bytes; Content-Length is written when serialised."""

    __slots__ = ("_from", "_to", "_via", "body", "headers")

    def __init__(self, headers: Headers, body: bytes = b"") -> None:
        self.headers = headers
        self.body = body
        self._via: Via | None = None
        self._from: NameAddr | None = None
        self._to: NameAddr | None = None

    def start_line(self) -> str:
        """The first line, without its line end."""
        raise NotImplementedError

    def serialise(self) -> bytes:
        """The message as it goes on the wire, UTF-8."""
        lines = [self.start_line()]
        lines += [f"{name}: {value}" for key, name, value in self.headers._lines if key != "content-length"]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("utf-8", "replace") + self.body

    @property
    def call_id(self) -> str:
        """Call-ID; empty when absent."""
        return self.headers.get("Call-ID") or ""

    @property
    def cseq(self) -> tuple[int, str]:
        """CSeq number and method; (0, "") when absent or malformed."""
        parts = (self.headers.get("CSeq") or "").split()
        return (int(parts[0]), parts[1]) if len(parts) == 2 and parts[0].isascii() and parts[0].isdigit() else (0, "")

    @property
    def from_(self) -> NameAddr:
        """From. Raises AddressError when it is absent or malformed (never after `parsing.parse`)."""
        if self._from is None:
            self._from = parse_name_addr(self.headers.get("From") or "")
        return self._from

    @property
    def to(self) -> NameAddr:
        """To. Raises AddressError when it is absent or malformed (never after `parsing.parse`)."""
        if self._to is None:
            self._to = parse_name_addr(self.headers.get("To") or "")
        return self._to

    @property
    def via(self) -> Via:
        """The top Via. Raises ValueError when it is absent or malformed (never after `parsing.parse`)."""
        if self._via is None:
            values = self.headers.values("Via")
            self._via = parse_via(values[0] if values else "")
        return self._via

    def replace_top_via(self, via: Via) -> None:
        """Write the top Via anew, leaving the ones below it as they are."""
        first, *others = split_top(self.headers.rows("Via")[0], ",")
        assert first
        self.headers.replace_first("Via", ", ".join([str(via), *others]))
        self._via = via


class Request(Message):
    """A request: method (case matters), request-URI as text, headers, body."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri

    def start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri} {self.call_id}>"


class Response(Message):
    """A response: status code, reason phrase, headers, body."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = reason

    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason} {self.call_id}>"


_COPIED = ("via", "from", "to", "call-id", "cseq")


def response_to(
    request: Request,
    status: int,
    reason: str | None = None,
    headers: HeaderList = (),
    body: bytes = b"",
    to_tag: str | None = None,
) -> Response:
    """A response with the headers that RFC 3261 §8.2.6.2 copies; `to_tag` is added where To has none."""
    lines = Headers()
    for key, name, value in request.headers._lines:
        if key not in _COPIED:
            continue
        if key == "to" and to_tag and ";tag=" not in value.rpartition(">")[2].lower().replace(" ", ""):
            value = f"{value};tag={to_tag}"
        lines._lines.append((key, name, value))
    for name, value in headers:
        lines.add(name, value)
    phrase = re.sub(r"[\r\n]+", " ", reason) if reason is not None else REASONS.get(status, "Unknown")
    return Response(status, phrase, lines, body)
