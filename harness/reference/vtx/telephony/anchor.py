"""Media through the platform, for a caller who sends an INVITE without an offer and answers only in the ACK.

Used by `bridge` in that case alone: the callee needs an offer before the caller has said anything, so both get ours, and
RTP is relayed between the two.
"""

from __future__ import annotations

import logging

from harness.reference.media import Relay, RtpSession, SdpError, build_offer, read_answer
from harness.reference.sip import IncomingCall

_log = logging.getLogger("ringtrue.vtx")


class Anchor:
    """One RTP session for each side, and the relay between them."""

    def __init__(self, caller: RtpSession, callee: RtpSession) -> None:
        self._caller = caller
        self._callee = callee
        self._relay = Relay(caller, callee)
        self._caller_offer = build_offer(caller.host, caller.port)
        self.callee_offer = build_offer(callee.host, callee.port)

    @classmethod
    async def open(cls, host: str) -> Anchor:
        """Take two ports. Raises OSError."""
        caller = await RtpSession.open(host)
        try:
            return cls(caller, await RtpSession.open(host))
        except BaseException:
            caller.close()
            raise

    def answer(self, call: IncomingCall, callee_answer: bytes) -> bool:
        """Answer the caller with our offer; False when the call is over or the callee's answer is unusable."""
        try:
            self._callee.apply(read_answer(self.callee_offer, callee_answer))
        except SdpError as error:
            _log.warning("call %s: the callee's answer is unusable: %s", call.call_id, error)
            return False
        call.on_ack = lambda _ack: self._acknowledged(call)
        return call.answer(self._caller_offer)

    def close(self) -> None:
        self._relay.stop()
        self._caller.close()
        self._callee.close()

    def _acknowledged(self, call: IncomingCall) -> None:
        try:
            self._caller.apply(read_answer(self._caller_offer, call.remote_sdp))
        except SdpError as error:
            _log.warning("call %s: the caller's answer is unusable: %s", call.call_id, error)
            call.hangup()
