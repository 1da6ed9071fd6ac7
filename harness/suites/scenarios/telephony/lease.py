"""Lets scenarios that run side by side share the few SIP users of a target: each takes some for itself, others wait.

Used by the steps that need telephones. A lease is a lock on a file of the run's folder, so it ends with its process at
the latest. Nobody who waits holds what another waits for: users are taken in one go, the outside line after them.
"""

from __future__ import annotations

import fcntl
from contextlib import ExitStack
from pathlib import Path
from typing import IO


class Lease:
    """What one scenario has taken; `release` gives all of it back."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._held = ExitStack()

    def take_some(self, kind: str, count: int, of: int) -> list[int]:
        """Wait until `count` of the `of` things of a kind are free and take them: their places, from 0.

        Raises:
            ValueError: there are not so many.
        """
        if count > of:
            raise ValueError(f"{count} of {of} cannot be taken")
        with self._open(f"{kind}-turn") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)  # one takes at a time; giving back needs no turn
            return sorted(self._take(kind, count, of))

    def take(self, name: str) -> None:
        """Wait until the only thing of that name is free, and take it."""
        self._lock(name, wait=True)

    def take_free(self, kind: str, of: int) -> int | None:
        """Take the first of the `of` things of a kind that nobody has: its place, from 0; None when all are taken."""
        return next((place for place in range(of) if self._lock(f"{kind}-{place}", wait=False)), None)

    def release(self) -> None:
        self._held.close()

    def _take(self, kind: str, count: int, of: int) -> list[int]:
        """What is free first, then whatever comes free, in order."""
        taken: list[int] = []
        for wait in (False, True):
            for place in range(of):
                if len(taken) < count and place not in taken and self._lock(f"{kind}-{place}", wait=wait):
                    taken.append(place)
        return taken

    def _lock(self, name: str, *, wait: bool) -> bool:
        file = self._open(name)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            return False
        self._held.callback(file.close)
        return True

    def _open(self, name: str) -> IO[str]:
        return (self._folder / name).open("w")
