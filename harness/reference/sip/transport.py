"""UDP and TCP on one port: bytes in with their source, bytes out to an address (RFC 3261 §18).

The endpoint owns one Transport. It frames TCP streams, reuses connections, bounds their number and what they may
buffer, and looks up host names. It never parses a message.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from .parsing import DEFAULT_LIMITS, Framer, Limits, Unframeable

log = logging.getLogger("ringtrue.sip")

_MAX_UNSENT = 1 << 20
_RECEIVE_BUFFER = 4 << 20
_BIND_ATTEMPTS = 50
_CONNECT_SECONDS = 10.0


class Address(NamedTuple):
    """Where a message goes to or came from. `transport` is "udp" or "tcp"."""

    host: str
    port: int
    transport: str = "udp"

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself."""
        return self.transport != "udp"


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, owner: Transport) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._owner.deliver(data, Address(addr[0], addr[1], "udp"))

    def error_received(self, exc: Exception) -> None:
        log.debug("UDP: %s", exc)


class _Connection(asyncio.Protocol):
    """One TCP connection, accepted or opened; what is sent before it stands waits in `unsent`."""

    def __init__(self, owner: Transport, peer: tuple[str, int] | None) -> None:
        self._owner = owner
        self._framer = Framer(owner.limits)
        self.peer = peer or ("", 0)
        self.stream: asyncio.Transport | None = None
        self.unsent: list[bytes] = []
        self.last_active = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.stream = transport
        if not self.peer[1]:
            name = transport.get_extra_info("peername")
            if name is None:
                transport.abort()
                return
            self.peer = (name[0], name[1])
        self._owner.connected(self)
        for data in self.unsent:
            transport.write(data)
        self.unsent.clear()

    def data_received(self, data: bytes) -> None:
        self.last_active = self._owner.now()
        pings = self._framer.pings
        try:
            whole = self._framer.feed(data)
        except Unframeable as error:
            log.info("closing TCP connection from %s:%s: %s", *self.peer, error)
            self.close()
            return
        if self._framer.pings > pings:
            self.write(b"\r\n")
        for message in whole:
            self._owner.deliver(message, Address(*self.peer, "tcp"))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._owner.disconnected(self)

    def write(self, data: bytes) -> None:
        self.last_active = self._owner.now()
        if self.stream is None:
            self.unsent.append(data)
        elif self.stream.get_write_buffer_size() > _MAX_UNSENT:
            log.warning("closing TCP connection to %s:%s: the peer does not read", *self.peer)
            self.close()
        else:
            self.stream.write(data)

    def close(self) -> None:
        if self.stream is not None:
            self.stream.abort()
        self._owner.disconnected(self)


class Transport:
    """Sockets of one endpoint.

    `on_bytes(data, source)` gets each datagram or framed message; `on_error(address)` is told when nothing can be
    sent to an address (connection refused, unknown host), later than the `send` that caused it.
    """

    def __init__(
        self,
        on_bytes: Callable[[bytes, Address], None],
        on_error: Callable[[Address], None],
        limits: Limits = DEFAULT_LIMITS,
        max_connections: int = 2000,
    ) -> None:
        self.deliver = on_bytes
        self._on_error = on_error
        self.limits = limits
        self._max_connections = max_connections
        self._connections: dict[tuple[str, int], _Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._udp: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.host = ""
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Bind UDP and TCP; with port 0 to one number that is free for both. Raises OSError."""
        self._loop = asyncio.get_running_loop()
        for attempt in range(_BIND_ATTEMPTS):
            await self._bind_udp(host, port)
            try:
                self._server = await self._loop.create_server(lambda: _Connection(self, None), host, self.port)
            except OSError:
                assert self._udp is not None
                self._udp.close()
                if port or attempt == _BIND_ATTEMPTS - 1:
                    raise
            else:
                return

    async def _bind_udp(self, host: str, port: int) -> None:
        assert self._loop is not None
        self._udp, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(host, port))
        sock = self._udp.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self.host, self.port = sock.getsockname()[:2]

    async def stop(self) -> None:
        """Close every socket and end every look-up; what was not written is lost."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._udp is not None:
            self._udp.close()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            if connection.stream is not None:
                connection.stream.close()
        self._connections.clear()
        await asyncio.sleep(0)

    def now(self) -> float:
        """Loop time, seconds."""
        assert self._loop is not None
        return self._loop.time()

    @property
    def connections(self) -> int:
        """Number of TCP connections, opening ones included."""
        return len(self._connections)

    def has_connection(self, address: Address) -> bool:
        """Whether a TCP connection to that peer stands or is being opened."""
        return (address.host, address.port) in self._connections

    def send(self, data: bytes, address: Address) -> None:
        """Send without waiting. Failure is reported to `on_error`, or for UDP not at all."""
        if not is_numeric(address.host):
            self._spawn(self._resolve_and_send(data, address))
        elif address.transport == "udp":
            if self._udp is not None and not self._udp.is_closing():
                self._udp.sendto(data, (address.host.strip("[]"), address.port))
        else:
            self._send_tcp(data, address)

    def _send_tcp(self, data: bytes, address: Address) -> None:
        peer = (address.host, address.port)
        connection = self._connections.get(peer)
        if connection is None:
            connection = _Connection(self, peer)
            self.connected(connection)
            self._spawn(self._open(connection, address))
        connection.write(data)

    async def _open(self, connection: _Connection, address: Address) -> None:
        assert self._loop is not None
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._loop.create_connection(lambda: connection, address.host.strip("[]"), address.port)
        except (OSError, TimeoutError) as error:
            log.info("no TCP connection to %s:%s: %s", address.host, address.port, error)
            self.disconnected(connection)
            self._on_error(address)

    async def resolve(self, address: Address) -> Address:
        """The address with a number for a name. Raises OSError when there is none."""
        if is_numeric(address.host):
            return address
        assert self._loop is not None
        try:
            found = await self._loop.getaddrinfo(address.host, address.port, family=socket.AF_INET)
        except (OSError, UnicodeError) as error:
            raise OSError(f"cannot resolve {address.host[:80]}: {error}") from error
        return Address(str(found[0][4][0]), address.port, address.transport)

    async def _resolve_and_send(self, data: bytes, address: Address) -> None:
        try:
            self.send(data, await self.resolve(address))
        except OSError as error:
            log.info("%s", error)
            self._on_error(address)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def connected(self, connection: _Connection) -> None:
        """Keep a connection; past the limit the one that was silent longest is closed."""
        connection.last_active = self.now()
        self._connections[connection.peer] = connection
        if len(self._connections) > self._max_connections:
            min(self._connections.values(), key=lambda entry: entry.last_active).close()

    def disconnected(self, connection: _Connection) -> None:
        """Forget a connection."""
        if self._connections.get(connection.peer) is connection:
            del self._connections[connection.peer]


def is_numeric(host: str) -> bool:
    """Whether a host is an IP address, in brackets or not."""
    if host.replace(".", "").isdigit():
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
