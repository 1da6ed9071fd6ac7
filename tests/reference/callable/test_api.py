"""Tokens and resources over HTTP: what is served, kept, shown and refused."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
import pytest

from tests.reference.callable.client import GATEWAY, HANGUP, HOOK, TRUNK, Client, Json, say
from tests.reference.platform_process import Platform

_VALUES: dict[str, Json] = {
    "trunk": TRUNK,
    "hook": HOOK,
    "device": {
        "type": "SIP_GATEWAY",
        "name": "Gateway",
        "extension": "601",
        "sipGateway": GATEWAY | {"trunks": ["a-1"]},
    },
}
_CHANGES: dict[str, Json] = {
    "trunk": {"ip": "127.0.0.9", "port": 5070, "description": "Branch"},
    "hook": {"app": "flow.generic", "url": "http://127.0.0.1:9/flow", "priority": 20},
    "device": {"name": "Other", "sipGateway": GATEWAY | {"ringTime": 7}},
}


def _claims(token: str) -> Json:
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    assert len(parts) == 3
    assert json.loads(parts[0])["alg"] == "HS256"
    claims: Json = json.loads(parts[1])
    return claims


def _with(token: str, client: Client, path: str = "//account") -> int:
    return client("GET", path, headers={"authorization": f"Bearer {token}"}).status_code


def test_a_log_in_gives_a_jwt_with_roles_and_a_refresh_token_that_lives_longer(client: Client) -> None:
    tokens = client.tokens
    claims = _claims(tokens["access_token"])
    assert claims["realm_access"]["roles"]
    assert claims["exp"] - claims["iat"] == tokens["expires_in"]
    assert tokens["refresh_expires_in"] > tokens["expires_in"] > 0
    renewed = client.http.post("/oauth/authorize", data={"token": tokens["refresh_token"]})
    assert renewed.status_code == 200
    assert set(renewed.json()) == {"access_token", "refresh_token", "expires_in", "refresh_expires_in"}
    assert _with(renewed.json()["access_token"], client) == 200


def test_wrong_log_ins_and_tokens_are_refused(client: Client) -> None:
    access, refresh = client.tokens["access_token"], client.tokens["refresh_token"]
    assert client.log_in(password="wrong").status_code == 401
    assert client.log_in(username="nobody").status_code == 401
    assert client.http.post("/oauth/authorize", data={"token": access}).status_code == 401
    assert client.http.post("/oauth/authorize", data={"username": "ringtrue"}).status_code == 400
    head, body, signature = access.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for token in (
        "x",
        refresh,
        f"{head}.{body}.",
        f"{unsigned}.{body}.",
        f"{head}.{body}A.{signature}",
        "a.b.c",
        "é",
    ):
        assert client("GET", "//account", headers={b"authorization": f"Bearer {token}".encode()}).status_code == 401
    assert client.http.get("/account", headers={"authorization": f"Basic {access}"}).status_code == 401


def test_a_token_opens_the_api_no_longer_than_it_says() -> None:
    with Platform("--system", "callable", "--token-life", "1") as platform:
        table = platform.ready["systems"]["callable"]
        assert "short-tokens" in table["capabilities"]
        with Client(table) as client:
            token = client.tokens["access_token"]
            assert client.tokens["expires_in"] == 1
            until = time.monotonic() + 4
            while _with(token, client) == 200:
                assert time.monotonic() < until
            assert _with(token, client) == 401
            again = client.http.post("/oauth/authorize", data={"token": client.tokens["refresh_token"]})
            assert _with(again.json()["access_token"], client) == 200


@pytest.mark.parametrize(
    "path", ["//userAccounts/me", "//account", "", "/address", "/ddi", "/trunk", "/hook", "/device", "//x"]
)
def test_nothing_is_served_without_a_token(client: Client, path: str) -> None:
    assert client("GET", path, headers={"authorization": ""}).status_code == 401


def test_organisation_accounts_and_numbers_are_shown_with_every_member(client: Client) -> None:
    assert set(client("GET", "//userAccounts/me").json()) == {"id", "name"}
    accounts = client("GET", "//account").json()
    assert len(accounts) == 2
    for listed in accounts:
        one = client("GET", f"//account/{listed['id']}").json()
        assert listed == {"id": one["id"], "name": one["name"]}
        assert set(one) == {"id", "name", "mbn", "domain"}
    assert all(set(ddi) == {"id", "name"} for ddi in client.ddis())


def test_an_address_is_replaced_and_that_of_the_other_account_stays(client: Client) -> None:
    other = next(one["id"] for one in client("GET", "//account").json() if one["id"] != client.account)
    before = client("GET", f"//account/{other}/address").json()
    names = ("line1", "line2", "level1", "level2", "postalCode", "country")
    values = {name: f"{name} ü"[:10] for name in names}
    answer = client("PUT", "/address", values)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client("GET", "/address").json() == values
    assert client("GET", f"//account/{other}/address").json() == before
    untyped = client("PUT", "/address", content=json.dumps({"line1": "x"}))
    assert untyped.status_code == 204
    assert client("GET", "/address").json() == values | {"line1": "x"}


@pytest.mark.parametrize("kind", _VALUES)
def test_a_thing_is_created_listed_read_and_updated_alone(client: Client, kind: str) -> None:
    values, changes = _VALUES[kind], _CHANGES[kind]
    first, second = client.create(kind, values), client.create(kind, values)
    shown = {one["id"]: one for one in client("GET", f"/{kind}").json()}
    assert shown[first] == {"id": first} | values == client("GET", f"/{kind}/{first}").json()
    answer = client("PUT", f"/{kind}/{first}", {"id": "ffff"} | changes)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client("GET", f"/{kind}/{first}").json() == {"id": first} | values | changes
    assert client("GET", f"/{kind}/{second}").json() == {"id": second} | values


def test_a_route_start_is_shown_with_its_settings(client: Client) -> None:
    start = client.route_start(client.ddis()[0]["id"], "HANGUP")
    shown = client("GET", f"/device/{start}").json()
    assert shown["startRoute"] == {"ddis": [client.ddis()[0]["id"]], "connectTo": "HANGUP"}
    assert "sipGateway" not in shown


def test_what_does_not_exist_is_404_and_a_method_that_is_not_served_405(client: Client) -> None:
    for path in (
        "//account/none",
        "//account/none/trunk",
        "/trunk/none",
        "/hook/none",
        "/device/none",
        "/none",
        "//account/",
    ):
        assert client("GET", path).status_code == 404, path
    for path in ("//account/none/address", "/trunk/none", "/hook/none", "/device/none"):
        assert client("PUT", path, {}).status_code == 404, path
    assert client("POST", "//account/none/channels/voice", {}).status_code == 404
    refused = client("DELETE", "/trunk")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/trunk", {}),
        ("/trunk", {"ip": "bakery"}),
        ("/trunk", {"ip": "127.0.0.1", "port": 0}),
        ("/trunk", {"ip": "127.0.0.1", "port": True}),
        ("/trunk", {"ip": "127.0.0.1", "zone": 5}),
        ("/hook", {"app": "event.generic"}),
        ("/hook", {"app": "other", "url": "http://a.example/"}),
        ("/hook", {"app": "event.generic", "url": "file:///etc/passwd"}),
        ("/hook", {"app": "event.generic", "url": "http://a.example/", "method": "GET\r\nX: y"}),
        ("/device", {"name": "x"}),
        ("/device", {"type": "SIP_GATEWAY", "sipGateway": {"trunks": "all"}}),
        ("/device", {"type": "SIP_GATEWAY", "name": "\ud800"}),
        ("/device", {"type": "ROUTE_START", "startRoute": []}),
        ("/channels/voice", {"verbs": [HANGUP]}),
        ("/channels/voice", {"target": {"phoneNumber": {"number": "+441632960951"}}}),
        ("/channels/voice", {"target": {}, "verbs": []}),
        ("/channels/voice", {"target": {"phoneNumber": {"number": "home"}}, "verbs": []}),
        ("/channels/voice", {"target": {"pigeon": {"loft": "3"}}, "verbs": []}),
        ("/channels/voice", {"target": {"sipUri": {"uri": "http://a.example"}}, "verbs": []}),
        ("/channels/voice", {"target": {"sipUri": {"uri": "sip:a@b\r\nX: y"}}, "verbs": []}),
        ("/channels/voice", {"target": {"extension": {"extension": "601"}}, "verbs": {}}),
        ("/channels/voice", {"target": {"extension": {"extension": "601"}}, "verbs": [say("x") | HANGUP]}),
        ("/channels/voice", {"target": {"extension": {"extension": "601"}}, "verbs": [{"say": {"text": 1}}]}),
        ("/channels/voice", {"target": {"extension": {"extension": "601"}}, "verbs": [{"dial": {"targets": []}}]}),
        ("/channels/voice", {"target": {"extension": {"extension": "601"}}, "verbs": [HANGUP] * 101}),
        ("/channels/voice", {"target": {"extension": {"extension": "601"}}, "verbs": [], "callerId": "me"}),
        ("/channels/voice", {"target": {"extension": {"extension": "601"}}, "verbs": [], "tag": {"data": {"a": []}}}),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(client: Client, path: str, body: Any) -> None:
    before = client("GET", path).json() if "voice" not in path else None
    answer = client.http.post(
        f"/account/{client.account}{path}", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]
    if before is not None:
        assert client("GET", path).json() == before


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"[" * 60_000, b"\xff\xfe", b"null", b'{"ip": NaN}', b" " * 70_000])
def test_bodies_that_are_no_json_object_are_refused(client: Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    url = f"/account/{client.account}/trunk"
    assert client.http.post(url, content=body, headers=headers).status_code == 400
    assert client.http.post(url, data={"ip": "127.0.0.1"}).status_code == 415


def test_the_carrier_setting_refuses_what_is_no_address(table: Json) -> None:
    base = table["base_url"].removesuffix("/api/v1")
    for body in ({}, {"address": 5}, {"address": "nowhere"}, {"address": "127.0.0.1:0"}):
        assert httpx.put(f"{base}/_platform/pstn", json=body).status_code == 400, body
    assert httpx.put(f"{base}/_platform/callback", json={"url": "http://a.example/"}).status_code == 404
    assert httpx.get(f"{base}/_platform/pstn").status_code == 405
    assert httpx.put(f"{base}/_platform/callable/pstn", json={"address": table["pstn"]["listen"]}).status_code == 204
    assert httpx.put(f"{base}/_platform/other/pstn", json={"address": "127.0.0.1:5"}).status_code == 404
