"""A run that is interrupted ends 130 soon, keeps what it has, cleans up at the target, and leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.suites.safety.ledger import read_ledger
from harness.timeline import Timeline
from tests.e2e.command import Done, Running

_ENOUGH = 400


def _interrupt(give: Callable[[int], None], folder: Path, *arguments: str | Path) -> Done:
    with Running("run", "--system", "apidaze", "--run-dir", "run", *arguments, folder=folder) as run:
        findings = folder / "run" / "findings.jsonl"
        run.wait_for(lambda: findings.exists() and findings.read_text().count("\n") > _ENOUGH, 60, "the first findings")
        give(run.process.pid)
        return run.end(30)


_WAYS: dict[str, Callable[[int], None]] = {
    "Ctrl-C": lambda pid: os.killpg(pid, signal.SIGINT),
    "SIGINT alone": lambda pid: os.kill(pid, signal.SIGINT),
    "SIGTERM alone": lambda pid: os.kill(pid, signal.SIGTERM),
}


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_run_keeps_what_it_has(way: str, workers: str, tmp_path: Path) -> None:
    done = _interrupt(_WAYS[way], tmp_path, "--workers", workers)
    assert done.code == 130, done
    assert "interrupted; what was recorded until then is kept" in done.out, done
    assert "Traceback" not in done.out + done.err, done
    folder = tmp_path / "run"
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    assert verdicts["exit_code"] == 130
    assert verdicts["counts"]["pass"] > 10
    assert verdicts["counts"]["fail"] == verdicts["counts"]["warn"] == 0
    findings = [json.loads(line) for line in (folder / "findings.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(findings) > _ENOUGH
    for name in {finding["timeline"] for finding in findings}:
        Timeline.read(folder / name)
    assert (folder / "summary.md").read_text(encoding="utf-8").startswith("## ⚠️ Ringtrue: interrupted")


def test_what_an_interrupted_run_made_is_taken_away_again(target: Path, tmp_path: Path) -> None:
    done = _interrupt(_WAYS["Ctrl-C"], tmp_path, "--target", target, "--workers", "2")
    assert done.code == 130, done
    accounts, unreadable = read_ledger(tmp_path / "run")
    assert unreadable == []
    assert sum(account.total for account in accounts) > 0
    assert [account.left for account in accounts] == [()]


def test_an_interruption_before_the_first_test_is_an_interruption(tmp_path: Path) -> None:
    with Running("run", "--system", "apidaze", "--run-dir", "run", folder=tmp_path) as run:
        run.wait_for((tmp_path / "run" / "platform.log").exists, 30, "the platform's log")
        os.killpg(run.process.pid, signal.SIGINT)
        done = run.end(30)
    assert done.code == 130, done
    assert "interrupted" in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_the_platform_ends_0_when_it_is_told_to(tmp_path: Path) -> None:
    with Running("platform", "--system", "apidaze", folder=tmp_path) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        os.killpg(platform.process.pid, signal.SIGINT)
        assert platform.end(10).code == 0
