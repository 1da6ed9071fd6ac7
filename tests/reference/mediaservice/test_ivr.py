"""The IVR: phrases, digits, waiting, the background prompt, interruption and the calls that an operation places."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from harness.reference.media import tone, wav_bytes
from tests.reference.mediaservice.bench import Bench, Scenario
from tests.reference.mediaservice.phones import Party, refuses, rings, until

Against = Callable[[Scenario], None]

LAST = {"hangup": True}
SHORT = tone("short", 0.3)


async def in_ivr(bench: Bench, *commands: Any) -> Party:
    """A caller in the IVR that gets these commands."""
    bench.app.answers["newCall"] = {"action": "ivr"}
    bench.app.answers["getIvrCommand"] = [*commands]
    await bench.put_file("short.wav", wav_bytes(SHORT))
    await bench.put_file("long.wav", wav_bytes(tone("long", 5.0)))
    party = await bench.call()
    await bench.app.wait("getIvrCommand")
    return party


def test_phrases_are_heard_before_the_call_is_hung_up(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        party = await in_ivr(bench, {"phrases": [{"fileName": "short.wav"}, {"text": "Bye"}], "hangup": True})
        assert await party.ended() == "remote bye"
        assert 25 <= len(party.loud) <= 32
        await bench.app.wait("sessionCompleted")
        assert bench.app.names().count("getIvrCommand") == 1
        assert bench.app.names("alarm") == []

    against(scenario)


COLLECTIONS: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "enough digits": ({"maxDigits": 3}, "123", {"dtmfMatch": "123", "reason": "maxDigits"}),
    "a termination key": (
        {"terminationKey": "#", "maxDigits": 9},
        "42#",
        {"dtmfMatch": "42", "reason": "terminationKey", "matchedTerminationKey": "#"},
    ),
    "no digit": ({"maxDigits": 2, "firstTimeout": 0.3}, "", {"dtmfMatch": "", "reason": "firstTimeout"}),
    "too few digits": (
        {"maxDigits": 9, "firstTimeout": 5, "betweenTimeout": 0.3},
        "70",
        {"dtmfMatch": "70", "reason": "betweenTimeout"},
    ),
}


@pytest.mark.parametrize("case", COLLECTIONS)
def test_a_collection_ends_and_reports(against: Against, case: str) -> None:
    dtmf, keys, reported = COLLECTIONS[case]

    async def scenario(bench: Bench) -> None:
        party = await in_ivr(bench, {"dtmf": {"flush": True} | dtmf}, LAST)
        if keys:
            await party.press(keys)
        told = await bench.app.wait("getIvrCommand", 2)
        assert told["dtmfParams"] == reported
        assert told.get("dtmfBuffer", "") == keys
        await party.ended()

    against(scenario)


def test_the_buffer_holds_all_digits_since_it_was_flushed(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        one = {"dtmf": {"maxDigits": 1, "firstTimeout": 5}}
        party = await in_ivr(bench, one, one, {"dtmf": {"flush": True, "maxDigits": 1, "firstTimeout": 5}}, LAST)
        for count, key in enumerate("123", 2):
            await party.press(key)
            await bench.app.wait("getIvrCommand", count)
        told = bench.app.all("getIvrCommand")
        assert [one.get("dtmfBuffer") for one in told] == [None, "1", "12", "3"]
        assert [one["dtmfParams"]["dtmfMatch"] for one in told[1:]] == ["1", "2", "3"]
        assert len({one["replyId"] for one in told}) == 4
        await party.ended()

    against(scenario)


def test_digits_interrupt_a_phrase_only_with_barge_in(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        phrases = {"phrases": [{"fileName": "short.wav"}, {"fileName": "short.wav"}]}
        dtmf = {"dtmf": {"maxDigits": 1, "firstTimeout": 5}}
        barge = {"phrases": [{"fileName": "long.wav"}], "bargeIn": "current", "dtmf": {"flush": True, "maxDigits": 1}}
        party = await in_ivr(bench, phrases | dtmf, barge, LAST)
        await until(lambda: party.loud, "the first phrase")
        await party.press("1")
        await bench.app.wait("getIvrCommand", 2)
        assert party.loud[-1] - party.loud[0] > 0.5
        await until(lambda: len(party.loud) > 35, "the long phrase")
        await party.press("2")
        assert (await bench.app.wait("getIvrCommand", 3))["dtmfParams"]["dtmfMatch"] == "2"
        assert len(party.loud) < 100
        await party.ended()

    against(scenario)


def test_the_next_command_is_asked_for_after_the_wait(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        party = await in_ivr(bench, {"phrases": [{"fileName": "short.wav"}], "getIVRCommandAfter": 0.6}, LAST)
        await bench.app.wait("getIvrCommand", 2)
        first, second = (one.at for one in bench.app.received if one.name == "getIvrCommand")
        assert 0.85 <= second - first <= 1.3
        assert len(party.loud) <= 16
        await party.ended()

    against(scenario)


def test_the_background_prompt_fills_the_time_between_phrases_until_it_is_stopped(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.files["ground.wav"] = wav_bytes(tone("ground", 0.2))
        ground = {"backgroundPrompt": {"url": f"{bench.app.url}/ground.wav", "repeatPause": 0.2}}
        party = await in_ivr(
            bench,
            ground | {"getIVRCommandAfter": 0.7},
            {"getIVRCommandAfter": 0.3},
            {"backgroundPrompt": {"stop": True}, "getIVRCommandAfter": 0.4},
            LAST,
        )
        await bench.app.wait("getIvrCommand", 3)
        stopped = asyncio.get_running_loop().time()
        pauses = [b - a for a, b in zip(party.loud, party.loud[1:], strict=False) if b - a > 0.1]
        assert len(party.loud) > 20
        assert pauses
        assert all(0.15 < pause < 0.3 for pause in pauses)
        await party.ended()
        assert all(at < stopped + 0.1 for at in party.loud)

    against(scenario)


def test_an_interrupted_command_makes_room_for_the_next(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        party = await in_ivr(bench, {"phrases": [{"fileName": "long.wav"}]}, {"getIVRCommandAfter": 9}, LAST)
        await until(lambda: party.loud, "the phrase")
        first = bench.app.all("getIvrCommand")[0]
        await bench.refused("interruptivrcommand", replyId="unheard-of", sessionId=first["sessionId"])
        await bench.done("interruptivrcommand", replyId=first["replyId"], sessionId=first["sessionId"])
        second = await bench.app.wait("getIvrCommand", 2)
        heard = len(party.loud)
        await bench.refused("interruptivrcommand", replyId=first["replyId"])
        await bench.done("interruptivrcommand", sessionId=second["sessionId"])
        await party.ended()
        assert heard < 60
        assert len(party.loud) <= heard + 5

    against(scenario)


FAILURES: dict[str, tuple[Any, str]] = {
    "empty": (b"", "Empty body in getIvrCommand response"),
    "an error": (503, "getIvrCommand request error"),
    "silence": (None, "getIvrCommand request error"),
    "no JSON": (b"{", "IVR command failed"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_an_answer_that_is_no_command_raises_an_alarm_and_ends_the_call(against: Against, case: str) -> None:
    answer, error = FAILURES[case]

    async def scenario(bench: Bench) -> None:
        party = await in_ivr(bench, answer)
        told = await bench.app.wait("alarm", error=error)
        assert told["type"] == "ivrCommandError"
        assert await party.ended() == "remote bye"
        await bench.app.wait("sessionCompleted")

    against(scenario)


@pytest.mark.parametrize(
    "phrase", [{"fileName": "missing.wav"}, {"format": "awstts"}, "text", {"fileName": "text.wav"}]
)
def test_a_phrase_that_cannot_be_played_raises_an_alarm_and_the_session_goes_on(against: Against, phrase: Any) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.put_file("text.wav", b"this is no wav file")
        party = await in_ivr(bench, {"phrases": [phrase, {"fileName": "short.wav"}]}, LAST)
        told = await bench.app.wait("alarm")
        assert (told["type"], told["error"]) == ("ivrCommandError", "phraseError")
        await party.ended()
        assert len(party.loud) > 10

    against(scenario)


def test_a_reference_of_the_application_comes_back(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        party = await in_ivr(bench, {"sessionReferenceId": {"foo": 1}}, LAST)
        assert "sessionReferenceId" not in bench.app.all("getIvrCommand")[0]
        assert (await bench.app.wait("getIvrCommand", 2))["sessionReferenceId"] == {"foo": 1}
        assert (await bench.app.wait("sessionCompleted"))["sessionReferenceId"] == {"foo": 1}
        await party.ended()

    against(scenario)


def test_a_placed_call_is_led_to_the_ivr_when_it_is_answered(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["getIvrCommand"] = {"getIVRCommandAfter": 30}
        await bench.done(
            "placeivrcall",
            destAddr=bench.phones.uri("bob"),
            sipFrom="+4611",
            displayName="The IVR",
            xHeaders={"x-header1": "a", "x-header2": ["b", "c"]},
            pHeaders={"p-header": "d"},
            sipDiversion="4622",
            sipDiversionParameters={"reason": "unknown"},
            contactParameters={"prop": "one"},
            contactUserParameters={"trunk": "two"},
            sessionReferenceId={"call": 7},
        )
        bob = await bench.phones.called("bob")
        assert (bob.request.from_.user, bob.request.from_.display) == ("+4611", "The IVR")
        assert bob.request.headers.rows("X-Header2") == ["b", "c"]
        assert (bob.header("X-Header1"), bob.header("P-Header")) == ("a", "d")
        assert bob.header("Diversion").startswith("<sip:4622@")
        assert bob.header("Diversion").endswith(";reason=unknown")
        assert ";trunk=two@" in bob.header("Contact")
        assert ";prop=one>" in bob.header("Contact")
        answered = await bench.app.wait("callAnswered", sessionReferenceId={"call": 7})
        assert (answered["callingPartyNumber"], answered["remotePartyNumber"]) == ("+4611", "bob")
        command = await bench.app.wait("getIvrCommand", sessionReferenceId={"call": 7})
        await bench.done("hangupparticipant", participantId=answered["calleeParticipantId"])
        assert await bob.ended() == "remote bye"
        assert (await bench.app.wait("sessionCompleted"))["sessionId"] == command["sessionId"]

    against(scenario)


def test_a_placed_call_that_is_refused_or_not_answered_only_completes(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        busy, ringing = bench.phones.phone("busy", refuses(486)), bench.phones.phone("ringing", rings)
        await bench.done("placeivrcall", destAddr=busy)
        await bench.app.wait("sessionCompleted")
        began = asyncio.get_running_loop().time()
        await bench.done("placeivrcall", destAddr=ringing, maxRingTime=0.5)
        await bench.app.wait("sessionCompleted", 2)
        assert 0.45 <= asyncio.get_running_loop().time() - began <= 1.5
        assert await (await bench.phones.called("ringing")).ended() == "remote cancel"
        assert set(bench.app.names()) == {"sessionCompleted", "callNotify"}

    against(scenario)
