"""SIP addresses: URIs, name-addr values and parameters, taken apart and put together (RFC 3261 §19.1, §20, §25).

The rest of the engine and the systems call it for From, To, Contact, P-Asserted-Identity and their like. Pure
functions over text: it never touches a socket and never resolves a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

Params = tuple[tuple[str, str | None], ...]

_HOSTPORT = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.\-]+)(?::(\d{1,5}))?$")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]*$")
_USER_SAFE = "-_.!~*'()&=+$,;?/%"


class AddressError(ValueError):
    """A URI or a name-addr that does not follow the grammar; the text says what is wrong."""


def split_top(text: str, separator: str) -> list[str]:
    """Split at a separator that is outside quoted strings and angle brackets; empty parts are left out."""
    if separator not in text:
        stripped = text.strip()
        return [stripped] if stripped else []
    parts, start, quoted, angle, i = [], 0, False, False, 0
    while i < len(text):
        char = text[i]
        if quoted:
            if char == "\\":
                i += 1
            elif char == '"':
                quoted = False
        elif char == '"':
            quoted = True
        elif char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif char == separator and not angle:
            parts.append(text[start:i])
            start = i + 1
        i += 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def unquote_string(text: str) -> str:
    """The content of a quoted string, its escapes undone; other text comes back as it is."""
    text = text.strip()
    if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text


def quote_string(text: str) -> str:
    """A quoted string (RFC 3261 §25.1) with backslash and quote escaped; line breaks become spaces."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\r\n]+", " ", escaped) + '"'


def parse_params(text: str) -> Params:
    """Parameters such as `;lr;tag="a"`: names in lower case, values unquoted, None for a bare flag."""
    found: list[tuple[str, str | None]] = []
    for part in split_top(text, ";"):
        name, equals, value = part.partition("=")
        found.append((name.strip().lower(), unquote_string(value) if equals else None))
    return tuple(found)


def format_params(params: Params) -> str:
    """Parameters as text, each with its leading semicolon; values that are no tokens are quoted."""
    text = ""
    for name, value in params:
        if value is None:
            text += f";{name}"
        elif re.fullmatch(r"[^\s\";,<>=?]+", value):
            text += f";{name}={value}"
        else:
            text += f";{name}={quote_string(value)}"
    return text


@dataclass(frozen=True)
class SipUri:
    """A sip:, sips: or tel: URI. `user` is unescaped (the number of a tel: URI); `host` is empty for tel:."""

    scheme: str
    user: str | None
    host: str
    port: int | None = None
    params: Params = ()
    headers: str = ""
    password: str | None = None

    def param(self, name: str, default: str | None = None) -> str | None:
        """The value of a URI parameter; an empty string for a flag, the default when absent."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return default

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user}{format_params(self.params)}"
        user = ""
        if self.user is not None:
            user = quote(self.user, safe=_USER_SAFE.replace("%", ""))
            if self.password is not None:
                user += f":{self.password}"
            user += "@"
        port = f":{self.port}" if self.port is not None else ""
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{self.host}{port}{format_params(self.params)}{headers}"


def parse_uri(text: str) -> SipUri:
    """Parse a sip:, sips: or tel: URI.

    Raises AddressError for other schemes and for text that is no URI (blank, spaces, no host, port out of range).
    """
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not _SCHEME.match(scheme):
        raise AddressError(f"no URI scheme in {text!r}")
    if any(c in rest for c in ' \t\r\n<>"'):
        raise AddressError(f"white space or brackets inside the URI {text!r}")
    if scheme == "tel":
        number, _, params = rest.partition(";")
        if not number:
            raise AddressError(f"no number in {text!r}")
        return SipUri("tel", number, "", params=parse_params(params))
    if scheme not in ("sip", "sips"):
        raise AddressError(f"scheme {scheme!r} is not supported")
    userinfo, at, hostpart = rest.rpartition("@")
    hostpart, _, headers = hostpart.partition("?")
    hostport, _, params = hostpart.partition(";")
    match = _HOSTPORT.match(hostport)
    if not match:
        raise AddressError(f"no host in {text!r}")
    port = int(match[2]) if match[2] else None
    if port is not None and not 0 <= port <= 65535:
        raise AddressError(f"port out of range in {text!r}")
    user: str | None = None
    password: str | None = None
    if at:
        name, has_password, secret = userinfo.partition(":")
        user, password = unquote(name), secret if has_password else None
    return SipUri(scheme, user, match[1], port, parse_params(params), headers, password)


@dataclass(frozen=True)
class NameAddr:
    """A From, To, Contact or identity value: display name, URI as text, header parameters."""

    uri: str
    display: str = ""
    params: Params = field(default=())

    @property
    def parsed(self) -> SipUri:
        """The URI taken apart; AddressError when it is not sip:, sips: or tel:."""
        return parse_uri(self.uri)

    @property
    def user(self) -> str:
        """User part or telephone number; empty when the URI has none or is of another scheme."""
        try:
            return self.parsed.user or ""
        except AddressError:
            return ""

    @property
    def tag(self) -> str | None:
        """The dialog tag, None when there is none."""
        return self.param("tag")

    def param(self, name: str, default: str | None = None) -> str | None:
        """The value of a header parameter; an empty string for a flag, the default when absent."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return default

    def with_params(self, **params: str | None) -> NameAddr:
        """The same value with these parameters replaced or added."""
        kept = tuple(p for p in self.params if p[0] not in params)
        return replace(self, params=kept + tuple(params.items()))

    def without_params(self) -> NameAddr:
        """The same value without header parameters, as it is copied to another leg."""
        return replace(self, params=())

    def __str__(self) -> str:
        display = quote_string(self.display) + " " if self.display else ""
        return f"{display}<{self.uri}>{format_params(self.params)}"


def parse_name_addr(text: str) -> NameAddr:
    """Parse `"Name" <uri>;params` or `uri;params`; in the second form the parameters belong to the header.

    Raises AddressError when brackets or quotes do not pair, or when there is no URI.
    """
    text = text.strip()
    display = ""
    if text.startswith('"'):
        end = _closing_quote(text)
        display, text = unquote_string(text[: end + 1]), text[end + 1 :].lstrip()
        if not text.startswith("<"):
            raise AddressError("a display name is not followed by <")
    before, bracket, rest = text.partition("<")
    if bracket and ";" not in before and ":" not in before:
        uri, closing, params = rest.partition(">")
        if not closing:
            raise AddressError("< without >")
        params = params.strip()
        if params and not params.startswith(";"):
            raise AddressError("text after > that is no parameter")
        display = display or " ".join(before.split())
    else:
        uri, _, params = text.partition(";")
    uri = uri.strip()
    if ":" not in uri or not _SCHEME.match(uri.partition(":")[0]):
        raise AddressError(f"no URI in {text!r}")
    return NameAddr(uri, display, parse_params(params))


def _closing_quote(text: str) -> int:
    i = 1
    while i < len(text):
        if text[i] == "\\":
            i += 1
        elif text[i] == '"':
            return i
        i += 1
    raise AddressError("a quoted string does not end")
