"""SIPp's message trace (`-trace_msg`), read as it is written: bytes in, records out.

Used by the agent's reader thread, and by whoever has a trace file. It knows the trace's frame and nothing of SIP
beyond the topmost Via that says where a request came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_FRAME = re.compile(
    rb"-{20,} ?(?:(\d{4}-\d\d-\d\d)[ \tT](\d\d:\d\d:\d\d\.\d{1,6})[^\n]*)?\n"
    rb"(?:(\w+) message (sent|received) [(\[](\d+)[)\]]? bytes\)? ?:|Unexpected \w+ message received:)\n\n"
)
_RULE = b"-" * 47
_VIA = re.compile(r"^(?:Via|v)[ \t]*:[ \t]*SIP/2\.0/\w+[ \t]+([^;,\s]+)([^\r\n,]*)", re.IGNORECASE | re.MULTILINE)
_CALL_ID = re.compile(r"^(?:Call-ID|i)[ \t]*:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r";[ \t]*(received|rport)=([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a trace. `wall`: seconds since the epoch by the system's clock; `direction`: `in` or `out`."""

    wall: float
    direction: str
    transport: str
    text: str


class TraceParser:
    """Feed it what SIPp writes; it gives each message once, when the message is complete.

    SIPp must run with `TZ=UTC`: its stamps have no zone. SIPp writes an unexpected message a second time without a
    stamp, which is left out.
    """

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Record]:
        self._buffer += data
        yield from self._records(at_end=False)

    def close(self) -> Iterator[Record]:
        """What is left when the trace has ended, a last message cut short included."""
        yield from self._records(at_end=True)
        self._buffer = b""

    def _records(self, *, at_end: bool) -> Iterator[Record]:
        while frame := _FRAME.search(self._buffer):
            end = self._end(frame, at_end=at_end)
            if end is None:
                return
            body = self._buffer[frame.end() : end]
            self._buffer = self._buffer[end:]
            if frame[1] is not None and frame[3] is not None:
                yield _record(frame, body)

    def _end(self, frame: re.Match[bytes], *, at_end: bool) -> int | None:
        """Where this message ends; None when more must be read to tell.

        The byte count in the frame says so, unless a NUL in the message made SIPp cut its text short: then the next
        frame comes sooner.
        """
        start = frame.end()
        if frame[5] is not None:
            end = start + int(frame[5])
            rest = self._buffer[end : end + 1 + len(_RULE)]
            if not rest and not at_end:
                return None
            if rest and (b"\n" + _RULE).startswith(rest):
                return end
        after = _FRAME.search(self._buffer, start)
        if after is not None:
            return max(start, after.start() - 1)
        return len(self._buffer) if at_end else None


def _record(frame: re.Match[bytes], body: bytes) -> Record:
    stamp = datetime.strptime(f"{frame[1].decode()} {frame[2].decode()}", "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return Record(
        stamp.timestamp(),
        "out" if frame[4] == b"sent" else "in",
        frame[3].decode().lower(),
        body.decode("utf-8", "backslashreplace"),
    )


def is_request(text: str) -> bool:
    return not text.startswith("SIP/2.0 ")


def call_id(text: str) -> str:
    """The value of Call-ID, in its long or compact form; '' where there is none."""
    found = _CALL_ID.search(text)
    return found[1].strip() if found else ""


def via_address(text: str) -> str | None:
    """`host:port` of the topmost Via, `received` and `rport` considered (RFC 3261 18.2.1, RFC 3581); None without."""
    found = _VIA.search(text)
    if found is None:
        return None
    host, port = found[1], "5060"
    if not host.endswith("]") and ":" in host:
        host, _, port = host.rpartition(":")
    for name, value in _PARAMETER.findall(found[2]):
        if name.lower() == "received":
            host = value
        else:
            port = value
    return f"{host}:{port}"
