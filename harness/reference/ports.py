"""Ports for those who listen later: nobody else is to have got one meanwhile."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 50


def lasting_port(host: str) -> int:
    """A port of this host that is free for UDP and TCP, and that the system gives to nobody who asks for any.

    Where no such port is found, or the system does not tell which ports it gives away, one that is free right now.
    """
    with suppress(OSError, ValueError):
        first = int(_RANGE.read_text().split()[0])
        for _ in range(_TRIES if first > 2048 else 0):
            port = random.randrange(max(1024, first // 2), first)
            if _is_free(host, port):
                return port
    with socket.socket(_family(host), socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _is_free(host: str, port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(_family(host), kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
