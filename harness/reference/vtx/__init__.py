"""VTX as a system of the reference platform: subscriptions, users who call each other and outside, and call log pushes.

Made by `systems`; faults patch its public parts before it starts. Its document: `vtx-voip-openapi.txt`.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.reference.fetch import Fetcher
from harness.reference.settings import Address, Settings
from harness.reference.systems import Table
from harness.reference.vtx.api import BASE_PATH, Api, Login
from harness.reference.vtx.calllogs import CallLogs
from harness.reference.vtx.directory import DOMAIN, ENTERPRISE, Directory, new_users
from harness.reference.vtx.notifier import Notifier
from harness.reference.vtx.subscriptions import Subscriptions
from harness.reference.vtx.telephony.calls import Calls
from harness.reference.vtx.telephony.carrier import Carrier
from harness.reference.vtx.telephony.phones import Phones

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_USERS = 4
# Numbers that nobody has: one of this country, one abroad (Ofcom's range for drama).
_OUTSIDE_NUMBERS = ["+41215550199", "+441632960123"]


class Vtx:
    """The parts, and how they are joined."""

    name = "vtx"

    def __init__(self, settings: Settings) -> None:
        self._sip = settings.sip
        self.login = Login(f"openapi@{ENTERPRISE.name}", secrets.token_hex(12), str(uuid.uuid4()))
        self.directory = Directory(new_users(_USERS))
        self.subscriptions = Subscriptions()
        self.fetcher = Fetcher()
        self.notifier = Notifier(self.subscriptions, self.fetcher)
        self.call_logs = CallLogs(self.subscriptions, lambda one, payload: self.notifier.push(one, payload))
        self.calls = Calls(lambda record: self.call_logs.ended(record), DOMAIN)
        self.carrier = Carrier(settings.pstn)
        self.phones = Phones(self.directory, self.calls, self.carrier, DOMAIN)
        self.api = Api(self.login, self.directory, self.subscriptions, self.phones)
        self.knobs = {"pstn": self.carrier.move}

    def mounts(self) -> Mapping[str, ASGIApp]:
        return {BASE_PATH: self.api}

    async def start(self, sip: Address) -> None:
        await self.phones.start(sip)
        self._sip = Address(sip.host, self.phones.endpoint.port)
        self._warming = asyncio.create_task(asyncio.to_thread(self.fetcher.warm_up))

    async def stop(self) -> None:
        await self.phones.stop()
        await self.notifier.close()
        await self._warming
        await self.fetcher.close()

    def target(self, http: Address) -> Table:
        return {
            "base_url": f"http://{http}{BASE_PATH}",
            "username": self.login.username,
            "password": self.login.password,
            "application": self.login.application,
            "capabilities": ["callbacks", "pstn", "renewal", "presence"],
            "sip": {"address": str(self._sip.reachable()), "transport": "udp", "domain": DOMAIN},
            "pstn": {"listen": str(self.carrier.address), "numbers": list(_OUTSIDE_NUMBERS)},
            "users": [
                {"aor": user.name, "password": user.password, "id": str(user.id), "number": user.number}
                for user in self.directory.users
            ],
        }
