"""Session timers on both legs of a call, and the identifier that a call by way of an IN is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reference.mediaservice.bench import Bench, Scenario
from tests.reference.mediaservice.phones import Party, picked_up

Against = Callable[[Scenario], None]

ASKS = (("Supported", "timer"), ("Session-Expires", "1500;refresher=uac"))


async def answers_with_timer(party: Party) -> None:
    assert party.header("Session-Expires") == "1800;refresher=uas"
    party.answer(("Session-Expires", "1200;refresher=uas"))


def test_both_legs_agree_on_timers_and_that_is_told(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "call", "destAddr": bench.phones.phone("bob", answers_with_timer)}
        bench.app.answers["callEvent"] = {"action": "drop"}
        caller = await bench.phones.start("ivr", bench.sip, *ASKS)
        await picked_up(caller)
        told = await bench.app.wait("callAnswered")
        assert (told["callingPartyExpires"], told["calledPartyExpires"]) == (1500, 1200)
        await caller.bye()
        await bench.app.wait("sessionCompleted")

    against(scenario)


@pytest.mark.parametrize("headers", [(), ASKS[:1], ASKS[1:], (ASKS[0], ("Session-Expires", "30"))])
def test_without_a_timer_that_may_be_none_is_told(against: Against, headers: tuple[tuple[str, str], ...]) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["newCall"] = {"action": "call", "destAddr": bench.phones.uri("bob")}
        bench.app.answers["callEvent"] = {"action": "drop"}
        caller = await bench.phones.start("ivr", bench.sip, *headers)
        await picked_up(caller)
        told = await bench.app.wait("callAnswered")
        assert {"callingPartyExpires", "calledPartyExpires"}.isdisjoint(told)
        await caller.bye()
        await bench.app.wait("sessionCompleted")

    against(scenario)


def test_a_call_by_way_of_an_in_is_asked_for_its_identifier_first(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        bench.app.answers["getCallIdentifier"] = {"sessionReferenceId": {"order": 1}}
        bench.app.answers["newCall"] = {"action": "drop", "dropCode": "busy"}
        assert await bench.phones.refused("ivrin7", bench.sip) == 486
        asked = await bench.app.wait("getCallIdentifier", calledParty="ivrin7")
        completed = await bench.app.wait("sessionCompleted", sessionId=asked["sessionId"])
        assert completed["sessionReferenceId"] == {"order": 1}
        assert bench.app.names()[:2] == ["getCallIdentifier", "newCall"]

    against(scenario)
