"""Reads SIP messages: header fields, addresses and URIs of one message; statuses and final answers of several.

Checks of call flows and scenario steps call it with the `SipMessage`s of a timeline. It is liberal in what it reads (RFC
3261 7.3: compact names, folded lines, any case, several values in a line), never raises on what a peer sent, and judges
nothing: a rule of SIP that no document under test repeats is no clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from harness.timeline import SipMessage

# RFC 3261 7.3.3 and 20, RFC 3265, 3515, 3892, 4028, 3841, 4474
_COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "n": "identity-info", "o": "event", "r": "refer-to", "s": "subject",
    "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}  # fmt: skip
_STATUS_LINE = re.compile(r"(?i)SIP/\d+\.\d+[ \t]+(\d{3})(?:[ \t]+(.*))?")
_BLANK_LINE = re.compile(r"\r?\n[ \t]*\r?\n")
_PARAMETER = re.compile(r';\s*([^\s;=]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?')
_DEFAULT_PORTS = {"sip": 5060, "sips": 5061}


@dataclass(frozen=True, slots=True)
class Uri:
    """A SIP, SIPS or tel URI. `user` has neither password nor parameters and is unescaped; `port` None: not given."""

    text: str
    scheme: str = ""
    user: str = ""
    host: str = ""
    port: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    user_parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def destination(self) -> tuple[str, str, str, int | None]:
        """What makes two URIs lead to the same place: scheme, user, host, port (the default one where none is given)."""
        return self.scheme, self.user, self.host, self.port or _DEFAULT_PORTS.get(self.scheme)


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec with the parameters of its header field (RFC 3261 20.10)."""

    name: str
    uri: Uri
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str | None:
        return self.parameters.get("tag")


@dataclass(frozen=True, slots=True)
class Reason:
    """One value of a Reason header field (RFC 3326): protocol (`SIP`, `Q.850`), cause, text."""

    protocol: str
    cause: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message taken apart. `status` None: a request; `method` of a response is that of its CSeq.

    `fields` are name (lower case, long form) and value, in order, one for each line. Of garbage everything is empty.
    """

    method: str
    status: int | None = None
    phrase: str = ""
    request_uri: Uri | None = None
    fields: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def headers(self, name: str) -> tuple[str, ...]:
        """All values of a header field, one for each of its lines; the name in long or compact form, in any case."""
        wanted = long_name(name)
        return tuple(value for known, value in self.fields if known == wanted)

    def header(self, name: str) -> str | None:
        """The first value of a header field; None when it is not there."""
        return next(iter(self.headers(name)), None)

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a header field that is a list: several lines, or several values in a line."""
        return tuple(part for value in self.headers(name) for part in split_list(value))

    def addresses(self, name: str) -> tuple[Address, ...]:
        return tuple(parse_address(value) for value in self.values(name) if value != "*")

    @property
    def is_request(self) -> bool:
        return self.status is None

    @property
    def call_id(self) -> str:
        return (self.header("call-id") or "").strip()

    @property
    def cseq(self) -> int | None:
        number = (self.header("cseq") or "").split()[:1]
        return int(number[0]) if number and re.fullmatch(r"[0-9]{1,10}", number[0]) else None

    @property
    def branch(self) -> str | None:
        """The branch of the topmost Via."""
        return next((_parameters(value).get("branch") for value in self.values("via")), None)

    @property
    def from_address(self) -> Address | None:
        return next(iter(self.addresses("from")), None)

    @property
    def to_address(self) -> Address | None:
        return next(iter(self.addresses("to")), None)

    @property
    def from_user(self) -> str | None:
        return self.from_address.uri.user if self.from_address else None

    @property
    def asserted(self) -> tuple[Address, ...]:
        """P-Asserted-Identity (RFC 3325)."""
        return self.addresses("p-asserted-identity")

    @property
    def diversions(self) -> tuple[Address, ...]:
        """Diversion (RFC 5806), the most recent first."""
        return self.addresses("diversion")

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(_reason(value) for value in self.values("reason"))

    @property
    def starts_dialog(self) -> bool:
        """Whether this is a request outside a dialog: its To has no tag (RFC 3261 12.1)."""
        return self.is_request and (self.to_address is None or self.to_address.tag is None)


def parse_message(text: str) -> Message:
    """Take a message apart; what cannot be read is left empty."""
    text = text.lstrip("\r\n")
    blank = _BLANK_LINE.search(text)
    head, body = (text[: blank.start()], text[blank.end() :]) if blank else (text.rstrip("\r\n"), "")
    lines = head.replace("\r\n", "\n").split("\n")
    fields: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t"):
            if fields:
                name, value = fields[-1]
                fields[-1] = (name, f"{value} {line.strip()}".strip())
            continue
        name, colon, value = line.partition(":")
        if colon and name.strip():
            fields.append((long_name(name), value.strip()))
    named = tuple(fields)
    status_line = _STATUS_LINE.fullmatch(lines[0].strip())
    if status_line:
        cseq = next((value.split() for name, value in named if name == "cseq"), [])
        method = cseq[1] if len(cseq) > 1 else ""
        return Message(method, int(status_line[1]), (status_line[2] or "").strip(), None, named, body)
    method, _, rest = lines[0].strip().partition(" ")
    uri, _, version = rest.strip().rpartition(" ")
    if not version.upper().startswith("SIP/"):
        return Message("", fields=named, body=body)
    return Message(method, None, "", parse_uri(uri), named, body)


