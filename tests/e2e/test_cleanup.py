"""`ringtrue cleanup`: what a killed run left at the target is deleted, and nothing else is."""

from __future__ import annotations

import json
import os
import signal
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from harness.proof.null.http import dead_port
from harness.suites.safety.ledger import read_ledger
from tests.e2e.command import Done, Running, ringtrue


class Owner:
    """Somebody else who uses the same platform."""

    def __init__(self, target: Path) -> None:
        table = tomllib.loads(target.read_text(encoding="utf-8"))["apidaze"]
        asked = {name: table[name] for name in ("client_id", "client_secret")}
        token = httpx.post(table["token_url"], data={"grant_type": "client_credentials", **asked}).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        self.api = httpx.Client(base_url=table["base_url"], headers=headers, timeout=5.0)

    def accounts(self) -> list[Any]:
        return list(self.api.get("/sipaccounts").json())

    def everything(self) -> int:
        return len(self.accounts()) + len(self.api.get("/externalscripts").json())

    @contextmanager
    def account(self, username: str) -> Iterator[None]:
        made = self.api.post("/sipaccounts", data={"username": username})
        assert made.status_code < 300, made.text
        yield
        own = [one for one in self.accounts() if one["sip"]["username"] == username]
        assert len(own) == 1, "what the run did not make was deleted"
        self.api.delete(f"/sipaccounts/{own[0]['id']}")

    def close(self) -> None:
        self.api.close()


def _left(run_dir: Path) -> int:
    return sum(len(account.left) for account in read_ledger(run_dir)[0])


def _killed(target: Path, folder: Path, most: int = 400) -> Done:
    """A run that is killed, all its processes at once, while something of it is at the target."""
    with Running("run", "--target", target, "--workers", "2", "--run-dir", "run", folder=folder) as run:
        run.wait_for(lambda: (folder / "run" / "ledger.jsonl").exists(), 60, "the first entry of the ledger")
        for _ in range(most):
            os.killpg(run.process.pid, signal.SIGSTOP)
            if _left(folder / "run"):
                os.killpg(run.process.pid, signal.SIGKILL)
                return run.end(30)
            os.killpg(run.process.pid, signal.SIGCONT)
            time.sleep(0.005)  # it must get somewhere between two looks
    raise AssertionError("nothing of the run was ever left at the target")


def test_what_a_killed_run_left_is_deleted_and_nothing_else(target: Path, tmp_path: Path) -> None:
    owner = Owner(target)
    with owner.account("somebody-else"):
        done = _killed(target, tmp_path)
        assert done.code == -signal.SIGKILL
        assert owner.everything() > 1
        left = _left(tmp_path / "run")

        refused = ringtrue("cleanup", "run", folder=tmp_path)
        assert (refused.code, "--target" in refused.err) == (2, True), refused

        dry = ringtrue("cleanup", "run", "--target", target, "--dry-run", folder=tmp_path)
        assert dry.code == 0, dry
        assert dry.out.count("to delete ") >= left, dry
        assert owner.everything() > 1, "a dry run deletes nothing"

        first = ringtrue("cleanup", "run", "--target", target, folder=tmp_path)
        assert first.code == 0, first
        assert first.out.count("deleted   ") == dry.out.count("to delete "), first
        assert owner.everything() == 1
        assert _left(tmp_path / "run") == 0

        again = ringtrue("cleanup", "run", "--target", target, folder=tmp_path)
        assert again.code == 0, again
        assert "run: 0 deleted" in again.out, again
        assert ringtrue("cleanup", "run", folder=tmp_path).code == 0, "without a target when nothing is left"
    assert owner.everything() == 0
    owner.close()


def _ledger(folder: Path, base_url: str, *more: str) -> Path:
    run = folder / "run"
    run.mkdir()
    entry = {
        "system": "apidaze",
        "base_url": base_url,
        "created_by": "createSipAccount",
        "delete": "deleteSipAccount",
        "parameters": {"id": "4711"},
    }
    (run / "ledger.jsonl").write_text("\n".join([json.dumps(entry), *more]) + "\n", encoding="utf-8")
    return run


def _base_url(target: Path) -> str:
    return str(tomllib.loads(target.read_text(encoding="utf-8"))["apidaze"]["base_url"])


def test_what_is_gone_already_is_as_good_as_deleted(target: Path, tmp_path: Path) -> None:
    run = _ledger(tmp_path, _base_url(target))
    done = ringtrue("cleanup", run, "--target", target, folder=tmp_path)
    assert done.code == 0, done
    assert "deleted      apidaze: /sipaccounts/4711" in done.out
    assert _left(run) == 0


def test_a_thing_made_in_the_moment_of_the_kill_is_found_by_what_was_unique_in_it(target: Path, tmp_path: Path) -> None:
    owner = Owner(target)
    making = {
        "system": "apidaze",
        "base_url": _base_url(target),
        "making": "createSipAccount",
        "marks": ["rtabcdef0123"],
        "parameters": {},
    }
    run = _ledger(tmp_path, _base_url(target), json.dumps(making))
    with owner.account("rtabcdef9999"):
        owner.api.post("/sipaccounts", data={"username": "rtabcdef0123"})
        assert len(owner.accounts()) == 2
        done = ringtrue("cleanup", run, "--target", target, folder=tmp_path)
        assert done.code == 0, done
        assert [one["sip"]["username"] for one in owner.accounts()] == ["rtabcdef9999"]
    owner.close()


def test_another_target_than_the_runs_is_left_alone(target: Path, tmp_path: Path) -> None:
    run = _ledger(tmp_path, "http://127.0.0.1:9/other")
    done = ringtrue("cleanup", run, "--target", target, folder=tmp_path)
    assert done.code == 2, done
    assert "http://127.0.0.1:9/other" in done.err
    assert _base_url(target) in done.err
    assert _left(run) == 1


def test_a_target_that_is_down_is_said_and_nothing_counts_as_deleted(target: Path, tmp_path: Path) -> None:
    with dead_port() as port:
        gone = f"http://127.0.0.1:{port}"
        run = _ledger(tmp_path, gone)
        done = ringtrue("cleanup", run, "--target", target, "--url", gone, folder=tmp_path)
    assert done.code == 3, done
    assert "still there  apidaze: /sipaccounts/4711: connect" in done.out, done
    assert "try again" in done.out
    assert _left(run) == 1


def test_a_ledger_that_was_cut_is_read_as_far_as_it_goes(target: Path, tmp_path: Path) -> None:
    run = _ledger(tmp_path, _base_url(target), '{"system": "apidaze", "base_url": "http')
    done = ringtrue("cleanup", run, "--target", target, folder=tmp_path)
    assert done.code == 3, done
    assert "ledger.jsonl:2" in done.out
    assert _left(run) == 0
    assert "Traceback" not in done.out + done.err


def test_a_run_that_goes_on_is_left_alone(target: Path, tmp_path: Path) -> None:
    with Running("run", "--target", target, "--workers", "1", "--run-dir", "run", folder=tmp_path) as run:
        run.wait_for(lambda: (tmp_path / "run" / "ledger.jsonl").exists(), 60, "the first entry of the ledger")
        done = ringtrue("cleanup", "run", "--target", target, folder=tmp_path)
        assert done.code == 2, done
        assert "still going on" in done.err
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.end(30).code == 130


def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    done = ringtrue("cleanup", folder=tmp_path)
    assert done.code == 2, done
    assert "no run in reports/" in done.err
    assert "Traceback" not in done.err
