"""A recording in memory: sound placed where it was heard, bounded in length.

RTP sessions fill it. It knows nothing of packets' formats or of files.
"""

from __future__ import annotations

from .audio import RATE, silence


class Recording:
    """PCM placed by arrival of the first packet and by timestamps from there; bounded."""

    def __init__(self, began: float, max_seconds: float) -> None:
        self._began = began
        self._max_bytes = 2 * round(max_seconds * RATE)
        self._pcm = bytearray()
        self._anchors: dict[int, tuple[int, int]] = {}

    def add(self, timestamp: int, ssrc: int, pcm: bytes, now: float) -> None:
        """Place one packet; each stream (SSRC) has its own zero."""
        arrived = round((now - self._began) * RATE)
        if ssrc not in self._anchors:
            if len(self._anchors) >= 8:
                return
            self._anchors[ssrc] = (timestamp, max(0, arrived - len(pcm) // 2))
        zero, offset = self._anchors[ssrc]
        ahead = (timestamp - zero) & 0xFFFFFFFF
        at = 2 * (offset + ahead)
        if abs(at // 2 - arrived) > RATE:
            self._anchors[ssrc] = (timestamp, arrived)
            at = 2 * arrived
        if at + len(pcm) > self._max_bytes:
            return
        if len(self._pcm) < at:
            self._pcm.extend(bytes(at - len(self._pcm)))
        self._pcm[at : at + len(pcm)] = pcm

    def finish(self, now: float) -> bytes:
        """All of it, filled up to the present."""
        length = min(self._max_bytes, 2 * round((now - self._began) * RATE))
        return bytes(self._pcm) + silence(max(0, length - len(self._pcm)) / 2 / RATE)
