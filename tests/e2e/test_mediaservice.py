"""Mediaservice end to end: the healthy platform conforms, and a promise that it breaks is found under its clause."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.command import Done, Running, ringtrue
from tests.e2e.conftest import healthy_run, need

# Fault, a scenario that shows it, its clause, and what the clause's level makes of it: verdict and exit code.
_FAULTS = {
    "mediaservice-url-does-not-open": ("a_file_that_was_put", "MS-prompt-url-fetches", "fail", 1),
    "mediaservice-ringback-182": ("hear_ringing", "MS-sendremotecallringback-status", "warn", 0),
    "mediaservice-recording-not-stored": ("connection_is_recorded", "MS-recording-stored", "fail", 1),
}


@pytest.fixture(scope="session")
def healthy(shared: Path) -> Done:
    """One whole run of Mediaservice on the healthy embedded platform."""
    return healthy_run(shared, "mediaservice")


def test_the_healthy_platform_keeps_every_promise_that_can_be_tested(healthy: Done) -> None:
    assert healthy.code == 0, healthy
    judged = {item["id"]: item for item in healthy.verdicts["clauses"] if item["verdict"] != "untestable"}
    others = {clause: (item["verdict"], item["reason"]) for clause, item in judged.items() if item["verdict"] != "pass"}
    assert others == {}, healthy


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_broken_promise_is_found_under_its_clause(fault: str, healthy: Done, tmp_path: Path) -> None:
    keyword, clause, verdict, code = _FAULTS[fault]
    assert healthy.by_clause[clause] == "pass"
    done = ringtrue(
        "run", "--system", "mediaservice", "--workers", "1", "--fault", fault, "-k", keyword, folder=tmp_path
    )
    assert done.by_clause[clause] == verdict, done
    assert done.code == code, done


@pytest.mark.parametrize("scheme", ["none", "bearer", "sigv4"])
def test_a_platform_that_was_started_apart_is_judged_however_it_authenticates(scheme: str, tmp_path: Path) -> None:
    need(shutil.which("sipp"), "SIPp")
    file = tmp_path / "target.toml"
    arguments = ("platform", "--system", "mediaservice", "--auth", scheme, "--target-file", file)
    with Running(*arguments, folder=tmp_path) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        keyword = "twins_of_the_operations or two_calls_one_is_refused or bearer or nobody_without"
        done = ringtrue("run", "--target", file, "--workers", "1", "-k", keyword, folder=tmp_path)
    assert done.code == 0, done
    expected = "none" if scheme == "none" else "pass"
    assert (done.by_clause["MS-hangupcalljwt-same"], done.by_clause["MS-jwt-bearer"]) == ("pass", expected), done
