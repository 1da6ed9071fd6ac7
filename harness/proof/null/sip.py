"""Null telephony: makes the reference platform of this process one whose API works and whose SIP does not.

Called in a platform's process before it starts. What the platform sends by SIP goes nowhere; what comes in is answered by
nobody, or 200 by something that looks at nothing.
"""

from __future__ import annotations

from typing import Any

from harness.reference.sip.transport import Address, Transport

SILENT, ANSWERS = "sip-silent", "sip-200"
SIP_KINDS = (SILENT, ANSWERS)
_COPIED = ("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq")


def install(kind: str) -> None:
    """Do so for the SIP kinds; nothing for any other name."""
    if kind not in SIP_KINDS:
        return
    original, send = Transport.__init__, Transport.send

    def made(self: Transport, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)

        def deliver(data: bytes, source: Address) -> None:
            answer = answer_200(data) if kind == ANSWERS else None
            if answer is not None:
                send(self, answer, source)

        self.deliver = deliver

    setattr(Transport, "__init__", made)  # noqa: B010  a method may not be assigned to, says the type checker
    setattr(Transport, "send", lambda self, data, address: None)  # noqa: B010


def answer_200(data: bytes) -> bytes | None:
    """200 to any request but ACK, made of the request's own lines; None for anything else."""
    lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    if lines[0].startswith(("SIP/2.0", "ACK ")) or not lines[0].endswith("SIP/2.0"):
        return None
    kept = [line for line in lines[1:] if line.partition(":")[0].strip().lower() in _COPIED]
    tagged = [
        f"{line};tag=null" if line.lower().startswith(("to:", "t:")) and ";tag=" not in line else line for line in kept
    ]
    return "\r\n".join(["SIP/2.0 200 OK", *tagged, "Content-Length: 0", "", ""]).encode("latin-1")
