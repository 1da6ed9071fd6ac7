"""What can go wrong with the recorder itself, as opposed to the implementation that calls it."""

from __future__ import annotations


class RecorderError(Exception):
    """The recorder cannot start, cannot stop, refused an instruction, or has gone away."""
