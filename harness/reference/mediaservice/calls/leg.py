"""One SIP leg with its media: offer and answer, early sound, hold, and the end of both together.

Made by the call control for each call of a participant. It knows nothing of sessions or callbacks, and decides nothing
about the call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from harness.reference.media import Agreement, RtpSession, SdpError, answer_offer, build_offer, read_answer, tone
from harness.reference.media.audio import silence
from harness.reference.mediaservice.calls import timers
from harness.reference.sip import Call, IncomingCall, OutgoingCall, Refused, Request, Response
from harness.reference.sip.message import HeaderList

CODECS = ("PCMA", "PCMU")
_ACK_SECONDS = 10.0
_RINGBACK = tone("ringback", 1.0) + silence(2.0)
_log = logging.getLogger("ringtrue.mediaservice")


class Leg:
    """A call and, once opened, its RTP session. `gave_up`: nobody waits for this attempt any more.

    `expires`: the session expiration that both sides agreed on, in seconds; the call ends then, unless it is refreshed.
    """

    def __init__(self, call: Call, media: RtpSession | None = None) -> None:
        self.call = call
        self.media = media
        self.gave_up = False
        self.on_change: Callable[[], None] | None = None
        self.expires: int | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._agreement: Agreement | None = None

    @property
    def alive(self) -> bool:
        """Whether the call is up or on its way."""
        return not self.call.over and not self.gave_up

    @property
    def unanswered(self) -> bool:
        """Whether it is an incoming call that waits for an answer."""
        return isinstance(self.call, IncomingCall) and self.call.unanswered

    async def ring(self, sound: str, host: str) -> None:
        """Let an unanswered caller know that it rings: "default" by a tone, "silent" by silence, otherwise by 180.

        A caller who is connected already hears tone or silence. Raises SdpError.
        """
        if isinstance(self.call, IncomingCall) and self.call.unanswered:
            if sound not in ("default", "silent") or self.call.remote_sdp is None:
                self.call.progress(180)
                return
            agreement = await self._prepare(self.call, host)
            self.call.progress(183, agreement.sdp)
        if self.media is not None and sound in ("default", "silent"):
            self.media.start(_RINGBACK if sound == "default" else silence(1.0), loop=True)

    async def answer(self, host: str) -> bool:
        """Answer an incoming call, if it is not answered; False when it is over. Raises SdpError."""
        call = self.call
        if not isinstance(call, IncomingCall) or not call.unanswered:
            return not call.over
        if call.remote_sdp is None:
            return await self._answer_with_offer(call, host)
        agreement = await self._prepare(call, host)
        call.on_reinvite = self._renegotiate
        return call.answer(agreement.sdp, self._timer_headers(call))

    def accepted(self, response: Response) -> None:
        """Our outgoing call was answered: use what its SDP says, and its session timer. Raises SdpError."""
        assert isinstance(self.call, OutgoingCall)
        self._expire_in(timers.expires_in(response))
        self.call.on_reinvite = self._renegotiate
        if self.media is not None:
            self.media.apply(read_answer(self.call.request.body, self.call.remote_sdp))

    def stop_sound(self) -> None:
        """End what this party hears from the platform."""
        if self.media is not None:
            self.media.stop_playing()

    def close(self) -> None:
        """The call is over: free the media."""
        self._expire_in(None)
        if self.media is not None:
            self.media.close()

    def _timer_headers(self, call: IncomingCall) -> HeaderList:
        """Agree to the session timer that a caller asks for; the headers that say so."""
        seconds, headers = timers.agreed(call.request)
        self._expire_in(seconds)
        return headers

    def _expire_in(self, seconds: int | None) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(seconds, self.call.hangup) if seconds else None
        self.expires = seconds if seconds is not None else self.expires

    async def _open(self, host: str) -> RtpSession:
        if self.media is None:
            self.media = await RtpSession.open(host)
        return self.media

    async def _prepare(self, call: Call, host: str) -> Agreement:
        """Settle the media with the caller's offer, once."""
        if self._agreement is None:
            media = await self._open(host)
            self._agreement = answer_offer(call.remote_sdp, media.host, media.port, CODECS)
            media.apply(self._agreement)
        return self._agreement

    async def _answer_with_offer(self, call: IncomingCall, host: str) -> bool:
        """An INVITE without SDP asks us to offer; the answer comes with the ACK (RFC 3264 section 4)."""
        media = await self._open(host)
        acknowledged = asyncio.Event()
        call.on_ack = lambda _ack: acknowledged.set()
        own = build_offer(media.host, media.port, CODECS)
        call.on_reinvite = self._renegotiate
        if not call.answer(own, self._timer_headers(call)):
            return False
        try:
            async with asyncio.timeout(_ACK_SECONDS):
                await acknowledged.wait()
        except TimeoutError:
            call.hangup()  # RFC 3261 13.3.1.4: whoever never acknowledges is sent a BYE
            return False
        media.apply(read_answer(own, call.remote_sdp))
        return not call.over

    def _renegotiate(self, request: Request) -> bytes | None:
        """A re-INVITE: hold, resume, another address. Without an offer the last SDP is repeated."""
        if self._expiry is not None:
            self._expiry.cancel()  # our answer names no timer, so that there is none from now on
        if self.on_change is not None:
            self.on_change()
        if not request.body or self.media is None:
            return None
        try:
            agreement = answer_offer(request.body, self.media.host, self.media.port, CODECS)
        except SdpError as error:
            raise Refused(488) from error
        self.media.apply(agreement)
        return agreement.sdp


async def open_leg_media(host: str) -> tuple[RtpSession, bytes]:
    """Media for an outgoing call, and the offer for its INVITE."""
    media = await RtpSession.open(host)
    return media, build_offer(media.host, media.port, CODECS)
