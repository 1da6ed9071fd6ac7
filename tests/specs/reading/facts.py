"""What the readers of the documents hand to the tests: samples, and facts that need a clause.

A `Place` is an operation or callback as a document writes it; `tests.specs.reading.lookup` finds it in a spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Path = tuple[str, ...]


class Part(StrEnum):
    """Which message of an exchange: ours, theirs."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True)
class Place:
    """`method` and `path` as the document has them, or a webhook's `name`, or an operationId where it has neither."""

    method: str = ""
    path: str = ""
    webhook: str = ""
    operation: str = ""

    def __str__(self) -> str:
        return self.webhook or self.operation or f"{self.method} {self.path}"


@dataclass(frozen=True)
class Sample:
    """An example body. `elided`: the document left something out, so that it shows names and no whole message."""

    document: str
    line: int
    place: Place
    part: Part
    value: Any
    media_type: str = "application/json"
    elided: bool = False

    def __str__(self) -> str:
        return f"{self.document}:{self.line} {self.place} {self.part}"


@dataclass(frozen=True)
class Fact:
    """Something that a document says and that a clause has to say too.

    `kind` is one of those that `test_facts` judges. `path` is that of a member, through objects and arrays; `value` an enum
    value, status, header, type, or words; `clauses` are those that a reader of the document expects behind the words.
    """

    document: str
    line: int
    kind: str
    place: Place | None = None
    part: Part = Part.RESPONSE
    path: Path = ()
    value: str = ""
    clauses: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        where = f"{self.place} {self.part} " if self.place else ""
        return f"{self.document}:{self.line} {self.kind}: {where}{'.'.join(self.path)} {self.value}".rstrip()


def named(document: str, table: Mapping[str, tuple[str, ...]], line: int, text: str) -> Iterator[Fact]:
    """A fact for each pattern of `table` (words -> clauses) that a line of a document shows."""
    for words, clauses in table.items():
        if found := re.search(words, text, re.IGNORECASE):
            yield Fact(document, line, "named", value=found.group(0), clauses=clauses)


def members_of(sample: Sample) -> Iterator[Fact]:
    """A fact for each member that a sample shows, at any depth."""
    for path in dict.fromkeys(_paths(sample.value, ())):
        yield Fact(sample.document, sample.line, "member", sample.place, sample.part, path)


def _paths(value: Any, above: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*above, name)
            yield from _paths(item, (*above, name))
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, above)
