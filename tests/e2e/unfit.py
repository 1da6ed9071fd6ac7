"""What end-to-end tests need beside the null targets of the harness: a target file, and a port that is taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator
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
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])
