"""Incoming calls: who may call, and where calls to DDIs and from trunks go."""

from __future__ import annotations

import pytest

from tests.reference.callable.agents import Agents, final_of, invite_to, media_of, port_of, starts
from tests.reference.callable.client import Application, Client


def _sip(client: Client) -> str:
    address: str = client.table["sip"]["address"]
    return address


def test_a_ddi_goes_through_its_route_start_to_the_trunk_and_both_hear_each_other(
    client: Client, agents: Agents
) -> None:
    ddi = client.ddis()[1]
    with (
        agents.probe("caller") as caller_ear,
        agents.probe("desk") as desk_ear,
        agents.answering("desk", variables=desk_ear.variables) as desk,
    ):
        client.route_start(ddi["id"], client.gateway("601", client.trunk(desk.address)))
        with agents.caller(
            "caller", _sip(client), f"+{ddi['name']}", hold=1000, variables=caller_ear.variables, user="+441632960951"
        ) as caller:
            answer = caller.wait_for(lambda one: one.direction == "in" and " 200 " in one.text.split("\r\n")[0], 5)
            assert answer is not None
            caller_ear.send_to(media_of(answer))
            desk_ear.send_to(media_of(invite_to(desk)))
            caller_ear.stream("tone")
            desk_ear.stream("tone")
            assert desk_ear.wait_sound(200)
            assert caller_ear.wait_sound(200)
            assert starts(caller.wait(5))[:4] == ["out INVITE", "in 100", "in 180", "in 200"]
        result = desk.wait(5)
    assert result.outcome == "done"
    assert "in BYE" in starts(result)
    assert "From: <sip:+441632960951@" in invite_to(desk).text


@pytest.mark.parametrize("form", ["{}", "+{}", "00{}"])
def test_a_ddi_is_known_in_each_usual_form(client: Client, agents: Agents, form: str) -> None:
    ddi = client.ddis()[2]
    with agents.start("uas_busy.xml", "desk") as desk:
        client.route_start(ddi["id"], client.gateway("601", client.trunk(desk.address)))
        with agents.caller("caller", _sip(client), form.format(ddi["name"])) as caller:
            assert final_of(caller.wait(5)) == 486
        assert desk.wait(5).outcome == "done"


def test_hangup_refuses_and_an_update_of_connect_to_counts_for_the_next_call(client: Client, agents: Agents) -> None:
    ddi = client.ddis()[1]
    with agents.answering("desk") as desk:
        gateway = client.gateway("601", client.trunk(desk.address))
        start = client.route_start(ddi["id"], "HANGUP")
        with agents.caller("refused", _sip(client), ddi["name"]) as caller:
            assert final_of(caller.wait(5)) == 603
        assert desk.messages == ()
        client.update("device", start, {"startRoute": {"ddis": [ddi["id"]], "connectTo": gateway}})
        with agents.caller("served", _sip(client), ddi["name"]) as caller:
            assert final_of(caller.wait(5)) == 200
        assert desk.wait(5).outcome == "done"


@pytest.mark.parametrize("number", ["441632960103", "441632961999", "bob", "999"])
def test_what_no_route_start_lists_is_refused(client: Client, agents: Agents, number: str) -> None:
    with agents.caller("caller", _sip(client), number) as caller:
        assert final_of(caller.wait(5)) == 404


def test_the_carriers_own_port_tells_it_from_a_trunk_at_the_same_address(client: Client, agents: Agents) -> None:
    client.trunk("127.0.0.1:5060")
    port = port_of(client.table["pstn"]["listen"])
    with agents.caller("carrier", _sip(client), "+441632960951", port=port) as carrier:
        assert final_of(carrier.wait(5)) == 404


def test_a_caller_who_gives_up_stops_the_ringing_of_the_trunk(client: Client, agents: Agents) -> None:
    ddi = client.ddis()[1]
    with agents.start("uas_cancelled.xml", "desk") as desk:
        client.route_start(ddi["id"], client.gateway("601", client.trunk(desk.address)))
        with agents.start(
            "uac_cancel.xml", "caller", remote=_sip(client), variables={"service": ddi["name"]}, hold=200
        ) as caller:
            assert final_of(caller.wait(6)) in (200, 487)
        assert "in CANCEL" in starts(desk.wait(5))


def test_calls_come_from_addresses_of_trunks_whatever_their_port_and_from_no_others(
    client: Client, agents: Agents
) -> None:
    client.trunk("127.0.0.7:5060")
    with agents.answering("carrier", port=port_of(client.table["pstn"]["listen"])) as carrier:
        with agents.caller("stranger", _sip(client), "+441632960951", local_ip="127.0.0.8") as stranger:
            assert final_of(stranger.wait(5)) == 403
        assert carrier.messages == ()
        with agents.caller("pbx", _sip(client), "+441632960951", local_ip="127.0.0.7", user="201") as pbx:
            assert final_of(pbx.wait(5)) == 200
        assert carrier.wait(5).outcome == "done"
        assert invite_to(carrier).text.startswith("INVITE sip:+441632960951@")


