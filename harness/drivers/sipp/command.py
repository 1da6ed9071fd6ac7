"""Commands to a SIPp script while it runs: requests of no SIP method, which only the harness sends, to the agent's port.

SIPp gives a request to the call of its Call-ID whatever its method is, so that `<recv request="HANGUP" optional="true"
next="hangup"/>` makes a script hang up when it is told to. A command has the headers of the request that opened the call:
a script that answers that request afterwards finds in `[last_Via:]` and its like what it would have found before. Nothing
answers a command, and none is part of what an agent has seen.
"""

from __future__ import annotations

import re
import socket

from harness.drivers.sipp import process

COMMANDS = ("RING", "ANSWER", "REFUSE", "GIVEUP", "HANGUP")
"""What the scripts under `features/sipp/` can be told; which of them a script takes, and when, stands in it."""

_COMMAND = re.compile(rf"(?:{'|'.join(COMMANDS)}) sip:ringtrue SIP/2\.0\r?\n")
_BODY = re.compile(r"(?i)content-|[lce]\s*:")


def is_command(text: str) -> bool:
    """Whether a message that an agent received is a command of ours."""
    return _COMMAND.match(text) is not None


def command(name: str, opening: str) -> bytes:
    """The message that tells a script to do something in the call that the request `opening` opened."""
    if name not in COMMANDS:
        raise process.SippError(f"unknown command {name!r}: the scripts know {', '.join(COMMANDS)}")
    head = re.split(r"\r?\n\r?\n", opening, maxsplit=1)[0]
    lines, skipped = [f"{name} sip:ringtrue SIP/2.0"], False
    for line in re.split(r"\r?\n", head)[1:]:
        skipped = _BODY.match(line) is not None or (skipped and line[:1] in (" ", "\t"))
        if not skipped:
            lines.append(line)
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()


def send(address: str, transport: str, message: bytes) -> None:
    """Bring a command to an agent; raises SippError where that cannot be done."""
    host, port = process.split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as sock:
            sock.settimeout(1.0)
            sock.connect((host, port))
            sock.sendall(message)
    except OSError as error:
        raise process.SippError(f"the SIPp agent at {address} takes no command: {error}") from error
