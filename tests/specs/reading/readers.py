"""One table of the readers: which function reads the samples, and which the facts, of a document; and what they must find.

The documents do not change, so that a reader that finds less than before has lost something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.specs.reading import read_apidaze, read_callable, read_mediaservice, read_vtx
from tests.specs.reading.documents import DOCUMENTS, read_document
from tests.specs.reading.facts import Fact, Sample


@dataclass(frozen=True)
class Reader:
    """`sample_count` and `fact_count` are what its document holds."""

    document: str
    read_samples: Callable[[str], Iterator[Sample]]
    read_facts: Callable[[str], Iterator[Fact]]
    sample_count: int
    fact_count: int

    @property
    def system(self) -> str:
        return DOCUMENTS[self.document]

    def samples(self) -> list[Sample]:
        return list(self.read_samples(read_document(self.document)))

    def facts(self) -> list[Fact]:
        return list(self.read_facts(read_document(self.document)))


def _apidaze(name: str, sample_count: int, fact_count: int) -> Reader:
    samples, facts = partial(read_apidaze.samples, name), partial(read_apidaze.facts, name)
    return Reader(name, samples, facts, sample_count, fact_count)


READERS = (
    _apidaze(read_apidaze.API_STORE, 3, 148),
    _apidaze(read_apidaze.PORTAL, 2, 154),
    Reader(read_callable.NAME, read_callable.samples, read_callable.facts, 24, 275),
    Reader(read_vtx.NAME, read_vtx.samples, read_vtx.facts, 5, 92),
    Reader(read_mediaservice.NAME, read_mediaservice.samples, read_mediaservice.facts, 69, 1306),
)
