"""A pool of forked children: this process loads everything once, then forks a child for each trial, several at a time.

A run costs seconds of start-up in a new interpreter and a fraction of one in a fork. Every trial has a deadline; one that
does not keep it is ended with everything that it started, and reported as hanging.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from harness.proof.forking import Fork
from harness.proof.tidying import keep_ledger
from harness.proof.trial import OUTPUT, RUN, Result, Trial, perform, read_result

# What a run imports only when it comes to it. A module that is missing here costs time in every trial and nothing else.
_LOADED_ONCE = (
    "allure_pytest.plugin",
    "harness.checks",
    "harness.drivers.recorder",
    "harness.drivers.sipp",
    "harness.reference.server",
    "harness.report.allure_labels",
    "harness.report.ladder_run",
    "harness.report.matrix",
    "harness.suites.contract.fuzz",
    "harness.suites.contract.members",
    "harness.suites.plugin",
    "harness.suites.scenarios.features",
    "harness.suites.session",
    "mitmproxy.tools.dump",
    "pytest_bdd.plugin",
    "schemathesis.engine",
    "xdist.plugin",
)
_END_SECONDS = 10.0
_TIDY_SECONDS = 20.0


class Pool:
    """A context manager. `submit` trials, then take results from `wait` as they come, in any order."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._waiting: list[tuple[Hashable, Trial]] = []
        self._running: dict[int, _Child] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="ringtrue-faults-"))
        self._made = 0
        load_once()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        for child in self._running.values():
            child.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def busy(self) -> bool:
        """Whether `wait` has something to wait for."""
        return bool(self._waiting or self._running)

    def submit(self, key: Hashable, trial: Trial) -> None:
        """Have the trial run when its turn comes; `key` comes back with its result."""
        self._waiting.append((key, trial))

    def wait(self) -> tuple[Hashable, Result]:
        """The next result, at the latest when its trial's time is over."""
        while True:
            while self._waiting and len(self._running) < self._jobs:
                self._start(*self._waiting.pop(0))
            if not self._running:
                raise RuntimeError("nothing was submitted")
            until = min(child.until for child in self._running.values())
            ended, _, _ = select.select(list(self._running), [], [], max(0.0, until - time.monotonic()))
            if ended:
                child = self._running.pop(ended[0])
                return child.key, child.result()
            for descriptor, child in list(self._running.items()):
                if child.until <= time.monotonic():
                    del self._running[descriptor]
                    return child.key, child.end()

    def _start(self, key: Hashable, trial: Trial) -> None:
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        with (folder / OUTPUT).open("wb") as output, Path(os.devnull).open("rb") as nothing:
            streams = (nothing.fileno(), output.fileno(), output.fileno())
            process = Fork(lambda: perform(trial, folder), streams, leader=True)
        self._running[process.ended] = _Child(key, trial, folder, process, time.monotonic() + trial.seconds)


@dataclass(frozen=True)
class _Child:
    """A running trial; `until` is when its time is over, on the monotonic clock."""

    key: Hashable
    trial: Trial
    folder: Path
    process: Fork
    until: float

    def result(self) -> Result:
        """What it came to, once it has ended."""
        code = self.process.wait(_END_SECONDS)
        said = (self.folder / OUTPUT).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        found = read_result(self.folder)
        left = self._left(found.left if found else "")
        self._tidy()
        found = found or Result(problem=f"the run ended with {code}: {said[-1] if said else 'it said nothing'}")
        return replace(found, left=left)

    def end(self) -> Result:
        """End it before its time, with its platform; its SIPp agents end when their pipe does."""
        if self.trial.target:  # it takes away what it made there
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_TIDY_SECONDS)
        self.process.end_group()
        self.process.wait(_END_SECONDS)
        left = self._left("")
        self._tidy()
        words = f"it was not over after {self.trial.seconds:.0f} s"
        return Result(problem=words, seconds=self.trial.seconds, left=left)

    def _left(self, why: str) -> str:
        if not self.trial.target:
            return ""
        return keep_ledger(self.folder / RUN, Path(self.trial.keep) / self.folder.name, self.trial.target, why)

    def _tidy(self) -> None:
        self.process.end_group()
        self.process.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def load_once() -> None:
    """Import what trials need, and read all contracts; a child finds them there."""
    from pytest_bdd.feature import get_features

    from harness.contract import data_folder, load_contracts
    from harness.reference.systems import SYSTEM_NAMES
    from harness.suites.scenarios.features import STEPS, steps_of

    for name in (*_LOADED_ONCE, *(f"harness.reference.{name}" for name in SYSTEM_NAMES)):
        importlib.import_module(name)
    for name in STEPS:
        steps_of(name)
        get_features([str(data_folder("features") / name)])  # parsed once: pytest-bdd keeps them
    load_contracts()
    gc.collect()
    gc.freeze()
