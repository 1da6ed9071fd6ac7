"""G.711 in both laws, by tables of our own (ITU-T G.711; the standard library's codec is gone from Python 3.13).

RTP sessions call it per frame. Pure functions over bytes.
"""

from __future__ import annotations

import sys
from array import array
from functools import cache

_BIAS = 0x84
_CLIP = 32635


def _ulaw_value(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS) << ((code & 0x70) >> 4)
    return _BIAS - magnitude if code & 0x80 else magnitude - _BIAS


def _alaw_value(code: int) -> int:
    code ^= 0x55
    segment, magnitude = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    if segment:
        magnitude = (magnitude + 0x100) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


def _ulaw_code(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def _alaw_code(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(sample if sample >= 0 else ~sample, 32767)
    if magnitude < 256:
        code = magnitude >> 4
    else:
        exponent = magnitude.bit_length() - 8
        code = exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F
    return (code | sign) ^ 0x55


@cache
def _encoder(law: str) -> bytes:
    code = _ulaw_code if law == "PCMU" else _alaw_code
    return bytes(code(n - 65536 if n > 32767 else n) for n in range(65536))


@cache
def _decoder(law: str) -> tuple[int, ...]:
    value = _ulaw_value if law == "PCMU" else _alaw_value
    return tuple(value(n) for n in range(256))


def encode(law: str, pcm: bytes) -> bytes:
    """16 bit little-endian PCM to "PCMU" or "PCMA"; an odd last byte is dropped."""
    samples = array("H", pcm[: len(pcm) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    table = _encoder(law)
    return bytes([table[sample] for sample in samples])


def decode(law: str, data: bytes) -> bytes:
    """ "PCMU" or "PCMA" to 16 bit little-endian PCM."""
    table = _decoder(law)
    samples = array("h", [table[code] for code in data])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
