"""Where calls to outside numbers come out, and where calls from outside come in: one SIP address.

Made by the system, changed by whoever runs the platform, read by the SIP side.
"""

from __future__ import annotations

import socket

from harness.reference.settings import Address, parse_address
from harness.reference.sip import Address as Peer

_TRIES = 20


class Carrier:
    """The outside world. Without an address a port is chosen that was free, for somebody to listen at."""

    def __init__(self, address: Address | None) -> None:
        self.address = address or free_address()

    def move(self, text: str) -> None:
        """Use another address from the next call on. Raises ValueError unless it is HOST:PORT."""
        address = parse_address(text)
        if not address.port:
            raise ValueError(f"'{text}' names no port")
        self.address = address

    def uri(self, number: str) -> str:
        """The request-URI of a call to that number."""
        return f"sip:{number}@{self.address}"

    def is_source(self, peer: Peer) -> bool:
        """Whether a request from there comes from the carrier, which needs no password."""
        return (peer.host, peer.port) == (self.address.host, self.address.port)


def free_address() -> Address:
    """A port of loopback on which nobody listened a moment ago, neither on UDP nor on TCP. Raises OSError."""
    for _ in range(_TRIES):
        with (
            socket.socket(type=socket.SOCK_DGRAM) as datagrams,
            socket.socket(type=socket.SOCK_STREAM) as streams,
        ):
            datagrams.bind(("127.0.0.1", 0))
            try:
                streams.bind(datagrams.getsockname())
            except OSError:
                continue
            return Address(*datagrams.getsockname())
    raise OSError("no port of loopback is free on UDP and TCP alike")
