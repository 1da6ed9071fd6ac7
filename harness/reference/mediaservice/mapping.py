"""SIP headers to members and back: what newCall tells of an INVITE, and what an answer's members put into one.

Pure functions over messages and answers (MS /newCall, /callEvent, /{domain}/placeivrcall), in one class so that a fault
can replace one of them. It opens and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.reference.sip import AddressError, NameAddr, Request, SipUri, parse_name_addr, parse_uri
from harness.reference.sip.message import Headers

Members = Mapping[str, Any]
Header = tuple[str, str]
_ANONYMOUS = NameAddr("sip:anonymous@anonymous.invalid", "Anonymous")


@dataclass(frozen=True)
class Outgoing:
    """An INVITE to be sent: its request-URI, From, To, Contact value and further headers."""

    uri: str
    caller: NameAddr
    callee: NameAddr
    contact: str | None
    headers: tuple[Header, ...]


@dataclass(frozen=True)
class Inbound:
    """What a new leg may copy: the user and display name of the inbound From, and the inbound headers."""

    user: str
    display: str = ""
    headers: Headers | None = None


class SipMapping:
    """Both directions. `host` and `port` are those of the platform's own addresses."""

    host = "127.0.0.1"
    port = 5060

    def reported(self, request: Request, source: str) -> dict[str, Any]:
        """What newCall tells of an INVITE that came from the address `source`."""
        headers = request.headers
        sender, identity = request.from_, _first(headers.values("P-Asserted-Identity"))
        members: dict[str, Any] = {
            "sipCallId": request.call_id,
            "callingPartyPrivacy": "secret" if _asks_privacy(headers) else "public",
            "callingParty": (identity.user if identity else "") or sender.user,
            "fromUser": sender.user,
            "calledParty": parse_name_addr(f"<{request.uri}>").user,
            "srcAddr": source,
        }
        display = (identity.display if identity else "") or sender.display
        found: dict[str, Any] = {
            "displayName": display,
            "xHeaders": prefixed(headers, "x-"),
            "pHeaders": prefixed(headers, "p-"),
            "copyHeaders": [*prefixed(headers, "x-"), *prefixed(headers, "p-")],
            "diversionHeaders": ", ".join(headers.rows("Diversion")),
            "referredBy": headers.get("Referred-By"),
            "paiNumber": identity.user if identity else "",
            "subject": headers.get("Subject"),
        }
        return members | {name: value for name, value in found.items() if value}

    def outgoing(self, uri: str, asked: Members, inbound: Inbound, origin: str) -> Outgoing:
        """The INVITE to `uri` that the members of an answer (or of placeivrcall) ask for.

        `origin` is where they come from: "newCall", "callEvent" or "placeivrcall". Raises AddressError.
        """
        del origin
        target = parse_uri(uri)
        number = _text(asked, "sipFrom")
        display = _text(asked, "displayName") or ("" if number else inbound.display)
        caller = self.name_addr(number or inbound.user, display)
        if asked.get("callerPrivacy") is True:
            caller = _ANONYMOUS
        callee = NameAddr(str(SipUri(target.scheme, _text(asked, "sipTo") or target.user, target.host, target.port)))
        contact = self.contact(caller.user, asked)
        return Outgoing(uri, caller, callee, contact, tuple(self.headers(asked, inbound)))

    def headers(self, asked: Members, inbound: Inbound) -> list[Header]:
        """The headers beside the usual ones."""
        lines: list[Header] = []
        for member, name in (("sipPAI", "P-Asserted-Identity"), ("sipRPID", "Remote-Party-ID")):
            if _text(asked, member):
                lines.append((name, str(self.name_addr(_text(asked, member)))))
        if _text(asked, "sipDiversion"):
            params = _parameters(asked, "sipDiversionParameters")
            lines.append(("Diversion", str(self.name_addr(_text(asked, "sipDiversion")).with_params(**params))))
        if asked.get("callerPrivacy") is True:
            lines.append(("Privacy", "id"))
        given = given_headers(asked.get("xHeaders"), "x-") + given_headers(asked.get("pHeaders"), "p-")
        present = {name.lower() for name, _ in (*lines, *given)}
        return lines + given + [line for line in self.copied(asked, inbound) if line[0].lower() not in present]

    def copied(self, asked: Members, inbound: Inbound) -> list[Header]:
        """The inbound headers that copyHeaders names."""
        names = asked.get("copyHeaders")
        wanted = {name.lower() for name in names if isinstance(name, str)} if isinstance(names, list) else set()
        return [line for line in inbound_headers(inbound) if line[0].lower() in wanted]

    def monitoring(self, uri: str, asked: Members, inbound: Inbound, origin: str) -> Outgoing:
        """The INVITE of a monitoring leg: copied from the call that it monitors, but for what the answer sets."""
        del origin
        target = parse_uri(uri)
        number = _text(asked, "monitorSipFrom")
        caller = self.name_addr(number or inbound.user, "" if number else inbound.display)
        lines = [("P-Asserted-Identity", str(self.name_addr(number)))] if number else []
        own = [*given_headers(asked.get("xHeaders"), "x-"), *given_headers(asked.get("pHeaders"), "p-")]
        taken = {line[0].lower() for line in own}
        base = own + [line for line in inbound_headers(inbound) if line[0].lower() not in taken]
        for member, prefix in (("monitorXHeaders", "x-"), ("monitorPHeaders", "p-")):
            named = asked.get(member)
            if isinstance(named, dict):
                changed = {str(name).lower() for name in named}
                base = [line for line in base if line[0].lower() not in changed] + given_headers(named, prefix)
        lines += [line for line in base if not number or line[0].lower() != "p-asserted-identity"]
        callee = NameAddr(str(SipUri(target.scheme, target.user, target.host, target.port)))
        return Outgoing(uri, caller, callee, None, tuple(lines))

    def contact(self, user: str, asked: Members) -> str | None:
        """Our Contact with the parameters asked for; None where the usual one will do."""
        inside, behind = _parameters(asked, "contactUserParameters"), _parameters(asked, "contactParameters")
        if not inside and not behind:
            return None
        name = user + "".join(f";{key}={value}" for key, value in inside.items())
        return f"<{SipUri('sip', name, self.host, self.port, tuple(behind.items()))}>"

    def name_addr(self, user: str, display: str = "") -> NameAddr:
        """An address of that user at the platform; a whole URI stays as it is."""
        if user.lower().startswith(("sip:", "sips:", "tel:")):
            return NameAddr(user, display)
        return NameAddr(str(SipUri("sip", user or "anonymous", self.host, self.port)), display)


