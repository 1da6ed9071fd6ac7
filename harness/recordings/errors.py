"""What can be wrong with a recording that somebody gives us."""

from __future__ import annotations


class RecordingError(Exception):
    """A file cannot be used as a recording. The message names the file, says what is wrong, and what to do."""
