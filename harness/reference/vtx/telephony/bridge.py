"""Joins an incoming call with a second leg: ringing, answer, re-INVITE and hang-up pass from one to the other.

Called by `calls`. The descriptions of media pass unchanged, so that the two telephones send their RTP to each other. It
knows neither users nor call logs.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from harness.reference.media import SdpError, parse_sdp
from harness.reference.sip import (
    AddressError,
    Call,
    CallEnd,
    CallFailed,
    IncomingCall,
    OutgoingCall,
    Refused,
    Request,
    Response,
    SipEndpoint,
)
from harness.reference.vtx.telephony.anchor import Anchor

RING_SECONDS = 60.0
# A telephone that is there says something at once; RFC 3261 would have the caller wait for half a minute.
SILENCE_SECONDS = 6.0
_log = logging.getLogger("ringtrue.vtx")


@dataclass(frozen=True)
class Leg:
    """The second leg to place. `from_` is a name-addr without tag."""

    uri: str
    from_: str
    headers: tuple[tuple[str, str], ...] = ()


class Bridge:
    """One incoming call and the leg that it is joined with."""

    def __init__(self, endpoint: SipEndpoint, call: IncomingCall) -> None:
        self._endpoint = endpoint
        self._call = call
        self._leg: OutgoingCall | None = None
        self._anchor: Anchor | None = None
        self.silence = SILENCE_SECONDS

    async def run(self, order: Leg) -> None:
        """Place the leg and stay until both are over. Raises Refused when the call cannot be connected."""
        try:
            leg = await self._place(order)
            await self._connect(leg)
        finally:
            # How an unanswered call is refused is for the caller of this method to say.
            if not self._call.unanswered:
                self._call.hangup()
            if self._leg is not None:
                self._leg.hangup()
            if self._anchor is not None:
                self._anchor.close()

    @property
    def answered_seconds(self) -> float:
        """From the answer to the first hang-up; 0 without an answer."""
        if self._call.answered_at is None:
            return 0.0
        ends = [call.ended_at for call in (self._call, self._leg) if call and call.ended_at is not None]
        return max(0.0, min(ends, default=asyncio.get_running_loop().time()) - self._call.answered_at)

    async def _place(self, order: Leg) -> OutgoingCall:
        offer = await self._offer()
        hops = self._call.request.headers.get("Max-Forwards")
        try:
            leg = await self._endpoint.invite(
                order.uri,
                from_=order.from_,
                sdp=offer,
                headers=list(order.headers),
                ring_timeout=RING_SECONDS,
                max_forwards=max(0, int(hops) - 1) if hops and hops.isdigit() else 70,
            )
        except AddressError as error:
            _log.warning("call %s: %s cannot be reached: %s", self._call.call_id, order.uri, error)
            raise Refused(480) from error
        except CallFailed as failure:
            raise Refused(failure.code) from failure
        self._leg = leg
        leg.on_progress = self._progressed
        self._call.on_end = lambda end: leg.hangup(_reasons(end))
        if self._call.over:
            leg.hangup()
        return leg

    async def _offer(self) -> bytes:
        """What the second leg is offered: the caller's own description, or ours where it gave none."""
        offer = self._call.remote_sdp
        if offer is None:
            self._anchor = await Anchor.open(self._endpoint.host.strip("[]"))
            return self._anchor.callee_offer
        kind = self._call.request.headers.get("Content-Type") or ""
        if kind.partition(";")[0].strip().lower() != "application/sdp":
            raise Refused(415, headers=[("Accept", "application/sdp")])
        try:
            parse_sdp(offer)
        except SdpError as error:
            _log.warning("call %s: the offer cannot be read: %s", self._call.call_id, error)
            raise Refused(488) from error
        return offer

    def _progressed(self, response: Response) -> None:
        """Ringing and its like; early media only where the descriptions pass through."""
        self._call.progress(response.status, None if self._anchor else response.body or None)

    async def _answer(self, leg: OutgoingCall) -> Response | None:
        """The callee's answer; None when the caller gave up first. Raises Refused when there is none to come."""
        answering = asyncio.ensure_future(leg.answered())
        ending = asyncio.ensure_future(self._call.ended())
        try:
            await asyncio.wait({answering, ending}, timeout=self.silence, return_when=asyncio.FIRST_COMPLETED)
            if not leg.heard and not self._call.over:
                _log.info("call %s: nothing is heard from %s", self._call.call_id, leg.request.uri)
                raise Refused(480)
            await asyncio.wait({answering, ending}, return_when=asyncio.FIRST_COMPLETED)
            return answering.result() if answering.done() else None
        except CallFailed as failure:
            raise Refused(refusal_for(failure)) from failure
        finally:
            answering.cancel()
            ending.cancel()

    async def _connect(self, leg: OutgoingCall) -> None:
        response = await self._answer(leg)
        if response is None:
            return
        leg.on_end = lambda end: self._call.hangup(_reasons(end))
        if self._anchor is None:
            self._pass_requests(leg)
            answered = self._call.answer(response.body or None)
        else:
            answered = self._anchor.answer(self._call, response.body)
        if not answered or leg.over:
            return
        await self._call.ended()
        await leg.ended()

    def _pass_requests(self, leg: OutgoingCall) -> None:
        for one, other in ((self._call, leg), (leg, self._call)):
            one.on_reinvite = lambda request, other=other: _reinvite(other, request)
            one.on_info = lambda request, other=other: _info(other, request)


def refusal_for(failure: CallFailed) -> int:
    """What the caller is told: the callee's own answer, unless it makes sense only to whoever got it."""
    if failure.cause == "ring-timeout" or failure.code < 400:
        return 480
    return 403 if failure.code in (401, 407) else failure.code


async def _reinvite(other: Call, request: Request) -> bytes | None:
    """Pass an offer on, and its answer back; a re-INVITE without one is answered with what stands."""
    if not request.body:
        return None
    try:
        return (await other.reinvite(request.body)).body or None
    except CallFailed as failure:
        raise Refused(refusal_for(failure)) from failure


async def _info(other: Call, request: Request) -> int:
    kind = request.headers.get("Content-Type")
    try:
        return (await other.request_in_dialog("INFO", body=request.body, content_type=kind)).status
    except CallFailed as failure:
        raise Refused(refusal_for(failure)) from failure


def _reasons(end: CallEnd) -> list[tuple[str, str]]:
    """The Reason headers of whatever ended a call (RFC 3326), for the other side."""
    if not isinstance(end.message, Request):
        return []
    return [("Reason", row) for row in end.message.headers.rows("Reason")]
