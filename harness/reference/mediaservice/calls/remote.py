"""Calls of the cloud SIP user agent: the application answers them, ends them and places them, media go to its device.

The SIP side hands it calls to user parts `ua…`, operations act through it (MS /newRemoteCall, /{domain}/placeremotecall,
answerremotecall, sendremotecallringback, hangupcall). The platform carries no media here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from harness.reference.fetch import url_problem
from harness.reference.media import SdpError
from harness.reference.mediaservice.calls.control import CallControl
from harness.reference.mediaservice.calls.dialling import FailedAttempt, failed_attempt, parse_sip, user_of
from harness.reference.mediaservice.calls.httpcall import DEVICE
from harness.reference.mediaservice.calls.leg import Leg
from harness.reference.mediaservice.calls.remote_sdp import CODECS, DeviceMedia, read_media, reported
from harness.reference.mediaservice.model import Connection, Participant, Reply
from harness.reference.mediaservice.parts import Parts
from harness.reference.sip import AddressError, CallFailed, IncomingCall, Refused, Response

_RING_SECONDS = 60.0
_log = logging.getLogger("ringtrue.mediaservice")


class RemoteCalls:
    """Incoming and outgoing calls between a SIP party and a device of the application."""

    def __init__(self, parts: Parts, control: CallControl) -> None:
        self.parts = parts
        self.control = control

    def take(self, call: IncomingCall) -> None:
        """A new call to the cloud SIP user agent. Raises Refused."""
        if self.parts.full:
            raise Refused(503)
        session = self.parts.new_session()
        session.invite = call.request
        caller = Participant(session, call.request.from_.user, Leg(call))
        session.participants.append(caller)
        call.on_end = partial(self.control.gone, caller)
        self.control.engage(caller, self.new_call(caller, call))

    async def new_call(self, caller: Participant, call: IncomingCall) -> None:
        """Announce a call; from then on it waits for an operation."""
        session = caller.session
        try:
            media = read_media(call.remote_sdp)
        except SdpError as error:
            self.parts.alarm(session, "callError", "invalidSdp", problem=str(error))
            call.reject(488)
            return
        reply_id = self.parts.registry.reply_id(Reply(session, participant=caller))
        members = self.parts.messages.new_remote_call(session, reply_id, self.reported(call, media))
        known = session.reference
        answer = await self.parts.callbacks.ask(session, "newRemoteCall", members)
        if answer.failed:
            _log.warning("session %s: newRemoteCall: %s", session.id, answer.problem)
            call.reject(480)
        elif answer.members and session.reference is known:  # an operation may have given a later one meanwhile
            session.take_reference(answer.members)

    def reported(self, call: IncomingCall, media: DeviceMedia) -> dict[str, Any]:
        """What newRemoteCall tells of an INVITE."""
        request = call.request
        return {
            "callId": request.call_id,
            "destinationUri": request.uri,
            "sourceUser": request.from_.user,
        } | reported(media)

    def ring(self, caller: Participant) -> str | None:
        """Send ringing progress. Words for what is wrong, or None."""
        call = caller.leg.call if caller.leg else None
        if not isinstance(call, IncomingCall) or not call.progress(180):
            return "the call does not wait for an answer"
        return None

    def answer(self, caller: Participant, asked: Mapping[str, Any]) -> str | None:
        """Answer a call with the media of a device. Words for what is wrong, or None."""
        call = caller.leg.call if caller.leg else None
        if not isinstance(call, IncomingCall) or not call.unanswered:
            return "the call does not wait for an answer"
        media = device_media(asked, read_media(call.remote_sdp).codec)
        if media is None:
            return "receiveIp and receivePort are needed"
        caller.session.take_reference(dict(asked))
        if not call.answer(media.sdp()):
            return "the call is over"
        device = Participant(caller.session, user_of(call.request.uri))
        self._connected(Connection(caller.session, caller, device))
        return None

    def hang_up(self, reply: Reply) -> str | None:
        """End a call: busy before the answer, BYE after it. Words for what is wrong, or None."""
        if reply.connection is not None:
            self.control.hang_up_both(reply.connection)
            return None
        participant = reply.participant
        if participant is None or not participant.alive:
            return "the call is over"
        self.control.reject(participant, 486)
        return None

    def place(self, asked: Mapping[str, Any]) -> str | None:
        """placeremotecall: begin a session that calls destinationUri. Words for what is wrong, or None."""
        destination, base = str(asked.get("destinationUri") or ""), asked.get("callbackBaseUrl")
        media = device_media(asked, "PCMA")
        try:
            parse_sip(destination)
        except AddressError as error:
            return f"destinationUri is no SIP URI: {error}"
        if media is None:
            return "receiveIp and receivePort are needed"
        problem = url_problem(base) if isinstance(base, str) else None
        if problem:
            return f"callbackBaseUrl {problem}"
        if self.parts.full:
            return "there are too many sessions"
        session = self.parts.new_session(base.rstrip("/") if isinstance(base, str) else None)
        session.take_reference(dict(asked))
        device = Participant(session, str(asked.get("sourceUser") or DEVICE))
        session.participants.append(device)
        callee = Participant(session, user_of(destination))
        session.start(self._place(Connection(session, device, callee), destination, media))
        return None

    async def _place(self, connection: Connection, destination: str, media: DeviceMedia) -> None:
        session = connection.session
        try:
            await self._call(connection, destination, media)
        except FailedAttempt as failed:
            _log.info("session %s: %s: %s", session.id, destination, failed)
            session.reason = str(failed)
            return
        self._connected(connection)

    async def _call(self, connection: Connection, destination: str, media: DeviceMedia) -> None:
        """Call the remote side and wait for its answer. Raises FailedAttempt."""
        callee, device = connection.callee, connection.caller
        caller = self.parts.mapping.name_addr(device.user)
        try:
            call = await self.parts.endpoint.invite(destination, caller, None, media.sdp(), ring_timeout=_RING_SECONDS)
        except (AddressError, CallFailed) as error:
            raise FailedAttempt(str(error)) from error
        callee.leg = leg = Leg(call)
        callee.session.participants.append(callee)
        call.on_end = partial(self.control.gone, callee)
        call.on_progress = partial(self._progressed, connection)
        try:
            await call.answered()
            read_media(call.remote_sdp)
        except CallFailed as failed:
            raise failed_attempt(failed, _RING_SECONDS) from failed
        except SdpError as error:
            self.parts.alarm(connection.session, "callError", "invalidSdp", problem=str(error))
            call.hangup()
            raise FailedAttempt(f"Invalid SDP: {error}") from error
        except asyncio.CancelledError:
            leg.gave_up = True
            call.hangup()
            raise

    def _progressed(self, connection: Connection, response: Response) -> None:
        if response.status == 180:
            self.parts.notify("ringing", connection.callee, connection.caller)

    def _connected(self, connection: Connection) -> None:
        """The call stands: tell it, with the media address of the SIP party."""
        if not connection.session.idle:
            connection.answered = True
            self.control.hold_together(connection)
            party = connection.callee if connection.callee.leg else connection.caller
            assert party.leg is not None
            theirs = read_media(party.leg.call.remote_sdp)
            self.parts.tell_answered(connection, connection.callee, (theirs.codec, theirs.address, str(theirs.port)))


def device_media(asked: Mapping[str, Any], default_codec: str) -> DeviceMedia | None:
    """The device's media in a request that was checked for types; None where address or port is missing."""
    address, port = asked.get("receiveIp"), asked.get("receivePort")
    if not isinstance(address, str) or not isinstance(port, int):
        return None
    codec = str(asked.get("codec") or default_codec)
    media = DeviceMedia(codec if codec in CODECS else default_codec, address, port)
    event, cryptos = asked.get("telephoneEventPayloadType"), asked.get("crypto")
    listed = tuple(
        (int(one.get("id", 1)), str(one.get("suite", "")), str(one.get("config", "")))
        for one in (cryptos if isinstance(cryptos, list) else [])
        if isinstance(one, Mapping)
    )
    return replace(media, event=event if isinstance(event, int) else None, crypto=listed)
