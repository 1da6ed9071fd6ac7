"""Starts and stops the reference platform as what it is to everyone else: a separate process behind addresses.

Called by the plugin when no target is given. The platform's ready line is the target.
"""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

START_SECONDS = 20.0
STOP_SECONDS = 5.0
# Where the recorder plays the S3 endpoint of the platform.
S3_PATH = "s3"


class PlatformError(Exception):
    """The reference platform did not come up; the message holds what it said."""


class PlatformProcess(Protocol):
    """What is needed of the platform's process: a part of `subprocess.Popen`, which it usually is."""

    @property
    def stdin(self) -> IO[str] | None: ...
    @property
    def stdout(self) -> IO[str] | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


Launch = Callable[[Sequence[str], IO[str]], PlatformProcess]


def spawn(arguments: Sequence[str], errors: IO[str]) -> PlatformProcess:
    """Start the platform with these arguments; what it says on standard error goes to `errors`.

    It gets a process group of its own: a Ctrl-C at the terminal is for us to handle, and the platform goes last.
    """
    command = [sys.executable, "-m", "harness.reference", *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
    )


# How platforms are started in this process; the kill matrix, which starts hundreds, puts a cheaper way here.
launch: Launch = spawn
# Tables that the target of this process's embedded platforms has besides, such as shorter deadlines.
shared: dict[str, Any] = {}


class EmbeddedPlatform:
    """One platform process; a context manager. `tables` is its target file as plain values.

    `recorder_url`: where the run's recorder listens; the platform sends callbacks there and moves files there. `failure`:
    how the platform ended, where that was not as it should: by itself, or by force.
    """

    def __init__(self, systems: Sequence[str], log: Path, recorder_url: str, options: Sequence[str] = ()) -> None:
        arguments = ["--exit-with-parent", *options]
        # With credentials, so that what is promised of them is judged too.
        arguments += ["--callback", recorder_url, "--s3", f"{recorder_url}/{S3_PATH}", "--auth", "basic"]
        for system in systems:
            arguments += ["--system", system]
        self._log = log
        self.failure: str | None = None
        with log.open("w", encoding="utf-8") as errors:
            self._process = launch(arguments, errors)
        try:
            self.tables: dict[str, Any] = self._ready()["systems"]
            if "mediaservice" in self.tables:
                self.tables["mediaservice"]["s3"]["recorder_path"] = S3_PATH
            self.tables |= shared
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> EmbeddedPlatform:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ready(self) -> dict[str, Any]:
        lines: queue.Queue[str] = queue.Queue()
        assert self._process.stdout is not None
        threading.Thread(
            target=lambda stream: lines.put(stream.readline()), args=(self._process.stdout,), daemon=True
        ).start()
        try:
            line = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            raise PlatformError(
                f"the reference platform was not ready after {START_SECONDS:g} s; see {self._log}"
            ) from None
        if not line:
            said = self._log.read_text(encoding="utf-8").strip().splitlines()
            raise PlatformError(f"the reference platform did not start: {said[-1] if said else 'it said nothing'}")
        ready: dict[str, Any] = json.loads(line)
        return ready

    def check(self) -> str | None:
        """What is wrong with it while it should be running; None when nothing is."""
        code = self._process.poll()
        if code is not None and self.failure is None:
            self.failure = f"the reference platform ended by itself (exit code {code}); see {self._log.name}"
        return self.failure

    def stop(self) -> None:
        """Ask it to stop, and make it when it does not within five seconds."""
        if self.check() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        if self._process.poll() is None:
            self.failure = f"the reference platform did not stop within {STOP_SECONDS:g} s; see {self._log.name}"
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
