"""The embedded reference platform: a voice platform that keeps what the documents promise.

Ringtrue starts it as a separate process when no target is given; application developers start it as a mock; the fault
catalogue starts it with one promise broken. It is reached only through its addresses, never imports the rest of the harness,
and keeps everything in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the platform until it is told to stop; gives the exit code (0 stopped, 2 wrong usage or port taken)."""
    from harness.reference.cli import run

    return run(argv)
