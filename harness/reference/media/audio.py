"""Sound as PCM: tones in place of speech, wav files, silence and mixing.

The systems call it for prompts and recordings. Pure functions over bytes; PCM is 16 bit little endian, 8000 Hz, mono.
"""

from __future__ import annotations

import hashlib
import io
import math
import sys
import wave
from array import array
from pathlib import Path

RATE = 8000
FRAME_BYTES = 320
FRAME_SECONDS = 0.02
MAX_SECONDS = 600


class AudioError(ValueError):
    """A sound file that cannot be played; the text says why."""


def samples_of(pcm: bytes) -> array[int]:
    """PCM bytes as numbers."""
    samples = array("h", pcm[: len(pcm) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def pcm_of(samples: array[int]) -> bytes:
    """Numbers as PCM bytes."""
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    return samples.tobytes()


def silence(seconds: float) -> bytes:
    """Silence of that length."""
    return bytes(2 * round(min(seconds, MAX_SECONDS) * RATE))


def tone(text: str, seconds: float | None = None) -> bytes:
    """What stands in for speech: two tones whose pitches are distinct per text, by default longer for longer texts.

    The length without `seconds` is 60 ms per character, between 0.3 and 3 s.
    """
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    low, high = 300 + digest[0] * 2, 900 + int.from_bytes(digest[1:3], "big") % 1500
    length = min(max(0.06 * len(text), 0.3), 3.0) if seconds is None else min(seconds, MAX_SECONDS)
    a, b = 2 * math.pi * low / RATE, 2 * math.pi * high / RATE
    wave_form = (6000 * math.sin(a * n) + 6000 * math.sin(b * n) for n in range(round(length * RATE)))
    return pcm_of(array("h", (int(value) for value in wave_form)))


def load_wav(source: Path | bytes) -> bytes:
    """The PCM of a wav file (8, 16, 24 or 32 bit, any rate and channels), mixed and resampled to ours.

    Raises AudioError for what is no wav file, or longer than ten minutes; OSError where it cannot be read.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    try:
        with wave.open(io.BytesIO(data)) as reader:
            channels, width, rate = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            if not rate or reader.getnframes() > MAX_SECONDS * rate:
                raise AudioError("longer than ten minutes, or without a rate")
            raw = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError, ZeroDivisionError, RuntimeError) as error:
        raise AudioError(f"no wav file that can be played: {error}") from error
    samples = _to_16_bit(raw, width)
    if channels > 1:
        usable = len(samples) - len(samples) % channels
        samples = array("h", (sum(samples[i : i + channels]) // channels for i in range(0, usable, channels)))
    return pcm_of(_resample(samples, rate))


def _to_16_bit(raw: bytes, width: int) -> array[int]:
    if width == 1:
        return array("h", ((byte - 128) << 8 for byte in raw))
    if width == 2:
        return samples_of(raw)
    usable = len(raw) - len(raw) % width
    high = (raw[i + width - 2 : i + width] for i in range(0, usable, width))
    return samples_of(b"".join(high))


def _resample(samples: array[int], rate: int) -> array[int]:
    """Linear interpolation, good enough for a telephone."""
    if rate == RATE or not samples:
        return samples
    count, last = len(samples) * RATE // rate, len(samples) - 1
    out = array("h", bytes(2 * count))
    for n in range(count):
        whole, part = divmod(n * rate, RATE)
        here, there = samples[min(whole, last)], samples[min(whole + 1, last)]
        out[n] = here + (there - here) * part // RATE
    return out


def wav_bytes(pcm: bytes) -> bytes:
    """A wav file of that PCM."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(pcm)
    return buffer.getvalue()


def mix(*parts: bytes) -> bytes:
    """The sum of several pieces of PCM, clipped, as long as the longest."""
    if len(parts) == 1:
        return parts[0]
    total = array("i", bytes(4 * (max((len(part) for part in parts), default=0) // 2)))
    for part in parts:
        for n, sample in enumerate(samples_of(part)):
            total[n] += sample
    return pcm_of(array("h", (max(-32768, min(32767, value)) for value in total)))
