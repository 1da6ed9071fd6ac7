"""What the caller of one call hears: answers with SDP, then sends tones in place of speech, and wav files, as RTP.

Made by `calls` for each call and closed with it. It fetches only the sounds that a script names.
"""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache

from harness.reference.fetch import Fetcher, FetchError, url_problem
from harness.reference.media import (
    Agreement,
    RtpSession,
    SdpError,
    answer_offer,
    build_offer,
    load_wav,
    read_answer,
    tone,
)
from harness.reference.media.audio import AudioError
from harness.reference.sip import IncomingCall, Refused, Request

_CODECS = ("PCMU", "PCMA")
_log = logging.getLogger("ringtrue.apidaze")


class Speech:
    """The media of one call. `host` is the address that the SDP names."""

    def __init__(self, call: IncomingCall, fetcher: Fetcher, host: str) -> None:
        self._call = call
        self._fetcher = fetcher
        self._host = host
        self._session: RtpSession | None = None

    async def answer(self) -> RtpSession:
        """Answer the call, once. Raises Refused(488) when no codec is shared."""
        if self._session is not None:
            return self._session
        self._session = session = await RtpSession.open(self._host)
        self._call.on_reinvite = self._renegotiate
        offer = self._call.remote_sdp
        if offer is None:
            await self._answer_with_offer(session)
        else:
            agreement = self._agree(offer, session)
            self._call.answer(agreement.sdp)
        return session

    async def speak(self, text: str) -> None:
        """A tone that stands in for the text, and is another for another text."""
        session = await self.answer()
        await session.play(_tone(text))

    async def play(self, url: str) -> None:
        """The wav file at that URL; one that cannot be had or played is left out."""
        session = await self.answer()
        problem = url_problem(url)
        if problem:
            _log.warning("call %s: the playback URL '%s' %s, left out", self._call.call_id, url, problem)
            return
        try:
            fetched = await self._fetcher.get(url)
            pcm = await asyncio.to_thread(load_wav, fetched.body)
        except (FetchError, AudioError) as error:
            _log.warning("call %s: %s is left out: %s", self._call.call_id, url, error)
            return
        await session.play(pcm)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _agree(self, offer: bytes, session: RtpSession) -> Agreement:
        try:
            agreement = answer_offer(offer, session.host, session.port, _CODECS)
        except SdpError as error:
            _log.warning("call %s: the offer cannot be answered: %s", self._call.call_id, error)
            raise Refused(488) from error
        session.apply(agreement)
        return agreement

    async def _answer_with_offer(self, session: RtpSession) -> None:
        """An INVITE without SDP asks us to offer; the answer comes with the ACK (RFC 3264 section 4)."""
        acknowledged = asyncio.Event()
        self._call.on_ack = lambda _ack: acknowledged.set()
        own = build_offer(session.host, session.port, _CODECS)
        self._call.answer(own)
        await acknowledged.wait()
        try:
            session.apply(read_answer(own, self._call.remote_sdp))
        except SdpError as error:
            _log.warning("call %s: the answer to our offer is unusable: %s", self._call.call_id, error)
            self._call.hangup()

    def _renegotiate(self, request: Request) -> bytes | None:
        """A re-INVITE: hold, resume, another address. Without an offer the last SDP is repeated."""
        if not request.body or self._session is None:
            return None
        return self._agree(request.body, self._session).sdp


@lru_cache(maxsize=64)
def _tone(text: str) -> bytes:
    return tone(text)
