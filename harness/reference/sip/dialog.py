"""Dialog state: tags, sequence numbers, route set and remote target (RFC 3261 §12).

Calls hold one Dialog and build their in-dialog requests from it. It never sends anything.
"""

from __future__ import annotations

import secrets

from .message import HeaderList, Headers, Request, Response
from .transport import Address
from .uri import AddressError, NameAddr, SipUri, parse_name_addr, parse_uri

DEFAULT_PORT = 5060


def new_tag() -> str:
    """A tag that nobody guesses."""
    return secrets.token_hex(6)


def address_of(uri: SipUri) -> Address:
    """Where a request for a sip: URI goes, without SRV look-ups. Raises AddressError for tel:."""
    if not uri.host:
        raise AddressError(f"no host to send to in {uri}")
    transport = (uri.param("transport") or "udp").lower()
    if transport not in ("udp", "tcp"):
        raise AddressError(f"transport {transport!r} is not supported")
    return Address(uri.host, uri.port or DEFAULT_PORT, transport)


class Dialog:
    """One dialog, early or confirmed. `local` and `remote` carry the tags; `remote.tag` is None before a response.

    `flow` is the peer's side of the socket that made the dialog.
    """

    __slots__ = ("call_id", "flow", "local", "local_seq", "remote", "remote_seq", "remote_target", "route_set")

    def __init__(self, call_id: str, local: NameAddr, remote: NameAddr, remote_target: str, local_seq: int) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.remote_target = remote_target
        self.route_set: list[str] = []
        self.local_seq = local_seq
        self.remote_seq = -1
        self.flow: Address | None = None

    @classmethod
    def for_uas(cls, request: Request, source: Address) -> Dialog:
        """The dialog that answering this INVITE makes; `source` is where it came from."""
        local = request.to.with_params(tag=new_tag())
        dialog = cls(request.call_id, local, request.from_, request.from_.uri, 0)
        dialog.route_set = request.headers.values("Record-Route")
        dialog.remote_seq = request.cseq[0]
        dialog.refresh_target(request)
        dialog.flow = source
        return dialog

    @property
    def key(self) -> tuple[str, str]:
        """Call-ID and local tag: what finds the dialog of an incoming request."""
        return self.call_id, self.local.tag or ""

    def refresh_target(self, message: Request | Response) -> None:
        """Take the remote target from the Contact, if there is one (§12.2)."""
        contact = message.headers.get("Contact")
        if contact:
            try:
                self.remote_target = parse_name_addr(contact).uri
            except AddressError:
                return

    def learn(self, response: Response) -> None:
        """Take remote tag, route set (reversed, §12.1.2) and target from a response to our INVITE."""
        self.remote = response.to
        self.route_set = response.headers.values("Record-Route")[::-1]
        self.refresh_target(response)

    def request(
        self,
        method: str,
        headers: HeaderList = (),
        body: bytes = b"",
        content_type: str | None = None,
        seq: int | None = None,
    ) -> Request:
        """An in-dialog request without Via and Contact (§12.2.1.1). ACK gives the sequence number of its INVITE."""
        if seq is None:
            self.local_seq += 1
            seq = self.local_seq
        uri, routes = self.remote_target, list(self.route_set)
        if routes and ";lr" not in routes[0].lower():
            uri, routes = parse_name_addr(routes[0]).uri, [*routes[1:], f"<{self.remote_target}>"]
        lines = Headers([("Max-Forwards", "70"), ("From", str(self.local)), ("To", str(self.remote))])
        lines.add("Call-ID", self.call_id)
        lines.add("CSeq", f"{seq} {method}")
        for route in routes:
            lines.add("Route", route)
        for name, value in headers:
            lines.add(name, value)
        if body:
            lines.add("Content-Type", content_type or "application/sdp")
        return Request(method, uri, lines, body)

    def next_hop(self) -> Address:
        """Where in-dialog requests go: the first route, or the remote target. Raises AddressError."""
        if self.route_set:
            return address_of(parse_name_addr(self.route_set[0]).parsed)
        return address_of(parse_uri(self.remote_target))
