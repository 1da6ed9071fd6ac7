"""Mediaservice as a system of the reference platform: call control by callbacks, IVR, remote calls, prompt files.

It is a hybrid deployment of one site, whose API is served at a base URL of its own as well.

Made by `systems`; faults patch its public parts before it starts. Its document: `mediaservice-api.txt`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.reference.fetch import Fetcher
from harness.reference.mediaservice.callbacks import Callbacks
from harness.reference.mediaservice.calls.control import CallControl
from harness.reference.mediaservice.calls.lines import Lines
from harness.reference.mediaservice.calls.remote import RemoteCalls
from harness.reference.mediaservice.http.access import REGION, Access
from harness.reference.mediaservice.http.api import BASE_PATH, SITE_PATH, Api
from harness.reference.mediaservice.http.operations import Operations
from harness.reference.mediaservice.http.prompts import PromptFiles
from harness.reference.mediaservice.ivr.sounds import Sounds
from harness.reference.mediaservice.messages import Messages
from harness.reference.mediaservice.parts import Parts
from harness.reference.mediaservice.storage import PromptStorage
from harness.reference.settings import Address, Settings
from harness.reference.systems import Table

if TYPE_CHECKING:
    from starlette.types import ASGIApp

DOMAIN = "customer.mediaservice.example"
CAPABILITIES = (
    "callbacks",
    "sip",
    "ivr",
    "remote",
    "srtp",
    "httpcall",
    "recording",
    "prompts",
    "monitoring",
    "alarms",
    "destination-lists",
    "session-timers",
    "intelligent-network",
    "hybrid",
)
SITE = "siteA"


class Mediaservice:
    """The parts, and how they are joined."""

    name = "mediaservice"

    def __init__(self, settings: Settings) -> None:
        self._sip = settings.sip
        self.fetcher = Fetcher(timeout=settings.callback_timeout, max_bytes=8 << 20)
        self.storage = PromptStorage()
        site = {"siteId": SITE, "siteBaseUrl": f"http://{settings.http.reachable()}{SITE_PATH}"}
        self.callbacks = Callbacks(self.fetcher, settings.callback, settings.alarm_path, DOMAIN, site)
        self.messages = Messages(DOMAIN, settings.sip.reachable().host)
        self.sounds = Sounds(self.storage, self.fetcher)
        self.parts = Parts(self.callbacks, self.messages, self.sounds, self.storage)
        self.control = CallControl(self.parts)
        self.remote = RemoteCalls(self.parts, self.control)
        self.lines = Lines(self.parts, self.control, self.remote)
        self.access = Access(settings.mediaservice_auth)
        self.operations = Operations(self.parts, self.control, self.remote)
        self.prompts = PromptFiles(self.storage, self.fetcher, settings.s3)
        self.api = Api(DOMAIN, self.access, self.operations, self.prompts)

    @property
    def knobs(self) -> Mapping[str, Callable[[str], None]]:
        """What can be changed at run time."""
        return {"callback": self.callbacks.use}

    def mounts(self) -> Mapping[str, ASGIApp]:
        return {BASE_PATH: self.api, SITE_PATH: self.api}

    async def start(self, sip: Address) -> None:
        await self.lines.start(sip)
        self._sip = Address(sip.host, self.lines.endpoint.port)
        self._warming = asyncio.create_task(asyncio.to_thread(self.fetcher.warm_up))

    async def stop(self) -> None:
        await self.lines.stop()
        await self._warming
        await self.fetcher.close()

    def target(self, http: Address) -> Table:
        further = [
            *(["auth"] if self.access.scheme != "none" else []),
            *(["s3"] if self.prompts.s3 else []),
        ]
        return {
            "base_url": f"http://{http}{BASE_PATH}",
            "domain": DOMAIN,
            "capabilities": [*CAPABILITIES, *further],
            **self.access.target(),
            "sip": {"address": str(self._sip.reachable()), "transport": "udp"},
            **(
                {"s3": {"region": REGION, "bucket": "ringtrue", "kms_key": "alias/ringtrue"}} if self.prompts.s3 else {}
            ),
        }
