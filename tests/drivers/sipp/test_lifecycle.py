"""What cannot run says so, and nothing is left running, however the agent or the harness ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.drivers.sipp import SippError, SippMissing, SippRunner
from harness.drivers.sipp import runner as sipp_runner
from harness.drivers.sipp.process import free_port
from harness.drivers.sipp.trace import call_id
from harness.timeline import Note, Timeline


def processes(marker: str) -> list[int]:
    """The processes whose command line contains a marker."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def wait_gone(marker: str) -> None:
    deadline = time.monotonic() + 5
    while left := processes(marker):
        assert time.monotonic() < deadline, f"still running: {left}"


def test_a_missing_binary_says_how_to_get_it(tmp_path: Path, timeline: Timeline) -> None:
    with pytest.raises(SippMissing, match="apt-get install sip-tester"):
        SippRunner(tmp_path, timeline, binary=tmp_path / "no-sipp")


def test_the_binary_can_come_from_the_environment(
    tmp_path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGTRUE_SIPP", str(tmp_path / "elsewhere"))
    with pytest.raises(SippMissing, match="elsewhere"):
        SippRunner(tmp_path, timeline)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<scenario name="x"><send><![CDATA[\nOPTIONS sip:[nonsense] SIP/2.0\n]]></send></scenario>', "nonsense"),
        ('<scenario name="x"><teapot/></scenario>', "teapot"),
        ('<scenario name="x"></scenario>', ""),
    ],
)
def test_a_broken_script_is_broken_and_not_failed(runner: SippRunner, tmp_path: Path, text: str, words: str) -> None:
    script = tmp_path / "bad.xml"
    script.write_text('<?xml version="1.0" encoding="ISO-8859-1" ?>\n' + text)
    result = runner.run(script, "x", remote="127.0.0.1:9", timeout=2)
    assert result.outcome == "broken"
    assert words in result.detail


@pytest.mark.parametrize("text", [None, "<scenario", "no XML at all"])
def test_a_script_that_cannot_be_read_is_an_error(runner: SippRunner, tmp_path: Path, text: str | None) -> None:
    script = tmp_path / "bad.xml"
    if text is not None:
        script.write_text(text)
    with pytest.raises(SippError, match=r"SIPp script .*bad\.xml"):
        runner.run(script, "x", remote="127.0.0.1:9")


def test_arguments_that_cannot_work_are_refused(runner: SippRunner) -> None:
    with pytest.raises(SippError, match="needs a remote"):
        runner.start("register.xml", "x")
    with pytest.raises(SippError, match="udp and tcp"):
        runner.start("uas_busy.xml", "x", transport="tls")
    with pytest.raises(SippError, match="hangs up after a time"):
        runner.start("uas_busy.xml", "x", variables={"hold": 5})
    with pytest.raises(SippError, match="names a folder"):
        runner.start("uas_busy.xml", "../x")
    with pytest.raises(SippError, match="host:port"):
        runner.run("register.xml", "x", remote="127.0.0.1:sip")


def test_a_port_in_use_is_broken_when_asked_for(runner: SippRunner) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = runner.run("uas_busy.xml", "x", remote="127.0.0.1:9", port=port, timeout=2)
        assert result.outcome == "broken"
        assert "Address already in use" in result.detail


def test_a_port_that_was_asked_for_and_is_in_use_may_come_free(runner: SippRunner) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        leaving = threading.Timer(0.3, taken.close)
        leaving.start()
        with runner.start("uas_busy.xml", "bob", port=port, timeout=10) as bob:
            assert bob.port == port
            assert runner.run("call_refused.xml", "alice", remote=bob.address).outcome == "done"
        leaving.join()


