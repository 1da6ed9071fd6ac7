"""VTX's main flow with plain HTTP requests and SIPp alone: subscribe, call, be told, unsubscribe, be told no more."""

from __future__ import annotations

from typing import Any

from tests.reference.vtx.client import Client, Receiver, soon
from tests.reference.vtx.phones import Phones, needs_sipp

pytestmark = needs_sipp

Users = list[dict[str, Any]]


def test_a_subscribed_users_call_is_pushed_when_it_ends_until_the_subscription_is_deleted(
    client: Client, receiver: Receiver, phones: Phones, users: Users
) -> None:
    anna, bert = users[0], users[1]
    server = client("GET", "/v1/system/server")
    assert server.status_code == 200
    assert {"buildVersion", "bulkLimitCommon"} <= set(server.json())

    body = {
        "expires": soon(300),
        "notificationUrl": receiver.url("/calls?of=anna"),
        "resourceType": "CALL_LOG",
        "userIds": [int(anna["id"])],
    }
    made = client("POST", "/v1/subscriptions", json=body).json()["subscription"]
    assert made["resourceIds"] == [anna["id"]]
    assert [one["id"] for one in client("GET", "/v1/subscriptions").json()["subscriptions"]] == [made["id"]]

    with phones.answering(bert) as telephone:
        assert phones.call(anna, "0225550102", hold=1200).outcome == "done"
        assert telephone.wait().outcome == "done"
    receiver.wait(lambda: len(receiver.pushes) == 1)
    push = receiver.pushes[0]
    assert push["path"] == "/calls?of=anna"
    assert push["type"] == "application/json"
    assert push["body"]["subscriptionId"] == made["id"]
    (event,) = push["body"]["callLogEvents"]
    assert event["changeType"] == "CREATED"
    assert event["context"]["user"] == {"id": int(anna["id"]), "name": anna["aor"]}
    log = event["callLog"]
    assert (log["userId"], log["direction"], log["callType"]) == (int(anna["id"]), "OUTGOING", "VOICE")
    assert log["duration"] == 1
    assert (log["callPartyNumber"], log["callPartyDialNumber"]) == (bert["number"], "0225550102")

    with phones.answering(None) as outside:
        assert phones.call(anna, "0041215550199").outcome == "done"
        assert outside.wait().outcome == "done"
    receiver.wait(lambda: len(receiver.pushes) == 2)
    log = receiver.pushes[1]["body"]["callLogEvents"][0]["callLog"]
    assert (log["callPartyNumber"], log["callPartyDialNumber"]) == ("+41215550199", "0041215550199")

    other = client.subscribe(receiver.url("/other"), int(bert["id"]))
    assert client("DELETE", f"/v1/subscriptions/{made['id']}").status_code == 204
    assert [one["id"] for one in client.listed()] == [other["id"]]
    with phones.answering(bert):
        assert phones.call(anna, bert["number"]).outcome == "done"
    receiver.wait(lambda: len(receiver.pushes) == 3)
    assert receiver.pushes[2]["path"] == "/other"
    assert receiver.events()[2]["callLog"]["direction"] == "INCOMING"
