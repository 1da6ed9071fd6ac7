"""The recorder itself: one mitmproxy master on its own loop in a daemon thread of the controlling process.

Whoever controls a run starts and stops it; workers reach it through `control` with a `RecorderClient`. mitmproxy keeps
its state in globals, so a process has at most one recorder at a time. mitmproxy is imported only when one starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.drivers.recorder.addon import CallbackAddon
from harness.drivers.recorder.control import ControlServer
from harness.drivers.recorder.errors import RecorderError
from harness.drivers.recorder.flows import FlowFile, write_har
from harness.drivers.recorder.routing import RouteTable
from harness.redact import Redactor
from harness.timeline import Clock, Timeline

if TYPE_CHECKING:
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.master import Master

START_SECONDS = 10.0
STOP_SECONDS = 2.0

_one_per_process = threading.Lock()


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
    scenario) and mitmproxy's own folder.
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
    ) -> None:
        self._run_dir = run_dir
        self._host, self._port = _split(listen)
        self._public_url = public_url.rstrip("/") if public_url else None
        self._clock = clock or Clock.start()
        self._redactor = redactor or Redactor()
        self._limits = limits or Limits()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._folder: Path | None = None
        self._control: ControlServer | None = None
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
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

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
        if not _one_per_process.acquire(blocking=False):
            raise RecorderError("this process has a recorder already: mitmproxy allows one per process")
        try:
            self._run_dir.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="ringtrue-"))
            self._notes = Timeline(
                "recorder", clock=self._clock, path=self._run_dir / "recorder.jsonl", redactor=self._redactor
            )
            ready: Future[tuple[str, int]] = Future()
            self._thread = threading.Thread(target=self._run, args=(ready,), name="ringtrue-recorder", daemon=True)
            self._thread.start()
            try:
                self._address = ready.result(START_SECONDS)
            except FutureTimeout as error:
                raise RecorderError(f"the recorder was not ready after {START_SECONDS:g} s") from error
        except BaseException:
            self.stop()
            raise
        assert self._control is not None
        self._control.base_url = self.base_url

    def stop(self) -> None:
        """Close the port, the control socket and the thread; harmless when it is not running."""
        thread, self._thread = self._thread, None
        if thread is None and self._folder is None:
            return
        if thread is not None and self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        if thread is not None:
            thread.join(STOP_SECONDS)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        if self._notes is not None:
            self._notes.close()
        self._address = self._control = None
        if thread is not None and thread.is_alive():
            raise RecorderError(f"the recorder's thread did not end within {STOP_SECONDS:g} s")
        _one_per_process.release()

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

    def _run(self, ready: Future[tuple[str, int]]) -> None:
        """The thread: a loop of its own, from the first task to the last one cancelled."""
        loop = asyncio.new_event_loop()
        self._loop = loop
        try:
            loop.run_until_complete(self._serve(ready))
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever ends the thread is told to who started it
            if not ready.done():
                ready.set_exception(RecorderError(f"the recorder could not start: {error}"))
            else:
                self._note("recorder-broke", repr(error))
        finally:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left, timeout=STOP_SECONDS / 2))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _serve(self, ready: Future[tuple[str, int]]) -> None:
        assert self._folder is not None
        self._stopping = asyncio.Event()
        table = RouteTable()
        control = ControlServer(self._folder, table, self._redactor, self._note)
        await control.start()
        self._control = control
        flows = FlowFile(self._run_dir / "flows.mitm", self._redactor, self._limits.flows)
        addon = CallbackAddon(
            table,
            self._clock,
            flows,
            control.push,
            control.ask,
            self._note,
            max_headers=self._limits.headers,
            max_body=self._limits.body,
            public_url=self._public_url,
        )
        master, running = self._master(addon)
        serving = asyncio.ensure_future(master.run())
        try:
            both: set[asyncio.Future[Any]] = {serving, running}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                serving.result()
                raise RecorderError("mitmproxy ended at once")
            ready.set_result(running.result())
            await self._stopping.wait()
        finally:
            addon.done()
            await self._close(master, serving)
            await control.stop()
            flows.close()

    def _master(self, addon: CallbackAddon) -> tuple[Master, asyncio.Future[tuple[str, int]]]:
        """A master with what a server needs and nothing else: no console, no scripts, no certificate store."""
        from mitmproxy.addons import core, next_layer, proxyserver
        from mitmproxy.master import Master
        from mitmproxy.options import Options

        loop = asyncio.get_running_loop()
        running: asyncio.Future[tuple[str, int]] = loop.create_future()
        proxy = proxyserver.Proxyserver()  # type: ignore[no-untyped-call]

        class Started:
            """Tells where the server listens, or why it does not."""

            def running(self) -> None:
                addresses = proxy.listen_addrs()
                if addresses:
                    running.set_result((addresses[0][0], addresses[0][1]))
                    return
                reasons = [str(server.last_exception) for server in proxy.servers if server.last_exception]
                running.set_exception(RecorderError("; ".join(reasons) or "it does not listen anywhere"))

        options = Options(
            mode=["reverse:http://recorder.invalid:9"],
            listen_host=self._host,
            listen_port=self._port,
            confdir=str(self._run_dir / "mitmproxy"),
        )
        master = Master(options, event_loop=loop)
        master.addons.add(core.Core(), proxy, next_layer.NextLayer(), addon, Started())  # type: ignore[no-untyped-call]
        options.update(  # type: ignore[no-untyped-call]
            connection_strategy="lazy",
            keep_host_header=True,
            body_size_limit=str(self._limits.body),
            validate_inbound_headers=True,
        )
        return master, running

    async def _close(self, master: Master, serving: asyncio.Future[None]) -> None:
        from mitmproxy.addons.proxyserver import Proxyserver

        proxy = master.addons.get("proxyserver")  # type: ignore[no-untyped-call]
        if isinstance(proxy, Proxyserver):
            await proxy.servers.update([])
            await self._hang_up(proxy)
        master.should_exit.set()
        await asyncio.wait({serving}, timeout=STOP_SECONDS / 2)

    async def _hang_up(self, proxy: Proxyserver) -> None:
        """End connections that callers keep open; cancelled from outside, each would print a traceback."""
        for connection in list(proxy.connections.values()):
            for transport in connection.transports.values():
                if transport.handler is not None:
                    transport.handler.cancel()
        deadline = time.monotonic() + STOP_SECONDS / 4
        while proxy.connections and time.monotonic() < deadline:
            await asyncio.sleep(0.002)  # mitmproxy tells nobody when a connection has ended


def _split(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise RecorderError(f"listen address {listen!r}: expected host:port, such as 127.0.0.1:0")
    return host.strip("[]"), int(port)
