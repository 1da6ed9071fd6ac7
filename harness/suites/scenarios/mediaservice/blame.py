"""Finds out which member makes a platform refuse an operation, so that the promise of that member is held to be broken.

A scenario sends all members of an operation at once. Where that is refused, each is left out in turn until it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.checks.evidence import json_body, seen_answer
from harness.spec import CLAUSE_KEY, Operation
from harness.suites.scenario import Scenario
from harness.suites.scenarios.vocabulary import member
from harness.timeline import HttpExchange

Members = Mapping[str, Any]
# What these say is about credentials, the address or the quota, not about the body.
_NOT_ABOUT_THE_BODY = (401, 403, 404, 405, 429)


def says_success(exchange: HttpExchange | None) -> bool:
    """Whether an answer says that the operation was carried out: 2xx with success true."""
    if exchange is None or exchange.response is None or not 200 <= exchange.response.status < 300:
        return False
    return member(json_body(exchange), "success") is True


def without_what_is_refused(
    scenario: Scenario,
    operation: Operation,
    sent: Members,
    refused: HttpExchange,
    send: Callable[[Members], HttpExchange],
) -> HttpExchange:
    """The exchange in which an operation that was `refused` was carried out without one of its members, which is blamed.

    Only an answer of 4xx shows that nothing was done, and that it may be tried again. What is carried out the second time
    was not refused because of its members. What is refused whichever of them is left out blames none, but the only one.
    """
    status = refused.response.status if refused.response else 0
    if not 400 <= status < 500 or status in _NOT_ABOUT_THE_BODY:
        return refused
    again = send(sent)
    if says_success(again):
        return again
    schema = operation.request.schemas.get("application/json", {})
    for clause, words, fewer in _fewer(schema, sent):
        exchange = send(fewer)
        if says_success(exchange):
            _blame(scenario, clause, f"{operation.id} is refused when it gives {words}", again)
            return exchange
    only = schema.get("properties", {}).get(next(iter(sent), ""), {}).get(CLAUSE_KEY)
    if len(sent) == 1 and only:
        _blame(scenario, only, f"{operation.id} is refused with the only member that it has", again)
    return again


def _fewer(schema: Members, sent: Members) -> Iterator[tuple[str, str, Members]]:
    """Bodies with one member less, those inside of lists first, each with the clause of what is left out."""
    for name, value in sent.items():
        known = schema.get("properties", {}).get(name, {})
        inner = known.get("items", {}).get("properties", {})
        listed = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
        for part in sorted({key for one in listed for key in one} & inner.keys()):
            fewer = [{key: item for key, item in one.items() if key != part} for one in listed]
            yield inner[part][CLAUSE_KEY], f"{name}.{part}", {**sent, name: fewer}
        if CLAUSE_KEY in known:
            yield known[CLAUSE_KEY], name, {key: item for key, item in sent.items() if key != name}


def _blame(scenario: Scenario, clause: str, words: str, refused: HttpExchange) -> None:
    scenario.check(clause, False, words, expected="success true", seen=seen_answer(refused), at=refused)
