"""The VTX API over HTTP: who is served, the server's version, subscriptions and their lives, presence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.reference.vtx.client import Client, soon, subscription, wait_until

URL = "http://127.0.0.1:9/calls"
OPERATIONS = [
    ("GET", "/v1/system/server"),
    ("GET", "/v1/subscriptions"),
    ("POST", "/v1/subscriptions"),
    ("PATCH", "/v1/subscriptions/x"),
    ("DELETE", "/v1/subscriptions/x"),
    ("GET", "/v1/users/1/presence"),
]


@pytest.fixture
def user_id(users: list[dict[str, Any]]) -> int:
    return int(users[0]["id"])


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_needs_login_and_application(table: dict[str, Any], method: str, path: str) -> None:
    with Client(table, with_login=False) as client:
        assert client(method, path).status_code == 401
        assert client(method, path).headers["www-authenticate"].startswith("Basic ")
        for header in ("Basic !", "Basic YQ==", "Bearer x", "Basic " + "x" * 5000):
            assert client(method, path, headers={"authorization": header}).status_code == 401
        assert client(method, path, auth=(table["username"], "wrong")).status_code == 401
        assert client(method, path, auth=("wrong", table["password"])).status_code == 401
    with Client(table, x_c5_application=None) as client:
        assert client(method, path).status_code == 400
    with Client(table, x_c5_application="somebody-else") as client:
        assert client(method, path).status_code == 403


def test_the_server_shows_its_version_and_limits(client: Client) -> None:
    answer = client("GET", "/v1/system/server").json()
    kinds = {name: type(value) for name, value in answer.items()}
    texts = ("buildCustomer", "buildVersion", "buildNumber", "buildDate")
    limits = ("bulkLimitCommon", "bulkLimitAddUser", "bulkLimitAddAddressBookEntry")
    assert kinds == dict.fromkeys(texts, str) | dict.fromkeys(limits, int)


def test_unknown_paths_are_404_and_other_methods_405(client: Client) -> None:
    for path in ("/v1", "/v1/", "/v1/subscriptions/", "/v1/subscriptions/a/b", "/v2/system/server", "/v1/users"):
        assert client("GET", path).status_code == 404, path
    answer = client("PUT", "/v1/subscriptions")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert client("HEAD", "/v1/system/server").status_code == 200


def test_a_new_subscription_shows_what_was_asked_for(client: Client, table: dict[str, Any]) -> None:
    ids = [int(user["id"]) for user in table["users"][:3]]
    body = subscription(URL + "?a=1&b=2", *ids)
    before = datetime.now(UTC)
    answer = client("POST", "/v1/subscriptions", json=body)
    assert answer.status_code == 201
    made = answer.json()["subscription"]
    assert made.pop("id")
    created, modified, expires = (datetime.fromisoformat(made.pop(name)) for name in ("created", "modified", "expires"))
    assert before <= created == modified <= datetime.now(UTC)
    assert expires == datetime.fromisoformat(body["expires"])
    assert made == {
        "resourceType": "CALL_LOG",
        "resourceIds": [str(user_id) for user_id in ids],
        "userIds": ids,
        "notificationUrl": URL + "?a=1&b=2",
        "creatorId": table["username"],
        "creatorRole": "ENTERPRISE_ADMIN",
        "creatorIsImpersonated": False,
        "applicationId": table["application"],
    }


def test_the_list_shows_all_subscriptions_as_they_were_made(client: Client, user_id: int) -> None:
    made = [client.subscribe(URL, user_id) for _ in range(3)]
    assert len({one["id"] for one in made}) == 3
    assert [_by_meaning(one) for one in client.listed()] == [_by_meaning(one) for one in made]


def _by_meaning(made: dict[str, Any]) -> dict[str, Any]:
    return made | {name: datetime.fromisoformat(made[name]) for name in ("created", "modified", "expires")}


def test_a_deleted_subscription_is_gone_and_the_others_stay(client: Client, user_id: int) -> None:
    first, second = client.subscribe(URL, user_id), client.subscribe(URL, user_id)
    assert client.delete(first).status_code == 204
    assert [one["id"] for one in client.listed()] == [second["id"]]
    assert client.delete(first).status_code == 404
    assert client("DELETE", "/v1/subscriptions/00000000-0000-4000-8000-000000000000").status_code == 404


def test_a_subscription_ends_by_itself(client: Client, user_id: int) -> None:
    made, other = client.subscribe(URL, user_id, seconds=0.6), client.subscribe(URL, user_id)
    assert made["id"] in [one["id"] for one in client.listed()]
    wait_until(lambda: [one["id"] for one in client.listed()] == [other["id"]], 3)
    assert datetime.now(UTC) >= datetime.fromisoformat(made["expires"])
    assert client.delete(made).status_code == 404
    assert client("PATCH", f"/v1/subscriptions/{made['id']}", json={"expires": soon()}).status_code == 404


def test_a_subscription_is_extended(client: Client, user_id: int) -> None:
    made = client.subscribe(URL, user_id, seconds=30)
    later = soon(3600)
    answer = client("PATCH", f"/v1/subscriptions/{made['id']}", json={"expires": later})
    assert answer.status_code == 200
    (listed,) = client.listed()
    assert datetime.fromisoformat(listed["expires"]) == datetime.fromisoformat(later)
    assert datetime.fromisoformat(listed["modified"]) > datetime.fromisoformat(made["modified"])
    assert listed["created"] == answer.json()["subscription"]["created"]


@pytest.mark.parametrize("seconds", [-60, 3 * 86_400 + 60])
def test_no_subscription_has_ended_before_or_lives_longer_than_three_days(
    client: Client, user_id: int, seconds: float
) -> None:
    answer = client("POST", "/v1/subscriptions", json=subscription(URL, user_id, seconds=seconds))
    assert answer.status_code == 400
    made = client.subscribe(URL, user_id)
    assert client("PATCH", f"/v1/subscriptions/{made['id']}", json={"expires": soon(seconds)}).status_code == 400
    assert len(client.listed()) == 1


_BAD_VALUES: dict[str, list[Any]] = {
    "expires": [
        None,
        "",
        "tomorrow",
        1,
        "2031-02-30T00:00:00Z",
        "2031-02-01T00:00:00",
        "0001-01-01T00:00+23:59",
    ],
    "notificationUrl": [
        None,
        "",
        7,
        "ftp://a/",
        "/calls",
        "http://a b/",
        "http://\ud800/",
        "http://" + "a" * 3000,
    ],
    "resourceType": [None, "", 7, [], "PRESENCE"],
    "userIds": [None, [], 7, "7", ["{id}"], [True], [1.5], [-1], [0], [10**30], [99], ["x"], [[1]], "{id}{id}"],
}


@pytest.mark.parametrize(("member", "value"), [(name, one) for name, values in _BAD_VALUES.items() for one in values])
def test_what_cannot_be_subscribed_to_is_refused_in_words(
    client: Client, user_id: int, member: str, value: Any
) -> None:
    body = subscription(URL, user_id)
    body[member] = [user_id, user_id] if value == "{id}{id}" else [str(user_id)] if value == ["{id}"] else value
    answer = client("POST", "/v1/subscriptions", content=json.dumps(body))
    assert answer.status_code == 400
    assert answer.json()["errorMessage"]
    del body[member]
    assert client("POST", "/v1/subscriptions", json=body).status_code == 400
    assert client.listed() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"a":' * 20_000])
def test_bodies_that_are_no_json_object_are_400(client: Client, body: bytes) -> None:
    assert client("POST", "/v1/subscriptions", content=body).status_code == 400


def test_other_bodies_are_refused(client: Client, user_id: int) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client("POST", "/v1/subscriptions", content=b"a=b", headers=form).status_code == 415
    assert client("POST", "/v1/subscriptions", content=b" " * 70_000).status_code == 400
    kind = {"content-type": "Application/JSON; charset=utf-8"}
    answer = client("POST", "/v1/subscriptions", json=subscription(URL, user_id), headers=kind)
    assert answer.status_code == 201


@pytest.mark.parametrize("form", ["Z", "+00:00", "+0000", "z"])
@pytest.mark.parametrize("fraction", ["", ".5", ".123456", ".123456789"])
def test_instants_come_back_as_they_were_given(client: Client, user_id: int, form: str, fraction: str) -> None:
    moment = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0, tzinfo=None)
    body = subscription(URL, user_id) | {"expires": f"{moment.isoformat()}{fraction}{form}"}
    made = client("POST", "/v1/subscriptions", json=body).json()["subscription"]
    micros = int((fraction or ".0")[1:7].ljust(6, "0"))
    assert datetime.fromisoformat(made["expires"]) == moment.replace(microsecond=micros, tzinfo=UTC)


def test_presence_is_shown_by_id_and_by_login_name(client: Client, table: dict[str, Any]) -> None:
    user = table["users"][3]
    for name in (user["id"], user["aor"], user["aor"].replace("+", "%2B").replace("@", "%40")):
        answer = client("GET", f"/v1/users/{name}/presence")
        assert answer.status_code == 200
        assert answer.json()["presence"]["status"] == "OFFLINE"
    for name in ("1", "x", "9" * 30, "%00", "+41@x"):
        assert client("GET", f"/v1/users/{name}/presence").status_code == 404
