"""Shows how far a run is: one line that rewrites itself on a terminal, a few plain lines anywhere else.

The session feeds it test by test; it writes to the stream it was given and to nothing else.
"""

from __future__ import annotations

import time
from typing import TextIO

_PLAIN_STEPS = 4
_MARKS = {"passed": "passed", "failed": "deviated", "skipped": "undecided", "error": "broke"}


class Progress:
    """A context manager; without a stream it is silent."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._live = stream is not None and stream.isatty()
        self._total = 0
        self._done = 0
        self._counts: dict[str, int] = {}
        self._started = time.monotonic()
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def expect(self, total: int) -> None:
        """How many tests there are; several workers say the same number."""
        if total and total != self._total:
            self._total = total
            self._show("starting")

    def finished(self, name: str, outcome: str) -> None:
        """A test ended."""
        self._done += 1
        self._counts[outcome] = self._counts.get(outcome, 0) + 1
        if self._stream is None:
            return
        short = name.rpartition("::")[2].partition("@")[0]
        if self._live:
            self._show(short)
        elif outcome == "failed":
            self._stream.write(f"deviated: {short}\n")
            self._stream.flush()
        elif self._total and self._done * _PLAIN_STEPS // self._total != (self._done - 1) * _PLAIN_STEPS // self._total:
            self._stream.write(self._line() + "\n")
            self._stream.flush()

    def _line(self) -> str:
        counts = ", ".join(f"{count} {_MARKS.get(outcome, outcome)}" for outcome, count in self._counts.items())
        seconds = time.monotonic() - self._started
        left = ""
        if 2 < self._done < self._total:
            left = f", about {seconds / self._done * (self._total - self._done):.0f} s left"
        return f"{self._done}/{self._total} tests, {seconds:.0f} s{left}{': ' + counts if counts else ''}"

    def _show(self, what: str) -> None:
        if self._stream is None or not self._live:
            return
        text = f"{self._line()}  {what}"[:118]
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)

    def _clear(self) -> None:
        if self._stream is not None and self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0
