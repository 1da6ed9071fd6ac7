"""Calls that are answered, refused, given up and ended when the harness says so: uac_caller.xml and uas_phone.xml."""

from __future__ import annotations

import socket

import pytest

from harness.drivers.sipp import SippAgent, SippError, SippRunner
from harness.drivers.sipp.command import COMMANDS, command, is_command
from harness.timeline import SipMessage, Timeline
from tests.drivers.sipp.conftest import header, reply, serve
from tests.drivers.sipp.test_calls import lines


def sees(agent: SippAgent, start: str, seconds: float = 5.0) -> SipMessage:
    found = agent.wait_for(lambda message: message.start_line.startswith(start), seconds)
    assert found is not None, (start, lines(agent.messages))
    return found


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_either_side_hangs_up_when_told(runner: SippRunner, transport: str, who: str) -> None:
    with (
        runner.start("uas_phone.xml", "bob", transport=transport) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address, transport=transport) as alice,
    ):
        sees(bob, "ACK ")
        sees(alice, "ACK ")
        (alice if who == "alice" else bob).tell("HANGUP")
        ends = alice.wait(5), bob.wait(5)
    assert [one.outcome for one in ends] == ["done", "done"], ends
    assert [line.split()[1] for line in lines(bob.messages)] == ["INVITE", "180", "200", "ACK", "BYE", "200"]


def test_a_phone_rings_and_answers_when_told(runner: SippRunner, timeline: Timeline) -> None:
    with (
        runner.start("uas_phone.xml", "bob", variables={"ring": "none", "then": "wait"}) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address) as alice,
    ):
        sees(bob, "SIP/2.0 100")
        bob.tell("RING")
        sees(alice, "SIP/2.0 180")
        assert not any("200" in line for line in lines(alice.messages))
        bob.tell("ANSWER")
        sees(bob, "ACK ")
        sees(alice, "ACK ")
        alice.tell("HANGUP")
        assert (alice.wait(5).outcome, bob.wait(5).outcome) == ("done", "done")
    answer = next(one for one in bob.messages if one.start_line == "SIP/2.0 200 OK")
    invite = bob.messages[0].text
    for name in ("Via", "From", "Call-ID", "CSeq"):
        assert header(answer.text, name) == header(invite, name)
    assert not [one for one in timeline.of(SipMessage) if is_command(one.text)]


def test_an_invite_that_comes_again_does_not_keep_a_phone_from_ringing(runner: SippRunner) -> None:
    """Once the command has come, SIPp knows only that INVITE again which it has answered."""
    with (
        runner.start("uas_phone.xml", "bob", variables={"ring": "none", "then": "wait"}) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address) as alice,
    ):
        sees(bob, "SIP/2.0 100")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            invite = bob.messages[0].text.encode()
            ring = command("RING", bob.messages[0].text)
            for message in (ring, invite, invite):
                line.sendto(message, ("127.0.0.1", bob.port))
        sees(alice, "SIP/2.0 180")
        bob.tell("ANSWER")
        sees(alice, "ACK ")
        alice.tell("HANGUP")
        assert (alice.wait(5).outcome, bob.wait(5).outcome) == ("done", "done")


@pytest.mark.parametrize(("ring", "first"), [("180", "180"), ("183", "183"), ("none", "404")])
def test_a_phone_refuses_at_once_with_the_status_given(runner: SippRunner, ring: str, first: str) -> None:
    variables = {"ring": ring, "then": "refuse", "refusal": "404 Not Found"}
    with runner.start("uas_phone.xml", "bob", variables=variables) as bob:
        result = runner.run("uac_caller.xml", "alice", remote=bob.address, timeout=5)
        assert bob.wait(5).outcome == "done"
    assert result.outcome == "done", result.detail
    assert lines(result.messages)[1].split()[1] == first
    assert [line.split()[1] for line in lines(result.messages)[-2:]] == ["404", "ACK"]
    sent = [one.text for one in result.messages if one.direction == "out"]
    assert header(sent[0], "Via") == header(sent[1], "Via")
    assert ("m=audio" in result.messages[1].text) == (ring == "183")


REASON = "Reason: Q.850;cause=17"


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_call_may_be_ended_with_header_lines_of_its_own(runner: SippRunner, who: str) -> None:
    lines_of = {"alice": "User-Agent: ringtrue", "bob": "User-Agent: ringtrue", who: f"{REASON}\nX-Last: yes"}
    with (
        runner.start("uas_phone.xml", "bob", variables={"parting": lines_of["bob"]}) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address, variables={"parting": lines_of["alice"]}) as alice,
    ):
        sees(bob, "ACK ")
        sees(alice, "ACK ")
        (alice if who == "alice" else bob).tell("HANGUP")
        bye = sees(bob if who == "alice" else alice, "BYE ")
        assert [one.outcome for one in (alice.wait(5), bob.wait(5))] == ["done", "done"]
    assert (header(bye.text, "Reason"), header(bye.text, "X-Last")) == ("Q.850;cause=17", "yes")


def test_a_refusal_may_have_header_lines_of_its_own(runner: SippRunner) -> None:
    with runner.start("uas_phone.xml", "bob", variables={"then": "refuse", "parting": REASON}) as bob:
        result = runner.run("uac_caller.xml", "alice", remote=bob.address, timeout=5)
    refusal = next(one for one in result.messages if one.start_line.startswith("SIP/2.0 486"))
    assert header(refusal.text, "Reason") == "Q.850;cause=17"


def test_a_phone_refuses_when_told(runner: SippRunner) -> None:
    with (
        runner.start("uas_phone.xml", "bob", variables={"then": "wait"}) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address) as alice,
    ):
        sees(alice, "SIP/2.0 180")
        bob.tell("REFUSE")
        assert (alice.wait(5).outcome, bob.wait(5).outcome) == ("done", "done")
    assert "in 486 Busy He" in lines(alice.messages)


