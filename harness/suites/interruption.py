"""An interruption counts from the moment at which it is told, whoever catches the KeyboardInterrupt that it raises.

It may come between any two instructions, so also where a library below a test takes it for a failure of its own, and where
Python 3.11 knows no line: pytest, which shows the place, breaks there with a TypeError, and hypothesis may.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.suites import current

if TYPE_CHECKING:
    import pytest

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def noted() -> Iterator[None]:
    """SIGINT (unless it is ignored, as in the background of a script) and SIGTERM interrupt, and `current.end` knows."""

    def interrupt(number: int, frame: object) -> None:
        del number, frame
        current.end.interrupted = True
        raise KeyboardInterrupt

    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def insist() -> None:
    """Raise KeyboardInterrupt where an interruption was told and swallowed."""
    if current.end.interrupted:
        raise KeyboardInterrupt


def make_showable(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave out the places of which Python does not know the line, as pytest cannot show them."""
    kept = [entry for entry in excinfo.traceback if entry._rawentry.tb_lineno is not None]
    if len(kept) < len(excinfo.traceback):
        excinfo.traceback = type(excinfo.traceback)(kept)
