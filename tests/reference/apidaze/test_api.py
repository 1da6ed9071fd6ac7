"""Accounts, scripts, return codes and headers, over HTTP."""

from __future__ import annotations

import json
from datetime import datetime

import httpx
import pytest

from harness.reference.apidaze.store import MAX_ACCOUNTS, Store, StoreError
from tests.reference.apidaze.client import Client
from tests.reference.platform_process import Platform

URL = "http://127.0.0.1:9/script?a=1&b=2"


def test_an_account_is_created_listed_read_updated_and_deleted(client: Client) -> None:
    created = client.account(
        "alice",
        name="Alice",
        internal_caller_id_number="100",
        external_caller_id_number="+31201234567",
        mwi_account="box",
    )
    password = created["sip"]["password"]
    assert password
    assert created == {
        "id": created["id"],
        "name": "Alice",
        "sip": {"username": "alice", "password": password},
        "callerid": {
            "internal_name": "",
            "internal_number": "100",
            "external_name": "",
            "external_number": "+31201234567",
        },
        "voicemail": {"mwi_account": "box"},
        "created_at": created["created_at"],
        "updated_at": created["created_at"],
    }
    path = f"/sipaccounts/{created['id']}"
    assert client("GET", "/sipaccounts").json() == [created]
    assert client("GET", path).json() == created

    updated = client("PUT", path, data={"name": "Alice B"})
    assert updated.status_code == 200
    expected = created | {"name": "Alice B", "updated_at": updated.json()["updated_at"]}
    assert updated.json() == client("GET", path).json() == expected
    assert datetime.fromisoformat(expected["updated_at"]) > datetime.fromisoformat(created["created_at"])

    deleted = client("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client("GET", "/sipaccounts").json() == []
    assert {client(method, path).status_code for method in ("GET", "PUT", "DELETE")} == {404}
    assert client("GET", path + "/status").status_code == 404


def test_the_username_of_a_deleted_account_is_free_again_with_another_password(client: Client) -> None:
    first = client.account("again")
    client("DELETE", f"/sipaccounts/{first['id']}")
    second = client.account("again")
    assert second["id"] != first["id"]
    assert second["sip"]["password"] != first["sip"]["password"]


def test_status_tells_the_domain_and_that_nobody_is_registered(client: Client) -> None:
    account = client.account("idle")
    status = client("GET", f"/sipaccounts/{account['id']}/status").json()
    assert status == {
        "id": account["id"],
        "domain": "sip.apidaze.example",
        "status": "unregistered",
        "registrations": 0,
    }


def test_fields_that_are_not_of_the_api_are_ignored(client: Client) -> None:
    body = b"username=odd&extra=1&extra=2&id=5"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client("POST", "/sipaccounts", content=body, headers=form).status_code == 201


def test_bodies_may_be_json(client: Client) -> None:
    answer = client("POST", "/sipaccounts", json={"username": "json", "name": "J\u00fcrgen"})
    assert (answer.status_code, answer.json()["name"]) == (201, "J\u00fcrgen")
    answer = client("PUT", f"/sipaccounts/{answer.json()['id']}", json={"mwi_account": "m"})
    assert answer.json()["voicemail"] == {"mwi_account": "m"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data": {"name": "only"}},
        {"data": {"username": ""}},
        {"data": {"username": "  "}},
        {"data": {"username": "a\x00b"}},
        {"data": {"username": "a" * 256}},
        {"data": {"username": ["a", "b"]}},
        {"json": {"username": 5}},
        {"json": {"username": None}},
        {"json": ["username"]},
        {"json": {"username": "ok", "name": {}}},
        {"content": b'{"username": "\\ud800"}', "headers": {"content-type": "application/json"}},
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"content": b"[" * 60_000, "headers": {"content-type": "application/json"}},
        {"content": b"username=%ff", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"content": b"\xff", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"content": b"username", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"content": b"username=x", "headers": {"content-type": "text/plain"}},
        {"content": b"username=" + b"x" * 70_000, "headers": {"content-type": "application/x-www-form-urlencoded"}},
    ],
    ids=lambda options: json.dumps(options, default=repr)[:50],
)
def test_an_account_that_cannot_be_is_refused_with_400(client: Client, options: dict[str, object]) -> None:
    answer = client("POST", "/sipaccounts", **options)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert client("GET", "/sipaccounts").json() == []


def test_a_username_in_use_is_refused(client: Client) -> None:
    client.account("twice")
    answer = client("POST", "/sipaccounts", data={"username": "twice"})
    assert (answer.status_code, answer.json()["message"]) == (403, "username is in use by another SIP account")


