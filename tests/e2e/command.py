"""Runs the real `ringtrue` command as users do, in a folder of its own, and holds it to leaving no process behind.

Every end-to-end test goes through `ringtrue` or `Running`; both give what the command said and left on disk.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

RINGTRUE = Path(sys.executable).with_name("ringtrue")
# Every process that a command starts inherits it, whatever session or group it is put into.
_MARK = "RINGTRUE_TEST_MARK"
_END_SECONDS = 8.0
# What a user's shell seldom says; the last makes every process compile all of Ringtrue again.
_UNUSUAL = ("NO_COLOR", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE")
RUN_SECONDS = 150.0


@dataclass(frozen=True)
class Done:
    """A command that has ended. `folder`: where it ran; `seconds`: how long it took."""

    code: int
    out: str
    err: str
    seconds: float
    folder: Path

    @property
    def run_dir(self) -> Path:
        """The folder of the newest run made there."""
        return (self.folder / "reports" / "latest").resolve(strict=True)

    @property
    def verdicts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run_dir / "verdicts.json").read_text(encoding="utf-8"))
        return found

    @property
    def by_clause(self) -> dict[str, str]:
        return {item["id"]: item["verdict"] for item in self.verdicts["clauses"]}

    def __str__(self) -> str:
        return f"exit {self.code} after {self.seconds:.1f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def ringtrue(
    *arguments: str | Path,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    program: str | Path = RINGTRUE,
    seconds: float = RUN_SECONDS,
) -> Done:
    """Run the command to its end; it is killed, and the test fails, after `seconds`."""
    with Running(*arguments, folder=folder, environment=environment, program=program) as running:
        return running.end(seconds)


class Running:
    """A command that is going on, in a process group of its own, as under an interactive shell."""

    def __init__(
        self,
        *arguments: str | Path,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        program: str | Path = RINGTRUE,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.mark = uuid.uuid4().hex
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "RINGTRUE_", "COV_")) and name not in _UNUSUAL
        }
        self._files = [
            (folder / f".{self.mark}.{name}").open("w+", encoding="utf-8", errors="replace") for name in ("out", "err")
        ]
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            [str(program), *map(str, arguments)],
            cwd=folder,
            env={**kept, **(environment or {}), _MARK: self.mark},
            stdin=subprocess.DEVNULL,
            stdout=self._files[0],
            stderr=self._files[1],
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        for pid in processes_with(self.mark):
            _signal(pid, signal.SIGKILL)
        self.process.wait(_END_SECONDS)
        for file in self._files:
            file.close()
            Path(file.name).unlink(missing_ok=True)

    def said(self) -> tuple[str, str]:
        """Standard output and standard error so far."""
        out, err = (Path(file.name).read_text(encoding="utf-8", errors="replace") for file in self._files)
        return out, err

    def wait_for(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait until the condition holds; fails when the command ends first or the time is over."""
        until = time.monotonic() + seconds
        while not condition():
            out, err = self.said()
            if self.process.poll() is not None:
                raise AssertionError(f"{what}: ended with {self.process.returncode} first\n{out}\n{err}")
            if time.monotonic() > until:
                raise AssertionError(f"{what}: not within {seconds:g} s\n{out}\n{err}")
            time.sleep(0.02)

    def end(self, seconds: float = RUN_SECONDS) -> Done:
        """Wait for the end, and for every process that the command started."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            out, err = self.said()
            raise AssertionError(f"still running after {seconds:g} s\n{out}\n{err}") from None
        took = time.monotonic() - self._began
        until = time.monotonic() + _END_SECONDS
        while left := processes_with(self.mark):
            if time.monotonic() > until:
                raise AssertionError(f"left behind: {[_command_line(pid) for pid in left]}")
            time.sleep(0.02)
        out, err = self.said()
        return Done(code, out, err, took, self.folder)


def processes_with(mark: str) -> list[int]:
    """Processes that carry the mark in their environment, dead ones that nobody has fetched aside."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # it ended while we looked, or it is not ours
    return found


def _command_line(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return f"{pid} (ended)"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
