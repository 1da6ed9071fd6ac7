"""Calls that an answer connects with a destination: what is sent there, what is told, and what the parties hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from harness.reference.media import tone, wav_bytes
from harness.reference.sip import CallFailed
from tests.reference.mediaservice.bench import Bench, Scenario
from tests.reference.mediaservice.phones import Party, answers, early_media, picked_up, refuses, rings, until

Against = Callable[[Scenario], None]


async def outgoing(bench: Bench, *headers: tuple[str, str], **answer: Any) -> Party:
    """The leg that an answer to newCall makes, for a caller whose INVITE has these headers."""
    bench.phones.phone("bob", refuses(486))
    bench.app.answers["newCall"] = {"action": "call", "destAddr": bench.phones.uri("bob")} | answer
    bench.app.answers["callEvent"] = {"action": "drop"}
    await bench.start("ivr", *headers, from_='"Alice" <sip:alice@127.0.0.1>')
    return await bench.phones.called("bob")


def test_the_members_of_an_answer_become_headers_of_the_leg(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bob = await outgoing(
            bench,
            ("X-Copied", "yes"),
            ("X-Other", "no"),
            sipFrom="1001",
            displayName="Donald",
            sipTo="2002",
            sipPAI="3003",
            sipRPID=4004,
            sipDiversion=5005,
            sipDiversionParameters={"reason": "no-answer"},
            xHeaders={"x-one": "1", "via": "no header of mine"},
            pHeaders={"p-two": ["2", "3"]},
            copyHeaders=["x-copied"],
            contactParameters={"a": "b"},
            contactUserParameters={"c": "d"},
        )
        assert (bob.request.from_.user, bob.request.from_.display, bob.request.to.user) == ("1001", "Donald", "2002")
        assert bob.request.uri == bench.phones.uri("bob")
        for name, user in (("P-Asserted-Identity", 3003), ("Remote-Party-ID", 4004), ("Diversion", 5005)):
            assert bob.header(name).startswith(f"<sip:{user}@"), name
        assert bob.header("Diversion").endswith(";reason=no-answer")
        assert (bob.header("X-One"), bob.header("X-Copied"), bob.header("X-Other")) == ("1", "yes", "")
        assert bob.request.headers.rows("P-Two") == ["2", "3"]
        assert len(bob.request.headers.rows("Via")) == 1
        assert ";c=d@" in bob.header("Contact")
        assert ";a=b>" in bob.header("Contact")

    against(scenario)


def test_what_an_answer_omits_is_copied_or_left_out(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bob = await outgoing(bench, ("X-One", "1"), ("P-Asserted-Identity", "<sip:9@a.example>"))
        assert (bob.request.from_.user, bob.request.to.user) == ("alice", "bob")
        for name in ("P-Asserted-Identity", "Remote-Party-ID", "Diversion", "Privacy", "X-One"):
            assert bob.header(name) == ""

    against(scenario)


def test_caller_privacy_hides_the_caller(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bob = await outgoing(bench, callerPrivacy=True, sipFrom="1001")
        text = bob.request.serialise().decode()
        assert bob.request.from_.user == "anonymous"
        assert bob.header("Privacy") == "id"
        assert "1001" not in text
        assert "alice" not in text.lower()

    against(scenario)


def test_ringing_answer_and_hang_up_are_told_in_order(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = {"action": "drop", "dropCode": "busy"}
        caller, bob, answered = await bench.connected(sessionReferenceId={"mine": 1})
        await caller.bye(("Reason", "SIP;cause=200"))
        assert await bob.ended() == "remote bye"
        assert bob.reason == 'Q.850;cause=17;text="busy"'
        completed = await bench.app.wait("sessionCompleted")
        assert bench.app.names() == ["newCall", "callNotify", "callAnswered", "callEvent", "sessionCompleted"]
        notified, event = bench.app.all("callNotify")[0], bench.app.all("callEvent")[0]
        assert (notified["event"], notified["user"], notified["remoteUser"]) == ("ringing", "bob", "alice")
        assert notified["sipCallId"] == bob.call.call_id
        assert notified["monitoringParticipant"] is answered["monitoringParticipant"] is False
        assert (event["event"], event["user"], event["remoteUser"]) == ("callingPartyDrop", "alice", "bob")
        assert event["sipReason"] == "SIP;cause=200"
        assert event["connectionId"] == answered["connectionId"]
        assert event["participantId"] == notified["remoteParticipantId"] == answered["callerParticipantId"]
        assert event["remoteParticipantId"] == notified["participantId"] == answered["calleeParticipantId"]
        assert (answered["callingPartyNumber"], answered["remotePartyNumber"]) == ("alice", "bob")
        assert "codec" not in answered
        assert notified["traceId"] == answered["traceId"] == completed["traceId"]
        later = (notified, answered, event, completed)
        assert all(one["sessionReferenceId"] == {"mine": 1} for one in later)

    against(scenario)


def test_when_the_called_party_hangs_up_the_caller_can_go_on_to_another_destination_and_to_the_ivr(
    against: Against,
) -> None:
    async def scenario(bench: Bench) -> None:
        caller, bob, first = await bench.connected()
        bench.app.answers["callEvent"] = [
            {"action": "call", "destAddr": bench.phones.uri("carol"), "sipPAI": "77"},
            {"action": "ivr"},
        ]
        bench.app.answers["getIvrCommand"] = {"phrases": [{"text": "Good bye"}], "hangup": True}
        await bob.bye()
        carol = await bench.phones.called("carol")
        assert carol.header("P-Asserted-Identity").startswith("<sip:77@")
        second = await bench.app.wait("callAnswered", 2)
        assert second["callerParticipantId"] == first["callerParticipantId"]
        assert second["connectionId"] != first["connectionId"]
        await carol.bye()
        await bench.app.wait("callEvent", 2, event="calledPartyDrop")
        assert await caller.ended() == "remote bye"
        assert caller.loud
        await bench.app.wait("sessionCompleted")

    against(scenario)


FAILURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "busy": (
        refuses(486, ("Reason", "Q.850;cause=17")),
        {"sipResponseCode": 486, "errorDescr": "Busy Here", "sipReason": "Q.850;cause=17"},
    ),
    "no answer": (rings, {"errorDescr": "No answer within 0.4 seconds"}),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_destination_that_cannot_be_had_gives_one_failure(against: Against, case: str) -> None:
    taker, expected = FAILURES[case]

    async def scenario(bench: Bench) -> None:
        destination = bench.phones.phone("nobody", taker)
        bench.app.answers["newCall"] = {"action": "call", "destAddr": destination, "maxRingTime": 0.4}
        bench.app.answers["callEvent"] = {"action": "drop", "dropCode": "busy"}
        assert await bench.phones.refused("ivr", bench.sip) == 486
        await bench.app.wait("sessionCompleted")
        (event,) = bench.app.all("callEvent")
        assert (event["event"], event["user"], event["remoteUser"]) == ("calledPartyFailure", "nobody", "alice")
        members = ("sipResponseCode", "errorDescr", "sipReason")
        assert {name: event[name] for name in members if name in event} == expected
        assert bench.app.names("callAnswered") == []

    against(scenario)


@pytest.mark.parametrize("address", ["0123456", "sip:", "http://a.example/", "sip:a b@c", "tel:+4612"])
def test_an_address_that_is_no_sip_uri_raises_an_alarm(against: Against, address: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "call", "destAddr": address}
        bench.app.answers["callEvent"] = {"action": "drop"}
        assert await bench.phones.refused("ivr", bench.sip) >= 400
        told = await bench.app.wait("alarm")
        assert (told["type"], told["error"]) == ("callError", f"Invalid sip address: {address}")
        await bench.app.wait("callEvent", event="calledPartyFailure")

    against(scenario)


def test_the_destinations_of_a_list_are_tried_in_turn(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        listed = [
            {"destAddr": bench.phones.phone("busy", refuses(486))},
            {"destAddr": bench.phones.phone("slow", rings), "maxRingTime": 0.3},
            {"destAddr": bench.phones.uri("bob")},
        ]
        began = asyncio.get_running_loop().time()
        caller, bob, answered = await bench.connected(destAddr=listed, maxRingTime=20)
        assert asyncio.get_running_loop().time() - began < 2
        assert answered["remotePartyNumber"] == "bob"
        assert bench.app.names("callEvent") == []
        bench.app.answers["callEvent"] = {"action": "drop"}
        await caller.bye()
        await bob.ended()

    against(scenario)


def test_a_caller_who_gives_up_cancels_the_destination(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "call", "destAddr": bench.phones.phone("slow", rings)}
        caller = await bench.start()
        await bench.app.wait("callNotify")
        caller.call.hangup()
        assert await (await bench.phones.called("slow")).ended() == "remote cancel"
        with pytest.raises(CallFailed):
            await picked_up(caller)
        await bench.app.wait("sessionCompleted")
        assert bench.app.names("callEvent") == []

    against(scenario)


RINGBACK = {"default": (183, True), "silent": (183, False), "remoteGenerated": (180, None)}


@pytest.mark.parametrize("sound", RINGBACK)
def test_the_ringback_tone_is_what_the_caller_hears_until_the_answer(against: Against, sound: str) -> None:
    status, loud = RINGBACK[sound]

    async def scenario(bench: Bench) -> None:
        release = asyncio.Event()

        async def slow(party: Party) -> None:
            await rings(party)
            await release.wait()
            party.answer()

        destination = bench.phones.phone("slow", slow)
        bench.app.answers["newCall"] = {"action": "call", "destAddr": destination, "ringbackTone": sound}
        bench.app.answers["callEvent"] = {"action": "drop"}
        caller = await bench.start()
        await bench.app.wait("callNotify")
        call: Any = caller.call
        await until(lambda: call.provisionals, "a provisional response")
        assert {one.status for one in call.provisionals} == {status}
        assert bool(call.provisionals[0].body) is (loud is not None)
        if loud is not None:
            early_media(caller)
            await until(lambda: len(caller.heard) > 10, "sound")
            assert bool(caller.loud) is loud
        release.set()
        await picked_up(caller)
        answered = await bench.app.wait("callAnswered")
        assert answered["remotePartyNumber"] == "slow"
        at = asyncio.get_running_loop().time()
        await asyncio.wait([asyncio.ensure_future(caller.bye())])
        assert all(one < at + 0.1 for one in caller.loud)

    against(scenario)


def test_connected_parties_hear_each_other_and_each_others_keys(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        caller, bob, _ = await bench.connected()
        caller.speak("one")
        bob.speak("two")
        await until(lambda: len(caller.loud) > 20 and len(bob.loud) > 20, "both sides")
        caller.media.stop_playing()
        await caller.press("5")
        await until(lambda: bob.digits == ["5"], "the key")
        bench.app.answers["callEvent"] = {"action": "drop"}
        await bob.bye()
        await caller.ended()

    against(scenario)


def test_a_greeting_is_heard_before_the_parties_are_connected(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.put_file("one.wav", wav_bytes(tone("one", 0.3)))
        part = {"phrases": [{"fileName": "one.wav"}]}
        greeting = {"playMode": "calleeFirst", "caller": part, "callee": part}
        began = asyncio.get_running_loop().time()
        caller, bob, _ = await bench.connected(greeting=greeting)
        assert asyncio.get_running_loop().time() - began > 0.55
        assert bob.loud[-1] < caller.loud[0]
        assert 13 <= len(bob.loud) <= 17
        bench.app.answers["callEvent"] = {"action": "drop"}
        await bob.bye()
        await caller.ended()

    against(scenario)


def test_a_monitoring_leg_hears_both_and_copies_the_headers(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {
            "action": "call",
            "destAddr": bench.phones.uri("bob"),
            "monitorDestAddr": bench.phones.phone("spy", answers),
            "monitorSipFrom": "888",
            "monitorXHeaders": {"x-added": "1", "x-dropped": ""},
            "monitorPHeaders": {"p-added": "2"},
        }
        caller = await bench.call("ivr", ("X-Kept", "k"), ("X-Dropped", "d"), ("P-Kept", "p"))
        spy, bob = await bench.phones.called("spy"), await bench.phones.called("bob")
        assert spy.request.from_.user == "888"
        assert spy.header("P-Asserted-Identity").startswith("<sip:888@")
        names = ("X-Kept", "X-Added", "X-Dropped", "P-Kept", "P-Added")
        assert [spy.header(name) for name in names] == ["k", "1", "", "p", "2"]
        told = await bench.app.wait("callAnswered", monitoringParticipant=True)
        assert told["connectionId"] == bench.app.all("callAnswered")[0]["connectionId"]
        await bench.app.wait("callNotify", monitoringParticipant=True)
        bob.speak()
        await until(lambda: len(spy.loud) > 10, "the monitoring leg to hear")
        bench.app.answers["callEvent"] = {"action": "drop"}
        await caller.bye()
        assert await spy.ended() == "remote bye"
        await bench.app.wait("sessionCompleted")
        assert len(bench.app.all("callEvent")) == 1

    against(scenario)