def long_name(name: str) -> str:
    """The name of a header field in lower case and long form."""
    lower = name.strip().lower()
    return _COMPACT.get(lower, lower)


def parse_uri(text: str) -> Uri:
    """A URI; one without a scheme has only its text."""
    text = text.strip()
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        return Uri(text)
    if scheme == "tel":
        number, _, _ = rest.partition(";")
        return Uri(text, scheme, number, parameters=_parameters(rest))
    userinfo, at, place = rest.rpartition("@")
    place, _, _ = place.partition("?")
    host_port, _, _ = place.partition(";")
    host, port = _host_port(host_port)
    user, _, _ = userinfo.partition(":")
    user_parameters = _parameters(user) if at else {}
    name = unquote(user.partition(";")[0])
    return Uri(text, scheme, name, host, port, _parameters(place), user_parameters)


def parse_address(value: str) -> Address:
    """One value of From, To, Contact and their like: `"Name" <uri>;parameters`, or `uri;parameters`."""
    value = value.strip()
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"\s*', value)
    name = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    rest = value[quoted.end() :] if quoted else value
    before, opened, inside = rest.partition("<")
    if not opened:
        # Without angle brackets all parameters belong to the header field (RFC 3261 20.10).
        uri, semicolon, parameters = rest.partition(";")
        return Address(name, parse_uri(uri), _parameters(semicolon + parameters))
    uri, _, after = inside.partition(">")
    return Address(name or before.strip(), parse_uri(uri), _parameters(after))


def split_list(value: str) -> Iterator[str]:
    """The values of a list, at commas outside quotes and angle brackets."""
    if "," not in value:
        if value.strip():
            yield value.strip()
        return
    start, quoted, angled, escaped = 0, False, False, False
    for index, character in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "<>":
            angled = character == "<"
        elif character == "," and not angled:
            if part := value[start:index].strip():
                yield part
            start = index + 1
    if part := value[start:].strip():
        yield part


def fold_repeats(messages: Iterable[SipMessage]) -> tuple[SipMessage, ...]:
    """The messages without retransmissions: what an agent sent or got before, letter by letter, is the same message."""
    seen: set[tuple[str, str, str]] = set()
    kept: list[SipMessage] = []
    for message in messages:
        key = (message.agent, message.direction, message.text)
        if key not in seen:
            seen.add(key)
            kept.append(message)
    return tuple(kept)


def requests(messages: Iterable[SipMessage], method: str, *, direction: str | None = None) -> tuple[Message, ...]:
    """All requests of a method, retransmissions folded; `direction` (`in`, `out`) limits them to one."""
    return tuple(
        message for message in _parsed(messages, direction) if message.is_request and message.method == method.upper()
    )


def statuses(
    messages: Iterable[SipMessage], method: str = "INVITE", *, direction: str | None = None, call_id: str | None = None
) -> tuple[int, ...]:
    """The status codes of all answers to a method, in order, retransmissions folded."""
    return tuple(
        message.status
        for message in _parsed(messages, direction)
        if message.status is not None and message.method == method.upper() and call_id in (None, message.call_id)
    )


def final_answers(
    messages: Iterable[SipMessage], method: str = "INVITE", *, direction: str | None = None, call_id: str | None = None
) -> tuple[Message, ...]:
    """The final answers (200 and above) to a method, in order; a challenge (401, 407) is one too."""
    return tuple(
        message
        for message in _parsed(messages, direction)
        if (message.status or 0) >= 200 and message.method == method.upper() and call_id in (None, message.call_id)
    )


def _parsed(messages: Iterable[SipMessage], direction: str | None) -> Iterator[Message]:
    for message in fold_repeats(messages):
        if direction in (None, message.direction):
            yield parse_message(message.text)


def _parameters(text: str) -> dict[str, str]:
    """`;name=value` pairs, names in lower case, values without quotes; a name alone has the value ''."""
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(text):
        plain = value.strip()
        if len(plain) > 1 and plain[0] == plain[-1] == '"':
            plain = re.sub(r"\\(.)", r"\1", plain[1:-1])
        found.setdefault(name.lower(), plain)
    return found


def _host_port(text: str) -> tuple[str, int | None]:
    text = text.strip()
    host, colon, port = text.rpartition(":")
    if colon and re.fullmatch(r"[0-9]{1,5}", port) and (":" not in host or host.endswith("]")):
        return host.lower(), int(port)
    return text.lower(), None


def _reason(value: str) -> Reason:
    parameters = _parameters(value)
    cause = parameters.get("cause", "")
    number = int(cause) if re.fullmatch(r"[0-9]{1,4}", cause) else None
    return Reason(value.partition(";")[0].strip(), number, parameters.get("text", ""))
