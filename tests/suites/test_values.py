"""Example requests: marked places are made safe, everything else is sent as the spec shows it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.contract import load_contracts
from harness.suites.contract.links import Links
from harness.suites.contract.values import Values
from harness.suites.inconclusive import InconclusiveError
from harness.target import CallableTarget, SystemTarget, UserTarget, VtxTarget

CONTRACTS = load_contracts()
URL = "http://127.0.0.1:9/unguessable"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def values(system: str, target: SystemTarget | None = None) -> Values:
    made = target or SystemTarget(base_url="http://127.0.0.1:9")
    makers = {"recorder-url": lambda: URL, "trunk-id": lambda: "trunk-of-ours"}
    return Values(Links(CONTRACTS[system].spec), made, makers)


def test_names_are_new_each_time_and_remembered_as_ours() -> None:
    found = values("apidaze")
    operation = CONTRACTS["apidaze"].spec.operation("createSipAccount")
    names = [found.body(operation, FORM)["username"] for _ in range(20)]
    assert len(set(names)) == 20
    assert found.made == names


def test_urls_lead_to_the_recorder_in_bodies_and_queries() -> None:
    spec = CONTRACTS["apidaze"].spec
    found = values("apidaze")
    assert found.body(spec.operation("createExternalScript"), FORM)["url"] == URL
    assert found.query(spec.operation("testExternalScript")) == {"url": URL}


def test_subscriptions_end_soon_and_concern_users_of_the_target_each_once() -> None:
    users = tuple(UserTarget(aor=f"{n}@x", password="secret", id=str(n)) for n in (11, 12, 13))
    target = VtxTarget(base_url="http://127.0.0.1:9", username="u", password="pass", application="app-key", users=users)
    body = values("vtx", target).body(CONTRACTS["vtx"].spec.operation("createSubscription"), JSON)
    assert set(body["userIds"]) <= {11, 12, 13}
    assert len(set(body["userIds"])) == len(body["userIds"])
    left = datetime.fromisoformat(body["expires"]) - datetime.now(UTC)
    assert 60 < left.total_seconds() <= 121
    assert body["notificationUrl"] == URL


def test_nobody_is_made_up_where_the_target_names_no_users() -> None:
    target = VtxTarget(base_url="http://127.0.0.1:9", username="u", password="pass", application="app-key")
    with pytest.raises(InconclusiveError, match="names no user with an id"):
        values("vtx", target).body(CONTRACTS["vtx"].spec.operation("createSubscription"), JSON)
    assert [name for name, contract in CONTRACTS.items() if Links(contract.spec).names_users()] == ["vtx"]


def test_a_log_in_carries_what_the_target_file_says() -> None:
    target = CallableTarget(base_url="http://127.0.0.1:9", username="demo-user", password="demo-pass")
    body = values("callable", target).body(CONTRACTS["callable"].spec.operation("authorize"), FORM)
    assert body == {"username": "demo-user", "password": "demo-pass"}


def test_an_update_leaves_out_the_id_that_its_path_says() -> None:
    body = values("callable").body(CONTRACTS["callable"].spec.operation("updateTrunk"), JSON)
    assert "id" not in body
    assert body["ip"] == "127.0.0.1"


def test_a_body_that_refers_to_something_refers_to_what_was_made() -> None:
    body = values("callable").body(CONTRACTS["callable"].spec.operation("createDevice"), JSON)
    assert body["sipGateway"]["trunks"] == ["trunk-of-ours"]
    assert body["extension"].isdigit()
