"""Starts the reference platform as a process of its own and stops it; used by the tests beside this file.

It speaks to the platform only through its streams and signals, like any other program that starts one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "harness.reference", *arguments]


def run_to_end(*arguments: str, deadline: float = 10.0) -> subprocess.CompletedProcess[str]:
    """For calls that are expected to end by themselves."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=deadline,
        cwd=_ROOT,
        check=False,
        stdin=subprocess.DEVNULL,
    )


class Platform:
    """A running platform: `ready` is its ready line, `apidaze` that system's table."""

    def __init__(self, *arguments: str, deadline: float = 10.0) -> None:
        self.last_log = ""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        began = time.monotonic()
        self.process = subprocess.Popen(
            command("--exit-with-parent", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=_ROOT,
        )
        self.ready: dict[str, Any] = json.loads(self._line(deadline))
        self.seconds_to_ready = time.monotonic() - began

    @property
    def apidaze(self) -> dict[str, Any]:
        table: dict[str, Any] = self.ready["systems"]["apidaze"]
        return table

    def _line(self, deadline: float) -> bytes:
        assert self.process.stdout is not None
        line = b""
        until = time.monotonic() + deadline
        while not line.endswith(b"\n"):
            left = until - time.monotonic()
            readable, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            chunk = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not chunk:
                self.process.kill()
                raise AssertionError(f"no ready line; so far {line!r}; log:\n{self.log()}")
            line += chunk
        return line

    def log(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode()

    def stop(self, signum: int = signal.SIGTERM, deadline: float = 5.0) -> int:
        """Send the signal and give the exit code; kills, and fails, past the deadline."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not stop within {deadline} s; log:\n{self.log()}") from None

    def __enter__(self) -> Platform:
        return self

    def __exit__(self, *_raised: object) -> None:
        try:
            self.stop()
        finally:
            self.last_log = self.log()
            for stream in (self.process.stdin, self.process.stdout, self._stderr):
                if stream is not None:
                    stream.close()
