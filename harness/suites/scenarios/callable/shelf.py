"""Lets scenarios use again what earlier ones have set up: nothing here can be deleted, so as little as possible is made.

Used by the world of a scenario. A place on the shelf belongs to one scenario at a time, and remembers the id of the thing
that was made for it; what the thing is, and whether it is still fit for use, is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.suites.scenarios.telephony import Lease

PLACES = 50


@dataclass(frozen=True)
class Place:
    """`number` from 0, the same for everything that ever stands here."""

    number: int
    file: Path

    @property
    def id(self) -> str | None:
        """The thing that stands here; None where there is none yet."""
        return self.file.read_text(encoding="utf-8") if self.file.exists() else None

    def keep(self, item_id: str) -> None:
        self.file.write_text(item_id, encoding="utf-8")


class Shelf:
    """The shelf of a run, as one scenario sees it; `release` gives its places back."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / "leases"
        self.lease = Lease(self._folder)

    def place(self, kind: str, *, empty: bool = False) -> Place | None:
        """A place for a thing of this kind that nobody else uses, if need be an `empty` one; None when there is none."""
        while (number := self.lease.take_free(f"callable-{kind}", PLACES)) is not None:
            place = Place(number, self._folder / f"callable-{kind}-{number}.id")
            if not (empty and place.id):
                return place
        return None

    def release(self) -> None:
        self.lease.release()
