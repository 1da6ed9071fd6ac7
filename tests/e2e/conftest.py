"""What the end-to-end tests share: a run on the embedded platform, a platform started apart, a rule for missing tools."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Done, Running, ringtrue


def need(tool: str | Path | None, what: str) -> str:
    """Skip without the tool, but never in CI: there everything is meant to be installed."""
    if tool is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what} is missing, and CI must have it")
        pytest.skip(f"{what} is missing")
    return str(tool)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test session share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "ringtrue-e2e"
    folder.mkdir(exist_ok=True)
    return folder


def once(folder: Path, name: str, make: Callable[[Path], Done]) -> Done:
    """Have one worker run a command, and the others take what it made."""
    where = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = folder / f"{name}.json"
        if not kept.exists():
            done = make(where)
            kept.write_text(json.dumps([done.code, done.out, done.err, done.seconds]), encoding="utf-8")
        code, out, err, seconds = json.loads(kept.read_text(encoding="utf-8"))
    return Done(code, out, err, seconds, where)


def healthy_run(shared: Path, system: str, seconds: float = 400.0) -> Done:
    """A whole run of a system on the healthy embedded platform."""
    need(shutil.which("sipp"), "SIPp")
    return once(shared, system, lambda folder: ringtrue("run", "--system", system, folder=folder, seconds=seconds))


@pytest.fixture(scope="session")
def embedded(shared: Path) -> Done:
    """One whole run on the healthy embedded platform."""
    need(shutil.which("sipp"), "SIPp")
    return once(shared, "embedded", lambda folder: ringtrue("run", "--system", "apidaze", folder=folder))


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The target file of a platform that was started apart, as a user would."""
    folder = tmp_path_factory.mktemp("platform")
    file = folder / "target.toml"
    with Running("platform", "--system", "apidaze", "--target-file", file, folder=folder) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        yield file
