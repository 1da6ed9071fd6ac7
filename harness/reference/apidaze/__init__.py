"""Apidaze as a system of the reference platform: tokens, SIP accounts, external scripts, and the calls that run them.

Made by `systems`; faults patch its public parts before it starts. Its documents: `apidaze-api-store.txt` and
`apidaze-developer-portal.txt`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.reference.apidaze.access import Application, Quota, Tokens
from harness.reference.apidaze.api import BASE_PATH, Api
from harness.reference.apidaze.calls import Calls
from harness.reference.apidaze.phones import Phones
from harness.reference.apidaze.script_test import ScriptTest
from harness.reference.apidaze.store import Store
from harness.reference.apidaze.tokens_http import TokenEndpoint
from harness.reference.fetch import Fetcher
from harness.reference.settings import Address, Settings
from harness.reference.systems import Table

if TYPE_CHECKING:
    from starlette.types import ASGIApp

TOKEN_PATH = "/oauth/client_credential/accesstoken"
DOMAIN = "sip.apidaze.example"


class Apidaze:
    """The parts, and how they are joined."""

    name = "apidaze"

    def __init__(self, settings: Settings) -> None:
        self.normal = _application("ringtrue", Quota(settings.quota, 1, "hour"))
        self.limited = _application("ringtrue-limited", Quota(settings.limited_quota, 1, "minute"))
        self._sip = settings.sip
        self.store = Store()
        self.tokens = Tokens([self.normal, self.limited], settings.token_life)
        self.fetcher = Fetcher()
        self.script_test = ScriptTest(self.fetcher)
        self.calls = Calls(self.store, self.fetcher)
        self.phones = Phones(self.store, self.calls, DOMAIN)
        self.token_endpoint = TokenEndpoint(self.tokens)
        self.api = Api(self.store, self.tokens, self.phones, self.script_test, DOMAIN)

    def mounts(self) -> Mapping[str, ASGIApp]:
        return {BASE_PATH: self.api, TOKEN_PATH: self.token_endpoint}

    async def start(self, sip: Address) -> None:
        await self.phones.start(sip)
        self._sip = Address(sip.host, self.phones.endpoint.port)
        self._warming = asyncio.create_task(asyncio.to_thread(self.fetcher.warm_up))

    async def stop(self) -> None:
        await self.phones.stop()
        await self._warming
        await self.fetcher.close()

    def target(self, http: Address) -> Table:
        return {
            "base_url": f"http://{http}{BASE_PATH}",
            "token_url": f"http://{http}{TOKEN_PATH}",
            "client_id": self.normal.client_id,
            "client_secret": self.normal.client_secret,
            "limited_client_id": self.limited.client_id,
            "limited_client_secret": self.limited.client_secret,
            "credentials_in": "body",
            "body_encoding": "form",
            "hsts_without_tls": True,  # documented without a word on TLS, so the embedded platform sends it always
            "capabilities": ["sip", "callbacks", "quota"],
            "sip": {"address": str(self._sip.reachable()), "transport": "udp"},
        }


def _application(name: str, quota: Quota) -> Application:
    return Application(f"{name}-{secrets.token_hex(4)}", secrets.token_urlsafe(18), quota)
