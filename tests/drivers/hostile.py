"""Small HTTP servers on loopback that do to a client whatever a test wants: a function gets the raw connection."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Behaviour = Callable[[socket.socket, threading.Event], None]


@contextmanager
def serving(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A base URL at which each connection is handed to `behaviour`, with an event that is set when the test is over."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        try:
            connection.settimeout(5)
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            behaviour(connection, over)
        except OSError:
            return  # the client has gone, which is often the point of the test
        finally:
            connection.close()

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=handle, args=(connection,))
            thread.start()
            threads.append(thread)

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        acceptor.join(5)
        for thread in threads:
            thread.join(10)
        listener.close()
        assert not any(thread.is_alive() for thread in threads)


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; empty when the client closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            return b""
        body += part
    return head + b"\r\n\r\n" + body


def answering(*answers: bytes, seen: list[bytes] | None = None, close: bool = False) -> Behaviour:
    """Reads a request and sends the next of the answers, over all connections; the last one again and again."""
    left = list(answers)
    lock = threading.Lock()

    def behave(connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            request = read_request(connection)
            if not request:
                return
            with lock:
                if seen is not None:
                    seen.append(request)
                answer = left.pop(0) if len(left) > 1 else left[0]
            connection.sendall(answer)
            if close:
                return

    return behave


def answer(
    status: str = "200 OK", body: bytes = b"{}", headers: str = "", content_type: str = "application/json"
) -> bytes:
    """A well-formed answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode("latin-1") + body


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody knows."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True, timeout=20)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
