"""Tiny targets that no one can judge: silent, closing, or answering everything alike. Each is a context manager."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_TARGET = """\
[apidaze]
base_url = "http://127.0.0.1:{port}/communication/apidaze/cpaas"
token_url = "http://127.0.0.1:{port}/oauth/client_credential/accesstoken"
client_id = "somebody"
client_secret = "canary-7f3a"
limited_client_id = "somebody-else"
limited_client_secret = "canary-91bd"
capabilities = ["sip", "callbacks", "quota"]

[apidaze.sip]
address = "127.0.0.1:{port}"

[timing]
connect = 1.0
answer = 1.0
callback = 1.0
quiet = 0.2
"""


def write_target(path: Path, port: int) -> Path:
    path.write_text(_TARGET.format(port=port), encoding="utf-8")
    return path


@contextmanager
def dead_port() -> Iterator[int]:
    """A port that refuses connections: bound, so that nobody else takes it, but not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@contextmanager
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


def silent() -> contextlib.AbstractContextManager[int]:
    """Takes connections and what is sent, and says nothing."""
    return _serving(_swallow)


def closing() -> contextlib.AbstractContextManager[int]:
    """Closes each connection at once."""
    return _serving(lambda connection: None)


def answering(status: str, body: bytes = b"") -> contextlib.AbstractContextManager[int]:
    """Gives the same answer to every request."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    def answer(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received and (chunk := connection.recv(65536)):
            received += chunk
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        _swallow(connection)  # else unread bytes of a request body would reset the connection

    return _serving(answer)


def _swallow(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@contextmanager
def _serving(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(30.0)
            with contextlib.suppress(OSError):  # the other side may hang up whenever it likes
                behave(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()
