"""Incoming calls: what newCall reports of an INVITE, what its answer does with the call, and answers of no use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.reference.sip import CallFailed
from tests.reference.mediaservice.bench import Bench, Scenario
from tests.reference.mediaservice.phones import picked_up, until

Against = Callable[[Scenario], None]

DROP_CODES = {
    "busy": 486,
    "error": 500,
    "numberNotFound": 404,
    "numberNotActive": 410,
    "dropNoMsg": 603,
    "temporarilyUnavailable": 480,
}


def test_new_call_reports_the_headers_of_the_invite(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "drop"}
        party = await bench.start(
            "ivr77",
            ("P-Asserted-Identity", '"Paula" <sip:+46890510@a.example>'),
            ("X-One", "1"),
            ("X-Two", "a"),
            ("x-two", "b"),
            ("P-Three", "3"),
            ("Diversion", "<sip:user@domain.example>;reason=time-of-day"),
            ("Referred-By", "<sip:referrer@referrer.example>"),
            ("Subject", "About it"),
            ("Privacy", "id"),
            from_='"Fred" <sip:fred@127.0.0.1>',
        )
        told = await bench.app.wait("newCall")
        assert told["sipCallId"] == party.call.call_id
        assert (told["callingParty"], told["displayName"], told["fromUser"]) == ("+46890510", "Paula", "fred")
        assert told["callingPartyPrivacy"] == "secret"
        assert told["calledParty"] == "ivr77"
        assert told["xHeaders"] == {"X-One": "1", "X-Two": ["a", "b"]}
        assert told["pHeaders"]["P-Three"] == "3"
        assert set(told["copyHeaders"]) == {"X-One", "X-Two", "P-Three", "P-Asserted-Identity"}
        assert told["diversionHeaders"] == "<sip:user@domain.example>;reason=time-of-day"
        assert told["referredBy"] == "<sip:referrer@referrer.example>"
        assert (told["paiNumber"], told["subject"], told["srcAddr"]) == ("+46890510", "About it", "127.0.0.1")
        assert (await bench.app.wait("sessionCompleted"))["sessionId"] == told["sessionId"]

    against(scenario)


def test_new_call_tells_nothing_that_the_invite_does_not_have(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "drop"}
        await bench.phones.refused("ivr", bench.sip)
        told = await bench.app.wait("newCall")
        assert (told["callingParty"], told["fromUser"], told["callingPartyPrivacy"]) == ("alice", "alice", "public")
        absent = {"displayName", "xHeaders", "pHeaders", "diversionHeaders", "referredBy", "paiNumber", "subject"}
        assert not absent & set(told)

    against(scenario)


def test_a_drop_code_is_the_status_that_the_caller_gets(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        for code, status in DROP_CODES.items():
            bench.app.answers["newCall"] = {"action": "drop", "dropCode": code}
            assert await bench.phones.refused("ivr", bench.sip) == status, code
        await bench.app.wait("sessionCompleted", len(DROP_CODES))
        assert bench.app.names("alarm") == []

    against(scenario)


UNUSABLE: dict[str, tuple[Any, str]] = {
    "empty": (b"", "newCall response empty"),
    "no action": ({}, "newCall response without action"),
    "no JSON": (b"<html>", "newCall response without action"),
    "a list": (b"[]", "newCall response without action"),
    "unknown action": ({"action": "dance"}, "newCall response with unknown action"),
    "an error": (500, "newCall request failed"),
    "a redirection": (302, "newCall request failed"),
    "silence": (None, "newCall request failed"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_answer_of_no_use_raises_an_alarm_and_ends_the_call(against: Against, case: str) -> None:
    answer, error = UNUSABLE[case]

    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = answer
        assert await bench.phones.refused("ivr", bench.sip) >= 400
        told = await bench.app.wait("alarm", error=error)
        assert told["type"] == "newCallEventError"
        assert told["domain"] == bench.table["domain"]
        assert told["sessionId"] == bench.app.all("newCall")[0]["sessionId"]
        await bench.app.wait("sessionCompleted", sessionId=told["sessionId"])

    against(scenario)


def test_a_call_that_is_cancelled_before_the_answer_ends_with_487(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = None
        party = await bench.start()
        await bench.app.wait("newCall")
        party.call.hangup()
        with pytest.raises(CallFailed) as caught:
            await picked_up(party)
        assert caught.value.code == 487
        await bench.app.wait("sessionCompleted")

    against(scenario)


def test_sdp_without_sense_raises_the_alarm_invalid_sdp(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "ivr"}
        assert await bench.phones.refused("ivr", bench.sip, sdp=b"v=0\r\nthis is no SDP\r\n") == 488
        told = await bench.app.wait("alarm")
        assert (told["type"], told["error"]) == ("callError", "invalidSdp")

    against(scenario)


def test_sessions_are_told_apart_and_complete_once(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "ivr"}
        bench.app.answers["getIvrCommand"] = {"getIVRCommandAfter": 30}
        first, second = await bench.call("ivr1"), await bench.call("ivr2")
        await first.bye()
        done = await bench.app.wait("sessionCompleted")
        assert (
            done["sessionId"]
            == next(one for one in bench.app.all("newCall") if one["calledParty"] == "ivr1")["sessionId"]
        )
        await second.bye()
        await until(lambda: len(bench.app.all("sessionCompleted")) == 2, "both completed")
        assert len({one["sessionId"] for one in bench.app.all("sessionCompleted")}) == 2
        assert len({one["traceId"] for one in bench.app.all("sessionCompleted")}) == 2

    against(scenario)
