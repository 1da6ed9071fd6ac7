"""The SIP side of Apidaze: accounts register here with the passwords that the API lists, and call.

Made by the Apidaze system, asked by the API for the status of an account. It decides who a SIP client is; what a call
does is the business of `calls`.
"""

from __future__ import annotations

import logging

from harness.reference.apidaze.calls import Calls
from harness.reference.apidaze.store import Store
from harness.reference.settings import Address
from harness.reference.sip import DigestAuthenticator, IncomingCall, Registrar, SipEndpoint

_log = logging.getLogger("ringtrue.apidaze")


class Phones:
    """Registrar and calls of the one SIP domain."""

    def __init__(self, store: Store, calls: Calls, domain: str) -> None:
        self.store = store
        self.calls = calls
        self.domain = domain
        self.registration = DigestAuthenticator(domain, self.password)
        self.calling = DigestAuthenticator(domain, self.password, proxy=True)
        self.registrar = Registrar(self.registration, domains=self.serves)
        self.endpoint = SipEndpoint(
            on_invite=self.take_call, on_register=self.registrar.handle, bindings=lambda: len(self.registrar)
        )

    def password(self, username: str, _realm: str) -> str | None:
        return self.store.password_of(username)

    def serves(self, host: str) -> bool:
        """Whether an address of this host may be registered: the domain of the status, or our own address."""
        return host in (self.domain, self.endpoint.host)

    async def take_call(self, call: IncomingCall) -> None:
        """A new call: known callers only (407 until then), then the external script. Raises Refused."""
        username = self.calling.require(call.request)
        await self.calls.run(call, username, self.endpoint.host.strip("[]"))
        _log.info("call %s from %s is over", call.call_id, username)

    def bindings(self, username: str) -> int:
        """How many SIP clients are registered with this account."""
        return len(self.registrar.bindings(username))

    def forget(self, username: str) -> None:
        """Remove the registrations of an account that is gone."""
        self.registrar.remove(username)

    async def start(self, address: Address) -> None:
        """Listen on UDP and TCP. Raises OSError."""
        await self.endpoint.start(address.host, address.port)

    async def stop(self) -> None:
        await self.endpoint.stop()
