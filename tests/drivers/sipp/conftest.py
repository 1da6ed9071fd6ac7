"""A runner with its timeline, and small SIP peers that answer as told."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.drivers.sipp import SippRunner
from harness.redact import Redactor
from harness.timeline import Timeline

# A reply to one datagram: the datagrams to send back.
Peer = Callable[[str], list[bytes]]

USER, PASSWORD, REALM, NONCE = "alice", "correct-horse", "ringtrue.test", "6e6f6e6365"


@pytest.fixture
def timeline(tmp_path: Path) -> Iterator[Timeline]:
    with Timeline("scenario", path=tmp_path / "timeline.jsonl", redactor=Redactor()) as record:
        yield record


@pytest.fixture
def runner(tmp_path: Path, timeline: Timeline) -> SippRunner:
    if shutil.which("sipp") is None:
        pytest.skip("SIPp is not installed")
    return SippRunner(tmp_path / "sipp", timeline)


@contextmanager
def serve(peer: Peer) -> Iterator[str]:
    """A UDP peer on loopback; gives its `host:port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        over = threading.Event()

        def loop() -> None:
            while not over.is_set():
                try:
                    data, sender = sock.recvfrom(65535)
                except TimeoutError:
                    continue
                for answer in peer(data.decode("utf-8", "replace")):
                    sock.sendto(answer, sender)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{sock.getsockname()[1]}"
        finally:
            over.set()
            thread.join(2)


def header(message: str, name: str) -> str:
    found = re.search(rf"(?im)^{name}:[ \t]*(.*?)\r?$", message)
    return found[1] if found else ""


def reply(request: str, status: str, *extra: str) -> list[bytes]:
    """A response to a request; none to an ACK."""
    if request.startswith("ACK "):
        return []
    names = ("Via", "From", "Call-ID", "CSeq")
    lines = [f"SIP/2.0 {status}", *(f"{name}: {header(request, name)}" for name in names)]
    lines += [f"To: {header(request, 'To')};tag=peer", *extra, "Content-Length: 0", "", ""]
    return ["\r\n".join(lines).encode()]


def registrar(challenge: str = "401 Unauthorized") -> Peer:
    """Challenges, then checks the digest (RFC 2617 without qop) as a registrar does, its URI included."""
    name = "WWW-Authenticate" if challenge.startswith("401") else "Proxy-Authenticate"
    answer_name = "Authorization" if challenge.startswith("401") else "Proxy-Authorization"

    def peer(request: str) -> list[bytes]:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', header(request, answer_name)))
        if not given:
            return reply(request, challenge, f'{name}: Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5')
        method, uri, _ = request.split(" ", 2)
        ha1 = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
        ha2 = hashlib.md5(f"{method}:{uri}".encode()).hexdigest()
        right = hashlib.md5(f"{ha1}:{NONCE}:{ha2}".encode()).hexdigest()
        fine = given.get("response") == right and given.get("uri") == uri and given.get("username") == USER
        return reply(request, "200 OK" if fine else "403 Forbidden")

    return peer
