"""Registration scripts against peers that challenge, accept, refuse, babble and say nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.drivers.sipp import SippRunner
from harness.timeline import Note, SipMessage, Timeline
from tests.drivers.sipp.conftest import PASSWORD, USER, Peer, registrar, reply, serve


@pytest.mark.parametrize("challenge", ["401 Unauthorized", "407 Proxy Authentication Required"])
@pytest.mark.parametrize("script", ["register.xml", "unregister.xml"])
def test_a_challenge_is_answered(runner: SippRunner, timeline: Timeline, challenge: str, script: str) -> None:
    with serve(registrar(challenge)) as address:
        result = runner.run(script, USER, remote=address, user=USER, password=PASSWORD, timeout=5)
    assert (result.outcome, result.exit_code, result.detail) == ("done", 0, "")
    lines = [(message.direction, message.start_line) for message in result.messages]
    register = "REGISTER sip:127.0.0.1 SIP/2.0"
    assert lines == [("out", register), ("in", f"SIP/2.0 {challenge}"), ("out", register), ("in", "SIP/2.0 200 OK")]
    assert timeline.of(SipMessage) == result.messages
    assert all(message.remote == address and message.agent == USER for message in result.messages)


def test_acceptance_at_once_will_do(runner: SippRunner) -> None:
    with serve(lambda request: reply(request, "200 OK")) as address:
        result = runner.run("register.xml", USER, remote=address, user=USER, password=PASSWORD)
    assert result.outcome == "done"
    assert len(result.messages) == 2


def test_a_wrong_password_fails_with_what_was_expected_and_what_came(runner: SippRunner, timeline: Timeline) -> None:
    with serve(registrar()) as address:
        result = runner.run("register.xml", USER, remote=address, user=USER, password="wrong-horse")
    assert (result.outcome, result.detail) == ("failed", "expected 100 or 200, received SIP/2.0 403 Forbidden")
    assert [message.start_line for message in result.messages][-1] == "SIP/2.0 403 Forbidden"
    assert [note.topic for note in timeline.of(Note)] == ["sipp-failed"]


def test_refusal_is_what_register_refused_wants(runner: SippRunner) -> None:
    with serve(registrar()) as address:
        refused = runner.run("register_refused.xml", USER, remote=address, user=USER, password="wrong-horse")
        accepted = runner.run("register_refused.xml", USER, remote=address, user=USER, password=PASSWORD)
    assert refused.outcome == "done"
    assert refused.messages[-1].start_line == "SIP/2.0 403 Forbidden"
    assert accepted.outcome == "failed"
    assert accepted.detail.endswith("received SIP/2.0 200 OK")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("403 Forbidden", "done"), ("404 Not Found", "done"), ("603 Decline", "done"), ("500 Oops", "failed")],
)
def test_refusal_without_challenge(runner: SippRunner, status: str, outcome: str) -> None:
    with serve(lambda request: reply(request, status)) as address:
        result = runner.run("register_refused.xml", USER, remote=address, user=USER, password=PASSWORD)
    assert result.outcome == outcome


def silent(_: str) -> list[bytes]:
    return []


def garbage(_: str) -> list[bytes]:
    return [b"\x00\xff\xfe nothing of SIP", b"SIP/2.0 999\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]


def echo(request: str) -> list[bytes]:
    return [request.encode()]


def other_call(request: str) -> list[bytes]:
    return reply(request.replace("Call-ID: ", "Call-ID: other-"), "200 OK")


@pytest.mark.parametrize(
    ("peer", "outcome", "words"),
    [
        (silent, "timeout", "no 100, 200, 407 or 401 within 1 s"),
        (garbage, "timeout", "discarded"),
        (echo, "failed", "received REGISTER sip:127.0.0.1 SIP/2.0"),
        (other_call, "timeout", "no 100, 200, 407 or 401 within 1 s"),
        (lambda request: reply(request, "666 Beast"), "failed", "received SIP/2.0 666 Beast"),
    ],
)
def test_hostile_peers_give_a_verdict_in_bounded_time(runner: SippRunner, peer: Peer, outcome: str, words: str) -> None:
    started = time.monotonic()
    with serve(peer) as address:
        result = runner.run("register.xml", USER, remote=address, user=USER, password=PASSWORD, timeout=1.0)
    assert time.monotonic() - started < 2.5
    assert result.outcome == outcome
    assert words in result.detail


def test_retransmissions_are_folded_into_the_first(runner: SippRunner) -> None:
    with serve(silent) as address:
        result = runner.run("register.xml", USER, remote=address, user=USER, password=PASSWORD, timeout=1.2)
    (register,) = result.messages
    assert register.direction == "out"
    assert register.repeats >= 1


def test_secrets_are_in_no_file_and_no_command(timeline: Timeline, tmp_path: Path) -> None:
    keeping = SippRunner(tmp_path / "kept", timeline, keep=True)
    with serve(registrar()) as address:
        result = keeping.run("register.xml", USER, remote=address, user=USER, password=PASSWORD)
    assert PASSWORD not in result.command
    assert '-ap "$SIP_PASSWORD"' in result.command
    kept = tmp_path / "kept" / f"{USER}-1"
    assert sorted(path.name for path in kept.iterdir()) == ["errors", "messages"]
    text = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "REGISTER sip:" in text
    assert PASSWORD not in text
    digest = next(message.text for message in result.messages if "response=" in message.text).partition('response="')[2]
    assert digest.partition('"')[0] not in text


def test_options_and_a_dead_port(runner: SippRunner) -> None:
    with serve(lambda request: reply(request, "200 OK")) as address:
        assert runner.run("options.xml", "probe", remote=address).outcome == "done"
    result = runner.run("options.xml", "probe", remote=address, timeout=0.8)
    assert result.outcome == "timeout"
    assert not any(message.direction == "in" for message in result.messages)


def test_a_refused_tcp_connection_is_no_broken_script(runner: SippRunner) -> None:
    result = runner.run("options.xml", "probe", remote="127.0.0.1:1", transport="tcp", timeout=2)
    assert result.outcome == "failed"
    assert "refused" in result.detail