def test_a_script_is_created_listed_read_updated_and_deleted(client: Client) -> None:
    created = client.script(URL, name="Main")
    assert created == {
        "id": created["id"],
        "name": "Main",
        "url": URL,
        "created_at": created["created_at"],
        "updated_at": created["created_at"],
    }
    path = f"/externalscripts/{created['id']}"
    assert client("GET", "/externalscripts").json() == [created]
    assert client("GET", path).json() == created
    updated = client("PUT", path, data={"url": URL + "&c=3"})
    assert updated.status_code == 200
    assert updated.json() == created | {"url": URL + "&c=3", "updated_at": updated.json()["updated_at"]}
    assert client("PUT", path, data={"name": "No URL"}).status_code == 400
    assert client("GET", path).json() == updated.json()
    assert client("DELETE", path).status_code == 204
    assert client("GET", "/externalscripts").json() == []
    assert {client(method, path, data={"url": URL}).status_code for method in ("PUT", "DELETE")} == {404}


@pytest.mark.parametrize(
    "url", [None, "", "script", "/script", "ftp://host/x", "http://", "http:///x", "http://a b/", "http://[::/"]
)
def test_a_script_without_a_usable_url_is_refused(client: Client, url: str | None) -> None:
    answer = client("POST", "/externalscripts", data={"name": "x"} if url is None else {"url": url})
    assert answer.status_code == 400
    assert client("GET", "/externalscripts").json() == []


def test_ids_are_taken_as_one_segment_decoded_once(client: Client) -> None:
    for item in ("%2F", "..%2Fsipaccounts", "%00", "%ff", "a%2Fstatus"):
        assert client("GET", f"/sipaccounts/{item}").status_code == 404
    assert client("GET", "/sipaccounts/a/b").status_code == 404
    assert client("GET", "/").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/sipaccounts", "GET, POST, OPTIONS"),
        ("DELETE", "/externalscripts", "GET, POST, OPTIONS"),
        ("POST", "/sipaccounts/x", "GET, PUT, DELETE, OPTIONS"),
        ("PUT", "/sipaccounts/x/status", "GET, OPTIONS"),
        ("POST", "/externalscripts/test", "GET, OPTIONS"),
        ("TRACE", "/externalscripts/x", "GET, PUT, DELETE, OPTIONS"),
    ],
)
def test_other_methods_are_answered_405_with_what_is_allowed(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = client(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_head_is_get_without_a_body(client: Client) -> None:
    answer = client("HEAD", "/sipaccounts")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "2")


def test_a_slash_at_the_end_is_answered_302_with_the_place(client: Client) -> None:
    answer = client("GET", "/sipaccounts/?page=1")
    assert answer.status_code == 302
    followed = httpx.URL(client.table["base_url"]).join(answer.headers["location"])
    assert str(followed) == client.table["base_url"] + "/sipaccounts?page=1"
    assert client("GET", "/nothing/").status_code == 404


STANDARD = {
    "sunset",
    "api-version",
    "quota-interval",
    "quota-limit",
    "quota-used",
    "quota-reset-utc",
    "quota-time-unit",
    "content-type",
    "strict-transport-security",
    "access-control-allow-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sipaccounts", 200),
        ("POST", "/sipaccounts", 400),
        ("GET", "/sipaccounts/x", 404),
        ("PATCH", "/sipaccounts", 405),
    ],
)
def test_every_answer_carries_the_standard_headers(client: Client, method: str, path: str, status: int) -> None:
    answer = client(method, path)
    assert answer.status_code == status
    assert set(answer.headers) >= STANDARD | {"content-length"}
    assert answer.headers["sunset"] == "n/a"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"


def test_a_deletion_carries_them_too(client: Client) -> None:
    answer = client("DELETE", f"/sipaccounts/{client.account('gone')['id']}")
    assert set(answer.headers) >= STANDARD


def test_preflight_needs_no_token_and_has_the_five_headers(platform: Platform) -> None:
    answer = httpx.options(
        platform.apidaze["base_url"] + "/sipaccounts/x",
        headers={
            "origin": "https://app.example",
            "access-control-request-method": "PUT",
            "access-control-request-headers": "authorization,x-mine",
        },
        trust_env=False,
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-methods"] == "GET, PUT, DELETE"
    assert answer.headers["access-control-allow-headers"] == "authorization,x-mine"
    assert int(answer.headers["access-control-max-age"]) > 0


def test_the_number_of_accounts_is_limited() -> None:
    store = Store()
    for number in range(MAX_ACCOUNTS):
        store.create_account(f"u{number}", {})
    with pytest.raises(StoreError, match="no room"):
        store.create_account("one-more", {})
