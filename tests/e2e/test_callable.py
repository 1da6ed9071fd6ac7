"""Callable end to end: the healthy platform conforms, embedded or started apart, and a broken promise is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import Done, Running, ringtrue
from tests.e2e.conftest import healthy_run

# A whole run of many calls, on a machine that does other things too.
_SECONDS = 400.0
# Fault, the scenario that shows it, its clause, and what the clause's level makes of it: verdict and exit code.
_FAULTS = {
    "callable-trunk-not-update-shown": ("updated_value_of_a_sip_trunk", "CA-trunk-update-shown", "fail", 1),
    "callable-verbs-while-ringing": ("while_the_target_rings", "CA-verbs-not-before-answer", "fail", 1),
    "callable-dial-timeout-ignored": ("does_not_answer_in_time", "CA-dial-timeout", "warn", 0),
    "callable-voicecall-tag-data-refused": ("with_tags", "CA-VoiceCall.tag.data", "fail", 1),
}


@pytest.fixture(scope="session")
def healthy(shared: Path) -> Done:
    """One whole run of Callable on the healthy embedded platform."""
    return healthy_run(shared, "callable")


def test_the_healthy_platform_keeps_every_promise_that_can_be_tested(healthy: Done) -> None:
    assert healthy.code == 0, healthy
    judged = {item["id"]: item["verdict"] for item in healthy.verdicts["clauses"] if item["verdict"] != "untestable"}
    assert {clause: verdict for clause, verdict in judged.items() if verdict != "pass"} == {}, healthy


def test_a_platform_started_apart_gets_the_same_verdicts_from_four_workers(healthy: Done, tmp_path: Path) -> None:
    file = tmp_path / "target.toml"
    with Running("platform", "--system", "callable", "--target-file", file, folder=tmp_path / "platform") as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        done = ringtrue("run", "--target", file, "--workers", "4", folder=tmp_path / "run", seconds=_SECONDS)
    assert done.code == 0, done
    different = {
        clause: (verdict, done.by_clause.get(clause))
        for clause, verdict in healthy.by_clause.items()
        if done.by_clause.get(clause) != verdict
    }
    assert different == {}, done


def test_what_cannot_be_deleted_is_used_again_and_said_to_be_left(healthy: Done) -> None:
    lines = (healthy.run_dir / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    made = [entry for entry in map(json.loads, lines) if "created_by" in entry]
    assert {entry["delete"] for entry in made} == {None}
    scenarios = [
        path for path in (healthy.run_dir / "timelines").iterdir() if not path.name.startswith("test_generated")
    ]
    assert 0 < len(made) < len(scenarios), "each scenario makes things of its own"


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_broken_promise_is_found_under_its_clause(fault: str, healthy: Done, tmp_path: Path) -> None:
    keyword, clause, verdict, code = _FAULTS[fault]
    assert healthy.by_clause[clause] == "pass"
    done = ringtrue("run", "--system", "callable", "--workers", "1", "--fault", fault, "-k", keyword, folder=tmp_path)
    assert done.by_clause[clause] == verdict, done
    assert done.code == code, done
