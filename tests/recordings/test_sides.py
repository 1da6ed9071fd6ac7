"""Which side is the platform's: of HTTP by what was asked, of SIP by who got the calls that it announces."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.contract import load_contracts
from harness.recordings.errors import RecordingError
from harness.recordings.reading import Pile
from harness.recordings.sides import Sorted, choose_system, sort_out
from harness.recordings.sip_capture import CapturedSip
from harness.timeline import Callback, Exchange, HttpExchange, HttpRequest, HttpResponse, SipMessage
from tests.recordings.build import scene

CONTRACTS = load_contracts()


def http(method: str, url: str, body: bytes = b"", status: int = 200, *headers: tuple[str, str]) -> Exchange:
    return Exchange(
        1.0, request=HttpRequest(method, url, headers, body), response=HttpResponse(status), about={"headers": "wire"}
    )


def sorted_out(system: str, *exchanges: Exchange) -> Sorted:
    return sort_out(Pile(exchanges=list(exchanges)), CONTRACTS[system])


def test_calls_of_the_api_and_callbacks_are_told_apart_whatever_stands_before_their_paths() -> None:
    found = sorted_out(
        "mediaservice",
        http("POST", "https://api.example/prod/v2/acme/placeivrcall"),
        http("POST", "http://app.example:8080/hooks/ms/newCall"),
        http("POST", "http://app.example:8080/hooks/ms/NEWCALL"),
        http("GET", "http://app.example:8080/health"),
        http("GET", "http://app.example:8080/health"),
    )
    kinds = [(type(event), getattr(event, "about", {}).get("operation")) for event in found.events]
    assert kinds == [(HttpExchange, "placeIvrCall"), (Callback, "newCall"), (Callback, None)]
    assert found.foreign_words == "GET /health (2)"


def test_a_health_check_of_the_application_is_no_push() -> None:
    push = b'{"subscriptionId": "1", "callLogEvents": []}'
    subscribe = b'{"notificationUrl": "http://app.example/told/here"}'
    found = sorted_out(
        "vtx",
        http("POST", "http://api.example/openapi/v1/subscriptions", subscribe),
        http("GET", "http://app.example/health"),
        http("POST", "http://app.example/elsewhere", push),
        http("PUT", "http://app.example/told/here", b"not json"),
    )
    assert [event.about.get("operation") for event in found.events if isinstance(event, Callback)] == [
        "pushCallLog",
        "pushCallLog",
    ]
    assert found.foreign_words == "GET /health (1)"


def test_only_answers_that_succeeded_were_given_to_valid_credentials() -> None:
    url = "http://api.example/v1/sipaccounts"
    found = sorted_out(
        "apidaze",
        http("GET", url, b"", 200, ("Authorization", "Bearer one")),
        http("GET", url, b"", 403, ("Authorization", "Bearer two")),
        replace(http("GET", url), about={}),
        http("GET", url, b"", 200, ("Authorization", "Bearer one")),
    )
    about = [event.about for event in found.events if isinstance(event, HttpExchange)]
    assert [each.get("auth") for each in about] == ["valid", None, None, "valid"]
    assert [each.get("application") for each in about] == ["1", "2", None, "1"]


def test_the_system_is_told_from_what_was_recorded_or_has_to_be_said() -> None:
    _, items = scene("honest", "ivr-call")
    exchanges = [item for item in items if isinstance(item, Exchange)]
    assert choose_system(Pile(exchanges=exchanges), CONTRACTS).system == "mediaservice"
    with pytest.raises(RecordingError, match="say --system apidaze"):
        choose_system(Pile(exchanges=[http("GET", "http://a/health")]), CONTRACTS)


def test_an_answer_that_nobody_waited_for_is_none() -> None:
    gone = replace(http("POST", "http://a/newCall"), failure="protocol: client disconnected")
    (event,) = sorted_out("mediaservice", gone).events
    assert isinstance(event, Callback)
    assert event.response is None


def sip(source: str, target: str, start: str = "INVITE sip:x@y SIP/2.0", call_id: str = "c-1") -> CapturedSip:
    text = f"{start}\r\nFrom: <sip:alice@a>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\r\n"
    return CapturedSip(1.0, "udp", source, target, text)


A, B, C, D = "192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.3:5060", "192.0.2.2:40000"


def directions(found: Sorted) -> list[tuple[str, str, str]]:
    return [(event.agent, event.direction, event.remote) for event in found.events if isinstance(event, SipMessage)]


def test_the_platform_is_who_got_the_call_that_it_announced() -> None:
    announced = http("POST", "http://app/newCall", b'{"sipCallId": "c-1", "sessionId": "s"}')
    pile = Pile(exchanges=[announced], messages=[sip(A, B), sip(B, C, call_id="c-2"), sip(D, A, call_id="c-3")])
    found = sort_out(pile, CONTRACTS["mediaservice"])
    assert found.platform == (B,)
    assert directions(found) == [(A, "out", B), ("x", "in", B), (A, "in", D)]


def test_the_platform_is_who_takes_part_in_every_call_or_has_to_be_said() -> None:
    found = sort_out(Pile(messages=[sip(A, B), sip(B, C, call_id="c-2")]), CONTRACTS["mediaservice"])
    assert found.platform == (B,)
    by_host = sort_out(Pile(messages=[sip(A, B), sip(D, C, call_id="c-2")]), CONTRACTS["mediaservice"])
    assert by_host.platform == ("192.0.2.2",)
    with pytest.raises(RecordingError, match=r"say --sip HOST:PORT, one of 192\.0\.2\.1:5060"):
        sort_out(Pile(messages=[sip(A, B)]), CONTRACTS["mediaservice"])
    loopback = [sip("127.0.0.1:1", "127.0.0.1:2"), sip("127.0.0.1:3", "127.0.0.1:4")]
    with pytest.raises(RecordingError, match="say --sip"):
        sort_out(Pile(messages=loopback), CONTRACTS["mediaservice"])


def test_sip_of_others_is_left_out_and_counted() -> None:
    found = sort_out(Pile(messages=[sip(A, B), sip(A, C)]), CONTRACTS["mediaservice"], [B])
    assert directions(found) == [("alice", "out", B)]
    assert found.foreign_words == f"SIP between {A} and {C} (1)"


def test_a_peer_that_is_several_users_keeps_its_address() -> None:
    other = replace(sip(A, B, call_id="c-2"), text=sip(A, B, call_id="c-2").text.replace("alice", "amy"))
    found = sort_out(Pile(messages=[sip(A, B), other]), CONTRACTS["mediaservice"], [B])
    assert {agent for agent, _, _ in directions(found)} == {A}
