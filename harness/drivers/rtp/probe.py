"""A UDP port that hears and, when asked, speaks RTP: one thread, no asyncio, plain figures at the end.

Opened by scenario steps beside a SIPp agent, whose SDP points at it. It takes packets from anybody, since a platform
may send from another port than it listens on, and sends only where it was told to.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from harness.drivers.rtp import g711
from harness.drivers.rtp.packet import DIGITS, PacketError, RtpPacket, is_rtcp
from harness.drivers.rtp.sdp import AudioMedia
from harness.drivers.rtp.sender import Sender
from harness.drivers.rtp.stats import SAME_PITCH, SHORTEST_TONE, StreamStats, Tone
from harness.timeline import MediaReport, Timeline

PACKET_SECONDS = 0.02
# A sender that is later than this does not catch up with a burst.
LATE_SECONDS = 0.2
CLOSE_SECONDS = 2.0
# What the SDP of our SIPp scripts offers.
OFFERED: Mapping[int, str] = {8: "PCMA", 0: "PCMU", 101: "TELEPHONE-EVENT"}


class ProbeError(Exception):
    """The probe cannot open its port, or was asked to send what or where it cannot."""


class RtpProbe:
    """One end of one audio stream. A context manager; leaving it writes the report.

    `codecs` says what the payload types mean that our SDP offers. Raises ProbeError without a port.
    """

    def __init__(
        self, agent: str, timeline: Timeline, *, host: str = "127.0.0.1", codecs: Mapping[int, str] = OFFERED
    ) -> None:
        self._agent = agent
        self._timeline = timeline
        self._stats = StreamStats(codecs)
        self._sender = Sender()
        self._target: tuple[str, int] | None = None
        self._due: float | None = None
        self._failures = 0
        self._over = False
        self._report: MediaReport | None = None
        self._changed = threading.Condition()
        self._socket = _bind_even(host)
        self.host, self.port = str(self._socket.getsockname()[0]), int(self._socket.getsockname()[1])
        self._bell, self._ring = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=f"ringtrue-rtp-{agent}", daemon=True)
        self._thread.start()

    def __enter__(self) -> RtpProbe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def variables(self) -> dict[str, str | int]:
        """What a SIPp script needs to name this probe in its SDP."""
        return {"probe_ip": self.host, "probe_port": self.port}

    @property
    def packets(self) -> int:
        """Packets received so far."""
        with self._changed:
            return self._stats.packets

    @property
    def digits(self) -> str:
        """Keys heard so far, each once."""
        with self._changed:
            return self._stats.digits

    @property
    def sound_ms(self) -> int:
        """Milliseconds of sound heard so far: what `wait_sound` waits for more than."""
        with self._changed:
            return self._stats.sound_ms

    @property
    def sounds(self) -> tuple[tuple[float, float], ...]:
        """When each stretch of sound began and when it ended, so far, in seconds since the epoch."""
        with self._changed:
            return tuple((sound.begin, sound.end) for sound in self._stats.sounds)

    @property
    def tones(self) -> tuple[Tone, ...]:
        """The tones heard so far, each with its pitch; those that are too short to be one are left out."""
        with self._changed:
            return tuple(replace(tone) for tone in self._stats.tones if tone.milliseconds >= SHORTEST_TONE)

    def wait_tone(self, hertz: float, count: int = 1, timeout: float = 5.0) -> Tone | None:
        """Wait until a tone of about that pitch has been heard for the `count`th time; None when it was not."""

        def heard() -> list[Tone]:
            return [one for one in self.tones if abs(one.hertz - hertz) <= SAME_PITCH]

        return heard()[count - 1] if self._wait(lambda: len(heard()) >= count, timeout) else None

    def wait_packets(self, count: int = 1, timeout: float = 5.0) -> bool:
        """Wait until `count` packets have come."""
        return self._wait(lambda: self._stats.packets >= count, timeout)

    def wait_sound(self, milliseconds: int = 100, timeout: float = 5.0) -> bool:
        """Wait until so many milliseconds of sound have been heard, from the beginning on."""
        return self._wait(lambda: self._stats.sound_ms >= milliseconds, timeout)

    def wait_digits(self, count: int, timeout: float = 5.0) -> str:
        """Wait until `count` keys have been heard; those that were."""
        self._wait(lambda: self._stats.heard_digits >= count, timeout)
        return self.digits

    def send_to(self, media: AudioMedia) -> None:
        """Send to the audio of the far side's SDP from now on, with its payload types (RFC 3264 6.1).

        Raises:
            ProbeError: the stream is refused (port 0), or has none of the codecs that the probe speaks.
        """
        laws = [(number, codec) for number, codec in media.codecs.items() if codec in g711.SAMPLES]
        if media.port == 0 or not laws:
            raise ProbeError(f"cannot send to port {media.port} with {', '.join(media.codecs.values()) or 'no codec'}")
        events = media.payload_type("TELEPHONE-EVENT")
        with self._changed:
            self._target = (media.host, media.port)
            self._sender.payload_type, self._sender.law = laws[0]
            self._sender.event_type = 101 if events is None else events

    def stream(self, kind: str | None, hertz: int = g711.PITCH) -> None:
        """Send `tone` (of so many hertz, a multiple of 50) or `silence` continuously from now on; None stops it."""
        if kind not in (None, "tone", "silence"):
            raise ProbeError(f"cannot send {kind!r}: tone, silence or None")
        with self._changed:
            self._needs_target()
            self._sender.kind, self._sender.hertz = kind, hertz
        self._wake()

    def send_digits(self, digits: str, *, milliseconds: int = 100, pause: int = 60, timeout: float = 10.0) -> bool:
        """Press keys (RFC 4733), each for so many milliseconds; True when all were sent before `timeout` seconds."""
        unknown = [digit for digit in digits if digit not in DIGITS]
        if unknown:
            raise ProbeError(f"no such key: {''.join(unknown)!r}; the keys are {DIGITS}")
        with self._changed:
            self._needs_target()
            self._sender.press(digits, milliseconds, pause)
        self._wake()
        return self._wait(lambda: not self._sender.pressing, timeout)

    def close(self) -> MediaReport:
        """Close the port and write the report to the timeline, once; later calls give the same report."""
        with self._changed:
            self._over = True
        self._wake()
        self._thread.join(CLOSE_SECONDS)
        with self._changed:
            if self._report is None:
                for each in (self._socket, self._bell, self._ring):
                    each.close()
                data = {
                    "local": f"{self.host}:{self.port}",
                    "remote": f"{self._target[0]}:{self._target[1]}" if self._target else None,
                    "received": self._stats.figures(),
                    "sent": {
                        "packets": self._sender.packets,
                        "digits": self._sender.digits,
                        "failures": self._failures,
                    },
                }
                self._report = self._timeline.add(MediaReport(self._timeline.clock.now(), agent=self._agent, data=data))
            return self._report

    def _needs_target(self) -> None:
        if self._target is None:
            raise ProbeError("the probe does not know where to send: call send_to with the far side's SDP first")

    def _wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: condition() or self._over, timeout) and condition()

    def _wake(self) -> None:
        with suppress(OSError):  # closed already
            self._ring.send(b"!")

    def _run(self) -> None:
        """The thread: packets in as they come, packets out when they are due."""
        while True:
            with self._changed:
                if self._over:
                    return
                now = time.monotonic()
                if not self._sender.busy:
                    self._due = None
                elif self._due is None or now - self._due > LATE_SECONDS:
                    self._sender.rest(1)
                    self._due = now
                left = None if self._due is None else max(0.0, self._due - now)
            ready, _, _ = select.select([self._socket, self._bell], [], [], left)
            if self._bell in ready:
                self._bell.recv(4096)
            with self._changed:
                if self._socket in ready:
                    self._receive()
                if self._due is not None and time.monotonic() >= self._due:
                    self._due += PACKET_SECONDS
                    self._send()
                self._changed.notify_all()

    def _receive(self) -> None:
        """Take what lies in the socket, at most as much as leaves time to send."""
        for _ in range(64):
            try:
                data = self._socket.recv(65535)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error for something that was sent: says nothing of what arrives
            if is_rtcp(data):
                self._stats.rtcp += 1
                continue
            try:
                packet = RtpPacket.parse(data)
            except PacketError:
                self._stats.malformed += 1
                continue
            self._stats.receive(packet, self._timeline.clock.now())

    def _send(self) -> None:
        packet = self._sender.next_packet()
        if packet is not None and self._target is not None:
            try:
                self._socket.sendto(packet, self._target)
            except OSError:
                self._failures += 1


def _bind_even(host: str) -> socket.socket:
    """A non-blocking UDP socket on an even port (RFC 3550 11), which some platforms insist on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(50):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((host, 0))
        except OSError as error:
            sock.close()
            raise ProbeError(f"no RTP port on {host}: {error}") from error
        if sock.getsockname()[1] % 2 == 0:
            sock.setblocking(False)
            return sock
        sock.close()
    raise ProbeError(f"no even port on {host}")
