"""One RTP stream each way on a UDP port: prompts and digits out, packets counted and recorded in (RFC 3550, RFC 4733).

The systems open one per call leg. Frames leave every 20 ms by the loop's clock, without drift. It never negotiates:
`apply` takes what `sdp` settled.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from . import g711
from .audio import FRAME_BYTES, FRAME_SECONDS, RATE
from .packet import DigitReader, RtpPacket, event_payload, parse_rtp
from .recording import Recording
from .sdp import Agreement, Codec

log = logging.getLogger("ringtrue.rtp")

_FRAME_TICKS = 160
_MAX_CATCH_UP = 5
_END_REPEATS = 3
_BIND_ATTEMPTS = 20
T = TypeVar("T")
_GSM_SILENCE = bytes.fromhex("d820a2e15a" + "50004924924924" * 4)


class FrameSource(Protocol):
    """Where outgoing sound comes from: one frame of 20 ms PCM at a time, b"" for a pause, None at the end."""

    def next_frame(self) -> bytes | None: ...


@dataclass
class RtpStats:
    """What a session sent and heard. `lost` counts gaps in the sequence numbers, less what came late."""

    sent: int = 0
    received: int = 0
    received_bytes: int = 0
    lost: int = 0
    not_rtp: int = 0
    by_payload_type: Counter[int] = field(default_factory=Counter)
    first_at: float | None = None
    last_at: float | None = None
    sources: set[tuple[str, int]] = field(default_factory=set)


class Playback:
    """Sound being sent. `stop` ends it; `done` waits and says whether it was sent whole."""

    def __init__(self, pcm: bytes, loop: bool) -> None:
        self._pcm = pcm
        self._loop = loop and bool(pcm)
        self._at = 0
        self._done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def next_frame(self) -> bytes | None:
        """The next 20 ms, the last one filled up with silence."""
        if self._done.done():
            return None
        if self._at >= len(self._pcm):
            if not self._loop:
                self.finish(True)
                return None
            self._at = 0
        frame = self._pcm[self._at : self._at + FRAME_BYTES]
        self._at += FRAME_BYTES
        return frame.ljust(FRAME_BYTES, b"\0")

    def stop(self) -> None:
        """End it now; harmless when over."""
        self.finish(False)

    def finish(self, whole: bool) -> None:
        """Settle the result, once."""
        if not self._done.done():
            self._done.set_result(whole)

    @property
    def over(self) -> bool:
        """Whether nothing more will be sent."""
        return self._done.done()

    async def done(self) -> bool:
        """Wait for the end: True when all of it was sent, False when it was stopped."""
        return await asyncio.shield(self._done)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, owner: RtpSession) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._owner.received(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        log.debug("RTP: %s", exc)


class RtpSession:
    """One leg's media. Open with `RtpSession.open`; see the package's description for its use."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.port = 0
        self.stats = RtpStats()
        self.agreement: Agreement | None = None
        self.on_digit: Callable[[str], None] | None = None
        self.listeners: list[Callable[[RtpPacket], None]] = []
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._socket: asyncio.DatagramTransport | None = None
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._clock_start = self._loop.time()
        self._timestamp_start = secrets.randbits(31)
        self._source: FrameSource | None = None
        self._digits: deque[Iterator[RtpPacket | None]] = deque()
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._timestamp = 0
        self._starting = True
        self._reader = DigitReader()
        self._last_sequence: int | None = None
        self._recording: Recording | None = None

    @classmethod
    async def open(cls, host: str = "127.0.0.1", port: int = 0) -> RtpSession:
        """Bind a UDP port, an even one where the system chooses. Raises OSError."""
        session = cls(host)
        for attempt in range(_BIND_ATTEMPTS):
            sock, _ = await session._loop.create_datagram_endpoint(lambda: _Socket(session), local_addr=(host, port))
            number = sock.get_extra_info("sockname")[1]
            if port or number % 2 == 0 or attempt == _BIND_ATTEMPTS - 1:
                session._socket, session.port = sock, number
                break
            sock.close()
        return session

    def apply(self, agreement: Agreement) -> None:
        """Use what offer and answer settled; also after a re-INVITE, while sound is being sent."""
        self.agreement = agreement

    def close(self) -> None:
        """Stop sending and free the port; harmless when done already."""
        self.closed = True
        self.stop_playing()
        self._digits.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._socket.close()
        self.listeners.clear()
        self.on_digit = None

    def start(self, pcm: bytes, loop: bool = False) -> Playback:
        """Send sound, from the start again and again with `loop`; what was being sent stops."""
        playback = Playback(pcm, loop)
        self.start_source(playback)
        return playback

    def start_source(self, source: FrameSource) -> None:
        """Send the frames of any source; what was being sent stops."""
        self.stop_playing()
        if self.closed:
            if isinstance(source, Playback):
                source.stop()
            return
        self._source = source
        self._ensure_ticking()

    async def play(self, pcm: bytes) -> bool:
        """Send sound and wait: True when all of it went out, False when it was stopped."""
        return await self.start(pcm).done()

    def stop_playing(self) -> None:
        """Stop what is being sent, if anything is."""
        if isinstance(self._source, Playback):
            self._source.stop()
        self._source = None

    async def send_digits(self, digits: str, duration: float = 0.1, gap: float = 0.06) -> None:
        """Send key presses as RFC 4733 events and wait until they went out; seconds. Sound pauses meanwhile.

        Raises ValueError for a character that is no key, RuntimeError when telephone-event was not negotiated.
        """
        if self.agreement is None or self.agreement.dtmf is None:
            raise RuntimeError("telephone-event was not negotiated")
        if self.closed:
            return
        finished: asyncio.Future[None] = self._loop.create_future()
        for digit in digits:
            event_payload(digit, 0, False)
            self._digits.append(self._event_packets(digit, duration, gap))
        self._digits.append(_signal(finished))
        self._ensure_ticking()
        while not finished.done() and not self.closed:
            await asyncio.wait([finished], timeout=0.5)

    def _event_packets(self, digit: str, duration: float, gap: float) -> Iterator[RtpPacket | None]:
        """One item per 20 ms: growing packets, the end packet three times at once in the tick, then the gap."""
        start = self._timestamp
        total = max(1, round(duration / FRAME_SECONDS))
        for n in range(1, total + 1):
            ticks = n * _FRAME_TICKS
            segment, within = divmod(ticks, 0xFFFF)
            stamp = start + segment * 0xFFFF
            if n < total:
                yield self._event_packet(digit, within, False, stamp, n == 1)
                continue
            for repeat in range(_END_REPEATS):
                packet = self._event_packet(digit, within, True, stamp, n == 1 and not repeat)
                if repeat == _END_REPEATS - 1:
                    yield packet
                else:
                    self._send(packet)
        for _ in range(max(1, round(gap / FRAME_SECONDS))):
            yield None

    def _event_packet(self, digit: str, ticks: int, end: bool, stamp: int, marker: bool) -> RtpPacket:
        payload_type = self.agreement.dtmf if self.agreement and self.agreement.dtmf is not None else 101
        return RtpPacket(payload_type, 0, stamp, self._ssrc, event_payload(digit, ticks, end), marker)

    def _ensure_ticking(self) -> None:
        if self._timer is None and not self.closed:
            now = self._loop.time()
            self._due = now
            self._timestamp = self.timestamp_now()
            self._starting = True
            self._timer = self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        """Send what is due. After a delay of the loop a few frames catch up; more than that is skipped."""
        self._timer = None
        now = self._loop.time()
        if now - self._due > _MAX_CATCH_UP * FRAME_SECONDS:
            skipped = int((now - self._due) / FRAME_SECONDS)
            self._due += skipped * FRAME_SECONDS
            self._timestamp += skipped * _FRAME_TICKS
        while self._due <= now:
            if not self._send_frame():
                return
            self._due += FRAME_SECONDS
            self._timestamp += _FRAME_TICKS
        self._timer = self._loop.call_at(self._due, self._tick)

    def _send_frame(self) -> bool:
        """One frame's time: an event packet or sound; False when there is nothing left to send."""
        while self._digits:
            try:
                packet = next(self._digits[0])
            except StopIteration:
                self._digits.popleft()
                continue
            if packet is not None:
                self._send(packet)
            self._starting = True
            return True
        if self._source is None:
            return False
        frame = self._source.next_frame()
        if frame is None:
            self._source = None
            return bool(self._digits)
        if frame and self.agreement:
            codec = self.agreement.codec
            self._send(
                RtpPacket(codec.payload, 0, self._timestamp, self._ssrc, encode_frame(codec, frame), self._starting)
            )
            self._starting = False
        return True

    def _send(self, packet: RtpPacket) -> None:
        agreement = self.agreement
        if agreement is None or not agreement.send or agreement.remote is None or self._socket is None:
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        numbered = RtpPacket(
            packet.payload_type, self._sequence, packet.timestamp, self._ssrc, packet.payload, packet.marker
        )
        if not self._socket.is_closing():
            self._socket.sendto(numbered.serialise(), agreement.remote)
            self.stats.sent += 1

    def timestamp_now(self) -> int:
        """The RTP timestamp of this moment; sound of every origin follows this one clock."""
        return self._timestamp_start + round((self._loop.time() - self._clock_start) * RATE)

    def forward(self, packet: RtpPacket, codec: Codec | None, shift: int = 0) -> None:
        """Send a packet that came in on another leg; `codec` says what its payload is, None for a telephone event.

        `shift` is added to its timestamp. It is recoded between the two laws of G.711;
        what this leg cannot carry is dropped.
        """
        agreement = self.agreement
        if agreement is None or self.closed:
            return
        payload, payload_type = packet.payload, agreement.dtmf
        if codec is not None:
            payload_type = agreement.codec.payload
            if codec.name != agreement.codec.name:
                if "GSM" in (codec.name, agreement.codec.name):
                    return
                payload = g711.encode(agreement.codec.name, g711.decode(codec.name, payload))
        if payload_type is not None:
            self._send(RtpPacket(payload_type, 0, packet.timestamp + shift, self._ssrc, payload, packet.marker))

    def received(self, data: bytes, source: tuple[str, int]) -> None:
        """One datagram. Never raises for what is in it."""
        packet = parse_rtp(data)
        if packet is None:
            self.stats.not_rtp += 1
            return
        self._count(packet, source)
        if self.agreement is not None and packet.payload_type == self.agreement.dtmf:
            digit = self._reader.read(packet)
            if digit is not None and self.on_digit is not None:
                _tell(self.on_digit, digit)
        elif self._recording is not None:
            pcm = self.pcm_of(packet)
            if pcm:
                self._recording.add(packet.timestamp, packet.ssrc, pcm, self._loop.time())
        for listener in tuple(self.listeners):
            _tell(listener, packet)

    def _count(self, packet: RtpPacket, source: tuple[str, int]) -> None:
        stats, now = self.stats, self._loop.time()
        stats.received += 1
        stats.received_bytes += len(packet.payload)
        stats.by_payload_type[packet.payload_type] += 1
        stats.first_at = now if stats.first_at is None else stats.first_at
        stats.last_at = now
        if len(stats.sources) < 16:
            stats.sources.add(source)
        if self._last_sequence is None:
            self._last_sequence = packet.sequence
            return
        ahead = (packet.sequence - self._last_sequence) & 0xFFFF
        if 0 < ahead < 0x8000:
            stats.lost += ahead - 1 if ahead < 1000 else 0
            self._last_sequence = packet.sequence
        elif ahead >= 0xFC00:
            stats.lost = max(0, stats.lost - 1)

    def codec_of(self, packet: RtpPacket) -> Codec | None:
        """The negotiated codec of a packet's payload type; None for events and for what was not negotiated."""
        codecs = self.agreement.codecs if self.agreement else ()
        return next((codec for codec in codecs if codec.payload == packet.payload_type), None)

    def pcm_of(self, packet: RtpPacket) -> bytes:
        """The sound of a packet; empty for what cannot be decoded (GSM is known by name only)."""
        codec = self.codec_of(packet)
        return g711.decode(codec.name, packet.payload) if codec and codec.name in ("PCMU", "PCMA") else b""

    def start_recording(self, max_seconds: float = 300.0) -> None:
        """Record what is heard from now on, gaps as silence; past the limit nothing more is kept."""
        self._recording = Recording(self._loop.time(), max_seconds)

    def stop_recording(self) -> bytes:
        """The PCM recorded since `start_recording`, as long as the time that passed; empty when none ran."""
        recording, self._recording = self._recording, None
        return recording.finish(self._loop.time()) if recording else b""


def encode_frame(codec: Codec, pcm: bytes) -> bytes:
    """One frame for the wire; GSM, which is known by name only, sends its silence."""
    return _GSM_SILENCE if codec.name == "GSM" else g711.encode(codec.name, pcm)


def _tell(handler: Callable[[T], None], value: T) -> None:
    """Call a handler; its fault is logged and stops nothing."""
    try:
        handler(value)
    except Exception:
        log.exception("media handler failed")


def _signal(finished: asyncio.Future[None]) -> Iterator[RtpPacket | None]:
    if not finished.done():
        finished.set_result(None)
    yield from ()
