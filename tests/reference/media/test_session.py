"""RTP sessions on real sockets: pacing, digits, recording, relaying, and what a stranger sends."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.reference.media import (
    Mixer,
    Relay,
    RtpSession,
    answer_offer,
    audio,
    build_offer,
    read_answer,
    silence,
    tone,
)
from harness.reference.media.packet import RtpPacket


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work

    asyncio.run(bounded())


async def until(condition: Callable[[], bool], what: Callable[[], object], seconds: float = 3.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"never happened; seen: {what()}"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def pair(theirs: tuple[str, ...] = ("PCMU",)) -> AsyncIterator[tuple[RtpSession, RtpSession]]:
    """Two sessions that agreed, as after a call's set-up."""
    a, b = await RtpSession.open(), await RtpSession.open()
    offer = build_offer(a.host, a.port, ("PCMA", "PCMU", "GSM"))
    agreement = answer_offer(offer, b.host, b.port, theirs)
    b.apply(agreement)
    a.apply(read_answer(offer, agreement.sdp))
    try:
        yield a, b
    finally:
        a.close()
        b.close()


def similar(one: bytes, other: bytes) -> float:
    """The correlation of two pieces of PCM, 1.0 for the same shape."""
    x, y = audio.samples_of(one), audio.samples_of(other)
    n = min(len(x), len(y))
    top = sum(x[i] * y[i] for i in range(n))
    size = (sum(v * v for v in x[:n]) * sum(v * v for v in y[:n])) ** 0.5
    return float(top / size) if size else 0.0


def test_a_prompt_is_paced_at_20_ms_and_arrives_whole() -> None:
    async def scenario() -> None:
        async with pair() as (a, b):
            times: list[float] = []
            stamps: list[int] = []
            markers: list[bool] = []
            loop = asyncio.get_running_loop()

            def note(packet: RtpPacket) -> None:
                times.append(loop.time())
                stamps.append(packet.timestamp)
                markers.append(packet.marker)

            b.listeners.append(note)
            assert await a.play(tone("hello", 1.0))
            await until(lambda: b.stats.received >= 50, lambda: b.stats)
            assert b.stats.received == a.stats.sent == 50
            assert b.stats.lost == 0
            assert {later - earlier for earlier, later in itertools.pairwise(stamps)} == {160}
            assert markers == [True] + [False] * 49
            assert 0.95 <= times[-1] - times[0] <= 1.1
            assert b.stats.by_payload_type == {0: 50}

    run(scenario())


def test_what_was_played_is_what_is_recorded() -> None:
    async def scenario() -> None:
        async with pair(("PCMA",)) as (a, b):
            pcm = tone("a prompt", 0.4)
            b.start_recording()
            await a.play(pcm)
            await until(lambda: b.stats.received >= 20, lambda: b.stats)
            recorded = b.stop_recording()
            assert abs(len(recorded) - len(pcm)) < 3200
            loud = next(i for i, sample in enumerate(audio.samples_of(recorded)) if abs(sample) > 200)
            start = next(i for i, sample in enumerate(audio.samples_of(pcm)) if abs(sample) > 200)
            assert similar(recorded[2 * loud :], pcm[2 * start :]) > 0.99
            assert b.stop_recording() == b""

    run(scenario())


def test_a_recording_is_bounded() -> None:
    async def scenario() -> None:
        async with pair() as (a, b):
            b.start_recording(max_seconds=0.1)
            await a.play(tone("long", 0.4))
            await until(lambda: b.stats.received >= 20, lambda: b.stats)
            assert len(b.stop_recording()) <= 1600

    run(scenario())


def test_stopping_and_replacing_a_playback_say_that_it_was_not_whole() -> None:
    async def scenario() -> None:
        async with pair() as (a, b):
            first = a.start(tone("background", 0.1), loop=True)
            await until(lambda: b.stats.received > 10, lambda: b.stats)
            second = a.start(tone("other", 0.1))
            assert not await first.done()
            assert await second.done()
            third = a.start(tone("more", 1.0))
            a.close()
            assert not await third.done()
            assert not await a.play(tone("after the end"))

    run(scenario())


