"""Key presses of one IVR session: the buffer that is reported, and the collections that commands ask for.

Used by the IVR session. It waits on nothing; time is the session's business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIRST_SECONDS = 10.0
BETWEEN_SECONDS = 3.0
_MAX_BUFFER = 1000


@dataclass(frozen=True)
class Collection:
    """What a command's dtmf asks for; seconds. `first` None: no limit of its own."""

    max_digits: int
    keys: str
    first: float | None
    between: float


@dataclass(frozen=True)
class Match:
    """How a collection ended: the digits, why, and by which key."""

    digits: str
    reason: str
    key: str = ""


def collection_of(dtmf: object, limited_otherwise: bool) -> Collection | None:
    """The collection in a command's dtmf object; None when it asks for none. `limited_otherwise`: something else ends it."""
    if not isinstance(dtmf, dict) or not set(dtmf) & {"maxDigits", "terminationKey", "firstTimeout", "betweenTimeout"}:
        return None
    keys = dtmf.get("terminationKey")
    first = seconds(dtmf.get("firstTimeout"))
    if first is None and not limited_otherwise:
        first = FIRST_SECONDS
    between = seconds(dtmf.get("betweenTimeout"))
    return Collection(
        int(seconds(dtmf.get("maxDigits")) or 0),
        keys if isinstance(keys, str) else "",
        first,
        BETWEEN_SECONDS if between is None else between,
    )


def seconds(value: object) -> float | None:
    """A number of JSON, at most an hour; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    return min(float(value), 3600.0)


class Digits:
    """What the caller pressed. A collection starts behind the digits that an earlier one has taken."""

    def __init__(self) -> None:
        self.buffer = ""
        self._taken = 0
        self._told = 0

    def add(self, digit: str) -> None:
        """One key press."""
        if len(self.buffer) < _MAX_BUFFER:
            self.buffer += digit

    def tell(self) -> str:
        """The buffer, to be told to the application."""
        self._told = len(self.buffer)
        return self.buffer

    def flush(self) -> None:
        """Empty the buffer of what was told; what was pressed while the command was on its way is for that command."""
        self.buffer, self._taken, self._told = self.buffer[self._told :], 0, 0

    @property
    def pending(self) -> str:
        """What no collection has taken yet."""
        return self.buffer[self._taken :]

    def match(self, wanted: Collection) -> Match | None:
        """Take a match out of what is pending; None while it is not complete."""
        for count, digit in enumerate(self.pending, 1):
            before = self.pending[: count - 1]
            if digit in wanted.keys:
                return self._take(count, Match(before, "terminationKey", digit))
            if wanted.max_digits and count >= wanted.max_digits:
                return self._take(count, Match(before + digit, "maxDigits"))
        return None

    def time_out(self) -> Match:
        """Take what is pending because time is up."""
        digits = self.pending
        return self._take(len(digits), Match(digits, "betweenTimeout" if digits else "firstTimeout"))

    def _take(self, count: int, match: Match) -> Match:
        self._taken += count
        return match


def report(buffer: str, match: Match | None, encryption: object) -> dict[str, Any]:
    """dtmfBuffer and dtmfParams of the next getIvrCommand; digits are hashed where the last command asked for that."""
    members: dict[str, Any] = {}
    if buffer:
        members["dtmfBuffer"] = encrypted(buffer, encryption)
    if match is not None:
        params: dict[str, Any] = {"dtmfMatch": encrypted(match.digits, encryption), "reason": match.reason}
        if match.key:
            params["matchedTerminationKey"] = match.key
        if _is_md5(encryption):
            params["encryption"] = encryption
        members["dtmfParams"] = params
    return members


def encrypted(digits: str, encryption: object) -> str:
    """The digits, or the MD5 of salt and digits, in hexadecimal, where the type md5 is asked for."""
    if not _is_md5(encryption) or not isinstance(encryption, Mapping):
        return digits
    return hashlib.md5(f"{encryption.get('salt', '')}{digits}".encode(), usedforsecurity=False).hexdigest()


def _is_md5(encryption: object) -> bool:
    return isinstance(encryption, Mapping) and encryption.get("type") == "md5"