def test_a_trunk_reaches_an_extension_of_its_account(client: Client, agents: Agents) -> None:
    client.trunk("127.0.0.7:5060")
    with agents.answering("desk") as desk:
        client.gateway("602", client.trunk(desk.address))
        with agents.caller("pbx", _sip(client), "602", local_ip="127.0.0.7") as pbx:
            assert final_of(pbx.wait(5)) == 200
        assert desk.wait(5).outcome == "done"


def test_an_updated_trunk_address_is_no_longer_served(client: Client, agents: Agents) -> None:
    trunk = client.trunk("127.0.0.7:5060")
    client.update("trunk", trunk, {"ip": "127.0.0.9"})
    with agents.caller("pbx", _sip(client), "+441632960951", local_ip="127.0.0.7") as pbx:
        assert final_of(pbx.wait(5)) == 403


def test_busy_and_no_answer_go_on_to_other_devices(client: Client, agents: Agents) -> None:
    ddi = client.ddis()[1]
    with (
        agents.start("uas_busy.xml", "busy") as busy,
        agents.start("uas_cancelled.xml", "away") as away,
        agents.answering("desk") as desk,
    ):
        last = client.gateway("603", client.trunk(desk.address))
        second = client.gateway("602", client.trunk(away.address), ringTime=1, onNoAnswer=last)
        first = client.gateway("601", client.trunk(busy.address), onBusy=second)
        client.route_start(ddi["id"], first)
        with agents.caller("caller", _sip(client), ddi["name"]) as caller:
            assert final_of(caller.wait(6)) == 200
        assert [one.wait(5).outcome for one in (busy, away, desk)] == ["done"] * 3


def test_devices_in_a_circle_end_the_call(client: Client, agents: Agents) -> None:
    ddi = client.ddis()[1]
    start = client.route_start(ddi["id"], "HANGUP")
    client.update("device", start, {"startRoute": {"ddis": [ddi["id"]], "connectTo": start}})
    with agents.caller("caller", _sip(client), ddi["name"]) as caller:
        assert final_of(caller.wait(5)) == 480


def test_a_flow_hook_in_the_flow_is_asked_and_its_verbs_run_in_order(
    client: Client, agents: Agents, application: Application
) -> None:
    ddi = client.ddis()[1]
    with agents.answering("party", hold=200) as party:
        dialled = {"dial": {"targets": [{"sipUri": {"uri": f"sip:bob@{party.address}"}}]}}
        url = application.says("/flow", {"say": {"text": ["welcome"]}}, dialled, {"hangup": {}})
        client.route_start(ddi["id"], client.hook(url, "flow.generic"))
        with agents.caller("caller", _sip(client), ddi["name"], hold=4000, user="+441632960951", timeout=8) as caller:
            result = caller.wait(8)
        assert party.wait(5).outcome == "done"
    assert starts(result)[-2:] == ["in BYE", "out 200"]
    asked = application.heard[0]
    assert asked.method == "POST"
    assert asked.json | {"callId": ""} == {
        "callId": "", "from": "+441632960951", "to": ddi["name"], "digits": "", "speech": "", "action": "start",
    }  # fmt: skip


def test_a_flow_hook_is_asked_again_with_the_digits_that_were_gathered(
    client: Client, agents: Agents, application: Application
) -> None:
    ddi = client.ddis()[1]
    client.route_start(ddi["id"], client.hook(application.says("/flow", {"gather": {"maxDigits": 1}}), "flow.generic"))
    with (
        agents.probe("caller") as ear,
        agents.caller("caller", _sip(client), ddi["name"], hold=4000, variables=ear.variables, timeout=8) as caller,
    ):
        answer = caller.wait_for(lambda one: one.direction == "in" and " 200 " in one.text.split("\r\n")[0], 5)
        assert answer is not None
        application.says("/flow", {"hangup": {}})
        ear.send_to(media_of(answer))
        assert ear.send_digits("7")
        again = application.wait(lambda one: one.json["action"] == "gather")
        assert again.json["digits"] == "7"
        assert starts(caller.wait(6))[-2:] == ["in BYE", "out 200"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((200, b'[{"reject": {"reason": "busy"}}]'), 486),
        ((200, b'[{"reject": {}}]'), 603),
        ((200, b"[]"), 480),
        ((200, b"nonsense"), 503),
        ((200, b'[{"say": {}, "hangup": {}}]'), 503),
        ((200, b'[{"tea": {}}]'), 503),
        ((200, b'{"hangup": {}}'), 503),
        ((200, b"[" * 50_000), 503),
        ((500, b"[]"), 503),
    ],
)
def test_what_a_flow_hook_answers_instead_of_verbs_refuses_the_call(
    client: Client, agents: Agents, application: Application, answer: tuple[int, bytes], status: int
) -> None:
    ddi = client.ddis()[1]
    application.answers["/flow"] = answer
    client.route_start(ddi["id"], client.hook(application.url + "/flow", "flow.generic"))
    with agents.caller("caller", _sip(client), ddi["name"]) as caller:
        assert final_of(caller.wait(5)) == status
