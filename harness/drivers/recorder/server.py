"""The recorder itself, which takes callbacks in the controlling process of a run; `hosting` runs mitmproxy for it.

Whoever controls a run starts and stops it; workers reach it through `control` with a `RecorderClient`. A process has at
most one recorder at a time.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.drivers.recorder.addon import Alter, CallbackAddon
from harness.drivers.recorder.control import ControlServer
from harness.drivers.recorder.errors import RecorderError
from harness.drivers.recorder.flows import FlowFile, write_har
from harness.drivers.recorder.hosting import Host, url_of
from harness.drivers.recorder.routing import RouteTable
from harness.redact import Redactor
from harness.timeline import Clock, Timeline


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what a recorder keeps. `body`: bytes of a request body, beyond it the answer is 413."""

    body: int = 1024 * 1024
    headers: int = 200
    flows: int = 100_000
    notes: int = 1000


class Recorder:
    """An HTTP server for callbacks. Use it as a context manager, or call `start` and `stop`.

    `listen` is `host:port` (port 0: the system chooses); `public_url` is how the implementation reaches that place when
    it differs. In `run_dir` it writes `flows.mitm`, `flows.har`, `recorder.jsonl` (notes on requests that belong to no
    scenario) and mitmproxy's own folder. `alter` changes callbacks before anybody looks at them.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        listen: str = "127.0.0.1:0",
        public_url: str | None = None,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        limits: Limits | None = None,
        alter: Alter | None = None,
    ) -> None:
        self._run_dir = run_dir
        self._alter = alter
        limits = limits or Limits()
        self._host = Host([listen], run_dir / "mitmproxy", limits.body)
        self._public_url = public_url.rstrip("/") if public_url else None
        self._clock = clock or Clock.start()
        self._redactor = redactor or Redactor()
        self._limits = limits
        self._folder: Path | None = None
        self._control: ControlServer | None = None
        self._flows: FlowFile | None = None
        self._addon: CallbackAddon | None = None
        self._notes: Timeline | None = None
        self._address: tuple[str, int] | None = None

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.write_har()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port on which it listens."""
        if self._address is None:
            raise RecorderError("the recorder is not running")
        return self._address

    @property
    def base_url(self) -> str:
        """The recorder as the implementation reaches it, without a slash at the end."""
        if self._public_url:
            return self._public_url
        return url_of(self.address)

    @property
    def control(self) -> str:
        """What a worker passes to `RecorderClient`."""
        if self._control is None:
            raise RecorderError("the recorder is not running")
        return self._control.address

    @property
    def notes(self) -> Timeline:
        """What arrived and belonged to no scenario."""
        if self._notes is None:
            raise RecorderError("the recorder has not been started")
        return self._notes

    def start(self) -> None:
        """Raises RecorderError when it cannot listen, or when this process has a recorder already."""
        try:
            self._run_dir.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="ringtrue-"))
            self._notes = Timeline(
                "recorder", clock=self._clock, path=self._run_dir / "recorder.jsonl", redactor=self._redactor
            )
            (self._address,) = self._host.start(self)
        except BaseException:
            self.stop()
            raise
        assert self._control is not None
        self._control.base_url = self.base_url

    def stop(self) -> None:
        """Close the port, the control socket and the thread; harmless when it is not running."""
        if self._folder is None:
            return
        try:
            self._host.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            if self._host.broke is not None:
                self._note("recorder-broke", repr(self._host.broke))
            if self._notes is not None:
                self._notes.close()
            self._address = self._control = None

    def write_har(self) -> Path:
        """Write `flows.har` from what was stored; call it after `stop`."""
        har = self._run_dir / "flows.har"
        write_har(self._run_dir / "flows.mitm", har)
        return har

    def _note(self, topic: str, text: str, **data: Any) -> None:
        assert self._notes is not None
        if len(self._notes) < self._limits.notes:
            self._notes.note(topic, text, **data)
        elif len(self._notes) == self._limits.notes:
            self._notes.note("notes-full", f"more than {self._limits.notes} notes: later ones are not kept")

    # What the host calls, on its loop

    async def open(self) -> CallbackAddon:
        assert self._folder is not None
        table = RouteTable()
        self._control = control = ControlServer(self._folder, table, self._redactor, self._note)
        await control.start()
        self._flows = FlowFile(self._run_dir / "flows.mitm", self._redactor, self._limits.flows)
        self._addon = CallbackAddon(
            table,
            self._clock,
            self._flows,
            control.push,
            control.ask,
            self._note,
            max_headers=self._limits.headers,
            max_body=self._limits.body,
            public_url=self._public_url,
            alter=self._alter,
        )
        return self._addon

    def finish(self) -> None:
        if self._addon is not None:
            self._addon.done()

    async def close(self) -> None:
        if self._control is not None:
            await self._control.stop()
        if self._flows is not None:
            self._flows.close()
