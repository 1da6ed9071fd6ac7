"""`ringtrue run --target`: a platform that somebody else started is judged as the embedded one is, and left as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.canaries import Canaries
from tests.e2e.command import Done, ringtrue


@pytest.fixture(scope="module")
def before(target: Path) -> dict[str, Any]:
    """What other tests, such as those of killed runs, have left on the platform that all of them share."""
    return _listed(target)


@pytest.fixture(scope="module")
def judged(target: Path, before: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Done:
    del before  # it is read first
    return ringtrue("run", "--system", "apidaze", "--target", target, folder=tmp_path_factory.mktemp("judged"))


def test_a_platform_started_apart_gets_the_same_verdicts(judged: Done, embedded: Done) -> None:
    assert judged.code == 0, judged
    different = {
        clause: (verdict, judged.by_clause.get(clause))
        for clause, verdict in embedded.by_clause.items()
        if judged.by_clause.get(clause) != verdict
    }
    assert different == {}


def test_one_worker_alone_does_the_same_tests_one_by_one(target: Path, embedded: Done, tmp_path: Path) -> None:
    done = ringtrue(
        "run", "--system", "apidaze", "--target", target, "--workers", "1", "-k", "listed or register", folder=tmp_path
    )
    assert done.code == 0, done
    judged = {clause: verdict for clause, verdict in done.by_clause.items() if verdict not in ("none", "untestable")}
    assert len(judged) > 50
    assert judged == {clause: embedded.by_clause[clause] for clause in judged}


def test_doctor_finds_nothing_missing(target: Path, tmp_path: Path) -> None:
    done = ringtrue("doctor", "--target", target, folder=tmp_path)
    assert done.code == 0, done
    for words in ("apidaze API: ", "apidaze SIP: ", "recorder: callbacks are taken at http://127.0.0.1:"):
        assert f"ok       {words}" in done.out, done
    assert "missing" not in done.out


def test_nothing_is_left_on_the_platform(judged: Done, before: dict[str, Any], target: Path) -> None:
    assert judged.code == 0
    assert _listed(target) == before


def _listed(target: Path) -> dict[str, Any]:
    """The accounts and scripts that stand on the platform, by path."""
    table = tomllib.loads(target.read_text(encoding="utf-8"))["apidaze"]
    asked = {
        "grant_type": "client_credentials",
        "client_id": table["client_id"],
        "client_secret": table["client_secret"],
    }
    with httpx.Client(timeout=5.0) as client:
        token = client.post(table["token_url"], data=asked).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        paths = ("/sipaccounts", "/externalscripts")
        return {path: client.get(table["base_url"] + path, headers=headers).json() for path in paths}


def test_no_secret_of_the_target_is_written_anywhere(target: Path, tmp_path: Path) -> None:
    """Between run and platform stands a proxy that learns every secret that passes."""
    with Canaries(target, tmp_path / "target.toml") as canaries:
        done = ringtrue(
            "run", "--system", "apidaze", "--target", canaries.target_file,
            "-k", "valid_request or register or wrong_password or call or wrong_secret or created or several or links",
            folder=tmp_path / "run",
        )  # fmt: skip
        secrets = canaries.secrets
    assert done.code == 0, done
    kinds = {kind for kind, _ in secrets}
    assert kinds == {"client_secret", "access_token", "password", "basic"}
    files = [path for path in done.run_dir.rglob("*") if path.is_file()]
    assert {"flows.mitm", "flows.har", "junit.xml", "pytest.log", "findings.jsonl"} <= {path.name for path in files}
    assert canaries.leaks(done.run_dir) == []
    assert canaries.told(done.out, done.err) == []