def test_a_caller_gives_up_when_told(runner: SippRunner) -> None:
    with (
        runner.start("uas_phone.xml", "bob", variables={"then": "wait"}) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address) as alice,
    ):
        sees(alice, "SIP/2.0 180")
        alice.tell("GIVEUP")
        assert (alice.wait(5).outcome, bob.wait(5).outcome) == ("done", "done")
    assert [line.split()[1] for line in lines(bob.messages)] == ["INVITE", "180", "CANCEL", "200", "487", "ACK"]
    sent = {one.start_line.split(" ")[0]: one.text for one in alice.messages if one.direction == "out"}
    assert len({header(text, "Via") for text in sent.values()}) == 1
    assert {name: header(text, "CSeq") for name, text in sent.items()} == {
        "INVITE": "1 INVITE", "CANCEL": "1 CANCEL", "ACK": "1 ACK"
    }  # fmt: skip


def test_a_call_that_is_answered_while_it_is_given_up_is_ended(runner: SippRunner) -> None:
    kept: list[str] = []

    def peer(request: str) -> list[bytes]:
        """Rings; answers the INVITE when its CANCEL comes, as a phone does that was picked up at that moment."""
        kept.append(request)
        contact = "Contact: <sip:bob@127.0.0.1:5999>"
        if request.startswith("INVITE "):
            return reply(request, "180 Ringing", contact)
        if request.startswith("CANCEL "):
            return [*reply(kept[0], "200 OK", contact), *reply(request, "200 OK")]
        return reply(request, "200 OK")

    with serve(peer) as address, runner.start("uac_caller.xml", "alice", remote=address) as alice:
        sees(alice, "SIP/2.0 180")
        alice.tell("GIVEUP")
        end = alice.wait(5)
        assert end.outcome == "done", (end.detail, lines(end.messages))
    assert [text.split(" ")[0] for text in kept] == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert kept[-1].startswith("BYE sip:bob@127.0.0.1:5999 ")


def test_a_call_that_was_answered_before_it_is_given_up_is_hung_up(runner: SippRunner) -> None:
    """Whoever gives it up may not have seen yet that it was answered."""
    with (
        runner.start("uas_phone.xml", "bob") as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address) as alice,
    ):
        sees(bob, "ACK ")
        sees(alice, "ACK ")  # each has a trace of its own
        alice.tell("GIVEUP")
        assert (alice.wait(5).outcome, bob.wait(5).outcome) == ("done", "done")
    assert [line.split()[1] for line in lines(bob.messages)] == ["INVITE", "180", "200", "ACK", "BYE", "200"]
    assert header(bob.messages[4].text, "To") == header(bob.messages[2].text, "To")


def test_a_caller_says_what_it_is_told_to_say(runner: SippRunner) -> None:
    variables = {
        "service": "100",
        "from": '"Alice A." <sip:alice@example.org>',
        "headers": "P-Asserted-Identity: <sip:+41@example.org>\nX-Key: 1\nX-Key: [2]",
        "body": "v=0\nnonsense",
    }
    with runner.start("uas_phone.xml", "bob", variables={"then": "refuse"}) as bob:
        assert runner.run("uac_caller.xml", "alice", remote=bob.address, variables=variables).outcome == "done"
    text = bob.messages[0].text
    assert header(text, "From").startswith('"Alice A." <sip:alice@example.org>;tag=')
    assert "\r\nP-Asserted-Identity: <sip:+41@example.org>\r\nX-Key: 1\r\nX-Key: [2]\r\nContent-Type" in text
    assert text.endswith("\r\n\r\nv=0\r\nnonsense\r\n")


def test_what_cannot_be_told_is_an_error(runner: SippRunner) -> None:
    with runner.start("uas_phone.xml", "bob", variables={"then": "refuse"}) as bob:
        with pytest.raises(SippError, match="is in no call"):
            bob.tell("ANSWER")
        runner.run("uac_caller.xml", "alice", remote=bob.address)
        bob.wait(5)
        with pytest.raises(SippError, match="is in no call"):
            bob.tell("HANGUP")
    with pytest.raises(SippError, match="'99 Bottles' refuses nothing"):
        runner.start("uas_phone.xml", "bob", variables={"refusal": "99 Bottles"})
    with pytest.raises(SippError, match="unknown command 'SHOUT'"):
        command("SHOUT", "INVITE sip:b SIP/2.0\r\n\r\n")


def test_a_command_that_the_script_does_not_take_fails_it_and_says_so(runner: SippRunner) -> None:
    with (
        runner.start("uas_phone.xml", "bob", variables={"then": "wait"}) as bob,
        runner.start("uac_caller.xml", "alice", remote=bob.address) as alice,
    ):
        sees(alice, "SIP/2.0 180")
        alice.tell("HANGUP")
        result = alice.wait(5)
    assert result.outcome == "failed"
    assert "received HANGUP" in result.detail


def test_a_command_has_the_headers_of_the_invite_and_no_body() -> None:
    opening = "INVITE sip:b SIP/2.0\r\nVia: x\r\nl: 3\r\nContent-Type:\r\n a/b\r\nCall-ID: c\r\n\r\nabc"
    assert command("ANSWER", opening).decode() == (
        "ANSWER sip:ringtrue SIP/2.0\r\nVia: x\r\nCall-ID: c\r\nContent-Length: 0\r\n\r\n"
    )
    assert all(is_command(command(name, opening).decode()) for name in COMMANDS)
    assert not is_command("INVITE sip:ringtrue SIP/2.0\r\n")
