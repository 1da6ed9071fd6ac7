"""Joining RTP sessions: two legs of a call, or a third that listens.

The systems use Relay for connected calls and Mixer for monitoring. They add themselves to the sessions' listeners and
take themselves away again; they own no socket.
"""

from __future__ import annotations

from collections.abc import Callable

from .audio import FRAME_BYTES, mix
from .packet import RtpPacket
from .session import RtpSession

_MAX_BUFFERED = 50 * FRAME_BYTES


class Relay:
    """Sends what each of two sessions hears to the other, sound and digits, until stopped."""

    def __init__(self, a: RtpSession, b: RtpSession, both_ways: bool = True) -> None:
        self._links = [_Link(a, b)]
        if both_ways:
            self._links.append(_Link(b, a))

    @property
    def relayed(self) -> int:
        """Packets passed on, both ways together."""
        return sum(link.count for link in self._links)

    def stop(self) -> None:
        """Take the sessions apart; harmless when done already."""
        for link in self._links:
            link.stop()


class _Link:
    def __init__(self, heard: RtpSession, told: RtpSession) -> None:
        self._heard, self._told = heard, told
        self.count = 0
        self._shifts: dict[int, int] = {}
        heard.listeners.append(self._pass_on)

    def _pass_on(self, packet: RtpPacket) -> None:
        codec = self._heard.codec_of(packet)
        agreement = self._heard.agreement
        if codec is None and (agreement is None or packet.payload_type != agreement.dtmf):
            return
        self.count += 1
        if packet.ssrc not in self._shifts and len(self._shifts) < 16:
            self._shifts[packet.ssrc] = self._told.timestamp_now() - packet.timestamp
        self._told.forward(packet, codec, self._shifts.get(packet.ssrc, 0))

    def stop(self) -> None:
        if self._pass_on in self._heard.listeners:
            self._heard.listeners.remove(self._pass_on)


class Mixer:
    """A frame source with the sum of what several sessions hear; a second is kept at most."""

    def __init__(self, *sessions: RtpSession) -> None:
        self._buffers: list[bytearray] = []
        self._taps: list[tuple[RtpSession, Callable[[RtpPacket], None]]] = []
        self.over = False
        for session in sessions:
            buffer = bytearray()
            tap = _tap(session, buffer)
            session.listeners.append(tap)
            self._buffers.append(buffer)
            self._taps.append((session, tap))

    def next_frame(self) -> bytes | None:
        """The next 20 ms of the sum; silence where nothing came; None once stopped."""
        if self.over:
            return None
        frames = []
        for buffer in self._buffers:
            frames.append(bytes(buffer[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0"))
            del buffer[:FRAME_BYTES]
        return mix(*frames)

    def stop(self) -> None:
        """End the source and leave the sessions."""
        self.over = True
        for session, tap in self._taps:
            if tap in session.listeners:
                session.listeners.remove(tap)


def _tap(session: RtpSession, buffer: bytearray) -> Callable[[RtpPacket], None]:
    def tap(packet: RtpPacket) -> None:
        buffer.extend(session.pcm_of(packet))
        del buffer[:-_MAX_BUFFERED]

    return tap
