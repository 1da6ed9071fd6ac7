"""One party of a call: its SIP dialog and its RTP stream, placed or answered, and what it hears.

Made by the modules that run calls, who also close it. It knows nothing of accounts or verbs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache

from harness.reference.media import Agreement, RtpSession, SdpError, answer_offer, build_offer, read_answer, tone
from harness.reference.sip import (
    AddressError,
    Call,
    CallEnd,
    CallFailed,
    IncomingCall,
    NameAddr,
    OutgoingCall,
    Refused,
    Request,
    SipEndpoint,
)

_CODECS = ("PCMA", "PCMU")
# How long after the end of ringing the engine is waited for; it cleans up by itself.
_CANCEL_GRACE = 0.5
_log = logging.getLogger("ringtrue.callable")


class Leg:
    """A party with whom a call stands, or an incoming one not yet answered."""

    def __init__(self, call: Call, session: RtpSession) -> None:
        self.call = call
        self.session = session

    @property
    def over(self) -> bool:
        return self.call.over

    @property
    def answered(self) -> bool:
        return self.call.answered_at is not None

    async def ended(self) -> CallEnd:
        return await self.call.ended()

    def ringing(self) -> None:
        """Tell a caller who waits for an answer that it rings."""
        if isinstance(self.call, IncomingCall):
            self.call.progress(180)

    async def answer(self) -> None:
        """Answer an incoming call; harmless when that is done. Raises Refused(488) when no codec is shared."""
        call = self.call
        if not isinstance(call, IncomingCall) or not call.unanswered:
            return
        if call.remote_sdp is None:
            await self._answer_with_offer(call)
        else:
            call.answer(self._agree(call.remote_sdp).sdp)

    async def say(self, words: str) -> None:
        """A tone that stands in for the words, and is another for other words."""
        await self.session.play(_tone(words))

    async def play(self, pcm: bytes) -> None:
        await self.session.play(pcm)

    def hangup(self) -> None:
        self.call.hangup()

    def close(self) -> None:
        """Hang up if need be, and free the port."""
        self.call.hangup()
        self.session.close()

    def renegotiate(self, request: Request) -> bytes | None:
        """A re-INVITE: hold, resume, another address. Without an offer the last SDP is repeated."""
        return self._agree(request.body).sdp if request.body else None

    def _agree(self, offer: bytes) -> Agreement:
        try:
            agreement = answer_offer(offer, self.session.host, self.session.port, _CODECS)
        except SdpError as error:
            _log.info("call %s: the offer cannot be answered: %s", self.call.call_id, error)
            raise Refused(488) from error
        self.session.apply(agreement)
        return agreement

    async def _answer_with_offer(self, call: IncomingCall) -> None:
        """An INVITE without SDP asks us to offer; the answer comes with the ACK (RFC 3264 section 4)."""
        acknowledged = asyncio.Event()
        call.on_ack = lambda _ack: acknowledged.set()
        own = build_offer(self.session.host, self.session.port, _CODECS)
        call.answer(own)
        await acknowledged.wait()
        try:
            self.session.apply(read_answer(own, call.remote_sdp))
        except SdpError as error:
            _log.info("call %s: the answer to our offer is unusable: %s", call.call_id, error)
            call.hangup()


async def take(call: IncomingCall, host: str) -> Leg:
    """A leg for a call that came in; `host` is the address that its SDP names."""
    leg = Leg(call, await RtpSession.open(host))
    call.on_reinvite = leg.renegotiate
    return leg


async def place(
    endpoint: SipEndpoint, uri: str, caller: NameAddr, ring_seconds: float, on_ringing: Callable[[], None]
) -> Leg:
    """Dial and wait for the answer. Raises CallFailed; a caller who stops waiting cancels the call."""
    host = endpoint.host.strip("[]")
    session = await RtpSession.open(host)
    offer = build_offer(session.host, session.port, _CODECS)
    call: OutgoingCall | None = None
    leg: Leg | None = None
    try:
        call = await endpoint.invite(uri, caller, sdp=offer, ring_timeout=ring_seconds)
        call.on_progress = lambda _response: on_ringing()
        async with asyncio.timeout(ring_seconds + _CANCEL_GRACE):
            await call.answered()
        session.apply(read_answer(offer, call.remote_sdp))
        made = Leg(call, session)
        call.on_reinvite = made.renegotiate
        leg = made
        return made
    except TimeoutError:
        raise CallFailed(408, "Request Timeout", "ring-timeout") from None
    except SdpError as error:
        raise CallFailed(488, str(error), "refused") from error
    except AddressError as error:
        raise CallFailed(484, str(error), "refused") from error
    finally:
        if leg is None:
            session.close()
            if call is not None:
                call.hangup()


@lru_cache(maxsize=64)
def _tone(words: str) -> bytes:
    return tone(words)
