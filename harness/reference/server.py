"""Opens the platform's sockets, prints the ready line, and runs until it is told to stop.

Called by `cli` with checked settings. It is the only place that knows about signals, standard input and the HTTP server;
it decides nothing about what a system answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from harness.reference.admin import ADMIN_PATH, Admin, knobs_of
from harness.reference.faults import FAULTS
from harness.reference.ports import lasting_port
from harness.reference.settings import Address, Settings, UsageError
from harness.reference.systems import System, make_system
from harness.reference.targetfile import write_target_file
from harness.reference.web import Front

_FIRST_REQUEST_SECONDS = 30.0
_MAX_CONNECTIONS = 2000
_log = logging.getLogger("ringtrue.platform")


class _Protocol(H11Protocol):
    """HTTP/1.1 that also closes a connection on which no request ever completes its head."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.loop.call_later(_FIRST_REQUEST_SECONDS, self._close_if_unused)

    def _close_if_unused(self) -> None:
        if getattr(self, "cycle", None) is None and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """The HTTP server without its own signal handling: signals stop the whole platform, not only its HTTP side."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings) -> int:
    """Serve until SIGTERM, SIGINT or the end of the parent. Raises UsageError when an address cannot be bound."""
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    if settings.exit_with_parent:
        await _watch_parent(stop)
    for library in ("uvicorn.error", "httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)
    async with contextlib.AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(settings.http))
        settings = replace(settings, http=Address(settings.http.host, listener.getsockname()[1]))
        systems = [make_system(name, settings) for name in settings.systems]
        _apply_faults(settings, systems)
        admin = Admin((system.name, knobs_of(system)) for system in systems)
        front = Front([*(system.mounts() for system in systems), {ADMIN_PATH: admin}])
        server = _Server(_config(_varied(settings, front)))
        serving = asyncio.create_task(server.serve([listener]))
        # Systems stop first, so that no request is left waiting for one of their fetches.
        stack.push_async_callback(_finish, server, serving)
        for index, system in enumerate(systems):
            await _start_system(system, settings.sip.shifted(index))
            stack.push_async_callback(system.stop)
        await _until_started(server, serving)
        _announce(settings, systems)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        _log.info("stopping")
    return 0


def _varied(settings: Settings, front: ASGIApp) -> ASGIApp:
    if not settings.variants:
        return front
    from harness.reference.variants import VARIANTS, install

    _log.warning("variants are on: %s", ", ".join(settings.variants))
    return install([VARIANTS[name] for name in settings.variants], front)


def _config(front: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        front,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=1,
    )


def _apply_faults(settings: Settings, systems: list[System]) -> None:
    by_name = {system.name: system for system in systems}
    for name in settings.faults:
        fault = FAULTS[name]
        fault.apply(by_name[fault.system])
        _log.warning("fault %s is on: %s (breaks %s)", fault.id, fault.words, fault.clause)


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named, asyncio sees TCP and turns Nagle's delay off on each connection.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise UsageError(_bind_problem("--http", address, error)) from error
    return listener


async def _start_system(system: System, sip: Address) -> None:
    try:
        await system.start(sip)
    except OSError as error:
        raise UsageError(_bind_problem("--sip", sip, error)) from error


def _bind_problem(option: str, address: Address, error: OSError) -> str:
    reason = "the port is taken" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
    return f"{option} {address}: {reason}; choose another port, or 0 for any free one"


async def _until_started(server: _Server, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(10):
        while not server.started and not serving.done():
            await asyncio.sleep(0.002)
    if serving.done():
        serving.result()
        raise RuntimeError("the HTTP server ended while it started")


async def _finish(server: _Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving


def _announce(settings: Settings, systems: list[System]) -> None:
    tables: dict[str, object] = {system.name: system.target(settings.http.reachable()) for system in systems}
    if settings.target_file:
        write_target_file(settings.target_file, tables | _recorder(settings, systems))
    print(json.dumps({"ready": True, "version": 1, "systems": tables}), flush=True)
    _log.info("serving %s; HTTP on %s", ", ".join(tables), settings.http)


def _recorder(settings: Settings, systems: list[System]) -> dict[str, object]:
    """Where `ringtrue run` is to listen for callbacks: the platform is configured for that place unless told of another."""
    knobs = [knobs_of(system)["callback"] for system in systems if "callback" in knobs_of(system)]
    if settings.callback or not knobs:
        return {}
    address = Address("127.0.0.1", lasting_port("127.0.0.1"))
    for turn in knobs:
        turn(f"http://{address}")
    return {"recorder": {"listen": str(address)}}


async def _watch_parent(stop: asyncio.Event) -> None:
    """Set `stop` when standard input ends; anything but a pipe or a socket cannot tell, and is left alone."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        _log.warning("--exit-with-parent has no effect: standard input is not a pipe")
        return

    class Watch(asyncio.Protocol):
        def connection_lost(self, _exc: Exception | None) -> None:
            stop.set()

    await asyncio.get_running_loop().connect_read_pipe(Watch, sys.stdin)
