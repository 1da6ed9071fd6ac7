"""The SIP side: one endpoint, and who takes a new call by the user part that it is for.

Made by the system. Calls to `ua…` are remote calls, all others are announced by newCall.
"""

from __future__ import annotations

from harness.reference.mediaservice.calls.control import CallControl
from harness.reference.mediaservice.calls.remote import RemoteCalls
from harness.reference.mediaservice.parts import Parts
from harness.reference.settings import Address
from harness.reference.sip import IncomingCall, SipEndpoint, parse_name_addr

REMOTE_PREFIX = "ua"


class Lines:
    """The endpoint and the two takers of calls."""

    def __init__(self, parts: Parts, control: CallControl, remote: RemoteCalls) -> None:
        self.parts = parts
        self.control = control
        self.remote = remote
        self.endpoint = parts.endpoint = SipEndpoint(on_invite=self.take)

    def take(self, call: IncomingCall) -> None:
        """A new call. Raises Refused."""
        user = parse_name_addr(f"<{call.request.uri}>").user
        taker = self.remote if user.startswith(REMOTE_PREFIX) else self.control
        taker.take(call)

    async def start(self, address: Address) -> None:
        """Listen on UDP and TCP. Raises OSError."""
        await self.endpoint.start(address.host, address.port)
        self.parts.mapping.host, self.parts.mapping.port = self.endpoint.host, self.endpoint.port

    async def stop(self) -> None:
        await self.parts.stop()
        await self.endpoint.stop()
