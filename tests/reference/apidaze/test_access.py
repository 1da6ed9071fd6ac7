"""Tokens and quota, over HTTP."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.reference.apidaze.client import Client
from tests.reference.platform_process import Platform


def _ask(platform: Platform, **options: object) -> httpx.Response:
    return httpx.post(platform.apidaze["token_url"], trust_env=False, **options)  # type: ignore[arg-type]


def test_token_answer_has_the_sampled_members_as_strings(client: Client) -> None:
    answer = client.token_answer
    assert set(answer) == {
        "refresh_token_expires_in",
        "api_product_list",
        "api_product_list_json",
        "organization_name",
        "developer_email",
        "token_type",
        "issued_at",
        "client_id",
        "access_token",
        "application_name",
        "scope",
        "expires_in",
        "refresh_count",
        "status",
    }
    assert answer["token_type"] == "Bearer"
    assert answer["client_id"] == client.table["client_id"]
    assert all(isinstance(value, str) for name, value in answer.items() if name != "api_product_list_json")
    assert all(isinstance(value, str) for value in answer["api_product_list_json"])
    assert abs(int(answer["issued_at"]) / 1000 - time.time()) < 60
    assert int(answer["expires_in"]) == 3599


def test_credentials_travel_in_the_body_or_as_basic(platform: Platform) -> None:
    table = platform.apidaze
    pair = (table["client_id"], table["client_secret"])
    basic = _ask(platform, data={"grant_type": "client_credentials"}, auth=pair)
    body = {"grant_type": "client_credentials", "client_id": pair[0], "client_secret": pair[1]}
    assert basic.status_code == 200
    assert _ask(platform, json=body).status_code == 200
    assert _ask(platform, data=body).json()["access_token"] != basic.json()["access_token"]
    assert basic.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_secret": "\u00e9"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
    ],
)
def test_wrong_token_requests_are_refused(
    platform: Platform, change: dict[str, str | None], status: int, error: str
) -> None:
    table = platform.apidaze
    fields = {
        "grant_type": "client_credentials",
        "client_id": table["client_id"],
        "client_secret": table["client_secret"],
    } | change
    answer = _ask(platform, data={name: value for name, value in fields.items() if value is not None})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_token_endpoint_answers_post_only(platform: Platform) -> None:
    answer = httpx.get(platform.apidaze["token_url"], trust_env=False)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Bearer", "Basic Zm9vOmJhcg==", "\u00e9"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sipaccounts"),
        ("POST", "/sipaccounts"),
        ("GET", "/sipaccounts/x"),
        ("PUT", "/sipaccounts/x"),
        ("DELETE", "/sipaccounts/x"),
        ("GET", "/sipaccounts/x/status"),
        ("GET", "/externalscripts"),
        ("POST", "/externalscripts"),
        ("GET", "/externalscripts/x"),
        ("PUT", "/externalscripts/x"),
        ("DELETE", "/externalscripts/x"),
        ("GET", "/externalscripts/test"),
    ],
)
def test_no_operation_is_served_without_a_valid_token(
    platform: Platform, authorization: str | None, method: str, path: str
) -> None:
    headers = {} if authorization is None else {b"authorization": authorization.encode()}
    answer = httpx.request(method, platform.apidaze["base_url"] + path, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == 401


def test_an_expired_token_is_refused() -> None:
    with Platform("--system", "apidaze", "--token-life", "1") as platform, Client(platform.apidaze) as client:
        assert client.token_answer["expires_in"] == "1"
        assert client("GET", "/sipaccounts").status_code == 200
        deadline = time.monotonic() + 5
        while (answer := client("GET", "/sipaccounts")).status_code == 200 and time.monotonic() < deadline:
            pass
        assert answer.status_code == 401


def test_quota_headers_count_each_request_of_the_application(platform: Platform, client: Client) -> None:
    first = client("GET", "/sipaccounts").headers
    with Client(platform.apidaze) as second_token:
        second = second_token("GET", "/nothing").headers
    assert int(second["quota-used"]) == int(first["quota-used"]) + 1
    assert (first["quota-interval"], first["quota-limit"], first["quota-time-unit"]) == ("1", "100000", "hour")
    assert first["quota-reset-utc"] == second["quota-reset-utc"]
    assert first["quota-reset-utc"].endswith("Z")


def test_past_the_quota_requests_fail_until_the_reset() -> None:
    with Platform("--system", "apidaze", "--limited-quota", "3") as platform:
        with Client(platform.apidaze, limited=True) as limited:
            answers = [limited("GET", "/sipaccounts") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [answer.headers["quota-used"] for answer in answers] == ["1", "2", "3", "3", "3"]
        assert {answer.headers["quota-limit"] for answer in answers} == {"3"}
        assert {answer.headers["quota-time-unit"] for answer in answers} == {"minute"}
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        with Client(platform.apidaze) as other:
            assert other("GET", "/sipaccounts").status_code == 200