def prefixed(headers: Headers, prefix: str) -> dict[str, Any]:
    """The headers that begin with the prefix, by name; a list where one stands several times."""
    found: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for name, value in headers:
        if name.lower().startswith(prefix):
            found.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def inbound_headers(inbound: Inbound) -> list[Header]:
    """The X- and P- headers of the inbound INVITE, in order."""
    lines = inbound.headers or ()
    return [(name, value) for name, value in lines if name.lower().startswith(("x-", "p-"))]


def given_headers(named: object, prefix: str) -> list[Header]:
    """Header lines of an object of headers: one per value; names without the prefix and empty values are left out."""
    lines: list[Header] = []
    for name, value in named.items() if isinstance(named, dict) else ():
        if not str(name).lower().startswith(prefix) or not str(name).replace("-", "").isalnum():
            continue
        values = value if isinstance(value, list) else [value]
        lines += [(_titled(name), str(one)) for one in values if one not in (None, "")]
    return lines


def _titled(name: str) -> str:
    """x-header1 as X-Header1, the form that the document shows."""
    return "-".join(part[:1].upper() + part[1:] for part in name.split("-"))


def _text(asked: Members, member: str) -> str:
    value = asked.get(member)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _parameters(asked: Members, member: str) -> dict[str, str]:
    named = asked.get(member)
    return {str(name): str(value) for name, value in named.items()} if isinstance(named, dict) else {}


def _asks_privacy(headers: Headers) -> bool:
    asked = {word.strip().lower() for row in headers.rows("Privacy") for word in row.replace(";", ",").split(",")}
    return bool(asked & {"id", "user", "header", "critical"})


def _first(values: list[str]) -> NameAddr | None:
    for value in values:
        try:
            return parse_name_addr(value)
        except AddressError:
            continue
    return None
