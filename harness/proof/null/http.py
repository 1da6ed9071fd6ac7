"""Tiny servers that answer nothing that was asked: dead, silent, closing, or giving the same to everyone.

Each kind is a context manager that gives the port on loopback where it stands. None of them knows any API.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

_IDLE_SECONDS = 30.0
_DRIP_SECONDS = 0.2
_MAX_HEAD = 65536


@contextmanager
def dead_port() -> Iterator[int]:
    """A port that refuses connections: bound, so that nobody else takes it, but not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def silent() -> AbstractContextManager[int]:
    """Takes connections and what is sent, and says nothing."""
    return _serving(_swallow)


def closing() -> AbstractContextManager[int]:
    """Closes each connection at once."""
    return _serving(lambda connection: None)


def answering(status: str, body: bytes = b"", content_type: str = "application/json") -> AbstractContextManager[int]:
    """Gives the same answer to every request."""

    def answer(connection: socket.socket) -> None:
        _read(connection)
        _send(connection, status, body, content_type)

    return _serving(answer)


def echo() -> AbstractContextManager[int]:
    """Answers every request 200 with its own body and content type."""

    def answer(connection: socket.socket) -> None:
        headers, body = _read(connection)
        _send(connection, "200 OK", body, headers.get("content-type", "application/json"))

    return _serving(answer)


def redirect_loop() -> AbstractContextManager[int]:
    """Sends every request to where it came from."""

    def answer(connection: socket.socket) -> None:
        headers, _ = _read(connection)
        _send(connection, "302 Found", b"", "text/plain", f"Location: http://{headers.get('host', '')}/again\r\n")

    return _serving(answer)


def slow_drip() -> AbstractContextManager[int]:
    """Begins an answer that would be right, and sends a byte of it now and then, for as long as somebody listens."""

    def answer(connection: socket.socket) -> None:
        _read(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
        while True:
            time.sleep(_DRIP_SECONDS)
            connection.sendall(b" ")

    return _serving(answer)


HTTP_KINDS: Mapping[str, Callable[[], AbstractContextManager[int]]] = {
    "dead-port": dead_port,
    "closes-at-once": closing,
    "silent": silent,
    "empty-object": lambda: answering("200 OK", b"{}"),
    "echo": echo,
    "401": lambda: answering("401 Unauthorized"),
    "404": lambda: answering("404 Not Found"),
    "500": lambda: answering("500 Internal Server Error"),
    "redirect-loop": redirect_loop,
    "slow-drip": slow_drip,
}


def _read(connection: socket.socket) -> tuple[dict[str, str], bytes]:
    """The headers of a request by lower-case name, and its body, as far as its length is given."""
    received = b""
    while b"\r\n\r\n" not in received and len(received) < _MAX_HEAD and (chunk := connection.recv(65536)):
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = int(headers["content-length"]) if headers.get("content-length", "").isdecimal() else 0
    while len(body) < length and (chunk := connection.recv(65536)):
        body += chunk
    return headers, body


def _send(connection: socket.socket, status: str, body: bytes, content_type: str, more: str = "") -> None:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{more}Connection: close"
    )
    connection.sendall(head.encode("latin-1") + b"\r\n\r\n" + body)
    connection.shutdown(socket.SHUT_WR)
    _swallow(connection)  # else unread bytes of a request body would reset the connection


def _swallow(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@contextmanager
def _serving(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(_IDLE_SECONDS)
            with contextlib.suppress(OSError):  # the other side may hang up whenever it likes
                behave(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()
