"""Monitoring legs: a third party hears what the two of a connection say (MS /newCall, /callEvent: monitorDestAddr).

Begun by dialling once the parties are connected, ended with their connection. A monitoring leg that fails disturbs nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Protocol

from harness.reference.media import Mixer
from harness.reference.mediaservice.mapping import Outgoing
from harness.reference.mediaservice.model import Connection, Participant
from harness.reference.mediaservice.parts import Parts
from harness.reference.sip import AddressError, parse_uri

_RING_SECONDS = 60.0
_log = logging.getLogger("ringtrue.mediaservice")


class Inviter(Protocol):
    """What monitoring needs of dialling."""

    def invite(
        self, callee: Participant, invite: Outgoing, ring: float, on_ringing: Callable[[], None], listen: bool = True
    ) -> Coroutine[Any, Any, None]: ...
    def invalid_address(self, participant: Participant, address: object) -> None: ...


class Monitoring:
    """Places monitoring legs."""

    def __init__(self, parts: Parts, inviter: Inviter) -> None:
        self.parts = parts
        self.inviter = inviter

    def begin(self, connection: Connection, address: str, asked: Mapping[str, Any], origin: str) -> None:
        """Call the monitoring destination; the connection goes on meanwhile."""
        session = connection.session
        try:
            user = parse_uri(address).user or ""
            invite = self.parts.mapping.monitoring(address, asked, self.parts.inbound(connection.caller), origin)
        except AddressError:
            self.inviter.invalid_address(connection.caller, address)
            return
        monitor = Participant(session, user, monitoring=True)
        connection.monitors.append(monitor)
        monitor.activity = session.start(self._run(connection, monitor, invite))

    async def _run(self, connection: Connection, monitor: Participant, invite: Outgoing) -> None:
        ringing = partial(self.parts.notify, "ringing", monitor, connection.caller)
        try:
            await self.inviter.invite(monitor, invite, _RING_SECONDS, ringing, listen=False)
        except Exception as error:  # noqa: BLE001 - whatever fails here concerns the monitoring leg only
            _log.info("session %s: no monitoring by %s: %s", connection.session.id, invite.uri, error)
            return
        heard = [one.leg.media for one in (connection.caller, connection.callee) if one.leg and one.leg.media]
        if monitor.leg is not None and monitor.leg.media is not None:
            monitor.leg.media.start_source(Mixer(*heard))
        self.parts.tell_answered(connection, monitor)
