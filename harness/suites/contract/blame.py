"""Finds out which member of a refused request a target refuses, where a document shows requests only as a whole.

Each member is left out once; what is accepted then was refused because of that member. The deepest member counts, and with
it the one that it cannot do without. Used by the contract suite and by scenarios, when a valid request was refused.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks.evidence import parse_json, seen_answer, succeeded
from harness.drivers.http import Body
from harness.spec import CLAUSE_KEY, Operation
from harness.suites.contract.links import Links, fitting
from harness.suites.scenario import Scenario
from harness.timeline import HttpExchange

Path = tuple[str | int, ...]
# What these say is about credentials, the address or the quota, not about the body.
NOT_ABOUT_THE_BODY = (401, 403, 404, 405, 429)
_MOST_TRIES = 40


def blame_by_leaving_out(
    scenario: Scenario,
    operation: Operation,
    refused: HttpExchange,
    accepted: Callable[[HttpExchange], object] = lambda _exchange: None,
) -> bool:
    """Add findings about the members because of which a valid request was `refused`; whether there are any.

    `accepted` gets each request that was accepted, so that what it made can be taken care of.
    """
    status = refused.response.status if refused.response else 0
    if not 400 <= status < 500 or status in NOT_ABOUT_THE_BODY:
        return False
    try:
        body = parse_json(refused.request.body)
    except ValueError:
        return False
    schema = operation.request.schemas.get("application/json", {})
    blamed: list[Path] = []
    found = sorted(members(Links(scenario.contract.spec), schema, body), key=lambda one: -len(one.path))
    for path in [one.path for one in found[:_MOST_TRIES]]:
        if any(other[: len(path)] == path for other in blamed):
            continue
        about = {"operation": operation.id, "case": "blame"}
        url, rest = refused.request.url, without(body, path)
        exchange = scenario.api.request(operation.method, url, body=Body.json(rest), about=about)
        if not succeeded(exchange):
            continue
        accepted(exchange)
        blamed.append(path)
        blame(scenario, refused, [one for one in found if one.path == path or one.is_core_of(path)])
    return bool(blamed)


def blame(scenario: Scenario, refused: HttpExchange, guilty: Sequence[Member]) -> None:
    """Say that a request was refused because it gives these members."""
    for one in guilty:
        name = ".".join(part for part in one.path if isinstance(part, str))
        words = f"{refused.about['operation']} is refused when it gives {name}"
        scenario.check(one.clause, False, words, expected="a success (2xx)", seen=seen_answer(refused), at=refused)


@dataclass(frozen=True)
class Member:
    """A member of a value that has a clause of its own. `core`: the group around it is nothing without it alone."""

    path: Path
    clause: str
    core: bool

    def is_core_of(self, path: Path) -> bool:
        return self.core and self.path[:-1] == path


def members(links: Links, schema: Any, value: Any, path: Path = ()) -> Iterator[Member]:
    """The members of a value that have clauses."""
    schema = links.follow(schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            schema = {**schema, **fitting([links.follow(one) for one in schema[key]], value)}
    if isinstance(value, Mapping):
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, {})
            here = (*path, name)
            clause = inner.get(CLAUSE_KEY) or links.follow(inner).get(CLAUSE_KEY)
            if clause:
                yield Member(here, str(clause), core=bool(path) and schema.get("required") == [name])
            yield from members(links, inner, item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from members(links, schema.get("items", {}), item, (*path, index))


def without(value: Any, path: Path) -> Any:
    """A copy without the member at a path; an item of a list goes when nothing is left of it."""
    made = copy.deepcopy(value)
    *way, last = path
    holder = made
    for part in way:
        holder = holder[part]
    del holder[last]
    if not holder and way and isinstance(way[-1], int):
        owner = made
        for part in way[:-1]:
            owner = owner[part]
        del owner[way[-1]]
    return made