def test_digits_are_heard_once_each_and_sound_waits_for_them() -> None:
    async def scenario() -> None:
        async with pair() as (a, b):
            heard: list[str] = []
            b.on_digit = heard.append
            playback = a.start(tone("background", 0.2), loop=True)
            await a.send_digits("1*#D1", duration=0.06, gap=0.04)
            await until(lambda: len(heard) >= 5, lambda: heard)
            assert "".join(heard) == "1*#D1"
            assert b.stats.by_payload_type[101] == 5 * 5
            playback.stop()

    run(scenario())


def test_a_digit_held_longer_than_an_event_can_say_is_one_digit() -> None:
    async def scenario() -> None:
        async with pair() as (a, b):
            heard: list[str] = []
            b.on_digit = heard.append
            for packet in a._event_packets("7", 9.0, 0.02):
                if packet is not None:
                    b.received(packet.serialise(), (a.host, a.port))
            assert b.stats.by_payload_type == {101: 450}
            assert heard == ["7"]

    run(scenario())


def test_digits_need_telephone_event() -> None:
    async def scenario() -> None:
        session = await RtpSession.open()
        session.apply(answer_offer(build_offer("127.0.0.1", 4000, dtmf=False), session.host, session.port))
        with pytest.raises(RuntimeError, match="telephone-event"):
            await session.send_digits("1")
        session.close()

    run(scenario())


def test_a_relay_recodes_and_passes_digits_both_ways() -> None:
    async def scenario() -> None:
        async with pair(("PCMA",)) as (caller, left), pair(("PCMU",)) as (callee, right):
            relay = Relay(left, right)
            pcm = tone("through", 0.3)
            heard: list[str] = []
            callee.on_digit = heard.append
            callee.start_recording()
            await caller.play(pcm)
            await caller.send_digits("42", duration=0.04, gap=0.02)
            await until(lambda: len(heard) == 2 and callee.stats.received >= 15, lambda: (heard, callee.stats))
            recorded = callee.stop_recording()
            loud = next(i for i, sample in enumerate(audio.samples_of(recorded)) if abs(sample) > 300)
            start = next(i for i, sample in enumerate(audio.samples_of(pcm)) if abs(sample) > 300)
            assert similar(recorded[2 * loud :], pcm[2 * start :]) > 0.98
            assert heard == ["4", "2"]
            assert callee.stats.by_payload_type[0] == 15
            await callee.play(tone("back", 0.1))
            await until(lambda: caller.stats.received == 5, lambda: caller.stats)
            relay.stop()
            before = callee.stats.received
            await caller.play(tone("unheard", 0.1))
            await until(lambda: left.stats.received >= relay.relayed, lambda: left.stats)
            assert callee.stats.received == before

    run(scenario())


def test_a_monitor_hears_both_parties() -> None:
    async def scenario() -> None:
        async with pair() as (a, left), pair() as (b, right), pair() as (ear, monitor):
            mixer = Mixer(left, right)
            monitor.start_source(mixer)
            ear.start_recording()
            await asyncio.gather(a.play(tone("first", 0.3)), b.play(tone("second", 0.3)))
            await until(lambda: ear.stats.received >= 20, lambda: ear.stats)
            assert max(audio.samples_of(ear.stop_recording())) > 12_500
            mixer.stop()
            assert left.listeners == right.listeners == []

    run(scenario())


def test_garbage_is_counted_and_hurts_nothing() -> None:
    async def scenario() -> None:
        async with pair() as (a, b):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for data in (b"x", b"\x80", b"", bytes(2000), b"\x80\x65" + bytes(11), b"\xb0" + b"\xff" * 40):
                    stranger.sendto(data, ("127.0.0.1", b.port))
            await until(lambda: b.stats.not_rtp >= 5, lambda: b.stats)
            await a.play(silence(0.04))
            await until(lambda: b.stats.by_payload_type[0] == 2, lambda: b.stats)

    run(scenario())


def test_nothing_is_sent_on_hold() -> None:
    async def scenario() -> None:
        async with pair() as (a, b):
            held = build_offer(b.host, b.port, direction="sendonly")
            a.apply(answer_offer(held, a.host, a.port))
            assert await a.play(silence(0.06))
            assert a.stats.sent == 0

    run(scenario())


def test_gsm_sends_frames_of_its_size() -> None:
    async def scenario() -> None:
        async with pair(("GSM",)) as (a, b):
            await a.play(silence(0.06))
            await until(lambda: b.stats.received == 3, lambda: b.stats)
            assert b.stats.received_bytes == 3 * 33
            assert b.stats.by_payload_type == {3: 3}

    run(scenario())
