"""All mutants of a system: each promise that its OpenAPI document makes of an answer or a callback, broken by each rule.

Their ids are names: `vtx/getServer/buildDate/type`, `apidaze/getSipAccount/sunset:/removed` (a header), and, for callbacks,
`vtx/pushCallLog/callLogEvents[].eventTime/removed`. Promises that no black box can judge have none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from harness.contract import Contract, load_contracts
from harness.spec import HeaderSpec, Operation, Payload, ResponseSpec
from harness.suites.mutants.mutant import Mutant
from harness.suites.mutants.rules import GONE, ITEM, Path, Spot, spots

_SUCCESS = re.compile(r"2\d\d")
_OTHER_STATUSES = (207, 226)
_OTHER_TYPES = ("text/plain", "application/octet-stream")


@cache
def mutants_of(system: str) -> Mapping[str, Mutant]:
    """The mutants of a shipped system by id, in the order of its document."""
    return mutants_in(load_contracts((system,))[system])


def mutants_in(contract: Contract) -> dict[str, Mutant]:
    """The mutants of any system by id."""
    found: dict[str, Mutant] = {}
    for mutant in _all(contract):
        if contract.catalogue[mutant.clause].untestable:
            continue
        known = found.get(mutant.id, mutant)
        if (known.clause, known.value) != (mutant.clause, mutant.value):
            raise AssertionError(f"two mutants are called {mutant.id}")
        found[mutant.id] = replace(known, statuses=known.statuses | mutant.statuses)
    return found


def _all(contract: Contract) -> Iterator[Mutant]:
    for operation in contract.spec.operations:
        for response in operation.responses:
            yield from _of_answer(contract.system, operation, response)
    for webhook in contract.spec.webhooks:
        where = f"the callback {webhook.id}"
        about: dict[str, Any] = {"system": contract.system, "operation": webhook.id}
        yield from _of_body(f"{contract.system}/{webhook.id}", where, webhook.request, webhook.body_clause, about)


def _of_answer(system: str, operation: Operation, response: ResponseSpec) -> Iterator[Mutant]:
    succeeds = bool(_SUCCESS.fullmatch(response.status))
    stem = f"{system}/{operation.id}"
    about: dict[str, Any] = {
        "system": system, "operation": operation.id, "statuses": frozenset([response.status])
    }  # fmt: skip
    for header in response.headers:
        yield from _of_header(stem, f"an answer of {operation.id}", header, about)
    where = f"an answer of {operation.id}" if succeeds else f"an answer {response.status} of {operation.id}"
    other = next((code for code in _OTHER_STATUSES if operation.response(code) is None), None)
    if succeeds and other is not None:
        words = f"{where} comes as {other}"
        yield Mutant(f"{stem}/status", clause=operation.status_clause, words=words, rule="status", value=other, **about)
    stem = stem if succeeds else f"{stem}/{response.status}"
    yield from _of_body(stem, where, response.payload, operation.body_clause, about)


def _of_header(stem: str, where: str, header: HeaderSpec, about: Mapping[str, Any]) -> Iterator[Mutant]:
    place: dict[str, Any] = {"clause": header.clause, "header": header.name, **about}
    if header.required:
        words = f"{where} has no header {header.name}"
        yield Mutant(f"{stem}/{header.name}:/removed", words=words, rule="header-removed", **place)
    wrong = next((spot.value for spot in spots(header.schema, header.clause) if isinstance(spot.value, str)), None)
    if wrong is not None:
        words = f"the header {header.name} of {where} is {wrong!r}"
        yield Mutant(f"{stem}/{header.name}:/value", words=words, rule="header-value", value=wrong, **place)


def _of_body(stem: str, where: str, payload: Payload, body_clause: str, about: Mapping[str, Any]) -> Iterator[Mutant]:
    documented = [media for media in payload.schemas if media.endswith("json")]
    for media in documented:
        own = stem if len(documented) == 1 else f"{stem}/{media}"
        place: dict[str, Any] = {"clause": body_clause, "media": media, **about}
        other = next(name for name in _OTHER_TYPES if name not in payload.schemas)
        words = f"{where} has the content type {other}"
        yield Mutant(
            f"{own}/content-type", words=words, rule="content-type", header="Content-Type", value=other, **place
        )
        yield Mutant(f"{own}/not-json", words=f"the body of {where} is no JSON", rule="not-json", **place)
        for spot in spots(payload.schemas[media], body_clause):
            schema = payload.schemas[media] if spot.in_branch else None
            yield Mutant(
                f"{own}/{name_of(spot.path)}/{spot.rule}", words=f"{_words(spot)} in {where}", rule=spot.rule,
                path=spot.path, value=spot.value, schema=schema, **{**place, "clause": spot.clause},
            )  # fmt: skip


def name_of(path: Path) -> str:
    """A place in a body as ids name it: `callLogEvents[].callLog.id`; the whole is `body`."""
    return ".".join(path).replace(f".{ITEM}", ITEM) or "body"


def _words(spot: Spot) -> str:
    name = name_of(spot.path)
    if spot.value is GONE:
        return f"{name} is missing"
    shown = json.dumps(spot.value)
    return f"{name} is {shown if len(shown) <= 40 else f'{shown[:30]}… ({len(spot.value)} long)'}"
