"""Calls destinations: one after the other until one answers, with ringing, greeting, recording and monitoring legs.

Used by the call control for the action `call`, and for calls that an operation places. A destination that cannot be had
becomes a callEvent; what the answer to that says is the call control's business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from harness.reference.media import SdpError
from harness.reference.mediaservice.calls import timers
from harness.reference.mediaservice.calls.greeting import greet
from harness.reference.mediaservice.calls.leg import Leg, open_leg_media
from harness.reference.mediaservice.calls.monitoring import Monitoring
from harness.reference.mediaservice.ivr.digits import seconds
from harness.reference.mediaservice.mapping import Outgoing
from harness.reference.mediaservice.model import Connection, Participant
from harness.reference.mediaservice.parts import Parts
from harness.reference.sip import AddressError, CallEnd, CallFailed, OutgoingCall, Response, parse_uri

Members = Mapping[str, Any]

RING_SECONDS = 60.0
MAX_DESTINATIONS = 10
# How long the end of a cancelled attempt may take before nobody waits for it any more.
_GRACE = 0.5
_log = logging.getLogger("ringtrue.mediaservice")


class FailedAttempt(Exception):  # noqa: N818
    """A destination that cannot be had; `details` are the members of the callEvent."""

    def __init__(self, words: str, code: int | None = None, reason: str | None = None) -> None:
        super().__init__(words)
        self.details: dict[str, Any] = {"errorDescr": words}
        if code is not None:
            self.details["sipResponseCode"] = code
        if reason:
            self.details["sipReason"] = reason


class Control(Protocol):
    """What dialling needs of the call control."""

    def gone(self, participant: Participant, end: CallEnd) -> None: ...
    def hold_together(self, connection: Connection) -> None: ...
    def connect(self, connection: Connection) -> None: ...
    def reject(self, participant: Participant, status: int, reason: str | None = None) -> None: ...
    def ask_event(
        self,
        participant: Participant,
        connection: Connection,
        event: str,
        about: Participant,
        details: dict[str, Any] | None = None,
    ) -> None: ...
    async def ivr(self, participant: Participant) -> None: ...
    def engage(self, participant: Participant, work: Any) -> None: ...


@dataclass(frozen=True)
class Destination:
    """Whom to call, and how long it may ring, in seconds."""

    address: str
    ring: float


class Dialler:
    """Places calls."""

    def __init__(self, parts: Parts, control: Control) -> None:
        self.parts = parts
        self.control = control
        self.monitoring = Monitoring(parts, self)

    async def dial(self, caller: Participant, asked: Members, origin: str) -> None:
        """The action `call`: connect the caller with the first destination that answers. Raises SdpError."""
        connection = Connection(caller.session, caller, Participant(caller.session, ""))
        failure = FailedAttempt("There is no destination")
        sound = asked.get("ringbackTone")
        if caller.leg is not None and sound in ("default", "silent"):
            await caller.leg.ring(str(sound), self.parts.host)
        for destination in destinations(asked):
            connection.callee = callee = Participant(caller.session, user_of(destination.address))
            try:
                await self.attempt(callee, caller, destination, asked, origin)
            except FailedAttempt as failed:
                _log.info("session %s: %s: %s", caller.session.id, destination.address, failed)
                failure = failed
                continue
            await self.connected(connection, asked, origin)
            return
        if not destinations(asked):
            self.invalid_address(connection.callee, asked.get("destAddr"))
        if caller.leg is not None:
            caller.leg.stop_sound()
        self.control.ask_event(caller, connection, "calledPartyFailure", connection.callee, failure.details)

    async def attempt(
        self, callee: Participant, other: Participant, destination: Destination, asked: Members, origin: str
    ) -> None:
        """Call one destination until it answers. Raises FailedAttempt."""
        try:
            parse_sip(destination.address)
            inbound = self.parts.inbound(other)
            invite = self.parts.mapping.outgoing(destination.address, asked, inbound, origin)
        except AddressError as error:
            self.invalid_address(callee, destination.address)
            raise FailedAttempt(f"Invalid sip address: {error}") from error
        ringing = partial(self.rings, callee, other)
        await self.invite(callee, invite, destination.ring, ringing)

    async def invite(
        self, callee: Participant, invite: Outgoing, ring: float, on_ringing: Callable[[], None], listen: bool = True
    ) -> None:
        """Send an INVITE with media of ours and wait for the answer. Raises FailedAttempt."""
        media, offer = await open_leg_media(self.parts.host)
        if not listen:
            offer = offer.replace(b"a=sendrecv", b"a=sendonly")
        try:
            call = await self.parts.endpoint.invite(
                invite.uri,
                invite.caller,
                invite.callee,
                offer,
                [*invite.headers, *timers.OFFER],
                ring_timeout=ring,
                contact=invite.contact,
            )
        except (AddressError, CallFailed) as error:
            media.close()
            raise FailedAttempt(str(error)) from error
        callee.leg = Leg(call, media)
        callee.session.participants.append(callee)
        call.on_end = partial(self.control.gone, callee)
        call.on_progress = partial(_on_ringing, on_ringing)
        await self.answered(callee, callee.leg, call, ring)

    async def answered(self, callee: Participant, leg: Leg, call: OutgoingCall, ring: float) -> None:
        """Wait for the answer to an INVITE, and use its SDP. Raises FailedAttempt."""
        try:
            async with asyncio.timeout(ring + _GRACE):
                response = await call.answered()
            leg.accepted(response)
        except CallFailed as failed:
            raise failed_attempt(failed, ring) from failed
        except TimeoutError:
            raise FailedAttempt(f"No answer within {ring:g} seconds") from None
        except SdpError as error:
            self.parts.alarm(callee.session, "callError", "invalidSdp", problem=str(error))
            raise FailedAttempt(f"Invalid SDP: {error}") from error
        except asyncio.CancelledError:
            call.hangup()
            raise
        finally:
            if leg.media is not None and leg.media.agreement is None:
                # Nobody waits for this attempt any more, even where its transaction still runs.
                leg.gave_up = True
                call.hangup()
                leg.close()

    def rings(self, callee: Participant, other: Participant) -> None:
        """A ringing response came: tell it, and let the caller hear it."""
        self.parts.notify("ringing", callee, other)
        if other.leg is not None and other.leg.unanswered:
            call = other.leg.call
            if call.local_sdp is None:
                other.session.start(other.leg.ring("remoteGenerated", self.parts.host))

    async def connected(self, connection: Connection, asked: Members, origin: str) -> None:
        """The destination answered: answer the caller, greet both, and connect them. Raises SdpError."""
        caller, callee = connection.caller, connection.callee
        assert caller.leg is not None
        caller.leg.stop_sound()
        try:
            if not await caller.leg.answer(self.parts.host):
                self.control.reject(callee, 487)
                return
        except (SdpError, asyncio.CancelledError):
            self.control.reject(callee, 487)
            raise
        if not callee.alive:
            self.control.ask_event(caller, connection, "calledPartyDrop", callee)
            return
        self.control.hold_together(connection)
        if isinstance(asked.get("greeting"), Mapping):
            await greet(self.parts, connection, asked["greeting"])
        self.control.connect(connection)
        if asked.get("callRecording") is True:
            self.parts.recordings.start(connection, _name(asked.get("recordingFileName")))
        self.parts.tell_answered(connection, callee)
        address = asked.get("monitorDestAddr")
        if isinstance(address, str) and address:
            self.monitoring.begin(connection, address, asked, origin)

    def place_ivr_call(self, asked: Members) -> str | None:
        """placeivrcall: begin a session that calls destAddr and leads it to the IVR. Words for what is wrong, or None."""
        found = destinations(asked)
        try:
            parse_sip(found[0].address if found else "")
        except AddressError as error:
            return f"destAddr is no SIP URI: {error}"
        if self.parts.full:
            return "there are too many sessions"
        session = self.parts.new_session()
        session.take_reference(dict(asked))
        ivr = Participant(session, str(asked.get("sipFrom") or "ivr"))
        callee = Participant(session, user_of(found[0].address))
        session.participants.append(ivr)
        session.start(self._place(Connection(session, ivr, callee), found[0], asked))
        return None

    async def _place(self, connection: Connection, destination: Destination, asked: Members) -> None:
        callee = connection.callee
        try:
            await self.attempt(callee, connection.caller, destination, asked, "placeivrcall")
        except FailedAttempt as failed:
            _log.info("session %s: %s: %s", connection.session.id, destination.address, failed)
            connection.session.reason = str(failed)
            return
        if callee.alive:
            connection.answered = True
            self.control.hold_together(connection)
            self.parts.tell_answered(connection, callee)
            self.control.engage(callee, self.control.ivr(callee))

    def invalid_address(self, participant: Participant, address: object) -> None:
        """The alarm for an address that nobody can call."""
        self.parts.alarm(participant.session, "callError", f"Invalid sip address: {address}")


def destinations(asked: Members) -> list[Destination]:
    """The destinations of destAddr: one address, or a list of addresses or of objects with destAddr and maxRingTime."""
    general = seconds(asked.get("maxRingTime")) or RING_SECONDS
    given = asked.get("destAddr")
    found: list[Destination] = []
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, Mapping):
            own = seconds(one.get("maxRingTime"))
            found.append(Destination(str(one.get("destAddr", "")), own or general))
        elif isinstance(one, str) and one:
            found.append(Destination(one, general))
    return found[:MAX_DESTINATIONS]


def parse_sip(address: str) -> None:
    """Raise AddressError unless this is a SIP URI with a host."""
    uri = parse_uri(address)
    if uri.scheme not in ("sip", "sips") or not uri.host:
        raise AddressError(f"{address[:80]!r} is no SIP URI")


def user_of(address: str) -> str:
    """The user part of a SIP URI; of other text, the text."""
    try:
        return parse_uri(address).user or ""
    except AddressError:
        return address


def failed_attempt(failed: CallFailed, ring: float) -> FailedAttempt:
    """What a callEvent tells of an INVITE without success."""
    response = failed.response
    if failed.cause == "refused" and response is not None:
        return FailedAttempt(failed.reason or "Refused", failed.code, response.headers.get("Reason"))
    if failed.cause == "ring-timeout":
        return FailedAttempt(f"No answer within {ring:g} seconds")
    return FailedAttempt({"cancelled": "Request cancelled"}.get(failed.cause, "The destination cannot be reached"))


def _on_ringing(tell: Callable[[], None], response: Response) -> None:
    if response.status == 180:
        tell()


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
