"""Runs mitmproxy: one master on its own loop in a daemon thread of this process, listening where it is told.

The recorder and the pass-through give it a `Service`, whose addon answers what comes in. mitmproxy keeps its state in
globals, so a process has at most one master at a time; it is imported only when one starts. Nothing is ever forwarded by
mitmproxy itself: its upstream is a name that does not exist.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.drivers.recorder.errors import RecorderError

if TYPE_CHECKING:
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.master import Master

START_SECONDS = 30.0
STOP_SECONDS = 2.0

Address = tuple[str, int]
_one_per_process = threading.Lock()


class Service(Protocol):
    """What runs on the master's loop."""

    async def open(self) -> Any:
        """Begin; gives the addon that mitmproxy calls."""

    def finish(self) -> None:
        """Record what is under way; connections are closed after that."""

    async def close(self) -> None:
        """Free everything, once nothing can come in any more."""


class Host:
    """A master and its thread. `listen`: `host:port` of each listener, port 0: the system chooses."""

    def __init__(self, listen: Sequence[str], confdir: Path, max_body: int) -> None:
        self._listen = [split_address(each) for each in listen]
        self._confdir = confdir
        self._max_body = max_body
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._started = False
        self.broke: BaseException | None = None
        """What ended the thread, if something did."""

    def start(self, service: Service) -> tuple[Address, ...]:
        """Listen; where, in the order of `listen`.

        Raises:
            RecorderError: it cannot listen, or this process has a master already. Call `stop` in any case.
        """
        if not _one_per_process.acquire(blocking=False):
            raise RecorderError("this process has a recorder already: mitmproxy allows one per process")
        self._started = True
        ready: Future[tuple[Address, ...]] = Future()
        self._thread = threading.Thread(target=self._run, args=(service, ready), name="ringtrue-recorder", daemon=True)
        self._thread.start()
        try:
            return ready.result(START_SECONDS)
        except FutureTimeout as error:
            raise RecorderError(f"the recorder was not ready after {START_SECONDS:g} s") from error

    def stop(self) -> None:
        """Close ports and thread; harmless when it is not running. Raises RecorderError when the thread does not end."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        if thread is not None:
            thread.join(STOP_SECONDS)
            if thread.is_alive():
                raise RecorderError(f"the recorder's thread did not end within {STOP_SECONDS:g} s")
        if self._started:
            self._started = False
            _one_per_process.release()

    def _run(self, service: Service, ready: Future[tuple[Address, ...]]) -> None:
        """The thread: a loop of its own, from the first task to the last one cancelled."""
        loop = asyncio.new_event_loop()
        self._loop = loop
        try:
            loop.run_until_complete(self._serve(service, ready))
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever ends the thread is told to who started it
            if not ready.done():
                ready.set_exception(RecorderError(f"the recorder could not start: {error}"))
            else:
                self.broke = error
        finally:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left, timeout=STOP_SECONDS / 2))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _serve(self, service: Service, ready: Future[tuple[Address, ...]]) -> None:
        self._stopping = asyncio.Event()
        addon = await service.open()
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
            service.finish()
            await self._close(master, serving)
            await service.close()

    def _master(self, addon: Any) -> tuple[Master, asyncio.Future[tuple[Address, ...]]]:
        """A master with what a server needs and nothing else: no console, no scripts, no certificate store."""
        _leave_other_addons_out()
        from mitmproxy.addons import core, next_layer, proxyserver
        from mitmproxy.master import Master
        from mitmproxy.options import Options

        loop = asyncio.get_running_loop()
        running: asyncio.Future[tuple[Address, ...]] = loop.create_future()
        proxy = proxyserver.Proxyserver()  # type: ignore[no-untyped-call]
        modes = [
            f"reverse:http://listener{number}.invalid:9@{host}:{port}"
            for number, (host, port) in enumerate(self._listen)
        ]

        class Started:
            """Tells where the server listens, or why it does not."""

            def running(self) -> None:
                where = {server.mode.full_spec: server.listen_addrs for server in proxy.servers}
                if all(where.get(mode) for mode in modes):
                    running.set_result(tuple((where[mode][0][0], where[mode][0][1]) for mode in modes))
                    return
                reasons = [str(server.last_exception) for server in proxy.servers if server.last_exception]
                running.set_exception(RecorderError("; ".join(reasons) or "it does not listen anywhere"))

        master = Master(Options(mode=modes, confdir=str(self._confdir)), event_loop=loop)
        master.addons.add(core.Core(), proxy, next_layer.NextLayer(), addon, Started())  # type: ignore[no-untyped-call]
        master.options.update(  # type: ignore[no-untyped-call]
            connection_strategy="lazy",
            keep_host_header=True,
            body_size_limit=str(self._max_body),
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


def _leave_other_addons_out() -> None:
    """Make the package of mitmproxy's addons known without running it: it would load all thirty, with flask and LDAP.

    That takes as long as all else that a recorder loads; modules in the package are found as ever.
    """
    name = "mitmproxy.addons"
    if name not in sys.modules and (spec := importlib.util.find_spec(name)):
        sys.modules[name] = importlib.util.module_from_spec(spec)


def split_address(listen: str) -> Address:
    """Host and port of a listen address. Raises RecorderError."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise RecorderError(f"listen address {listen!r}: expected host:port, such as 127.0.0.1:0")
    return host.strip("[]"), int(port)


def url_of(address: Address) -> str:
    """An address as the base of URLs."""
    host, port = address
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
