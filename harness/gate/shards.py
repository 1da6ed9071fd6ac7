"""Splits the tests of a run into shards, the same way on every machine that is given the same tests.

Pure functions; the plugin calls them in every process that collects tests, and merging holds the shards to them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.gate import GateError

MOST = 1000


class ShardError(GateError):
    """A shard is written wrongly."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The part `index` (from 1) of `of` parts."""

    index: int
    of: int

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`2/5`.

        Raises:
            ShardError: anything else, or a number outside of its parts.
        """
        found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text.strip())
        made = cls(int(found[1]), int(found[2])) if found else None
        if made is None or not 1 <= made.index <= made.of <= MOST:
            raise ShardError(f"--shard {text!r}: write which of how many, such as 2/5, counted from 1 (at most {MOST})")
        return made


@dataclass(frozen=True, slots=True)
class Unit:
    """A test as far as splitting goes. Those of one `group` stay together."""

    test: str
    group: str | None = None


def split(units: Sequence[Unit], of: int, seconds: Mapping[str, float]) -> list[frozenset[str]]:
    """The tests of each shard: the longest first, each to the shard that has least to do so far.

    `seconds`: how long tests took before; one that is not there counts as the median of those that are, or as 1.
    """
    known = sorted(seconds[unit.test] for unit in units if unit.test in seconds)
    usual = known[len(known) // 2] if known else 1.0
    groups: dict[str, list[str]] = {}
    for unit in sorted(units, key=lambda unit: unit.test):
        groups.setdefault(f"group {unit.group}" if unit.group else f"test {unit.test}", []).append(unit.test)
    weights = {name: sum(seconds.get(test, usual) for test in tests) for name, tests in groups.items()}
    loads = [0.0] * of
    shards: list[set[str]] = [set() for _ in range(of)]
    for name in sorted(groups, key=lambda name: (-weights[name], name)):
        lightest = loads.index(min(loads))
        loads[lightest] += weights[name]
        shards[lightest].update(groups[name])
    return [frozenset(shard) for shard in shards]


def digest(shards: Sequence[frozenset[str]]) -> str:
    """Names a split: two machines that split the same tests in the same way have the same one."""
    text = "\n\n".join("\n".join(sorted(shard)) for shard in shards)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
