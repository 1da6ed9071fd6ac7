"""What a fault is, and the one helper that most of them need.

Used by the catalogue's files only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One broken promise. `apply` patches a made but not started system."""

    id: str
    system: str
    clause: str
    words: str
    apply: Callable[[Any], None]


def wrap(part: object, name: str, around: Callable[..., Any]) -> None:
    """Replace the part's method by `around`, which is given the original method and then the call's arguments."""
    original = getattr(part, name)

    def replacement(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(part, name, replacement)
