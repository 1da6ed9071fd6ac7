"""Calls between our own scripts: the callers against the called ones, over UDP and TCP."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from harness.drivers.sipp import SippRunner
from harness.timeline import Clock, SipMessage, Timeline
from tests.drivers.sipp.conftest import PASSWORD, USER, header, reply, serve


def lines(messages: tuple[SipMessage, ...]) -> list[str]:
    return [f"{message.direction} {message.start_line.replace('SIP/2.0', '').strip()[:11]}" for message in messages]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("script", ["uac_call.xml", "call_registered.xml"])
def test_a_call_is_answered_and_the_caller_hangs_up(runner: SippRunner, transport: str, script: str) -> None:
    with runner.start("uas_answer.xml", "bob", transport=transport, timeout=10) as bob:
        caller = runner.run(
            script, "alice", remote=bob.address, transport=transport, user=USER, password=PASSWORD,
            variables={"service": "bob", "hold": 20}, timeout=5,
        )  # fmt: skip
        called = bob.wait(5)
    assert (caller.outcome, called.outcome) == ("done", "done"), (caller.detail, called.detail)
    assert [line.split()[1] for line in lines(called.messages)] == ["INVITE", "180", "200", "ACK", "BYE", "200"]
    assert [line.split()[0] for line in lines(called.messages)] == ["in", "out", "out", "in", "in", "out"]
    assert {message.transport for message in called.messages} == {transport}
    assert called.messages[0].text.startswith("INVITE sip:bob@127.0.0.1 SIP/2.0\r\n")
    assert called.messages[0].local == caller.messages[0].remote == bob.address
    assert called.messages[0].remote == caller.messages[0].local


@pytest.mark.parametrize("script", ["uac_call.xml", "call_registered.xml"])
def test_the_called_side_hangs_up(runner: SippRunner, script: str) -> None:
    with runner.start("uas_answer.xml", "bob", variables={"hold": 30}, timeout=10) as bob:
        caller = runner.run(script, "alice", remote=bob.address, variables={"hold": 4000}, timeout=6)
        called = bob.wait(5)
    assert (caller.outcome, called.outcome) == ("done", "done"), (caller.detail, called.detail)
    assert lines(caller.messages)[-2:] == ["in BYE sip:ali", "out 200 OK"]
    bye = caller.messages[-2].text
    invite = caller.messages[0].text
    assert header(bye, "To") == header(invite, "From")
    assert header(bye, "From").startswith(header(invite, "To"))


def test_sdp_points_at_the_probe(runner: SippRunner) -> None:
    with runner.start("uas_answer.xml", "bob", variables={"probe_ip": "127.0.0.2", "probe_port": 4444}) as bob:
        caller = runner.run("uac_call.xml", "alice", remote=bob.address, variables={"probe_port": 5555, "hold": 10})
    sdp = {message.direction: message.text for message in caller.messages if "m=audio" in message.text}
    assert "c=IN IP4 127.0.0.2\r\n" in sdp["in"]
    assert "m=audio 4444 " in sdp["in"]
    assert "m=audio 5555 " in sdp["out"]


@pytest.mark.parametrize("called", ["uas_busy.xml", "uas_answer.xml"])
def test_call_refused_wants_a_refusal(runner: SippRunner, called: str) -> None:
    with runner.start(called, "bob", timeout=10) as bob:
        result = runner.run("call_refused.xml", "alice", remote=bob.address, user=USER, password=PASSWORD, timeout=5)
        assert bob.wait(5).outcome == "done"
    if called == "uas_busy.xml":
        assert result.outcome == "done"
        assert lines(result.messages) == ["out INVITE sip:", "in 486 Busy He", "out ACK sip:ser"]
    else:
        assert (result.outcome, result.detail) == ("failed", "the call was answered, a refusal was expected")
        assert [line.split()[1] for line in lines(result.messages)] == ["INVITE", "180", "200", "ACK", "BYE", "200"]


def test_a_challenged_call_that_is_refused_is_acknowledged_in_its_transactions(runner: SippRunner) -> None:
    def peer(request: str) -> list[bytes]:
        if "Proxy-Authorization" in request:
            return reply(request, "404 Not Found")
        challenge = 'Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5'
        return reply(request, "407 Proxy Authentication Required", challenge)

    with serve(peer) as address:
        result = runner.run("call_refused.xml", "alice", remote=address, user=USER, password=PASSWORD, timeout=5)
    assert result.outcome == "done", result.detail
    sent = [message.text for message in result.messages if message.direction == "out"]
    assert [text.split(" ")[0] for text in sent] == ["INVITE", "ACK", "INVITE", "ACK"]
    vias = [header(text, "Via") for text in sent]
    assert vias[0] == vias[1] != vias[2] == vias[3]
    assert [header(text, "CSeq") for text in sent] == ["1 INVITE", "1 ACK", "2 INVITE", "2 ACK"]
    assert header(sent[3], "To").endswith(";tag=peer")


def test_a_challenge_that_comes_again_is_no_refusal_of_the_call(runner: SippRunner) -> None:
    first: list[bytes] = []

    def peer(request: str) -> list[bytes]:
        if "Proxy-Authorization" in request:
            return [*first, *reply(request, "404 Not Found")]
        first[:] = first or reply(
            request, "407 Proxy Authentication Required", 'Proxy-Authenticate: Digest realm="r", nonce="n"'
        )
        return list(first)

    with serve(peer) as address:
        result = runner.run("call_refused.xml", "alice", remote=address, user=USER, password=PASSWORD, timeout=5)
    assert result.outcome == "done", result.detail
    assert "SIP/2.0 404 Not Found" in [one.start_line for one in result.messages]


def test_an_unanswered_call_times_out_and_is_cancelled(runner: SippRunner) -> None:
    with runner.start("uas_cancelled.xml", "bob", timeout=10) as bob:
        result = runner.run("uac_call.xml", "alice", remote=bob.address, timeout=0.6)
        assert bob.wait_for(lambda message: message.start_line.startswith("CANCEL "), 2.0) is not None
    assert result.outcome == "timeout"


def test_a_busy_answer_fails_a_call_script(runner: SippRunner) -> None:
    with runner.start("uas_busy.xml", "bob") as bob:
        result = runner.run("uac_call.xml", "alice", remote=bob.address)
    assert (result.outcome, result.detail) == (
        "failed",
        "expected 100, 180, 183 or 200, received SIP/2.0 486 Busy Here",
    )


def test_messages_can_be_waited_for_while_the_agent_runs(runner: SippRunner, timeline: Timeline) -> None:
    with runner.start("uas_answer.xml", "bob") as bob:
        with runner.start("uac_call.xml", "alice", remote=bob.address, variables={"hold": 20_000}) as alice:
            ack = bob.wait_for(lambda message: message.start_line.startswith("ACK "), 5.0)
            assert ack is not None
            assert not bob.ended
            assert alice.stop().outcome == "stopped"
        assert bob.wait_for(lambda message: message.start_line.startswith("BYE "), 0.1) is None
    agents = [message.agent for message in timeline.of(SipMessage)]
    assert sorted(set(agents)) == ["alice", "bob"]


_HOURS = itertools.count(0, 3600)


class SetBack(Clock):
    """A clock of whose machine somebody sets the time back, again and again."""

    def from_wall(self, wall: float) -> float:
        return super().from_wall(wall) - next(_HOURS)


def test_the_order_of_messages_is_that_in_which_they_happened_whatever_the_system_says_of_the_time(
    tmp_path: Path,
) -> None:
    start = Clock.start()
    with Timeline("scenario", clock=SetBack(start.wall, start.monotonic)) as record:
        agents = SippRunner(tmp_path / "sipp", record)
        with agents.start("uas_busy.xml", "bob") as bob:
            result = agents.run("call_refused.xml", "alice", remote=bob.address)
    assert lines(result.messages) == ["out INVITE sip:", "in 486 Busy He", "out ACK sip:ser"]
    times = [message.at for message in result.messages]
    assert times == sorted(times)


def test_many_agents_side_by_side(runner: SippRunner) -> None:
    called = [runner.start("uas_busy.xml", f"bob{n}", timeout=10) for n in range(6)]
    callers = [runner.start("call_refused.xml", f"al{n}", remote=bob.address) for n, bob in enumerate(called)]
    assert {agent.wait(10).outcome for agent in [*callers, *called]} == {"done"}
    assert len({agent.address for agent in [*callers, *called]}) == 12


def test_a_caller_that_gives_up_is_answered_with_487(runner: SippRunner) -> None:
    with runner.start("uas_cancelled.xml", "bob", timeout=10) as bob:
        caller = runner.run("uac_cancel.xml", "alice", remote=bob.address, variables={"hold": 60}, timeout=5)
        called = bob.wait(5)
    assert (caller.outcome, called.outcome) == ("done", "done"), (caller.detail, called.detail)
    assert [line.split()[1] for line in lines(caller.messages)] == ["INVITE", "180", "CANCEL", "200", "487", "ACK"]
    sent = [message.text for message in caller.messages if message.direction == "out"]
    assert len({header(text, "Via") for text in sent}) == 1
    assert [header(text, "CSeq") for text in sent] == ["1 INVITE", "1 CANCEL", "1 ACK"]


def test_a_caller_that_wants_to_give_up_fails_when_it_is_answered(runner: SippRunner) -> None:
    with runner.start("uas_answer.xml", "bob", timeout=10) as bob:
        caller = runner.run("uac_cancel.xml", "alice", remote=bob.address, timeout=5)
    assert (caller.outcome, caller.detail) == ("failed", "the call was answered before it could be cancelled")


@pytest.mark.parametrize(("script", "line"), [("uas_busy", "486 Busy Here"), ("uas_unavailable", "480 Temporarily")])
def test_a_refusal_is_the_one_that_the_script_names(runner: SippRunner, script: str, line: str) -> None:
    with runner.start(f"{script}.xml", "bob") as bob:
        caller = runner.run("call_refused.xml", "alice", remote=bob.address)
    assert caller.outcome == "done"
    assert caller.messages[1].start_line.startswith(f"SIP/2.0 {line}")
