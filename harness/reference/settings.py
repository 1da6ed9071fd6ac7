"""What the command line decides about a platform, as frozen values.

Made by `cli`, read by the server and by each system. It opens nothing and knows no system by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class UsageError(Exception):
    """The command line asks for something that cannot be done; the text says what to do instead. Exit code 2."""


@dataclass(frozen=True)
class Address:
    """A host and a port; port 0 lets the operating system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def shifted(self, by: int) -> Address:
        """The address `by` ports further on; port 0 stays 0."""
        return Address(self.host, self.port + by if self.port else 0)

    def reachable(self) -> Address:
        """The address that a client on this machine uses: a wildcard becomes loopback."""
        return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)


def parse_address(text: str) -> Address:
    """`HOST:PORT`, `[V6]:PORT`, or `:PORT` (loopback). Raises ValueError with the expected form."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"'{text}' is not HOST:PORT with a port from 0 to 65535 (0: any free port)")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


@dataclass(frozen=True)
class Settings:
    """What was asked for. Life times are seconds; quotas are requests per interval."""

    systems: tuple[str, ...]
    http: Address
    sip: Address
    pstn: Address | None = None
    callback: str | None = None
    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    target_file: str | None = None
    quota: int = 100_000
    limited_quota: int = 5
    token_life: int = 3599
    exit_with_parent: bool = False
    mediaservice_auth: Literal["none", "basic", "bearer", "sigv4"] = "none"
    alarm_path: str = "alarm"
    callback_timeout: float = 4.0
    s3: str | None = None
