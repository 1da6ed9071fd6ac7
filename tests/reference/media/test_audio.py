"""G.711, tones, wav files and mixing."""

from __future__ import annotations

import io
import wave
from array import array

import pytest

from harness.reference.media import audio, g711, load_wav, mix, silence, tone, wav_bytes


@pytest.mark.parametrize(("law", "codes"), [("PCMU", range(256)), ("PCMA", range(256))])
def test_each_code_survives_decoding_and_encoding(law: str, codes: range) -> None:
    data = bytes(codes)
    again = g711.encode(law, g711.decode(law, data))
    # The negative zero of the mu law is the one code with a twin.
    assert [c for c in codes if again[c] != c] == ([0x7F] if law == "PCMU" else [])


@pytest.mark.parametrize(
    ("law", "sample", "code"),
    [
        ("PCMU", 0, 0xFF),
        ("PCMU", 32767, 0x80),
        ("PCMU", -32768, 0x00),
        ("PCMU", 1000, 0xCE),
        ("PCMA", 0, 0xD5),
        ("PCMA", -1, 0x55),
        ("PCMA", 32767, 0xAA),
        ("PCMA", -32768, 0x2A),
        ("PCMA", 1000, 0xFA),
    ],
)
def test_known_code_points(law: str, sample: int, code: int) -> None:
    assert g711.encode(law, array("h", [sample]).tobytes())[0] == code


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_the_error_of_encoding_is_small_against_the_sample(law: str) -> None:
    samples = array("h", range(-32000, 32000, 37))
    decoded = audio.samples_of(g711.decode(law, g711.encode(law, samples.tobytes())))
    assert all(abs(a - b) <= max(16, abs(a) // 16) for a, b in zip(samples, decoded, strict=True))


def test_tones_differ_by_text_and_are_the_same_each_time() -> None:
    assert tone("one") == tone("one")
    assert len({tone(text, 0.2) for text in ("one", "two", "three", "four")}) == 4
    assert len(tone("x", 0.5)) == len(silence(0.5)) == 8000


def wav(rate: int, channels: int, width: int, frames: bytes) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(frames)
    return buffer.getvalue()


def test_wav_goes_out_and_in_unchanged() -> None:
    pcm = tone("hello", 0.1)
    assert load_wav(wav_bytes(pcm)) == pcm


def test_wav_of_other_forms_is_converted() -> None:
    assert len(load_wav(wav(16000, 1, 2, bytes(3200)))) == 1600
    assert audio.samples_of(load_wav(wav(8000, 2, 2, array("h", [100, 300] * 4).tobytes()))) == array("h", [200] * 4)
    assert audio.samples_of(load_wav(wav(8000, 1, 1, bytes([128, 255])))) == array("h", [0, 127 << 8])
    assert audio.samples_of(load_wav(wav(8000, 1, 3, b"\xff\x34\x12"))) == array("h", [0x1234])


@pytest.mark.parametrize("data", [b"", b"RIFF", b"x" * 1000, wav_bytes(b"")[:30]])
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    with pytest.raises(audio.AudioError):
        load_wav(data)


def test_mixing_adds_and_clips() -> None:
    a, b = array("h", [100, 30000, -30000]).tobytes(), array("h", [5, 30000, -30000, 7]).tobytes()
    assert audio.samples_of(mix(a, b)) == array("h", [105, 32767, -32768, 7])
    assert mix() == b""
