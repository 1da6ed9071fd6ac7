"""An Apidaze system inside the test's process, so that a whole fault catalogue is tried in seconds; for tests only."""

from __future__ import annotations

from typing import Any

import httpx

from harness.reference.apidaze import Apidaze
from harness.reference.faults import FAULTS
from harness.reference.settings import Address, Settings
from harness.reference.web import Front
from tests.reference.apidaze.client import ScriptServer

SETTINGS = Settings(systems=("apidaze",), http=Address("127.0.0.1", 0), sip=Address("127.0.0.1", 0), limited_quota=3)


class Api:
    """An Apidaze system in this process, with what the promises below need."""

    def __init__(self, fault: str | None, script_server: ScriptServer) -> None:
        self.system = Apidaze(SETTINGS)
        if fault is not None:
            FAULTS[fault].apply(self.system)
        self.target = self.system.target(Address("127.0.0.1", 80))
        transport = httpx.ASGITransport(app=Front([self.system.mounts()]))
        self.http = httpx.AsyncClient(transport=transport, base_url=str(self.target["base_url"]))
        self.script_server = script_server

    async def token(self, prefix: str = "", secret: str | None = None) -> httpx.Response:
        data = {
            "grant_type": "client_credentials",
            "client_id": str(self.target[prefix + "client_id"]),
            "client_secret": secret or str(self.target[prefix + "client_secret"]),
        }
        return await self.http.post(str(self.target["token_url"]), data=data)

    async def open(self, prefix: str = "") -> None:
        token = (await self.token(prefix)).json().get("access_token", "none")
        self.http.headers["authorization"] = f"Bearer {token}"

    async def __call__(self, method: str, path: str, **data: str) -> httpx.Response:
        return await self.http.request(method, path, data=data or None)

    async def account(self, username: str = "alice", **data: str) -> Any:
        return (await self("POST", "/sipaccounts", username=username, **data)).json()

    async def script(self, url: str = "http://a.example/?x=1", **data: str) -> Any:
        return (await self("POST", "/externalscripts", url=url, **data)).json()

    async def accounts(self) -> Any:
        return (await self("GET", "/sipaccounts")).json()

    async def scripts(self) -> Any:
        return (await self("GET", "/externalscripts")).json()
