"""The registrar: who is reachable where (RFC 3261 §10.3).

Systems give its `handle` to the endpoint as `on_register` and ask `bindings` where to send calls. It keeps bindings in
memory, bounded, and forgets them when they expire; it never sends anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate

from .call import Refused
from .digest import DigestAuthenticator
from .message import Request, Response, response_to
from .transport import Address
from .uri import AddressError, NameAddr, parse_name_addr, parse_uri


@dataclass(frozen=True)
class Binding:
    """One contact of an address-of-record. `source` is where the REGISTER came from: the way through NAT and TCP."""

    contact: NameAddr
    source: Address
    expires_at: float
    call_id: str
    cseq: int
    username: str


class Registrar:
    """Bindings of one or more domains, behind digest authentication.

    `authenticator` None lets anybody register. `allowed(username, aor)` says whether that user may register that
    address-of-record ("user@host"); by default the user parts must be equal. Expiries in seconds.
    """

    def __init__(
        self,
        authenticator: DigestAuthenticator | None,
        allowed: Callable[[str, str], bool] | None = None,
        domains: Callable[[str], bool] | None = None,
        default_expires: int = 3600,
        min_expires: int = 0,
        max_expires: int = 86_400,
        max_contacts: int = 10,
        max_users: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.authenticator = authenticator
        self._allowed = allowed or (lambda username, aor: username == aor.partition("@")[0])
        self._domains = domains or (lambda _host: True)
        self.default_expires = default_expires
        self.min_expires = min_expires
        self.max_expires = max_expires
        self._max_contacts = max_contacts
        self._max_users = max_users
        self._clock = clock
        self._bindings: dict[str, list[Binding]] = {}
        self.on_change: Callable[[str, list[Binding]], None] | None = None

    def handle(self, request: Request, source: Address) -> Response:
        """Serve one REGISTER. Raises Refused: 401/407, 403, 404, 400, 423, 500 or 503."""
        username = self.authenticator.require(request) if self.authenticator else request.to.user
        aor = self._aor(request)
        if not self._allowed(username, aor):
            raise Refused(403)
        rows = request.headers.values("Contact")
        if rows:
            self._update(aor, self._changes(request, rows, aor, source, username), "*" in rows)
        current = self.bindings(aor)
        if rows and self.on_change:
            self.on_change(aor, current)
        headers = [("Contact", self._contact_row(binding)) for binding in current]
        return response_to(request, 200, headers=[*headers, ("Date", formatdate(usegmt=True))])

    def bindings(self, aor: str) -> list[Binding]:
        """The live contacts of "user@host" (host without case), newest first; of any host for a bare user."""
        self._purge()
        if "@" in aor:
            return list(self._bindings.get(self._normal(aor), ()))
        return [b for key, held in self._bindings.items() if key.partition("@")[0] == aor for b in held]

    def remove(self, user: str) -> None:
        """Forget every binding of that user name, when its account is gone."""
        self._bindings = {k: held for k, held in self._bindings.items() if all(b.username != user for b in held)}

    def __len__(self) -> int:
        self._purge()
        return sum(len(held) for held in self._bindings.values())

    def _aor(self, request: Request) -> str:
        try:
            uri = request.to.parsed
        except AddressError as error:
            raise Refused(400) from error
        if not uri.user or not self._domains(uri.host.lower()):
            raise Refused(404)
        return f"{uri.user}@{uri.host.lower()}"

    def _changes(
        self, request: Request, rows: list[str], aor: str, source: Address, username: str
    ) -> list[tuple[Binding, bool]]:
        """Each contact as a binding, with whether it is wanted (False: to be removed)."""
        general = request.headers.get("Expires")
        held = {_same(b.contact): b for b in self.bindings(aor)}
        if "*" in rows:
            if len(rows) > 1 or general is None or general.strip() != "0":
                raise Refused(400, "a * contact stands alone, with Expires: 0")
            return [(b, False) for b in held.values()]
        changes = []
        for row in rows:
            try:
                contact = parse_name_addr(row)
                parse_uri(contact.uri)
            except AddressError as error:
                raise Refused(400, "Contact") from error
            seconds = self._seconds(contact.param("expires", general))
            old = held.get(_same(contact))
            if old and old.call_id == request.call_id and request.cseq[0] <= old.cseq:
                raise Refused(500, "CSeq out of order")
            expiry = self._clock() + seconds
            binding = Binding(contact, source, expiry, request.call_id, request.cseq[0], username)
            changes.append((binding, seconds > 0))
        return changes

    def _seconds(self, text: str | None) -> int:
        """The expiry asked for, the default for none or nonsense (§10.3 step 7)."""
        value = (text or "").strip()
        seconds = int(value) if value.isascii() and value.isdigit() and len(value) < 11 else self.default_expires
        if 0 < seconds < self.min_expires:
            raise Refused(423, headers=[("Min-Expires", str(self.min_expires))])
        return min(seconds, self.max_expires)

    def _update(self, aor: str, changes: list[tuple[Binding, bool]], remove_all: bool) -> None:
        key = self._normal(aor)
        held = [] if remove_all else list(self._bindings.get(key, ()))
        for binding, wanted in changes:
            held = [b for b in held if _same(b.contact) != _same(binding.contact)]
            if wanted and not remove_all:
                held.insert(0, binding)
        if not held:
            self._bindings.pop(key, None)
        elif key not in self._bindings and len(self._bindings) >= self._max_users:
            raise Refused(503)
        else:
            self._bindings[key] = held[: self._max_contacts]

    def _purge(self) -> None:
        now = self._clock()
        gone = [key for key, held in self._bindings.items() if any(b.expires_at <= now for b in held)]
        for key in gone:
            live = [b for b in self._bindings[key] if b.expires_at > now]
            if live:
                self._bindings[key] = live
            else:
                del self._bindings[key]

    def _contact_row(self, binding: Binding) -> str:
        left = max(1, round(binding.expires_at - self._clock()))
        return str(replace(binding.contact, display="").with_params(expires=str(left)))

    @staticmethod
    def _normal(aor: str) -> str:
        user, _, host = aor.partition("@")
        return f"{user}@{host.lower()}"


def _same(contact: NameAddr) -> tuple[str, str, int, str]:
    """What makes two contacts one binding: user, host, port and transport."""
    uri = contact.parsed
    return uri.user or "", uri.host.lower(), uri.port or 5060, (uri.param("transport") or "udp").lower()
