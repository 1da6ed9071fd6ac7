"""A VTX system inside the test's process, with telephones on real sockets, so that a fault catalogue is tried in seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from harness.reference.faults import FAULTS
from harness.reference.media import build_offer
from harness.reference.settings import Address, Settings
from harness.reference.sip import (
    Address as Peer,
)
from harness.reference.sip import (
    Credentials,
    IncomingCall,
    OutgoingCall,
    SipEndpoint,
)
from harness.reference.vtx import Vtx
from harness.reference.vtx.model import User
from harness.reference.web import Front
from tests.reference.vtx.client import Event, Receiver, subscription

LOCAL = Address("127.0.0.1", 0)
SETTINGS = Settings(systems=("vtx",), http=LOCAL, sip=LOCAL)
DEADLINE = 5.0


class Phone:
    """A telephone of a user, or the outside world for None. `calls` is what reached it; `answer` what it does then."""

    def __init__(self, rig: Rig, user: User | None) -> None:
        self.rig = rig
        self.user = user
        self.calls: list[IncomingCall] = []
        self.answer: Callable[[IncomingCall], Any] = pick_up
        self.endpoint = SipEndpoint(on_invite=self._take)

    def _take(self, call: IncomingCall) -> Any:
        self.calls.append(call)
        return self.answer(call)

    @property
    def credentials(self) -> Credentials:
        assert self.user is not None
        return Credentials(self.user.number, self.user.password)

    async def register(self, credentials: Credentials | None = None) -> int:
        """Register; the final status."""
        assert self.user is not None
        answer = await self.endpoint.request(
            "REGISTER",
            f"sip:{self.user.domain}",
            from_=f"<sip:{self.user.name}>",
            to=f"<sip:{self.user.name}>",
            headers=[("Contact", self.endpoint.contact_for(self.user.number, self.rig.sip)), ("Expires", "60")],
            credentials=credentials or self.credentials,
            destination=self.rig.sip,
        )
        return answer.status

    async def call(self, dialled: str, sdp: bytes | None = b"", credentials: Credentials | None = None) -> OutgoingCall:
        """Place a call; an offer unless `sdp` is None."""
        shown = self.user.name if self.user else "+41215550199@carrier.example"
        return await self.endpoint.invite(
            f"sip:{dialled}@{self.rig.system.phones.domain}",
            from_=f"<sip:{shown}>",
            sdp=build_offer("127.0.0.1", 9) if sdp == b"" else sdp,
            credentials=(credentials or self.credentials) if self.user else None,
            destination=self.rig.sip,
            ring_timeout=DEADLINE,
        )

    async def talk(self, dialled: str, seconds: float = 0.0) -> None:
        """A whole call: until it is answered, then so long, then hang up."""
        call = await self.call(dialled)
        await call.answered()
        await asyncio.sleep(seconds)
        call.hangup()


def pick_up(call: IncomingCall) -> None:
    call.progress(180)
    call.answer(build_offer("127.0.0.1", 9))


def busy(call: IncomingCall) -> None:
    call.reject(486)


class Rig:
    """The system, its API, a receiver of pushes, telephones of the first three users, and the outside world."""

    def __init__(self, receiver: Receiver, *faults: str) -> None:
        self.system = Vtx(SETTINGS)
        for fault in faults:
            FAULTS[fault].apply(self.system)
        self.receiver = receiver
        self.table = self.system.target(Address("127.0.0.1", 80))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=Front([self.system.mounts()])),
            base_url=str(self.table["base_url"]),
            auth=(self.system.login.username, self.system.login.password),
            headers={"x-c5-application": self.system.login.application, "content-type": "application/json"},
        )
        self.users = self.system.directory.users
        self.anna, self.bert, self.carl = (Phone(self, user) for user in self.users[:3])
        self.outside = Phone(self, None)

    @property
    def phones(self) -> tuple[Phone, ...]:
        return (self.anna, self.bert, self.carl, self.outside)

    @property
    def sip(self) -> Peer:
        return Peer("127.0.0.1", self.system.phones.endpoint.port)

    async def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.http.request(method, path, **options)

    async def subscribe(self, *users: User, path: str = "/calls", seconds: float = 60) -> dict[str, Any]:
        body = subscription(self.receiver.url(path), *(user.id for user in users), seconds=seconds)
        made: dict[str, Any] = (await self("POST", "/v1/subscriptions", json=body)).json()["subscription"]
        return made

    async def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self("GET", "/v1/subscriptions")).json()["subscriptions"]
        return found

    async def pushed(self, count: int) -> list[Event]:
        """The events that came, as soon as there are `count` and nothing more is under way."""
        async with asyncio.timeout(DEADLINE):
            while len(self.receiver.events()) < count:
                await asyncio.sleep(0.005)
        await self.settled()
        return self.receiver.events()

    @property
    def at_rest(self) -> bool:
        stats = self.system.phones.endpoint.stats()
        return not (stats.dialogs or stats.tasks or any(phone.endpoint.calls for phone in self.phones))

    async def settled(self) -> None:
        """Wait until no call is left and no push is under way."""
        async with asyncio.timeout(DEADLINE):
            while not self.at_rest or self.system.notifier.waiting:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def rig(*faults: str, registered: bool = True) -> AsyncIterator[Rig]:
    """A running system; its telephones are registered unless told otherwise."""
    with Receiver() as receiver:
        made = Rig(receiver, *faults)
        await made.system.start(LOCAL)
        carrier = made.system.carrier.address
        for phone in made.phones:
            await phone.endpoint.start(carrier.host, carrier.port if phone is made.outside else 0)
        try:
            if registered:
                for phone in made.phones[:3]:
                    assert await phone.register() == 200
            yield made
        finally:
            for phone in made.phones:
                await phone.endpoint.stop()
            await made.system.stop()
            await made.http.aclose()
