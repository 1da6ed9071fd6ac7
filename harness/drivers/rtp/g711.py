"""G.711 (ITU-T), as much as a probe needs: how loud a payload is, and a tone or silence to send.

Pure functions over tables made once. Nothing here keeps or plays audio.
"""

from __future__ import annotations

import math
from itertools import pairwise

FULL_SCALE = 32768.0
# What counts as sound, in dB below full scale: line noise and comfort noise lie well under it, speech over it.
SOUND_DBFS = -45.0
# Of a tone that nobody chose another for, in hertz.
PITCH = 400


def _mulaw_sample(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def _alaw_sample(code: int) -> int:
    code ^= 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = mantissa + 8 if exponent == 0 else (mantissa + 0x108) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


SAMPLES: dict[str, tuple[int, ...]] = {
    "PCMU": tuple(_mulaw_sample(code) for code in range(256)),
    "PCMA": tuple(_alaw_sample(code) for code in range(256)),
}
_SQUARES = {law: tuple(sample * sample for sample in samples) for law, samples in SAMPLES.items()}
# Near zero the sign says nothing: coders differ in what they make of a zero.
_SIGNS = {
    law: tuple(sample > 0 if abs(sample) > 40 else None for sample in samples) for law, samples in SAMPLES.items()
}


def energy(payload: bytes, law: str) -> float:
    """Mean square of the samples of a payload; `law` is `PCMU` or `PCMA`."""
    return sum(map(_SQUARES[law].__getitem__, payload)) / len(payload) if payload else 0.0


def hertz(payload: bytes, law: str) -> float:
    """The pitch of a tone, from how often its samples change their sign; good to 25 Hz for a packet of 20 ms."""
    above = [sign for code in payload if (sign := _SIGNS[law][code]) is not None]
    changes = sum(first != second for first, second in pairwise(above))
    return changes * 4000 / len(payload) if payload else 0.0


def dbfs(mean_square: float) -> float:
    """A mean square as decibels relative to full scale; -96 for silence and below."""
    return max(-96.0, 10 * math.log10(mean_square / FULL_SCALE**2)) if mean_square > 0 else -96.0


def encode(samples: list[float], law: str) -> bytes:
    """The nearest code for each sample; slow, and used for a few hundred samples only."""
    table = SAMPLES[law]
    return bytes(min(range(256), key=lambda code: abs(table[code] - sample)) for sample in samples)


def tone(law: str, hertz: int = PITCH, level_dbfs: float = -10.0, samples: int = 160) -> bytes:
    """One packet's worth of a sine; at a multiple of 50 Hz, 20 ms packets of it join without a click."""
    peak = FULL_SCALE * 10 ** (level_dbfs / 20) * math.sqrt(2)
    return encode([peak * math.sin(2 * math.pi * hertz * at / 8000) for at in range(samples)], law)


def silence(law: str, samples: int = 160) -> bytes:
    return encode([0.0], law) * samples
