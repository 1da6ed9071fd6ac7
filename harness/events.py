"""What can be seen: the kinds of events of a record, and how each stands in a line of JSON.

Drivers make them, checks read them, and `harness.timeline` keeps them; who works with events imports them from there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

from harness.redact import Redactor

Headers = tuple[tuple[str, str], ...]


class TimelineError(Exception):
    """A record on disk cannot be used: truncated, of another version, or not a record at all."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it went over the wire; header order and repeats are kept."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer as it came over the wire. `truncated`: the body was longer than the driver keeps."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    reason: str = ""
    truncated: bool = False

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was seen. `at`: seconds since the epoch; `seq`: its place in the timeline, given by it."""

    at: float
    seq: int = field(default=-1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Exchange(Event):
    """A request and its answer; `ended` is when the answer was complete.

    `response` is None when no complete answer came; `failure` then says why (`connect`, `timeout`, `protocol`, `tls`,
    `too-large`, followed by a colon and details). `about` holds what the driver knows and the wire does not show:
    `auth` (valid, none, wrong, expired), `case` (what the stimulus was), `operation` (an operationId).
    """

    system: str = ""
    request: HttpRequest = field(default_factory=lambda: HttpRequest("GET", ""))
    response: HttpResponse | None = None
    ended: float | None = None
    failure: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpExchange(Exchange):
    """The harness asked, the implementation answered."""


@dataclass(frozen=True, slots=True)
class Callback(Exchange):
    """The implementation asked, the harness's recorder answered (`about.route`: which script answered)."""


@dataclass(frozen=True, slots=True)
class SipMessage(Event):
    """One SIP message at one of the harness's agents.

    `direction` is `in` or `out` as the agent sees it; `local` and `remote` are `host:port`; `text` is the whole
    message with its body; `repeats` counts retransmissions that were folded into this event.
    """

    agent: str
    direction: str
    local: str
    remote: str
    text: str
    transport: str = "udp"
    repeats: int = 0

    @property
    def start_line(self) -> str:
        return self.text.partition("\n")[0].rstrip("\r")


@dataclass(frozen=True, slots=True)
class MediaReport(Event):
    """What an RTP probe counted and heard, as plain figures (packets, codec, digits, milliseconds)."""

    agent: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something the harness did or noticed that has no wire form; `topic` is a stable word, `text` is for people."""

    topic: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


_KINDS: dict[str, type[Event]] = {
    "http": HttpExchange,
    "callback": Callback,
    "sip": SipMessage,
    "media": MediaReport,
    "note": Note,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}


def find_header(headers: Headers, name: str) -> str | None:
    """The first value of a header, by name without case; None when it is not there."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def declared_type(headers: Headers) -> str:
    """The media type that a message says its body has, in lower case and without parameters; '' without one."""
    return (find_header(headers, "content-type") or "").partition(";")[0].strip().lower()


def event_to_json(event: Event, redactor: Redactor | None = None) -> dict[str, Any]:
    """An event as plain JSON values, without secrets where a `redactor` is given; `event_from_json` is the way back."""
    result: dict[str, Any] = {"kind": _NAMES[type(event)]}
    for name in event.__dataclass_fields__:
        result[name] = _plain(getattr(event, name), redactor or _NOTHING_SECRET)
    return result


def event_from_json(item: Mapping[str, Any]) -> Event:
    """Raises TimelineError for a kind or member that this version does not know, or a member of a wrong type."""
    values = dict(item)
    kind = values.pop("kind", None)
    cls = _KINDS.get(str(kind))
    if cls is None:
        raise TimelineError(f"unknown kind of event {kind!r}: expected one of {', '.join(_KINDS)}")
    try:
        if issubclass(cls, Exchange):
            values["request"] = HttpRequest(**_revive(values["request"], HttpRequest))
            if values.get("response") is not None:
                values["response"] = HttpResponse(**_revive(values["response"], HttpResponse))
        return cls(**_typed(values, cls))
    except KeyError as error:
        raise TimelineError(f"broken {kind} event: it has no {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise TimelineError(f"broken {kind} event: {error}") from error


class _NothingSecret(Redactor):
    """Leaves everything as it is, for values that stay in memory."""

    def text(self, value: str) -> str:
        return value

    def data(self, value: bytes) -> bytes:
        return value

    def header(self, name: str, value: str) -> str:
        del name
        return value

    def scrub(self, value: Any) -> Any:
        return value


_NOTHING_SECRET = _NothingSecret()
_CONTROLS = bytes({*range(0x20)} - {*b"\b\t\n\f\r"})


def _plain(value: Any, redactor: Redactor) -> Any:
    match value:
        case HttpRequest() | HttpResponse():
            members = {name: _plain(getattr(value, name), redactor) for name in value.__dataclass_fields__}
            return {**members, "headers": [[name, redactor.header(name, text)] for name, text in value.headers]}
        case bytes():
            clean = redactor.data(value)
            escaped = len(clean) - len(clean.translate(None, _CONTROLS))
            if escaped <= len(clean) // 8:  # as JSON text each of them takes six bytes
                with suppress(UnicodeDecodeError):
                    return clean.decode("utf-8")
            return {"base64": base64.b64encode(clean).decode("ascii")}
        case tuple() | list():
            return [_plain(item, redactor) for item in value]
        case Mapping():
            return redactor.scrub({str(key): _plain(item, _NOTHING_SECRET) for key, item in value.items()})
        case str():
            return redactor.text(value)
        case _:
            return value


def _revive(message: Mapping[str, Any], cls: type[HttpRequest] | type[HttpResponse]) -> dict[str, Any]:
    values = dict(message)
    body = values.get("body", "")
    values["body"] = base64.b64decode(body["base64"]) if isinstance(body, Mapping) else str(body).encode()
    values["headers"] = tuple((str(name), str(value)) for name, value in values.get("headers", ()))
    return _typed(values, cls)


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "bool": (bool,),
    "Mapping[str, str]": (Mapping,),
    "Mapping[str, Any]": (Mapping,),
}


def _typed(values: dict[str, Any], cls: type) -> dict[str, Any]:
    """The values, once it is sure that each is of the type which its field says."""
    for member in fields(cls):
        allowed = _TYPES.get(str(member.type))
        if allowed and member.name in values and not isinstance(values[member.name], allowed):
            shown = type(values[member.name]).__name__
            raise TypeError(f"{member.name}: expected {member.type}, got {shown}")
    return values
