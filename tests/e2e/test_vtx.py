"""VTX end to end: the healthy platform conforms, and a promise that it breaks is found under the clause that says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import Done, ringtrue
from tests.e2e.conftest import healthy_run

# Fault, the scenario that shows it, its clause, and what the clause's level makes of it: verdict and exit code.
_FAULTS = {
    "vtx-push-at-answer": ("how_long_it_lasted", "VX-push-not-before-end", "fail", 1),
    "vtx-delete-takes-all": ("deleted_subscription_is_gone", "VX-subscription-delete-only-one", "fail", 1),
    "vtx-push-twice": ("outgoing_call", "VX-push-once", "warn", 0),
}


@pytest.fixture(scope="session")
def healthy(shared: Path) -> Done:
    """One whole run of VTX on the healthy embedded platform."""
    return healthy_run(shared, "vtx")


def test_the_healthy_platform_keeps_every_promise_that_can_be_tested(healthy: Done) -> None:
    assert healthy.code == 0, healthy
    judged = {item["id"]: item["verdict"] for item in healthy.verdicts["clauses"] if item["verdict"] != "untestable"}
    assert {clause: verdict for clause, verdict in judged.items() if verdict != "pass"} == {}, healthy


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_broken_promise_is_found_under_its_clause(fault: str, healthy: Done, tmp_path: Path) -> None:
    keyword, clause, verdict, code = _FAULTS[fault]
    assert healthy.by_clause[clause] == "pass"
    done = ringtrue("run", "--system", "vtx", "--workers", "1", "--fault", fault, "-k", keyword, folder=tmp_path)
    assert done.by_clause[clause] == verdict, done
    assert done.code == code, done


def test_generated_subscriptions_name_users_of_the_target(tmp_path: Path) -> None:
    """Else every one of them is refused for its users, and nothing is learnt of the rest of it."""
    done = ringtrue(
        *("run", "--system", "vtx", "--workers", "1", "-k", "test_generated_requests and createSubscription", "-q"),
        folder=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done
    (timeline,) = (done.run_dir / "timelines").glob("*createSubscription*")
    events = [json.loads(line) for line in timeline.read_text(encoding="utf-8").split("\n") if line]
    tried = [one for one in events if one["kind"] == "http" and one["about"].get("operation") == "createSubscription"]
    answers = [one["response"]["status"] for one in tried if one["about"]["case"] == "positive"]
    assert [status for status in answers if 200 <= status < 300], answers
    assert [one for one in tried if one["about"]["case"] == "negative" and one["response"]["status"] >= 400]
