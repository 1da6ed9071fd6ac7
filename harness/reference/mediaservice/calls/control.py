"""Call control: asks what to do with a call, does it, and asks again when a party hangs up or an attempt fails.

The SIP side hands it new calls, operations act through it. Each step is a small method, so that a fault can replace one
(MS /newCall, /callEvent). How destinations are called is `dialling`'s business, the IVR is its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

from harness.reference.media import Relay, SdpError
from harness.reference.mediaservice.callbacks import Answer
from harness.reference.mediaservice.calls.dialling import Dialler
from harness.reference.mediaservice.calls.httpcall import HttpCalls
from harness.reference.mediaservice.calls.leg import Leg
from harness.reference.mediaservice.ivr.session import IvrSession
from harness.reference.mediaservice.model import MAX_ACTIONS, Connection, Participant, Session
from harness.reference.mediaservice.parts import Parts
from harness.reference.sip import CallEnd, IncomingCall, Refused, Request

Members = Mapping[str, Any]

ACTIONS = {"newCall": ("drop", "call", "connect", "ivr"), "callEvent": ("drop", "call", "connect", "ivr", "httpcall")}
STATUS = {
    "busy": 486,
    "error": 500,
    "numberNotFound": 404,
    "numberNotActive": 410,
    "dropNoMsg": 603,
    "temporarilyUnavailable": 480,
}
# Q.850 causes for the Reason of a BYE (RFC 3326).
CAUSE = {
    "busy": 17,
    "error": 41,
    "numberNotFound": 1,
    "numberNotActive": 20,
    "dropNoMsg": 16,
    "temporarilyUnavailable": 19,
}
ALARMS = {
    "newCall": (
        "newCallEventError",
        "newCall request failed",  # nobody answered, or not with 2xx
        "newCall response empty",  # 2xx without a body
        "newCall response without action",  # a JSON object that says nothing
        "newCall response with unknown action",
    ),
    "callEvent": (
        "callEventError",
        "No response to callEvent request",
        "No action provided in callEvent response",
        "No action provided in callEvent response",
        "callEvent response with unknown action",
    ),
}
# Calls to these user parts come as if by way of an IN.
IN_PREFIX = "ivrin"
_log = logging.getLogger("ringtrue.mediaservice")


class CallControl:
    """What becomes of calls. `ivr_class` makes the IVR of each call."""

    ivr_class = IvrSession

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.dialler = Dialler(parts, self)
        self.httpcalls = HttpCalls(parts, self)

    def take(self, call: IncomingCall) -> None:
        """A new call to an access number. Raises Refused."""
        if self.parts.full:
            raise Refused(503)
        session = self.parts.new_session()
        session.invite = call.request
        caller = Participant(session, call.request.from_.user, Leg(call))
        session.participants.append(caller)
        call.on_end = partial(self.gone, caller)
        self.engage(caller, self.new_call(caller, call))

    async def new_call(self, caller: Participant, call: IncomingCall) -> None:
        """Announce a call, and do what the answer says."""
        reported = self.parts.mapping.reported(call.request, call.source.host)
        if str(reported.get("calledParty")).startswith(IN_PREFIX):
            await self.identify(caller.session, str(reported["calledParty"]))
        members = self.parts.messages.new_call(caller.session, reported)
        answer = await self.parts.callbacks.ask(caller.session, "newCall", members)
        usable = self.usable(caller.session, "newCall", answer)
        if usable is None:
            self.drop(caller, "temporarilyUnavailable")
        else:
            await self.apply(caller, usable, "newCall")

    async def identify(self, session: Session, called: str) -> None:
        """Ask for the identifier of a call that comes by way of an IN (MS /getCallIdentifier)."""
        members = self.parts.messages.get_call_identifier(session, called)
        answer = await self.parts.callbacks.ask(session, "getCallIdentifier", members)
        if not answer.failed and answer.members:
            session.take_reference(answer.members)

    def usable(self, session: Session, name: str, answer: Answer) -> Members | None:
        """The members of an answer that can be acted on; None, with an alarm, otherwise."""
        kind, failed, empty, without, unknown = ALARMS[name]
        error = None
        if answer.failed:
            error = failed
        elif answer.empty:
            error = empty
        elif not answer.members or answer.members.get("action") in (None, ""):
            error = without
        elif answer.members["action"] not in ACTIONS[name]:
            error = unknown
        if error is not None:
            details = {"problem": answer.problem} if answer.problem else {}
            self.parts.alarm(session, kind, error, **details)
            return None
        assert answer.members is not None
        session.take_reference(answer.members)
        return answer.members

    async def apply(self, participant: Participant, asked: Members, origin: str) -> None:
        """Do with this participant what an answer's action says."""
        session = participant.session
        session.actions += 1
        if not participant.alive:
            return
        if session.actions > MAX_ACTIONS:
            _log.warning("session %s: more than %d actions; the call is ended", session.id, MAX_ACTIONS)
            self.drop(participant, "error")
            return
        try:
            match asked["action"]:
                case "drop":
                    self.drop(participant, asked.get("dropCode"))
                case "call":
                    await self.dialler.dial(participant, asked, origin)
                case "connect":
                    await self.join(participant, asked.get("participantId"))
                case "ivr":
                    await self.ivr(participant)
                case "httpcall":
                    await self.httpcalls.connect(participant, asked)
        except SdpError as error:
            self.parts.alarm(session, "callError", "invalidSdp", problem=str(error))
            self.reject(participant, 488)

    def drop(self, participant: Participant, code: object) -> None:
        """Refuse or hang up, as the dropCode says."""
        name = code if isinstance(code, str) and code in STATUS else None
        self.reject(participant, STATUS[name] if name else 480, self.reason(name))

    def reason(self, code: str | None) -> str | None:
        """The Reason of a BYE for a dropCode (RFC 3326)."""
        return f'Q.850;cause={CAUSE[code]};text="{code}"' if code else None

    def reject(self, participant: Participant, status: int, reason: str | None = None) -> None:
        """End a call: with this status where it is not answered yet, else with BYE."""
        call = participant.leg.call if participant.leg else None
        if isinstance(call, IncomingCall) and call.unanswered:
            call.reject(status)
        elif call is not None:
            call.hangup([("Reason", reason)] if reason else [])

    async def ivr(self, participant: Participant) -> None:
        """Lead a participant to the IVR, until that is over; its call ends with it. Raises SdpError."""
        leg = participant.leg
        if leg is None or not await leg.answer(self.parts.host) or leg.media is None:
            return
        leg.stop_sound()
        participant.ivr = own = self.ivr_class(self.parts, participant, leg.media)
        try:
            await own.run()
        finally:
            participant.ivr = None
        leg.call.hangup()

    async def join(self, participant: Participant, other_id: object) -> None:
        """Connect a participant with another one, taking that out of whatever it does. Raises SdpError."""
        other = self.parts.registry.participant(other_id)
        if other is None or not other.alive or other is participant or other.leg is None or participant.leg is None:
            _log.warning("session %s: there is no participant %s to connect with", participant.session.id, other_id)
            self.drop(participant, "error")
            return
        if participant.connection is not None and participant.connection is other.connection:
            return
        other.release()
        if other.connection is not None:
            self.abandon(other.connection, other)
        if await participant.leg.answer(self.parts.host) and await other.leg.answer(self.parts.host):
            connection = Connection(participant.session, participant, other)
            self.hold_together(connection)
            self.connect(connection)
            self.parts.tell_answered(connection, other)

    def abandon(self, connection: Connection, leaver: Participant) -> None:
        """One side of a connection is taken elsewhere: ask what becomes of the other."""
        left = connection.other(leaver)
        self.dissolve(connection)
        event = "callerConnectionSplit" if left is connection.caller else "calleeConnectionSplit"
        if left.alive:
            self.ask_event(left, connection, event, left)

    def hold_together(self, connection: Connection) -> None:
        """From now on the two are one connection: when one hangs up, the other is asked about."""
        for one in (connection.caller, connection.callee):
            one.connection = connection
            if one not in one.session.participants:
                one.session.participants.append(one)

    def connect(self, connection: Connection) -> None:
        """Let the two hear each other."""
        connection.answered = True
        caller, callee = connection.caller, connection.callee
        for one in (caller, callee):
            if one.leg is not None:
                one.leg.stop_sound()
                one.leg.on_change = partial(self.parts.notify, "reInvite", one, connection.other(one))
        if caller.leg and callee.leg and caller.leg.media and callee.leg.media:
            connection.stop_media = Relay(caller.leg.media, callee.leg.media).stop

    def dissolve(self, connection: Connection) -> None:
        """The two are no longer connected; what was beside the connection ends with it."""
        self.parts.recordings.stop(connection)
        if connection.stop_media is not None:
            connection.stop_media()
        for one in (connection.caller, connection.callee):
            if one.connection is connection:
                one.connection = None
            if one.leg is not None:
                one.leg.on_change = None
        for monitor in connection.monitors:
            monitor.release()
            self.reject(monitor, 480)
        connection.monitors.clear()

    def split(self, connection: Connection) -> None:
        """Take a connection apart and ask what becomes of each of the two (MS /{domain}/splitconnection)."""
        self.dissolve(connection)
        for event, one in (
            ("callerConnectionSplit", connection.caller),
            ("calleeConnectionSplit", connection.callee),
        ):
            one.release()
            if one.alive:
                self.ask_event(one, connection, event, one)

    def hang_up(self, participant: Participant) -> None:
        """An operation ends the call of a participant, or of the one behind the IVR or a device."""
        if participant.leg is None and participant.connection is not None:
            participant = participant.connection.other(participant)
        self.reject(participant, 480)

    def hang_up_both(self, connection: Connection) -> None:
        """An operation ends a whole call: nobody is left to be asked about."""
        self.dissolve(connection)
        for one in (connection.caller, connection.callee):
            one.release()
            self.reject(one, 480)

    def gone(self, participant: Participant, end: CallEnd) -> None:
        """A call is over, for whatever reason."""
        connection = participant.connection
        if connection is not None:
            left = connection.other(participant)
            self.dissolve(connection)
            if left.alive:
                left.release()
                event = "callingPartyDrop" if participant is connection.caller else "calledPartyDrop"
                self.ask_event(left, connection, event, participant, self.drop_details(end))
        participant.release()
        if participant.leg is not None:
            participant.leg.close()
        participant.session.look()

    def drop_details(self, end: CallEnd) -> dict[str, Any]:
        """What a callEvent tells of a hang-up."""
        reason = end.message.headers.get("Reason") if isinstance(end.message, Request) else None
        return {"sipReason": reason} if reason else {}

    def ask_event(
        self,
        participant: Participant,
        connection: Connection,
        event: str,
        about: Participant,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Send a callEvent about one participant, and apply the answer's action to `participant`."""
        work = self._ask_event(participant, connection, event, about, details)
        connection.session.start(self._guard(participant, work))

    async def _ask_event(
        self,
        participant: Participant,
        connection: Connection,
        event: str,
        about: Participant,
        details: dict[str, Any] | None,
    ) -> None:
        epoch = participant.epoch
        members = self.parts.messages.call_event(connection, event, about, details)
        answer = await self.parts.callbacks.ask(connection.session, "callEvent", members)
        usable = self.usable(connection.session, "callEvent", answer)
        if participant.epoch != epoch or not participant.alive:
            return
        if usable is None:
            self.drop(participant, "error")
        else:
            self.engage(participant, self.apply(participant, usable, "callEvent"))

    def engage(self, participant: Participant, work: Coroutine[Any, Any, None]) -> None:
        """Do this with a participant, instead of whatever is being done with it."""
        participant.release()
        participant.activity = participant.session.start(self._guard(participant, work))

    async def _guard(self, participant: Participant, work: Coroutine[Any, Any, None]) -> None:
        """A fault of ours ends the one call that it concerns, and is logged."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - logged, and the call is ended
            _log.exception("session %s: participant %s", participant.session.id, participant.id)
            self.reject(participant, 500)
