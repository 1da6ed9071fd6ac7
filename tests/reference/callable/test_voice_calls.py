"""Created voice calls: who is dialled, as whom, and that verbs wait for the answer."""

from __future__ import annotations

import pytest

from tests.reference.callable.agents import Agents, invite_to, media_of, port_of, starts
from tests.reference.callable.client import HANGUP, Application, Client, dial, say


def test_an_extension_rings_the_trunk_of_its_gateway_and_is_hung_up_after_the_verbs(
    client: Client, agents: Agents
) -> None:
    with agents.answering("desk") as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", say("hi"), HANGUP)
        result = desk.wait(5)
    assert result.outcome == "done", result.detail
    assert starts(result) == ["in INVITE", "out 180", "out 200", "in ACK", "in BYE", "out 200"]
    assert result.messages[0].text.startswith(f"INVITE sip:601@{desk.address} SIP/2.0\r\n")


def test_override_to_is_the_user_that_is_called_behind_the_trunk(client: Client, agents: Agents) -> None:
    with agents.answering("desk") as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call({"extension": {"extension": "601", "overrideTo": "231"}}, HANGUP)
        assert invite_to(desk).text.startswith("INVITE sip:231@")


@pytest.mark.parametrize(
    ("values", "presented"),
    [
        ({"callerId": "+441632960777"}, "+441632960777"),
        ({"callerId": ""}, "+441632960100"),
        ({}, "+441632960100"),
        ({"tag": {"data": {"order": "17"}}, "callerId": "01632960778"}, "+441632960778"),
    ],
)
def test_the_caller_id_is_presented_and_a_blank_one_is_the_main_billing_number(
    client: Client, agents: Agents, values: dict[str, object], presented: str
) -> None:
    with agents.answering("desk") as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", HANGUP, **values)
        assert f"From: <sip:{presented}@" in invite_to(desk).text


def test_a_phone_number_comes_out_at_the_carrier(client: Client, agents: Agents) -> None:
    with agents.answering("carrier", port=port_of(client.table["pstn"]["listen"])) as carrier:
        client.call({"phoneNumber": {"number": "+441632960951"}}, HANGUP)
        assert invite_to(carrier).text.startswith(f"INVITE sip:+441632960951@{carrier.address} ")


def test_the_carrier_can_be_moved_while_the_platform_runs(client: Client, agents: Agents) -> None:
    with agents.answering("carrier") as carrier:
        client.set_carrier(carrier.address)
        client.call({"phoneNumber": {"number": "01632960951"}}, HANGUP)
        assert invite_to(carrier).text.startswith("INVITE sip:+441632960951@")


def test_a_sip_uri_is_called_as_it_stands_and_a_device_by_its_id(client: Client, agents: Agents) -> None:
    with agents.answering("one") as one, agents.answering("two") as two:
        client.call({"sipUri": {"uri": f"sip:bob@{one.address}"}}, HANGUP)
        assert invite_to(one).text.startswith(f"INVITE sip:bob@{one.address} ")
        gateway = client.gateway("602", client.trunk(two.address))
        client.call({"device": {"id": gateway}}, HANGUP)
        assert invite_to(two).text.startswith("INVITE sip:602@")


def test_the_second_trunk_of_a_gateway_is_rung_when_the_first_cannot_be_reached(client: Client, agents: Agents) -> None:
    with agents.answering("desk") as desk:
        trunks = [client.trunk("127.0.0.1:9"), client.trunk(desk.address)]
        client.gateway("601", *trunks, ringTime=1)
        client.call_extension("601", HANGUP)
        assert desk.wait(6).outcome == "done"


@pytest.mark.parametrize("script", ["uas_busy.xml", "uas_unavailable.xml"])
def test_no_verb_runs_when_the_target_refuses(
    client: Client, agents: Agents, application: Application, script: str
) -> None:
    client.hook(application.url + "/events")
    with agents.answering("party") as party, agents.start(script, "desk") as desk:
        client.set_carrier(party.address)
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", dial("+441632960951"))
        assert desk.wait(5).outcome == "done"
        application.wait_event("call.ended")
        assert party.messages == ()


def test_no_verb_runs_while_the_target_rings_and_a_gateways_ring_time_gives_up(
    client: Client, agents: Agents, application: Application
) -> None:
    client.hook(application.url + "/events")
    with agents.answering("party") as party, agents.start("uas_cancelled.xml", "desk") as desk:
        client.set_carrier(party.address)
        client.gateway("601", client.trunk(desk.address), ringTime=1)
        client.call_extension("601", dial("+441632960951"))
        result = desk.wait(5)
        assert result.outcome == "done", result.detail
        assert "in CANCEL" in starts(result)
        ended = application.wait_event("call.ended")
        assert ended.json["code"] in (408, 487)
        assert party.messages == ()


def test_a_gateways_longest_call_time_ends_the_call(client: Client, agents: Agents) -> None:
    with agents.answering("desk") as desk:
        client.gateway("601", client.trunk(desk.address), maxCallTime=1)
        client.call_extension("601", {"gather": {"timeout": 30}})
        result = desk.wait(5)
    assert result.outcome == "done"
    assert "in BYE" in starts(result)


def test_two_calls_at_once_do_not_disturb_each_other(client: Client, agents: Agents) -> None:
    with agents.answering("one") as one, agents.answering("two") as two:
        client.gateway("601", client.trunk(one.address))
        client.gateway("602", client.trunk(two.address))
        for extension in ("601", "602"):
            client.call_extension(extension, say("hi"), HANGUP)
        results = [one.wait(5), two.wait(5)]
    assert [result.outcome for result in results] == ["done", "done"]
    assert len({media_of(result.messages[0]).port for result in results}) == 2
