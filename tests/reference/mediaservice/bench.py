"""A platform with everything around it: an application, phones, and a client of the API; used by the tests beside this file.

`served` talks to a platform process; `inside` runs the system in the test's own process, faults and all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from harness.reference.admin import ADMIN_PATH, Admin, knobs_of
from harness.reference.faults import FAULTS
from harness.reference.mediaservice import Mediaservice
from harness.reference.settings import Address, Settings
from harness.reference.web import Front
from tests.reference.mediaservice.application import Application, Json
from tests.reference.mediaservice.phones import Party, Phones
from tests.reference.platform_process import Platform

SETTINGS = Settings(
    systems=("mediaservice",), http=Address("127.0.0.1", 0), sip=Address("127.0.0.1", 0), callback_timeout=1.0
)


@dataclass
class Bench:
    """`system` is None where the platform is a process of its own."""

    table: Json
    http: httpx.AsyncClient
    app: Application
    phones: Phones
    system: Mediaservice | None = None

    @property
    def sip(self) -> str:
        return str(self.table["sip"]["address"])

    async def post(self, operation: str, **members: Any) -> Json:
        """Call an operation; its answer."""
        answer = await self.http.post(f"/{self.table['domain']}/{operation}", json=members)
        shown: Json = answer.json()
        return shown

    async def done(self, operation: str, **members: Any) -> None:
        """Call an operation that has to be carried out."""
        answer = await self.post(operation, **members)
        assert answer == {"success": True}, (operation, answer)

    async def refused(self, operation: str, **members: Any) -> None:
        answer = await self.post(operation, **members)
        assert answer["success"] is False, (operation, answer)

    async def files(self) -> dict[str, int]:
        answer = (await self.http.get(f"/{self.table['domain']}/promptfile")).json()
        return {one["name"]: one["size"] for one in answer["files"]}

    async def put_file(self, name: str, data: bytes) -> None:
        answer = await self.http.put(f"/{self.table['domain']}/promptfile/{name}", content=data)
        assert answer.json() == {"success": True}

    async def call(self, user: str = "ivr", *headers: tuple[str, str], **options: Any) -> Party:
        return await self.phones.call(user, self.sip, *headers, **options)

    async def start(self, user: str = "ivr", *headers: tuple[str, str], **options: Any) -> Party:
        return await self.phones.start(user, self.sip, *headers, **options)

    async def connected(self, **answer: Any) -> tuple[Party, Party, Json]:
        """A call that `newCall` connected with the phone bob: both parties, and callAnswered."""
        self.app.answers["newCall"] = {"action": "call", "destAddr": self.phones.uri("bob")} | answer
        count = len(self.phones.parties.get("bob", [])) + 1
        answered = len(self.app.all("callAnswered")) + 1
        caller = await self.call()
        return caller, await self.phones.called("bob", count), await self.app.wait("callAnswered", answered)


@asynccontextmanager
async def served(platform: Platform) -> AsyncIterator[Bench]:
    """Everything around a platform process, which is told to send callbacks here."""
    table = platform.ready["systems"]["mediaservice"]
    base = table["base_url"]
    async with Application() as app, Phones() as phones, httpx.AsyncClient(base_url=base, trust_env=False) as http:
        root = base.removesuffix("/mediaservice")
        answer = await http.put(f"{root}/_platform/callback", json={"url": app.url})
        assert answer.status_code == 204, answer.text
        yield Bench(table, http, app, phones)


@asynccontextmanager
async def inside(fault: str | None = None, **settings: Any) -> AsyncIterator[Bench]:
    """Everything around a system in this process, with one fault, and with settings of its own."""
    system = Mediaservice(replace(SETTINGS, **settings))
    if fault is not None:
        FAULTS[fault].apply(system)
    await system.start(Address("127.0.0.1", 0))
    front = Front([system.mounts(), {ADMIN_PATH: Admin([(system.name, knobs_of(system))])}])
    transport = httpx.ASGITransport(app=front)
    try:
        async with (
            Application() as app,
            Phones() as phones,
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:80/mediaservice") as http,
        ):
            await http.put("http://127.0.0.1:80/_platform/callback", json={"url": app.url})
            table = system.target(Address("127.0.0.1", 80))
            yield Bench(dict(table), http, app, phones, system)
    finally:
        await system.stop()


def run(work: Coroutine[Any, Any, None], seconds: float = 25.0) -> None:
    """Run a test's scenario, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await work

    asyncio.run(bounded())


Scenario = Callable[[Bench], Coroutine[Any, Any, None]]


def play(platform: Platform, scenario: Scenario) -> None:
    """Run a scenario against a platform process."""

    async def whole() -> None:
        async with served(platform) as bench:
            await scenario(bench)

    run(whole())
