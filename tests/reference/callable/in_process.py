"""A Callable system in the test's process, with parties on real sockets, so that a fault catalogue is tried in seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from harness.reference.callable import CallableSystem
from harness.reference.faults import FAULTS
from harness.reference.media import RtpSession, answer_offer, build_offer, read_answer, tone
from harness.reference.settings import Address, Settings
from harness.reference.sip import Address as Peer
from harness.reference.sip import CallFailed, IncomingCall, OutgoingCall, SipEndpoint
from harness.reference.web import Front
from tests.reference.callable.client import GATEWAY, HOOK, TRUNK, Application, Json

LOCAL = Address("127.0.0.1", 0)
DEADLINE = 4.0
QUIET = 0.3


async def until(condition: Callable[[], bool], seconds: float = DEADLINE) -> bool:
    """Wait for a condition; whether it came to hold."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.005)
    return True


class Party:
    """A telephone somewhere: `does` is what it does with a call (answer, ring, or a status); `calls` is what reached it."""

    def __init__(self, does: str | int = "answer") -> None:
        self.does = does
        self.calls: list[IncomingCall] = []
        self.keys: list[str] = []
        self.endpoint = SipEndpoint(on_invite=self._take)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        await self.endpoint.start(host, port)
        self.session = await RtpSession.open()
        self.session.on_digit = self.keys.append

    async def stop(self) -> None:
        await self.endpoint.stop()
        self.session.close()

    @property
    def address(self) -> str:
        return f"{self.endpoint.host}:{self.endpoint.port}"

    @property
    def heard(self) -> int:
        """Packets of sound."""
        return self.session.stats.received

    def _take(self, call: IncomingCall) -> None:
        self.calls.append(call)
        if isinstance(self.does, int):
            call.reject(self.does)
            return
        call.progress(180)
        if self.does == "answer":
            self.answer(call)

    def answer(self, call: IncomingCall) -> None:
        agreement = answer_offer(call.remote_sdp, self.session.host, self.session.port)
        call.answer(agreement.sdp)
        self.session.apply(agreement)

    async def called(self, seconds: float = DEADLINE) -> bool:
        return await until(lambda: bool(self.calls), seconds)

    async def left_alone(self) -> bool:
        """That nobody calls for a while."""
        return not await self.called(QUIET)

    async def hung_up(self, seconds: float = DEADLINE) -> bool:
        """That the first call came and is over."""
        return await self.called(seconds) and await until(lambda: self.calls[0].over, seconds)

    async def call(self, sip: Peer, user: str) -> OutgoingCall:
        offer = build_offer(self.session.host, self.session.port)
        return await self.endpoint.invite(
            f"sip:{user}@{sip.host}", "<sip:+441632960951@caller.example>", sdp=offer, destination=sip, ring_timeout=3
        )

    async def status(self, sip: Peer, user: str) -> int:
        """Call; the final status. An answered call stands."""
        self.made = await self.call(sip, user)
        try:
            answer = await self.made.answered()
        except CallFailed as failure:
            return failure.code
        if answer.body:
            self.session.apply(read_answer(self.made.local_sdp or b"", answer.body))
        return answer.status


