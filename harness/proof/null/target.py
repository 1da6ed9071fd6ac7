"""What a trial against a null target is pointed at: the tables of a working platform, with null addresses in place of its.

Called in a trial's process, which it has for itself. Deadlines are short, since nothing will come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.proof.null.http import HTTP_KINDS
from harness.proof.null.sip import SIP_KINDS
from harness.suites import embedded

_TIMING = {"connect": 1.0, "answer": 1.0, "callback": 1.0, "quiet": 0.2}
_LOOPBACK_URL = re.compile(r"^(https?://)127\.0\.0\.1:\d+")


@contextmanager
def null_target(kind: str, system: str, folder: Path) -> Iterator[Path | None]:
    """The target file of a null target, while it stands; None where the run is to start its own platform."""
    if kind in SIP_KINDS:
        embedded.shared = {"timing": _TIMING}
    if kind not in HTTP_KINDS:
        yield None
        return
    from harness.reference.targetfile import dump_toml

    with embedded.EmbeddedPlatform([system], folder / "platform.log", "http://127.0.0.1:9") as platform:
        tables = platform.tables
    with HTTP_KINDS[kind]() as port:
        path = folder / "target.toml"
        path.write_text(dump_toml({system: _led_to(port, tables[system]), "timing": _TIMING}), encoding="utf-8")
        yield path


def _led_to(port: int, value: Any) -> Any:
    """The same table with every URL of the platform leading to the port."""
    match value:
        case dict():
            return {name: _led_to(port, item) for name, item in value.items()}
        case list():
            return [_led_to(port, item) for item in value]
        case str():
            return _LOOPBACK_URL.sub(rf"\g<1>127.0.0.1:{port}", value)
        case _:
            return value
