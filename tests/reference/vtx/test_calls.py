"""VTX calls with SIPp on both ends: registration, dialling in every form, outside numbers, refusals, and their call logs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from harness.drivers.sipp import SippResult
from harness.drivers.sipp.process import free_port
from tests.reference.vtx.client import Client, Receiver, wait_until
from tests.reference.vtx.phones import Phones, needs_sipp, number

pytestmark = needs_sipp

Users = list[dict[str, Any]]


def finals(result: SippResult) -> list[int]:
    """The final statuses that the agent received."""
    lines = [message.text.split(" ", 2) for message in result.messages if message.direction == "in"]
    return [int(line[1]) for line in lines if line[0] == "SIP/2.0" and int(line[1]) >= 200]


def invite_uri(result: SippResult) -> str:
    """The request-URI of the INVITE that the agent received."""
    return next(m.text.split(" ", 2)[1] for m in result.messages if m.direction == "in" and m.text[:6] == "INVITE")


def test_users_register_with_their_own_password_and_address_only(phones: Phones, users: Users) -> None:
    anna, bert = users[0], users[1]
    assert phones.register(anna, "127.0.0.1:9").outcome == "done"
    assert phones.register(anna, "127.0.0.1:9", domain=phones.address.partition(":")[0]).outcome == "done"
    assert phones.register(anna, "127.0.0.1:9", script="register_refused.xml", password="wrong").outcome == "done"
    theirs = anna | {"aor": bert["aor"]}
    assert phones.register(theirs, "127.0.0.1:9", script="register_refused.xml").outcome == "done"
    assert phones.register(anna, "127.0.0.1:9", domain="elsewhere.example").outcome == "failed"
    assert phones.register(anna, "127.0.0.1:9", script="unregister.xml").outcome == "done"


@pytest.mark.parametrize(
    "dialled", ["0225550102", "+41225550102", "0041225550102", "41225550102", "702", "00412-255.50102"]
)
def test_a_user_is_reached_by_number_in_every_form(
    client: Client, receiver: Receiver, phones: Phones, users: Users, dialled: str
) -> None:
    anna, bert = users[0], users[1]
    client.subscribe(receiver.url(), int(anna["id"]), int(bert["id"]))
    with phones.answering(bert):
        assert phones.call(anna, dialled).outcome == "done"
    outgoing, incoming = receiver.wait_events(2)
    assert len(receiver.pushes) == 1
    assert outgoing["callLog"]["userId"] == int(anna["id"])
    assert outgoing["callLog"]["direction"] == "OUTGOING"
    assert outgoing["callLog"]["callPartyNumber"] == bert["number"]
    assert outgoing["callLog"]["callPartyDialNumber"] == dialled
    assert incoming["callLog"]["userId"] == int(bert["id"])
    assert incoming["callLog"]["direction"] == "INCOMING"
    assert incoming["callLog"]["callPartyNumber"] == anna["number"]
    assert incoming["callLog"]["callPartyDialNumber"] == "0225550101"
    assert incoming["context"]["user"]["name"] == bert["aor"]
    assert outgoing["callLog"]["id"] != incoming["callLog"]["id"]


@pytest.mark.parametrize(
    ("dialled", "shown"),
    [
        ("0215550199", "+41215550199"),
        ("00441632960123", "+441632960123"),
        ("+441632960123", "+441632960123"),
        ("1414", "1414"),
    ],
)
def test_other_numbers_come_out_at_the_carrier(
    client: Client, receiver: Receiver, phones: Phones, users: Users, dialled: str, shown: str
) -> None:
    client.subscribe(receiver.url(), int(users[2]["id"]))
    with phones.answering(None) as outside:
        assert phones.call(users[2], dialled).outcome == "done"
        assert invite_uri(outside.wait()) == f"sip:{shown}@{phones.table['pstn']['listen']}"
    (log,) = [event["callLog"] for event in receiver.wait_events(1)]
    assert (log["callPartyNumber"], log["callPartyDialNumber"]) == (shown, dialled)


def test_the_outside_world_calls_in_from_the_carriers_address_only(
    client: Client, receiver: Receiver, phones: Phones, users: Users
) -> None:
    bert = users[1]
    client.subscribe(receiver.url(), int(bert["id"]))
    carrier = int(phones.table["pstn"]["listen"].rpartition(":")[2])

    def call(port: int, service: str) -> SippResult:
        values: dict[str, str | int] = {"user": "0215550199", "service": service, "hold": 100}
        return phones.runner.run("uac_call.xml", "outside", remote=phones.address, variables=values, port=port)

    with phones.answering(bert):
        assert finals(call(free_port("127.0.0.1"), number(bert))) == [407]
        assert finals(call(carrier, "+441632960123")) == [404]
        assert call(carrier, number(bert)).outcome == "done"
    (log,) = [event["callLog"] for event in receiver.wait_events(1)]
    assert (log["direction"], log["callPartyNumber"]) == ("INCOMING", "+41215550199")


def test_the_carriers_address_can_be_moved_while_the_platform_runs(phones: Phones, users: Users) -> None:
    base = phones.table["base_url"].removesuffix("/openapi")
    before = phones.table["pstn"]["listen"]
    elsewhere = f"127.0.0.1:{free_port('127.0.0.1')}"
    for bad in ({"address": "nowhere"}, {"address": "127.0.0.1:0"}, {"address": 7}, {}):
        assert httpx.put(f"{base}/_platform/pstn", json=bad, trust_env=False).status_code == 400
    assert httpx.put(f"{base}/_platform/vtx/pstn", json={"address": elsewhere}, trust_env=False).status_code == 204
    try:
        phones.table = phones.table | {"pstn": {"listen": elsewhere}}
        with phones.answering(None):
            assert phones.call(users[0], "0215550199").outcome == "done"
    finally:
        httpx.put(f"{base}/_platform/pstn", json={"address": before}, trust_env=False).raise_for_status()


@pytest.mark.parametrize(
    ("case", "dialled", "status"),
    [
        ("no telephone", "+41225550104", 480),
        ("oneself", "+41225550101", 486),
        ("nobody", "nobody", 404),
        ("feature code", "*21#", 404),
        ("busy", "+41225550102", 486),
        ("away", "+41225550102", 480),
    ],
)
def test_an_attempt_that_fails_is_refused_and_pushed_with_no_duration(
    client: Client, receiver: Receiver, phones: Phones, users: Users, case: str, dialled: str, status: int
) -> None:
    anna, bert, dora = users[0], users[1], users[3]
    client.subscribe(receiver.url(), *(int(user["id"]) for user in (anna, bert, dora)))
    scripts = {"busy": "uas_busy.xml", "away": "uas_unavailable.xml"}
    if case in scripts:
        with phones.answering(bert, scripts[case]):
            result = phones.call(anna, dialled, "call_refused.xml")
    else:
        result = phones.call(anna, dialled, "call_refused.xml")
    assert finals(result) == [407, status]
    called = {"+41225550102": bert, "+41225550104": dora}.get(dialled)
    logs = [event["callLog"] for event in receiver.wait_events(2 if called else 1)]
    assert [log["duration"] for log in logs] == [0] * len(logs)
    assert [log["userId"] for log in logs] == [int(user["id"]) for user in (anna, called) if user]
    assert logs[0]["callPartyDialNumber"] == dialled


def test_a_call_without_or_with_wrong_credentials_is_refused_and_not_logged(
    client: Client, receiver: Receiver, phones: Phones, users: Users
) -> None:
    anna, bert = users[0], users[1]
    client.subscribe(receiver.url(), int(anna["id"]), int(bert["id"]))
    with phones.answering(bert):
        wrong = phones.call(anna, bert["number"], "call_refused.xml", password="wrong")
        assert finals(wrong) == [407, 407]
        assert phones.call(anna, bert["number"]).outcome == "done"
    receiver.wait_events(2)


def test_a_caller_who_gives_up_cancels_the_second_leg(
    client: Client, receiver: Receiver, phones: Phones, users: Users
) -> None:
    bert = users[1]
    client.subscribe(receiver.url(), int(bert["id"]))
    carrier = int(phones.table["pstn"]["listen"].rpartition(":")[2])
    with phones.answering(bert, "uas_cancelled.xml") as telephone:
        values = {"user": "+41215550199", "service": number(bert)}
        ended = phones.runner.run("uac_cancel.xml", "outside", remote=phones.address, variables=values, port=carrier)
        assert ended.outcome == "done"
        assert telephone.wait().outcome == "done"
    (log,) = [event["callLog"] for event in receiver.wait_events(1)]
    assert (log["direction"], log["duration"]) == ("INCOMING", 0)


def test_calls_work_over_tcp_on_either_side(client: Client, receiver: Receiver, phones: Phones, users: Users) -> None:
    anna, bert = users[0], users[1]
    client.subscribe(receiver.url(), int(anna["id"]))
    for calling, called in (("tcp", "udp"), ("udp", "tcp")):
        with phones.answering(bert, transport=called) as telephone:
            assert phones.call(anna, bert["number"], transport=calling).outcome == "done"
            assert telephone.wait().outcome == "done"
    receiver.wait_events(2)


def test_nothing_is_pushed_while_a_call_is_up_and_presence_shows_it(
    client: Client, receiver: Receiver, phones: Phones, users: Users
) -> None:
    anna, bert = users[0], users[1]
    client.subscribe(receiver.url(), int(anna["id"]))

    def presence(user: dict[str, Any]) -> str:
        status: str = client("GET", f"/v1/users/{user['id']}/presence").json()["presence"]["status"]
        return status

    with phones.answering(bert):
        assert presence(bert) == "AVAILABLE"
        with phones.start_call(anna, bert["number"], hold=600) as calling:
            assert calling.wait_for(lambda m: m.direction == "in" and m.text.startswith("SIP/2.0 200"), 5)
            assert (presence(anna), presence(bert)) == ("BUSY", "BUSY")
            assert receiver.pushes == []
            result = calling.wait()
    bye = next(m for m in result.messages if m.text.startswith("BYE"))
    (event,) = receiver.wait_events(1)
    assert event["callLog"]["duration"] == 1
    assert receiver.pushes[0]["at"].timestamp() > bye.at
    wait_until(lambda: presence(bert) == "AVAILABLE", 3)
