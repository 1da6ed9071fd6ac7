"""Forked processes: a child shares what this process has loaded already, where a new interpreter would load it again.

Used by the pool for trials, and in a trial for its platform. A fork is safe only while one thread runs, which is checked.
"""

from __future__ import annotations

import json
import logging
import os
import random
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

from harness.suites.embedded import PlatformProcess, spawn

_HIGHEST_DESCRIPTOR = 4096


class Fork:
    """A forked child, in the shape of `subprocess.Popen` that `PlatformProcess` names.

    `work` is called in the child; what it returns is the exit code. `streams` become the child's standard streams, and it
    has no other descriptor of ours but the one whose closing tells us that it ended: `ended`, readable then.
    """

    def __init__(self, work: Callable[[], int], streams: tuple[int, int, int], *, leader: bool) -> None:
        if threading.active_count() > 1:
            raise RuntimeError(f"a fork beside other threads would inherit their locks: {threading.enumerate()}")
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        self._code: int | None = None
        self.ended, alive = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _live(work, streams, alive, leader=leader)
        os.close(alive)

    def poll(self) -> int | None:
        """The exit code, negative after a signal; None while it runs."""
        return self._fetch(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired after `timeout` seconds."""
        if self._code is None and not select.select([self.ended], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(f"child {self.pid}", timeout or 0.0)
        code = self._fetch(0)
        assert code is not None
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def end_group(self) -> None:
        """End whatever is left in the group that it leads."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Give its descriptor back, once it has ended."""
        os.close(self.ended)

    def _fetch(self, flags: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, flags)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code


class Standby:
    """A child that waits to become the reference platform, forked before a run starts threads of its own.

    It stays in this process's group, so that whoever ends the group ends both.
    """

    def __init__(self, prepare: Callable[[], None] = lambda: None) -> None:
        """`prepare` is called in the child before it becomes the platform."""
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        with Path(os.devnull).open("wb") as nothing:
            self._fork: Fork | None = Fork(
                lambda: _stand_by(prepare), (in_read, out_write, nothing.fileno()), leader=False
            )
        os.close(in_read)
        os.close(out_write)
        self._fork.stdin = os.fdopen(in_write, "w", encoding="utf-8")
        self._fork.stdout = os.fdopen(out_read, "r", encoding="utf-8")

    def launch(self, arguments: Sequence[str], errors: IO[str]) -> PlatformProcess:
        """The platform with these arguments; a drop-in for `harness.suites.embedded.spawn`, which serves once."""
        if self._fork is None:
            return spawn(arguments, errors)
        platform, self._fork = self._fork, None
        assert platform.stdin is not None
        platform.stdin.write(json.dumps({"arguments": list(arguments), "errors": errors.name}) + "\n")
        platform.stdin.flush()
        return platform


def _stand_by(prepare: Callable[[], None]) -> int:
    """Wait for the order on standard input, which stays open: its end is the end of the platform."""
    from harness.reference import main

    order = bytearray()
    while not order.endswith(b"\n"):
        part = os.read(0, 1)
        if not part:
            return 0  # the run ended without a platform
        order += part
    asked = json.loads(order)
    errors = os.open(asked["errors"], os.O_WRONLY | os.O_APPEND)
    os.dup2(errors, 2)
    os.close(errors)
    prepare()
    return main(asked["arguments"])


def _live(work: Callable[[], int], streams: tuple[int, int, int], alive: int, *, leader: bool) -> NoReturn:
    """The child's whole life. It never returns into code that belongs to the parent, nor runs the parent's exit handlers."""
    code = 70
    try:
        if leader:
            os.setsid()
        _become_own(streams, alive)
        code = work()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  whatever it is, it is the child's last word, and the exit code tells
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _become_own(streams: tuple[int, int, int], alive: int) -> None:
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    os.closerange(3, alive)
    os.closerange(alive + 1, _HIGHEST_DESCRIPTOR)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    # A log handler of the parent's would write to streams that are not ours.
    logging.getLogger().handlers.clear()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_DFL)
    random.seed()
