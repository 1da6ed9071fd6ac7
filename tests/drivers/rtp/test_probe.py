"""Probes on real sockets: two that talk to each other, strangers that babble, and calls made by SIPp."""

from __future__ import annotations

import random
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

from harness.drivers.rtp import AudioMedia, ProbeError, RtpProbe, audio_of
from harness.drivers.rtp.packet import PacketError, RtpPacket, is_rtcp
from harness.drivers.sipp import SippRunner
from harness.timeline import MediaReport, Timeline

CODECS = {0: "PCMU", 8: "PCMA", 101: "TELEPHONE-EVENT"}


def at(probe: RtpProbe, codecs: dict[int, str] | None = None) -> AudioMedia:
    return AudioMedia(probe.host, probe.port, CODECS if codecs is None else codecs)


@pytest.mark.parametrize(("codecs", "codec"), [({8: "PCMA", 0: "PCMU"}, "PCMA"), ({0: "PCMU"}, "PCMU")])
def test_sound_is_heard_in_the_codec_that_was_asked_for(codecs: dict[int, str], codec: str) -> None:
    timeline = Timeline("s")
    with RtpProbe("alice", timeline) as alice, RtpProbe("bob", timeline) as bob:
        alice.send_to(at(bob, codecs))
        alice.stream("silence")
        assert bob.wait_packets(3)
        alice.stream("tone")
        assert bob.wait_sound(200)
        assert bob.wait_tone(400) is not None
        assert bob.wait_tone(1300, timeout=0.05) is None
        alice.stream("tone", 1300)
        assert bob.wait_tone(1300) is not None
        alice.stream(None)
    alice_report, bob_report = alice.close(), bob.close()
    received = bob_report.data["received"]
    assert (received["codec"], received["heard"], received["lost"]) == (codec, "sound", 0)
    assert received["silence_ms"] >= 40
    assert received["packets_per_second"] == pytest.approx(50, rel=0.2)
    assert received["packets"] == alice_report.data["sent"]["packets"]
    assert alice_report.data["received"]["heard"] == "nothing"
    assert timeline.of(MediaReport) == (bob_report, alice_report)


def test_keys_are_sent_and_heard_amid_sound() -> None:
    timeline = Timeline("s")
    with RtpProbe("alice", timeline) as alice, RtpProbe("bob", timeline) as bob:
        alice.send_to(at(bob))
        alice.stream("tone")
        assert alice.send_digits("12#", milliseconds=60, pause=40)
        assert bob.wait_digits(3) == "12#"
        assert alice.send_digits("*", milliseconds=60)
        assert bob.wait_digits(4) == "12#*"
    assert alice.close().data["sent"]["digits"] == "12#*"
    events = bob.close().data["received"]["events"]
    assert [event["duration_ms"] for event in events] == [60, 60, 60, 60]
    assert bob.close().data["received"]["lost"] == 0


def test_waiting_ends_at_its_deadline() -> None:
    with RtpProbe("alice", Timeline("s")) as alice:
        started = time.monotonic()
        assert not alice.wait_packets(1, timeout=0.1)
        assert alice.wait_digits(1, timeout=0.1) == ""
        assert time.monotonic() - started < 1.0


def _is_rtp(data: bytes) -> bool:
    try:
        return not is_rtcp(data) and bool(RtpPacket.parse(data))
    except PacketError:
        return False


def test_strangers_and_garbage_are_counted_and_harmless() -> None:
    dice = random.Random(3550)
    timeline = Timeline("s")
    with RtpProbe("alice", timeline) as alice, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        garbage = [dice.randbytes(dice.randrange(60)) for _ in range(200)]
        for data in garbage:
            stranger.sendto(data, (alice.host, alice.port))
        stranger.sendto(b"\x80\xc9\x00\x01" + bytes(4), (alice.host, alice.port))
        stranger.sendto(RtpPacket(8, 1, 1, 1, b"\xd5" * 160).pack(), (alice.host, alice.port))
        deadline = time.monotonic() + 5
        last = (
            sum(_is_rtp(data) for data in garbage) + 1
        )  # some garbage is RTP by chance; what came last is counted last
        while alice.packets < last:
            assert time.monotonic() < deadline
            alice.wait_packets(last, 0.1)
    received = alice.close().data["received"]
    assert received["malformed"] > 100
    assert received["rtcp"] >= 1


def test_sending_where_nobody_listens_is_no_failure_of_the_probe() -> None:
    with RtpProbe("alice", Timeline("s")) as alice, RtpProbe("bob", Timeline("t")) as bob:
        media = at(bob)
        bob.close()
        alice.send_to(media)
        assert alice.send_digits("1", milliseconds=60)


def test_impossible_wishes_are_refused() -> None:
    with RtpProbe("alice", Timeline("s")) as alice:
        with pytest.raises(ProbeError, match="send_to"):
            alice.stream("tone")
        with pytest.raises(ProbeError, match="send_to"):
            alice.send_digits("1")
        with pytest.raises(ProbeError, match="no such key: 'x'"):
            alice.send_digits("1x")
        with pytest.raises(ProbeError, match="port 0"):
            alice.send_to(AudioMedia("127.0.0.1", 0, CODECS))
        with pytest.raises(ProbeError, match="OPUS"):
            alice.send_to(AudioMedia("127.0.0.1", 4000, {96: "OPUS"}))
    with pytest.raises(ProbeError, match="no RTP port"):
        RtpProbe("alice", Timeline("s"), host="192.0.2.1")


def test_closing_leaves_no_thread_and_no_port() -> None:
    before = set(threading.enumerate())
    with RtpProbe("alice", Timeline("s")) as alice:
        assert alice.port % 2 == 0
    assert set(threading.enumerate()) == before
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((alice.host, alice.port))


@pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed")
def test_a_sipp_call_carries_sound_and_keys_between_its_probes(tmp_path: Path) -> None:
    timeline = Timeline("s")
    runner = SippRunner(tmp_path, timeline)
    with (
        RtpProbe("alice", timeline) as here,
        RtpProbe("bob", timeline) as there,
        runner.start("uas_answer.xml", "bob", variables=there.variables) as bob,
        runner.start("uac_call.xml", "alice", remote=bob.address, variables={**here.variables, "hold": 1500}) as alice,
    ):
        answer = alice.wait_for(lambda message: message.start_line == "SIP/2.0 200 OK", 5.0)
        assert answer is not None
        media = audio_of(answer.text)
        assert media is not None
        assert (media.host, media.port) == (there.host, there.port)
        here.send_to(media)
        here.stream("tone")
        assert there.wait_sound(100)
        here.send_digits("42", milliseconds=60)
        assert there.wait_digits(2) == "42"
        assert (alice.wait().outcome, bob.wait(5).outcome) == ("done", "done")
    assert {report.agent for report in timeline.of(MediaReport)} == {"alice", "bob"}
