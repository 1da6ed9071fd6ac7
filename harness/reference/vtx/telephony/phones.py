"""The SIP side of VTX: users register and call with the passwords that they were given; the carrier calls in.

Made by the VTX system, asked by the API for presence. It decides who a SIP client is; what a call does is the business of
`routes` and `calls`.
"""

from __future__ import annotations

import logging

from harness.reference.settings import Address
from harness.reference.sip import DigestAuthenticator, IncomingCall, Registrar, SipEndpoint, SipUri
from harness.reference.vtx.directory import Directory
from harness.reference.vtx.model import User
from harness.reference.vtx.telephony.calls import Calls
from harness.reference.vtx.telephony.carrier import Carrier
from harness.reference.vtx.telephony.routes import Routes

_log = logging.getLogger("ringtrue.vtx")


class Phones:
    """Registrar and calls of the one SIP domain."""

    def __init__(self, directory: Directory, calls: Calls, carrier: Carrier, domain: str) -> None:
        self.directory = directory
        self.calls = calls
        self.carrier = carrier
        self.domain = domain
        self.registration = DigestAuthenticator(domain, self.password)
        self.calling = DigestAuthenticator(domain, self.password, proxy=True)
        self.registrar = Registrar(self.registration, allowed=self.may_register, domains=self.serves)
        self.routes = Routes(
            directory, carrier, lambda user: self.registrar.bindings(user.number), lambda uri: self.is_ours(uri)
        )
        self.endpoint = SipEndpoint(
            on_invite=self.take_call, on_register=self.registrar.handle, bindings=lambda: len(self.registrar)
        )

    def password(self, username: str, _realm: str) -> str | None:
        user = self.directory.by_login(username)
        return user.password if user else None

    def may_register(self, username: str, aor: str) -> bool:
        """Whether the user of that login may register that address: its own, and no other."""
        user = self.directory.by_login(username)
        return user is not None and user.number == aor.partition("@")[0]

    def serves(self, host: str) -> bool:
        """Whether an address of this host may be registered: the domain of the users, or our own address."""
        return host.lower() in (self.domain, self.endpoint.host)

    def is_ours(self, uri: SipUri) -> bool:
        """Whether a request for this URI is ours to route; another port of this machine is somebody else."""
        return self.serves(uri.host) and uri.port in (None, self.endpoint.port)

    async def take_call(self, call: IncomingCall) -> None:
        """A new call: known callers only (407 until then), and the carrier. Raises Refused."""
        caller = self.caller_of(call)
        route = self.routes.find(call.request.uri, caller)
        await self.calls.run(self.endpoint, call, caller, route)

    def caller_of(self, call: IncomingCall) -> User | None:
        """Our user who calls; None for the carrier. Raises Refused(407)."""
        if self.carrier.is_source(call.source):
            return None
        return self.directory.by_login(self.calling.require(call.request))

    def presence(self, user_id: int) -> str:
        """BUSY in a call, AVAILABLE with a telephone, OFFLINE without one; the documents name no values."""
        if self.calls.is_busy(user_id):
            return "BUSY"
        user = self.directory.by_id(user_id)
        return "AVAILABLE" if user and self.registrar.bindings(user.number) else "OFFLINE"

    async def start(self, address: Address) -> None:
        """Listen on UDP and TCP. Raises OSError."""
        await self.endpoint.start(address.host, address.port)

    async def stop(self) -> None:
        await self.endpoint.stop()
