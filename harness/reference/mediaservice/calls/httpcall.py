"""The action httpcall: connects a participant with a device that is known by its media only (MS /callEvent).

Used by the call control. The platform leaves the media path: the participant is told the device's address.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from harness.reference.mediaservice.calls.remote_sdp import CODECS, DeviceMedia, read_media
from harness.reference.mediaservice.model import Connection, Participant
from harness.reference.mediaservice.parts import Parts
from harness.reference.sip import CallFailed, IncomingCall

DEVICE = "device"
_log = logging.getLogger("ringtrue.mediaservice")


class Control(Protocol):
    """What a httpcall needs of the call control."""

    def drop(self, participant: Participant, code: object) -> None: ...
    def hold_together(self, connection: Connection) -> None: ...


class HttpCalls:
    """Connects participants with devices."""

    def __init__(self, parts: Parts, control: Control) -> None:
        self.parts = parts
        self.control = control

    async def connect(self, participant: Participant, asked: Mapping[str, Any]) -> None:
        """Offer the participant the device's media; with its answer the two are connected. Raises SdpError."""
        media = device_media(asked)
        if media is None or participant.leg is None:
            _log.warning("session %s: httpcall without usable media members", participant.session.id)
            self.control.drop(participant, "error")
            return
        call = participant.leg.call
        participant.leg.stop_sound()
        if isinstance(call, IncomingCall) and call.unanswered:
            call.answer(media.sdp())
        else:
            call.on_reinvite = None
            try:
                await call.reinvite(media.sdp())
            except CallFailed as failed:
                self._refused(participant, failed)
                return
        theirs = read_media(call.remote_sdp)
        connection = Connection(participant.session, participant, Participant(participant.session, DEVICE))
        connection.answered = True
        self.control.hold_together(connection)
        answered = (theirs.codec, theirs.address, str(theirs.port))
        self.parts.tell_answered(connection, connection.callee, answered)

    def _refused(self, participant: Participant, failed: CallFailed) -> None:
        call_id = participant.leg.call.call_id if participant.leg else ""
        _log.warning("session %s: re-INVITE: %s", participant.session.id, failed)
        self.parts.callbacks.alarm_with(
            participant.session,
            "callError",
            "unexpectedReinviteResponse",
            {"status": str(failed.code), "participantId": participant.id, "user": participant.user, "callId": call_id},
        )
        self.control.drop(participant, "error")


def device_media(asked: Mapping[str, Any]) -> DeviceMedia | None:
    """The media members of an answer; None where they make no sense."""
    codec, address, port = asked.get("codec"), asked.get("receiveIp"), asked.get("receivePort")
    if codec not in CODECS or not isinstance(address, str) or not address or any(c.isspace() for c in address):
        return None
    text = str(port) if isinstance(port, str | int) and not isinstance(port, bool) else ""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 65535):
        return None
    return DeviceMedia(str(codec), address, int(text), event=101)
