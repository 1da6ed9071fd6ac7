"""A platform that lets itself be known, and then does to its caller what a test wants: in HTTP, in SIP, by going away."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.drivers.hostile import Behaviour, answer, read_request, serving

Deed = Callable[[socket.socket, threading.Event], None]
_TOKEN = {
    "access_token": "canary-token-5d1e",
    "token_type": "Bearer",
    "expires_in": "3599",
    "issued_at": "1764115200000",
}
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_WORDS = "$(touch pwned)\x1b[2J\u202e\ud800</script><script>alert(1)</script>\r\nX: y"
_CHUNK = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"
# What the probe of a run asks before any test, and the only requests that are answered well.
_PROBES = 4


def _huge(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(_HEAD + b"Content-Length: 8000000000\r\n\r\n")
    _endlessly(connection, over, b"x" * 0x10000)


def _endless(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    _endlessly(connection, over, _CHUNK)


def _endlessly(connection: socket.socket, over: threading.Event, data: bytes) -> None:
    while not over.is_set():
        connection.sendall(data)


def _slow(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(_HEAD + b"Content-Length: 100000\r\n\r\n")
    while not over.wait(0.2):
        connection.sendall(b"[")


def _slow_head(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(0.2):
        connection.sendall(b"X-Y: z\r\n")


_BOMB = gzip.compress(bytes(50_000_000), 9)


def _bomb(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(_HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(40):  # two gigabytes, once unpacked
        if not over.is_set():
            connection.sendall(f"{len(_BOMB):x}\r\n".encode() + _BOMB + b"\r\n")
    connection.sendall(b"0\r\n\r\n")


def _plain(data: bytes) -> Deed:
    return lambda connection, over: connection.sendall(data)


def _reset(connection: socket.socket, over: threading.Event) -> None:
    del over
    connection.sendall(_HEAD + b"Content-Length: 1000\r\n\r\n[{")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


DEEDS: dict[str, Deed] = {
    "huge": _huge,
    "endless": _endless,
    "slow": _slow,
    "slow head": _slow_head,
    "gzip bomb": _bomb,
    "redirect loop": _plain(answer("302 Found", b"", "Location: /communication/apidaze/cpaas/sipaccounts\r\n")),
    "invalid UTF-8": _plain(answer(body=b'[{"id": "\xff\xfe\xed\xa0\x80\x00"}]')),
    "deep JSON": _plain(answer(body=b'[{"a":' * 100_000)),
    "closed deep JSON": _plain(answer(body=b"[" * 50_000 + b"]" * 50_000)),
    "wide JSON": _plain(answer(body=b"[" + b"0," * 400_000 + b"1e999999999, " + b"9" * 10_000 + b"]")),
    "reset mid-body": _reset,
    "too short": _plain(_HEAD + b"Content-Length: 1000\r\nConnection: close\r\n\r\n[]"),
    "too long": _plain(_HEAD + b"Content-Length: 1\r\n\r\n[]HTTP/1.1 200 OK\r\n\r\n"),
    "negative length": _plain(_HEAD + b"Content-Length: -1\r\n\r\n[]"),
    "two lengths": _plain(_HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]"),
    "no HTTP": _plain(b"SSH-2.0-OpenSSH_9.2\r\n" + b"\x00\xff" * 500),
    "huge header": _plain(b"HTTP/1.1 200 OK\r\nX-Y: " + b"y" * 2_000_000 + b"\r\n\r\n"),
    "hostile words": _plain(
        answer(
            body=json.dumps(
                [{"id": "$(touch pwned)\x1b[2J\u202e\ud800</script><script>alert(1)</script>\r\nX: y"}]
            ).encode(),
            headers="X-Evil: \x1b]0;pwned\x07\r\n",
        )
    ),
    "status 999": _plain(b"HTTP/1.1 999 \xff\xff\r\nContent-Length: 0\r\n\r\n"),
}


@contextmanager
def hostile_platform(deeds: Sequence[Deed]) -> Iterator[str]:
    """The address of an Apidaze platform that is there, checks its credentials, and then does these deeds in turn."""
    lock = threading.Lock()
    count = 0

    def behave(connection: socket.socket, over: threading.Event) -> None:
        nonlocal count
        while request := read_request(connection):
            if b"accesstoken" in request.split(b"\r\n", 1)[0]:
                connection.sendall(answer(body=json.dumps(_TOKEN).encode()))
                continue
            with lock:
                count += 1
                turn = count
            if turn > _PROBES:
                deeds[turn % len(deeds)](connection, over)
                return
            granted = b"canary-token-5d1e" in request
            connection.sendall(answer(body=b"[]") if granted else answer("401 Unauthorized", b'{"no": 1}'))

    behaviour: Behaviour = behave
    with serving(behaviour) as address:
        yield address


@contextmanager
def hostile_sip(kind: str) -> Iterator[str]:
    """The address of a SIP side that answers every packet with garbage, or with a flood of it."""
    over = threading.Event()
    noise = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.settimeout(0.1)

        def replies(request: bytes) -> Iterator[bytes]:
            if kind == "garbage":
                yield noise.randbytes(700)
                yield b"SIP/2.0 200 OK\r\n\r\n"
                yield b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest \xff\r\n" + b"Via: x\r\n" * 100 + b"\r\n"
                yield request[: len(request) // 2]
                yield b"INVITE sip:x SIP/2.0\r\nContent-Length: 99999\r\n\r\n"
            else:
                ringing = request.partition(b"\r\n")[2].partition(b"Content-Length")[0]
                for number in range(20_000):
                    yield b"SIP/2.0 1%02d Ringing\r\n" % (number % 80) + ringing + b"Content-Length: 0\r\n\r\n"

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):  # nothing has come, or the other side has gone
                    request, caller = own.recvfrom(65536)
                    for reply in replies(request):
                        own.sendto(reply, caller)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{own.getsockname()[1]}"
        finally:
            over.set()
            thread.join(10)


class Gate:
    """A TCP forwarder in front of a platform that can be killed, and come back on the same port."""

    def __init__(self, upstream: str) -> None:
        place = urlsplit(upstream)
        self._upstream = (str(place.hostname), int(place.port or 80))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._accept(self._listener)

    def kill(self) -> None:
        """Close the port and reset every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):  # it has ended by itself
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def restart(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._accept(self._listener)

    def _accept(self, listener: socket.socket) -> None:
        def run() -> None:
            with contextlib.suppress(OSError):  # the gate has been killed
                while True:
                    caller, _ = listener.accept()
                    callee = socket.create_connection(self._upstream)
                    with self._lock:
                        self._open += [caller, callee]
                    for source, sink in ((caller, callee), (callee, caller)):
                        threading.Thread(target=_copy, args=(source, sink), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side may hang up at any time
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def moved(original: Path, file: Path, old: str, new: str) -> Path:
    """A target file that leads elsewhere."""
    text = original.read_text(encoding="utf-8")
    assert old in text, (old, text)
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file
