"""One SIPp process from its start to its end, with its trace read through a pipe.

The trace goes through a FIFO and never onto the disk, since it holds digests. Used by the agent's thread; `kill` may
be called from any thread.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Sequence
from pathlib import Path

from harness.drivers.sipp import process
from harness.drivers.sipp.trace import Record, TraceParser

# How long a killed process may take to be gone; seconds.
GONE = 2.0


class Life:
    """Starts SIPp at once. `poll` until it says that it is over, then `close`."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        fifo = folder / "trace"
        fifo.unlink(missing_ok=True)
        os.mkfifo(fifo, 0o600)
        # Opened for reading before SIPp opens it for writing, so that neither waits for the other.
        self._trace = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        traced = ("-trace_msg", "-message_file", str(fifo), "-trace_err", "-error_file", str(folder / "errors"))
        (folder / "errors").unlink(missing_ok=True)
        self._process = process.spawn([*arguments, *traced], folder)
        assert self._process.stdout is not None
        self._over = self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._trace, select.POLLIN)
        self._poll.register(self._over, select.POLLIN)
        self._parser = TraceParser()

    def kill(self) -> None:
        process.kill(self._process)

    def has_port(self, port: int) -> bool | None:
        """Whether SIPp has a local port by now; None where the system does not tell."""
        return process.has_port(self._process, port)

    def poll(self, seconds: float) -> tuple[list[Record], bool]:
        """Wait for the trace or the end, at most so long; the messages that came, and whether SIPp still runs."""
        ready = dict(self._poll.poll(seconds * 1000))
        records: list[Record] = []
        if self._trace in ready:
            data = os.read(self._trace, 65536)
            records.extend(self._parser.feed(data))
            if not data:  # SIPp has closed its end, or has none yet: polling would spin
                self._poll.unregister(self._trace)
        return records, self._over not in ready

    def close(self) -> tuple[list[Record], int]:
        """Make sure that it has ended; the rest of the trace, and the exit code (negative: killed by a signal)."""
        try:
            self.kill()
            code = self._process.wait(GONE)
            records: list[Record] = []
            while data := self._rest():
                records.extend(self._parser.feed(data))
            records.extend(self._parser.close())
            return records, code
        finally:
            os.close(self._trace)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()

    def _rest(self) -> bytes:
        """What the pipe still has; empty when SIPp's end is closed, which may be after its guard has ended."""
        poll = select.poll()
        poll.register(self._trace, select.POLLIN)
        deadline = time.monotonic() + GONE
        while True:
            try:
                return os.read(self._trace, 65536)
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise process.SippError(f"SIPp is still there {GONE:g} s after it was killed") from None
                poll.poll(left * 1000)
