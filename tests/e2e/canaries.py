"""A TCP proxy in front of a platform that learns every secret which passes, so that a test can look for them on disk."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import socketserver
import threading
import tomllib
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from harness.target import SystemTarget

_MEMBER = re.compile(rb'"(access_token|refresh_token|password|client_secret)"\s*:\s*"([^"\\]+)"')


class Canaries:
    """A context manager. `target_file`: the target as seen through the proxy; `secrets`: kind and value of each learnt.

    The systems of the target file must be served at one address.
    """

    def __init__(self, original: Path, target_file: Path) -> None:
        text = original.read_text(encoding="utf-8")
        tables = [table for table in tomllib.loads(text).values() if "base_url" in table]
        place = urlsplit(tables[0]["base_url"])
        self._upstream = (str(place.hostname), int(place.port or 80))
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        own = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self.target_file = target_file
        target_file.write_text(text.replace(f"http://{place.netloc}/", own), encoding="utf-8")
        self.secrets: set[tuple[str, str]] = set()
        for table in tables:
            self._plant(table)

    def _plant(self, table: dict[str, Any]) -> None:
        """Every secret of a table, and how HTTP Basic writes it."""
        for name in SystemTarget.SECRETS:
            if secret := table.get(name):
                self.secrets.add(("client_secret" if name.endswith("client_secret") else name, secret))
        pairs = [
            ("client_id", "client_secret"),
            ("limited_client_id", "limited_client_secret"),
            ("username", "password"),
        ]
        for user, secret in pairs:
            if user in table and secret in table:
                self.secrets.add(("basic", base64.b64encode(f"{table[user]}:{table[secret]}".encode()).decode()))
        for user in table.get("users", ()):
            self.secrets.add(("sip password", user["password"]))

    def leaks(self, folder: Path) -> list[str]:
        """Where in a folder any of them stands, in a file or in its name."""
        return [
            f"{kind} in {path.relative_to(folder)}"
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
            for content in [path.read_bytes() + str(path).encode()]
            for kind, secret in self.secrets
            if secret.encode() in content or json.dumps(secret)[1:-1].encode() in content
        ]

    def told(self, *outputs: str) -> list[str]:
        """Kinds of those that a command printed."""
        return [kind for kind, secret in self.secrets if any(secret in output for output in outputs)]

    def __enter__(self) -> Canaries:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        canaries = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(canaries._upstream, timeout=10.0) as upstream:
                    threading.Thread(target=_copy, args=(self.request, upstream), daemon=True).start()
                    seen = _copy(upstream, self.request)
                for name, value in _MEMBER.findall(seen):
                    canaries.secrets.add((name.decode(), value.decode()))

        return Handler


def _copy(source: socket.socket, sink: socket.socket) -> bytes:
    """Pass on until the source ends, then end the sink too; what passed."""
    passed = bytearray()
    # Either side may hang up at any time; what had passed by then is all there is.
    with contextlib.suppress(OSError):
        source.settimeout(60.0)
        while chunk := source.recv(65536):
            passed += chunk
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
    return bytes(passed)