class Rig:
    """The system, its API, an application, a desk behind a trunk, and the carrier."""

    def __init__(self, application: Application | None, *faults: str, life: int = 3599) -> None:
        self._application = application
        # How long what ought to happen is waited for: with a fault, that it does not is what is expected.
        self.soon = 0.6 if faults else DEADLINE
        self.system = CallableSystem(Settings(systems=("callable",), http=LOCAL, sip=LOCAL, token_life=life))
        for fault in faults:
            FAULTS[fault].apply(self.system)
        self.table = self.system.target(Address("127.0.0.1", 80))
        self.account = str(self.table["account"])
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=Front([self.system.mounts()])),
            base_url=str(self.table["base_url"]),
            verify=False,
        )
        self.desk, self.carrier, self.pbx = Party(), Party(), Party()
        self.ddi: Json = {}

    @property
    def application(self) -> Application:
        assert self._application is not None
        return self._application

    @property
    def sip(self) -> Peer:
        return Peer("127.0.0.1", self.system.endpoint.port)

    async def token(self, **form: str) -> httpx.Response:
        given = form or {"username": str(self.table["username"]), "password": str(self.table["password"])}
        return await self.http.post("/oauth/authorize", data=given)

    async def __call__(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        full = path[1:] if path.startswith("//") else f"/account/{self.account}{path}"
        return await self.http.request(method, full, json=body, **options)

    async def create(self, kind: str, values: Json) -> str:
        before = {one["id"] for one in (await self("GET", f"/{kind}")).json()}
        await self("POST", f"/{kind}", values)
        return next((one["id"] for one in (await self("GET", f"/{kind}")).json() if one["id"] not in before), "none")

    async def trunk(self, address: str) -> str:
        ip, _, port = address.rpartition(":")
        return await self.create("trunk", TRUNK | {"ip": ip, "port": int(port)})

    async def gateway(self, extension: str, *trunks: str) -> str:
        values = {"type": "SIP_GATEWAY", "name": "Gateway", "extension": extension}
        return await self.create("device", values | {"sipGateway": GATEWAY | {"trunks": list(trunks)}})

    async def route_start(self, connect_to: str) -> str:
        values = {"type": "ROUTE_START", "name": "Start", "extension": "600"}
        settings = {"ddis": [self.ddi["id"]], "connectTo": connect_to}
        return await self.create("device", values | {"startRoute": settings})

    async def hook(self, path: str, app: str = "event.generic") -> str:
        return await self.create("hook", HOOK | {"url": self.application.url + path, "app": app})

    async def voice(self, *verbs: Json, target: Json | None = None, **values: Any) -> int:
        """Create a call, to the desk's extension unless said otherwise; the status."""
        asked = {"target": target or {"extension": {"extension": "601"}}, "verbs": list(verbs)} | values
        return (await self("POST", "/channels/voice", asked)).status_code

    async def heard(self, path: str, seconds: float = DEADLINE) -> bool:
        """That the application was called at a path (with its query)."""
        return await until(lambda: any(one.path == path for one in self.application.heard), seconds)

    async def open(self) -> None:
        """Log in."""
        answer = await self.token()
        granted = answer.json() if answer.status_code < 400 else None
        token = granted.get("access_token", "none") if isinstance(granted, dict) else "none"
        self.http.headers["authorization"] = f"Bearer {token}"

    async def set_up(self) -> None:
        """A desk with a gateway at 601, a DDI not yet routed, a carrier, and a PBX at an address that no trunk has."""
        for party, host in ((self.desk, "127.0.0.1"), (self.carrier, "127.0.0.3"), (self.pbx, "127.0.0.4")):
            await party.start(host)
        self.system.set_carrier(self.carrier.address)
        await self.gateway("601", await self.trunk(self.desk.address))
        self.ddi = (await self("GET", "/ddi")).json()[1]


@asynccontextmanager
async def api(*faults: str, life: int = 3599) -> AsyncIterator[Rig]:
    """The HTTP side alone: calls are accepted and not made."""
    made = Rig(None, *faults, life=life)
    made.system.voice_calls.start = lambda *_order: None  # type: ignore[method-assign]
    async with made.http:
        await made.open()
        yield made


@asynccontextmanager
async def rig(*faults: str) -> AsyncIterator[Rig]:
    """All of it."""
    with Application() as application:
        made = Rig(application, *faults)
        await made.system.start(LOCAL)
        try:
            await made.open()
            await made.set_up()
            yield made
        finally:
            for party in (made.desk, made.carrier, made.pbx):
                await party.stop()
            await made.http.aclose()
            await made.system.stop()


TONE = tone("a sound", 0.5)
