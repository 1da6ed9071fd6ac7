"""Which route takes a callback: a table of routes and claims, without any I/O.

The recorder's server owns one table and asks it once per request. It decides by path first, then by the number of
conditions, then by who came first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from harness.drivers.recorder.answers import MISSING, Answer, Match, member, same
from harness.timeline import Headers, find_header

MAX_PAST = 10_000
"""Paths of scenarios that are over which a table remembers, the newest."""


@dataclass(frozen=True)
class Inquiry:
    """A request as routing sees it. `target` is the request target: path and query, still percent-encoded."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        return normal(self.target.partition("?")[0])

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True, max_num_fields=1000))

    @cached_property
    def json(self) -> Any:
        """The body as JSON, MISSING when it is none (or nested too deep to be read)."""
        if not self.body:
            return MISSING
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return MISSING


@dataclass
class RouteEntry:
    """A route in the table: which callbacks it takes, what it answers, and whose it is.

    `asks`: its owner makes each answer, from the request; `answers` are then what is sent when the owner does not.
    """

    id: str
    owner: int
    prefix: str
    answers: tuple[Answer, ...]
    method: str | None = None
    match: Match = field(default_factory=Match)
    learn: tuple[str, ...] = ()
    asks: bool = False
    answered: int = 0

    def next_answer(self) -> Answer:
        """The answer whose turn it is; the last one repeats."""
        answer = self.answers[min(self.answered, len(self.answers) - 1)]
        self.answered += 1
        return answer

    @property
    def name(self) -> str:
        """What its owner calls it."""
        return self.id.partition(":")[2]

    @property
    def weight(self) -> int:
        return self.match.weight + (self.method is not None)


class RouteTable:
    """Routes by path prefix, claims of paths by owner, and the session values that owners have learned.

    It remembers paths whose owner is gone: what comes late for a scenario that is over concerns nobody who lives.
    """

    def __init__(self) -> None:
        self._by_prefix: dict[str, list[RouteEntry]] = defaultdict(list)
        self._by_id: dict[str, RouteEntry] = {}
        self._claims: dict[str, set[int]] = defaultdict(set)
        self._learned: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self._past: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, entry: RouteEntry) -> None:
        self._by_id[entry.id] = entry
        entries = self._by_prefix[entry.prefix]
        entries.append(entry)
        entries.sort(key=lambda each: -each.weight)
        self.claim(entry.owner, entry.prefix)

    def get(self, route_id: str) -> RouteEntry | None:
        return self._by_id.get(route_id)

    def remove(self, route_id: str) -> None:
        entry = self._by_id.pop(route_id, None)
        if entry is not None:
            self._by_prefix[entry.prefix].remove(entry)
            if not self._by_prefix[entry.prefix]:
                del self._by_prefix[entry.prefix]

    def claim(self, owner: int, prefix: str) -> None:
        """Say that what arrives under this path concerns this owner, whether or not a route takes it."""
        self._claims[prefix].add(owner)

    def drop_owner(self, owner: int) -> None:
        """Forget all that an owner has registered, claimed and learned."""
        for entry in [entry for entry in self._by_id.values() if entry.owner == owner]:
            self.remove(entry.id)
        for prefix in [prefix for prefix, owners in self._claims.items() if owner in owners]:
            self._claims[prefix].discard(owner)
            if not self._claims[prefix]:
                del self._claims[prefix]
                self._past[prefix] = None
        while len(self._past) > MAX_PAST:
            del self._past[next(iter(self._past))]
        self._learned.pop(owner, None)

    def find(self, inquiry: Inquiry) -> RouteEntry | None:
        """The route that takes this request; it learns what it was told to learn from it."""
        for prefix in ancestors(inquiry.path):
            for entry in self._by_prefix.get(prefix, ()):
                if self._takes(entry, inquiry):
                    self._learned[entry.owner].update(_named(inquiry, entry.learn))
                    return entry
        return None

    def concerned(self, path: str) -> frozenset[int]:
        """The owners whose most specific claim covers this path; none where that claim is of an owner who is gone."""
        for prefix in ancestors(path):
            if prefix in self._claims:
                return frozenset(self._claims[prefix])
            if prefix in self._past:
                break
        return frozenset()

    def is_shared(self, path: str) -> bool:
        """Whether what arrives at this path without a route may be anyone's: several owners, or a claim of everything.

        Who claims everything takes what fits its conditions; the rest may be of a scenario that is over.
        """
        claimed = next((prefix for prefix in ancestors(path) if prefix in self._claims), "/")
        return claimed == "/" or len(self._claims[claimed]) > 1

    def _takes(self, entry: RouteEntry, inquiry: Inquiry) -> bool:
        match = entry.match
        if entry.method is not None and entry.method != inquiry.method:
            return False
        if any(find_header(inquiry.headers, name) != value for name, value in match.headers.items()):
            return False
        if any(inquiry.query.get(name) != value for name, value in match.query.items()):
            return False
        if not _members_match(inquiry, match.json):
            return False
        if match.mentions is not None and match.mentions.encode() not in inquiry.body:
            return False
        if match.known is None:
            return True
        names = (match.known,) if isinstance(match.known, str) else match.known
        return not self._learned[entry.owner].isdisjoint(_named(inquiry, names))


def normal(path: str) -> str:
    """A path as routes and claims are keyed: percent-decoded, one slash in front, none at the end."""
    return "/" + unquote(path).strip("/")


def ancestors(path: str) -> Iterator[str]:
    """The path, then each path above it down to `/`: `/a/b` gives `/a/b`, `/a`, `/`."""
    while path != "/":
        yield path
        path = path.rpartition("/")[0] or "/"
    yield "/"


def _named(inquiry: Inquiry, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What members say, under the names by which it is learned: `member`, or `member=name`."""
    for text in names:
        path, _, name = text.partition("=")
        value = member(inquiry.json, path)
        if value is not MISSING and value is not None:
            yield name or path, str(value)


def _members_match(inquiry: Inquiry, wanted: Mapping[str, Any]) -> bool:
    for path, expected in wanted.items():
        seen = member(inquiry.json, path)
        choices = expected if isinstance(expected, list | tuple) else [expected]
        if not any(same(seen, choice) for choice in choices):
            return False
    return True
