"""What a fault is, and the helpers with which the catalogue's files declare and apply them.

Used by the catalogue's files only. It patches whatever part it is given and knows no system.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One broken promise. `apply` patches a system that is made but not started."""

    id: str
    system: str
    clause: str
    words: str
    apply: Callable[[Any], None]


class Collector:
    """Gathers the faults of one system: `@collect(id, clause, words)` above the function that applies one."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.faults: list[Fault] = []

    def __call__(self, name: str, clause: str, words: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
        def declare(apply: Callable[[Any], None]) -> Callable[[Any], None]:
            self.add(name, clause, words, apply)
            return apply

        return declare

    def add(self, name: str, clause: str, words: str, apply: Callable[[Any], None]) -> None:
        self.faults.append(Fault(f"{self.system}-{name}", self.system, clause, words, apply))


def put(part: object, name: str, value: object) -> None:
    """Replace one method or attribute of a part; a name that is not there is a mistake in the catalogue."""
    getattr(part, name)
    setattr(part, name, value)


def wrap(part: object, name: str, around: Callable[..., Any]) -> None:
    """Replace the part's method by `around`, which is given the original method and then the call's arguments."""
    original = getattr(part, name)

    def replacement(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(part, name, replacement)
