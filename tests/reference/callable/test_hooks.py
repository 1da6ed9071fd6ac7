"""Event hooks hear what happens in calls, at the URL and by the method that they have; a bad one harms nobody."""

from __future__ import annotations

from datetime import datetime

from tests.reference.callable.agents import Agents, invite_to
from tests.reference.callable.client import HANGUP, Application, Client


def _call(client: Client, agents: Agents, name: str = "desk", **values: object) -> str:
    with agents.answering(name) as desk:
        client.gateway("601", client.trunk(desk.address))
        call = client.call_extension("601", HANGUP, **values)
        assert desk.wait(5).outcome == "done"
    return call


def test_events_of_a_voice_call_come_in_order_with_its_tags(
    client: Client, agents: Agents, application: Application
) -> None:
    client.hook(application.url + "/events?key=a%20b")
    call = _call(client, agents, tag={"data": {"order": "17"}})
    application.wait_event("call.ended")
    assert application.events() == ["call.dialled", "call.ringing", "call.answered", "call.ended"]
    for one in application.heard:
        assert (one.method, one.path) == ("POST", "/events?key=a%20b")
        assert (one.json["callId"], one.json["direction"]) == (call, "outbound")
        assert one.json["tag"] == {"data": {"order": "17"}}
        assert datetime.fromisoformat(one.json["timestamp"]).tzinfo is not None


def test_a_hook_is_called_by_its_method_and_each_one_of_the_account(
    client: Client, agents: Agents, application: Application
) -> None:
    client.hook(application.url + "/put", method="PUT")
    client.hook(application.url + "/post")
    _call(client, agents)
    application.wait_event("call.ended", "/put")
    application.wait_event("call.ended", "/post")
    assert {(one.method, one.path) for one in application.heard} == {("PUT", "/put"), ("POST", "/post")}


def test_after_an_update_events_go_to_the_new_url_only(
    client: Client, agents: Agents, application: Application
) -> None:
    hook = client.hook(application.url + "/old")
    _call(client, agents)
    application.wait_event("call.ended", "/old")
    client.update("hook", hook, {"url": application.url + "/new"})
    before = len(application.heard)
    _call(client, agents, "again")
    application.wait_event("call.ended", "/new")
    assert {one.path for one in application.heard[before:]} == {"/new"}


def test_events_of_incoming_calls_are_told_and_those_of_another_account_are_not(
    client: Client, agents: Agents, application: Application
) -> None:
    client.hook(application.url + "/events")
    other = next(one["id"] for one in client("GET", "//account").json() if one["id"] != client.account)
    hook = {"app": "event.generic", "url": application.url + "/other"}
    made = client("POST", f"//account/{other}/hook", hook).json()["id"]
    try:
        ddi = client.ddis()[1]
        with agents.answering("desk") as desk:
            client.route_start(ddi["id"], client.gateway("601", client.trunk(desk.address)))
            with agents.caller("caller", client.table["sip"]["address"], ddi["name"]) as caller:
                assert caller.wait(5).outcome == "done"
        application.wait_event("call.ended")
        assert application.events() == ["call.received", "call.connected", "call.ended"]
        assert application.heard[0].json["direction"] == "inbound"
        assert {one.path for one in application.heard} == {"/events"}
    finally:
        client("PUT", f"//account/{other}/hook/{made}", {"app": "flow.generic"})


def test_a_silent_a_dead_and_a_failing_hook_delay_neither_calls_nor_other_hooks(
    client: Client, agents: Agents, application: Application
) -> None:
    application.silent.add("/silent")
    application.answers["/failing"] = (500, b"\xff" * 2_000_000)
    for url in ("http://127.0.0.1:9/dead", application.url + "/silent", application.url + "/failing"):
        client.hook(url)
    client.hook(application.url + "/events")
    _call(client, agents)
    application.wait_event("call.ended")
    assert application.events() == ["call.dialled", "call.ringing", "call.answered", "call.ended"]


def test_a_redirect_that_is_never_answered_ends_the_call(
    client: Client, agents: Agents, application: Application
) -> None:
    application.silent.add("/silent")
    with agents.answering("desk", timeout=12) as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", {"redirect": {"url": application.url + "/silent"}})
        assert invite_to(desk)
        result = desk.wait(8)
    assert result.outcome == "done", result.detail
