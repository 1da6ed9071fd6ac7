"""Callable as a system of the reference platform: accounts, trunks, hooks, flow devices, and the calls that they steer.

Made by `systems`; faults patch its public parts before it starts. Its document: `callable-rest-api.txt`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.reference.callable.access import Access
from harness.reference.callable.api import BASE_PATH, Api
from harness.reference.callable.calling.dialler import Dialler
from harness.reference.callable.calling.hooks import Hooks
from harness.reference.callable.calling.inbound import Incoming
from harness.reference.callable.calling.outbound import VoiceCalls
from harness.reference.callable.calling.routing import Routing
from harness.reference.callable.calling.runner import Runner
from harness.reference.callable.fields import Json
from harness.reference.callable.store import Store, first_accounts
from harness.reference.fetch import Fetcher
from harness.reference.ports import lasting_port
from harness.reference.settings import Address, Settings, parse_address
from harness.reference.sip import IncomingCall, SipEndpoint
from harness.reference.systems import Table

if TYPE_CHECKING:
    from starlette.types import ASGIApp

USERNAME = "ringtrue"
# A user whose access tokens end while somebody waits for it.
SHORT_LIVED = "ringtrue-short-lived"
_SHORT_LIFE = 2
# Numbers of a range kept for drama, which nobody has: for calls that come out at the carrier.
OUTSIDE_NUMBERS = ("+441632960951", "+441632960952", "+441632960953", "+441632960954")


class CallableSystem:
    """The parts, and how they are joined."""

    name = "callable"

    def __init__(self, settings: Settings) -> None:
        self._sip = settings.sip
        self._password, self._short_lived_password = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
        self.store = Store(first_accounts())
        users = {USERNAME: self._password, SHORT_LIVED: self._short_lived_password}
        self.access = Access(users, settings.token_life, {SHORT_LIVED: _SHORT_LIFE})
        # Apart, so that slow event hooks hold up no call.
        self.event_fetcher, self.call_fetcher = Fetcher(), Fetcher()
        self.hooks = Hooks(self.store, self.event_fetcher, self.call_fetcher)
        self.endpoint = SipEndpoint(on_invite=self._take_call)
        self.routing = Routing(self.store, settings.pstn)
        self.dialler = Dialler(self.routing, self.endpoint)
        self.runner = Runner(self.store, self.dialler, self.hooks, self.call_fetcher)
        self.voice_calls = VoiceCalls(self.dialler, self.runner, self.hooks)
        self.incoming = Incoming(self.store, self.routing, self.dialler, self.runner, self.hooks)
        organisation: Json = {"id": secrets.token_hex(12), "name": "Example Group"}
        self.api = Api(self.store, self.access, self.voice_calls, organisation)
        self.knobs: Mapping[str, Callable[[str], None]] = {"pstn": self.set_carrier}

    async def _take_call(self, call: IncomingCall) -> None:
        await self.incoming.take_call(call)

    def set_carrier(self, address: str) -> None:
        """Send calls to outside numbers elsewhere from now on. Raises ValueError."""
        carrier = parse_address(address)
        if carrier.port == 0:
            raise ValueError(f"'{address}' has no port to which calls can be sent")
        self.routing.carrier = carrier

    def mounts(self) -> Mapping[str, ASGIApp]:
        return {BASE_PATH: self.api}

    async def start(self, sip: Address) -> None:
        await self.endpoint.start(sip.host, sip.port)
        self._sip = Address(sip.host, self.endpoint.port)
        if self.routing.carrier is None:
            # Where a carrier can listen, as nothing was said about it.
            host = self._sip.reachable().host
            self.routing.carrier = Address(host, lasting_port(host))
        self._warming = asyncio.gather(
            asyncio.to_thread(self.event_fetcher.warm_up), asyncio.to_thread(self.call_fetcher.warm_up)
        )

    async def stop(self) -> None:
        await self.endpoint.stop()
        await self.hooks.stop()
        await self._warming
        await self.event_fetcher.close()
        await self.call_fetcher.close()

    def target(self, http: Address) -> Table:
        carrier = self.routing.carrier
        return {
            "base_url": f"http://{http}{BASE_PATH}",
            "username": USERNAME,
            "password": self._password,
            "short_lived_username": SHORT_LIVED,
            "short_lived_password": self._short_lived_password,
            "account": next(iter(self.store.accounts)),
            "capabilities": self.capabilities(),
            "sip": {"address": str(self._sip.reachable()), "transport": "udp"},
            "pstn": {"listen": str(carrier), "numbers": list(OUTSIDE_NUMBERS)},
        }

    def capabilities(self) -> list[str]:
        """What the clauses may need and is there."""
        found = ["sip", "pstn", "callbacks", "short-tokens", "more-targets", "more-verbs", "flow-hooks"]
        if _has_neighbours(self._sip.reachable().host):
            found.append("foreign-source")
        return found


def _has_neighbours(host: str) -> bool:
    """Whether this is 127.0.0.x, where other addresses of the same machine can call from."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network("127.0.0.0/8")
    except ValueError:
        return False