def test_where_somebody_takes_the_port_before_sipp_does_another_is_taken(
    runner: SippRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        ports = [taken.getsockname()[1], taken.getsockname()[1]]
        choose = free_port
        monkeypatch.setattr(sipp_runner, "free_port", lambda host: ports.pop() if ports else choose(host))
        with runner.start("uas_busy.xml", "bob", timeout=10) as bob:
            result = runner.run("call_refused.xml", "alice", remote=bob.address)
        assert (result.outcome, ports) == ("done", [])


def test_an_agent_that_nobody_calls_times_out(runner: SippRunner, tmp_path: Path) -> None:
    started = time.monotonic()
    with runner.start("uas_busy.xml", "bob", timeout=0.5) as bob:
        result = bob.wait()
    assert time.monotonic() - started < 2.0
    assert (result.outcome, result.detail) == ("timeout", "not at its end after 0.5 s: nothing arrived")
    wait_gone(str(tmp_path))


def test_stop_is_quick_and_final(runner: SippRunner, tmp_path: Path) -> None:
    with runner.start("uas_busy.xml", "bob", timeout=60) as bob:
        started = time.monotonic()
        assert bob.wait(timeout=0.05).outcome == "stopped"
        assert bob.stop().outcome == "stopped"
        assert time.monotonic() - started < 1.0
    wait_gone(str(tmp_path))


@pytest.mark.parametrize(
    ("method", "kept"),
    [
        ("OPTIONS", {"OPTIONS sip:bob@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK"}),
        ("MESSAGE", {"MESSAGE sip:bob@127.0.0.1 SIP/2.0"}),
        ("BYE", set()),
        ("SIP/2.0 200 OK", set()),
    ],
)
def test_a_stray_request_does_not_use_up_a_waiting_agent(
    runner: SippRunner, timeline: Timeline, method: str, kept: set[str]
) -> None:
    """Of the end of a call that it never had, it keeps nothing."""
    start = method if method.startswith("SIP/2.0") else f"{method} sip:bob@127.0.0.1 SIP/2.0"
    with (
        runner.start("uas_busy.xml", "bob", timeout=10) as bob,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        stranger.bind(("127.0.0.1", 0))
        stranger.settimeout(5)
        for number in range(2):
            stray = (
                f"{start}\r\nVia: SIP/2.0/UDP 127.0.0.1:{stranger.getsockname()[1]};branch=z9hG4bK{number}\r\n"
                f"From: <sip:s@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: stray{number}\r\nCSeq: 1 OPTIONS\r\n"
                "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
            stranger.sendto(stray.encode(), ("127.0.0.1", bob.port))
            if method == "OPTIONS":
                assert stranger.recv(4096).startswith(b"SIP/2.0 200 ")
            assert timeline.wait_for(
                lambda event: isinstance(event, Note) and event.topic == "sipp-stray", 5.0, after=number - 1
            )
        caller = runner.run("call_refused.xml", "alice", remote=bob.address, timeout=5)
        assert caller.outcome == "done", caller.detail
        assert bob.wait(5).outcome == "done"
    assert {one.start_line for one in bob.messages if call_id(one.text).startswith("stray")} == kept


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_sipp_survives_the_harness(tmp_path: Path, number: signal.Signals) -> None:
    code = f"""
import sys, threading
from pathlib import Path
from harness.drivers.sipp import SippRunner
from harness.timeline import Note, Timeline
agent = SippRunner(Path({str(tmp_path)!r}) / "sipp", Timeline("s")).start("uas_busy.xml", "bob", timeout=60)
print("ready", flush=True)
threading.Event().wait()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert processes(str(tmp_path / "sipp"))
        child.send_signal(number)
        child.wait(10)
    wait_gone(str(tmp_path / "sipp"))


def test_the_end_of_another_call_is_no_message_of_this_one(runner: SippRunner, timeline: Timeline) -> None:
    """As when the platform hangs up late on whoever had the port before."""
    with (
        runner.start("uas_phone.xml", "bob", timeout=10, variables={"then": "wait"}) as bob,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller,
    ):
        caller.bind(("127.0.0.1", 0))
        common = (
            f"Via: SIP/2.0/UDP 127.0.0.1:{caller.getsockname()[1]};branch=z9hG4bK{{key}}\r\nFrom: <sip:s@x>;tag=1\r\n"
        )
        common += "To: <sip:b@x>\r\n{name}: {key}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        for method, name, key in (("INVITE", "Call-ID", "own"), ("BYE", "Call-ID", "another"), ("CANCEL", "i", "own")):
            text = f"{method} sip:bob@127.0.0.1 SIP/2.0\r\n" + common.format(key=key, name=name, method=method)
            caller.sendto(text.encode(), ("127.0.0.1", bob.port))
            if method == "INVITE":
                assert bob.wait_for(lambda one: one.start_line.startswith("SIP/2.0 180"), 5)
        assert bob.wait_for(lambda one: one.start_line.startswith("CANCEL "), 5)
        assert not [one for one in bob.messages if one.start_line.startswith("BYE ")]
        assert [event.topic for event in timeline.of(Note)] == ["sipp-foreign"]


def test_an_answer_to_another_call_is_none_to_this_one(runner: SippRunner, timeline: Timeline) -> None:
    """As when the platform answers late to whoever had the port before."""
    with (
        runner.start("uas_phone.xml", "bob", timeout=10, variables={"then": "wait"}) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address, timeout=10) as alice,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as platform,
    ):
        ringing = alice.wait_for(lambda one: one.start_line.startswith("SIP/2.0 180"), 5)
        assert ringing is not None
        late = ringing.text.replace("180 Ringing", "407 Proxy Authentication Required")
        late = late.replace(call_id(late), "another")
        platform.sendto(late.encode(), ("127.0.0.1", alice.port))
        bob.tell("REFUSE")
        result = alice.wait(5)
    assert result.outcome == "done", result.detail
    assert [one.start_line for one in result.messages if "407" in one.start_line] == []
    assert "sipp-foreign" in [event.topic for event in timeline.of(Note)]
