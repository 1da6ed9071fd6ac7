"""Operations on connected calls, and the actions that take a participant elsewhere: hang up, split, connect, httpcall."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from harness.reference.mediaservice.calls.remote_sdp import DeviceMedia, read_media
from harness.reference.sip import Refused, Request
from tests.reference.mediaservice.application import Json
from tests.reference.mediaservice.bench import Bench, Scenario
from tests.reference.mediaservice.phones import refuses, until

Against = Callable[[Scenario], None]

DROP = {"action": "drop"}


@pytest.mark.parametrize("which", ["caller", "callee"])
def test_hangupparticipant_ends_the_call_of_the_one_that_is_named(against: Against, which: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = {"action": "ivr"}
        bench.app.answers["getIvrCommand"] = {"getIVRCommandAfter": 30}
        caller, bob, answered = await bench.connected()
        named, other = (caller, bob) if which == "caller" else (bob, caller)
        await bench.done(
            "hangupparticipant", participantId=answered[f"{which}ParticipantId"], replyId=answered["replyId"]
        )
        assert await named.ended() == "remote bye"
        await bench.app.wait("getIvrCommand")
        assert not other.call.over
        await other.bye()
        await bench.app.wait("sessionCompleted")

    against(scenario)


def test_hangupremoteparticipant_ends_the_call_at_the_other_side(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = DROP
        caller, bob, answered = await bench.connected()
        await bench.done("hangupremoteparticipant", participantId=answered["callerParticipantId"])
        assert await bob.ended() == "remote bye"
        assert await caller.ended() == "remote bye"

    against(scenario)


def test_a_reply_id_touches_its_own_call_only(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = DROP
        first_caller, first_bob, first = await bench.connected()
        second_caller, second_bob, second = await bench.connected()
        await bench.refused("hangupparticipant", participantId=first["callerParticipantId"], replyId=second["replyId"])
        await bench.refused("splitconnection", connectionId=first["connectionId"], replyId=second["replyId"])
        await bench.refused("startrecording", connectionId=first["connectionId"], replyId=second["replyId"])
        await bench.done("hangupparticipant", replyId=second["replyId"])
        await second_bob.ended()
        await second_caller.ended()
        assert not first_caller.call.over
        assert not first_bob.call.over
        await bench.done("hangupcall", replyId=first["replyId"])
        await first_bob.ended()
        await bench.app.wait("sessionCompleted", 2)
        await bench.refused("hangupcall", replyId=first["replyId"])

    against(scenario)


def test_the_session_id_of_an_ivr_session_names_its_participant(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "ivr"}
        bench.app.answers["getIvrCommand"] = {"getIVRCommandAfter": 30}
        party = await bench.call()
        told = await bench.app.wait("getIvrCommand")
        await bench.done("hangupparticipant", sessionId=told["sessionId"])
        assert await party.ended() == "remote bye"
        await bench.app.wait("sessionCompleted")

    against(scenario)


def test_a_split_asks_about_each_and_applies_each_answer_to_its_own(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        caller, bob, answered = await bench.connected()

        def decide(event: Json) -> Any:
            return {"action": "ivr"} if event["event"] == "callerConnectionSplit" else DROP

        bench.app.answers["callEvent"] = decide
        bench.app.answers["getIvrCommand"] = {"getIVRCommandAfter": 30}
        await bench.done("splitconnection", connectionId=answered["connectionId"], replyId=answered["replyId"])
        assert await bob.ended() == "remote bye"
        await bench.app.wait("getIvrCommand")
        events = {one["event"]: one for one in bench.app.all("callEvent")}
        assert len(bench.app.all("callEvent")) == 2
        assert events["callerConnectionSplit"]["participantId"] == answered["callerParticipantId"]
        assert events["calleeConnectionSplit"]["participantId"] == answered["calleeParticipantId"]
        assert not caller.call.over
        await bench.refused("splitconnection", connectionId=answered["connectionId"])
        await caller.bye()
        await bench.app.wait("sessionCompleted")

    against(scenario)


def test_split_parties_do_not_hear_each_other_until_they_are_connected_again(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        caller, bob, answered = await bench.connected()
        caller.speak()
        await until(lambda: bob.loud, "bob to hear")
        release = asyncio.Event()

        async def decide(event: Json) -> Any:
            await asyncio.wait_for(release.wait(), 5)
            other = {"action": "connect", "participantId": event["remoteParticipantId"]}
            return other if event["event"] == "callerConnectionSplit" else {"action": "ivr"}

        bench.app.answers["callEvent"] = decide
        await bench.done("splitconnection", connectionId=answered["connectionId"])
        await bench.app.wait("callEvent", 2)
        heard = len(bob.loud)
        await until(lambda: caller.media.stats.sent > heard + 15, "the caller to go on speaking")
        assert len(bob.loud) <= heard + 2
        release.set()
        again = await bench.app.wait("callAnswered", 2)
        assert again["callerParticipantId"] == answered["callerParticipantId"]
        await until(lambda: len(bob.loud) > heard + 5, "bob to hear again")
        bench.app.answers["callEvent"] = DROP
        await caller.bye()
        await bob.ended()

    against(scenario)


def test_connect_joins_a_new_caller_with_somebody_in_the_ivr(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["getIvrCommand"] = {"phrases": [{"text": "wait"}], "getIVRCommandAfter": 1}
        await bench.done("placeivrcall", destAddr=bench.phones.uri("bob"))
        bob = await bench.phones.called("bob")
        waiting = await bench.app.wait("callAnswered")
        bench.app.answers["newCall"] = {"action": "connect", "participantId": waiting["calleeParticipantId"]}
        caller = await bench.call()
        joined = await bench.app.wait("callAnswered", 2)
        assert joined["calleeParticipantId"] == waiting["calleeParticipantId"]
        assert (joined["callingPartyNumber"], joined["remotePartyNumber"]) == ("alice", "bob")
        caller.speak()
        await until(lambda: len(bob.loud) > 10, "bob to hear")
        bench.app.answers["callEvent"] = DROP
        await caller.bye()
        assert await bob.ended() == "remote bye"
        await bench.app.wait("sessionCompleted", 2)

    against(scenario)


def test_connect_with_nobody_ends_the_call(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "connect", "participantId": "nobody"}
        assert await bench.phones.refused("ivr", bench.sip) >= 400
        await bench.app.wait("sessionCompleted")

    against(scenario)


def test_httpcall_gives_the_remaining_party_the_media_of_a_device(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        caller, bob, _ = await bench.connected()
        offers: list[bytes] = []

        def reinvited(request: Request) -> bytes:
            offers.append(request.body)
            return DeviceMedia("PCMU", "127.0.0.1", 40000).sdp()

        caller.call.on_reinvite = reinvited
        device = {"codec": "PCMU", "receiveIp": "127.0.0.9", "receivePort": "30000"}
        bench.app.answers["callEvent"] = {"action": "httpcall"} | device
        await bob.bye()
        answered = await bench.app.wait("callAnswered", 2)
        assert (answered["codec"], answered["remoteRtpIp"], answered["remoteRtpPort"]) == ("PCMU", "127.0.0.1", "40000")
        offered = read_media(offers[0])
        assert (offered.codec, offered.address, offered.port) == ("PCMU", "127.0.0.9", 30000)
        await bench.done("hangupcall", replyId=answered["replyId"])
        assert await caller.ended() == "remote bye"

    against(scenario)


def test_a_refused_httpcall_raises_an_alarm_with_the_status(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        caller, bob, answered = await bench.connected()

        def refuse(_request: Request) -> bytes:
            raise Refused(488)

        caller.call.on_reinvite = refuse
        device = {"codec": "PCMU", "receiveIp": "127.0.0.9", "receivePort": "30000"}
        bench.app.answers["callEvent"] = {"action": "httpcall"} | device
        await bob.bye()
        told = await bench.app.wait("alarm", error="unexpectedReinviteResponse")
        assert (told["status"], told["user"], told["callId"]) == ("488", "alice", caller.call.call_id)
        assert told["participantId"] == answered["callerParticipantId"]
        await caller.ended()

    against(scenario)


UNUSABLE: dict[str, tuple[Any, str]] = {
    "empty": (b"", "No action provided in callEvent response"),
    "no action": ({"dropCode": "busy"}, "No action provided in callEvent response"),
    "unknown action": ({"action": "dance"}, "callEvent response with unknown action"),
    "an error": (404, "No response to callEvent request"),
    "silence": (None, "No response to callEvent request"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_call_event_without_a_usable_answer_raises_an_alarm_and_ends_the_call(against: Against, case: str) -> None:
    answer, error = UNUSABLE[case]

    async def scenario(bench: Bench) -> None:
        bench.app.answers["callEvent"] = answer
        caller, bob, _ = await bench.connected()
        await bob.bye()
        told = await bench.app.wait("alarm", error=error)
        assert told["type"] == "callEventError"
        assert await caller.ended() == "remote bye"
        await bench.app.wait("sessionCompleted")

    against(scenario)


def test_an_application_that_always_calls_again_is_stopped(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        again = {"action": "call", "destAddr": bench.phones.phone("busy", refuses(486))}
        bench.app.answers["newCall"] = bench.app.answers["callEvent"] = again
        assert await bench.phones.refused("ivr", bench.sip) == 500
        await bench.app.wait("sessionCompleted")
        assert len(bench.app.all("callEvent")) <= 100

    against(scenario)
