"""Finds out which member of a request makes a target refuse it; the contract suite asks when a whole example was refused.

Each optional member is sent alone with the required ones. Only a refusal beside a success says something about a member.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks.evidence import seen_answer, succeeded
from harness.spec import CLAUSE_KEY, Operation
from harness.suites.contract.resources import Workbench
from harness.timeline import HttpExchange

# What these say is about credentials, the address or the quota, not about the body.
_NOT_ABOUT_THE_BODY = (401, 403, 404, 405, 429)


def blame_members(bench: Workbench, operation: Operation, refused: HttpExchange) -> None:
    """Add findings about the optional members of an operation whose example request was `refused`."""
    clauses, required = _members(bench, operation)
    if not clauses or refused.response is None or refused.response.status in _NOT_ABOUT_THE_BODY:
        return
    about = {"case": "example"}
    bare = bench.send(operation, members=required, about=about) if required else None
    single = {name: bench.send(operation, members=required | {name}, about=about) for name in clauses}
    if not any(exchange is not None and succeeded(exchange) for exchange in (bare, *single.values())):
        return
    for name, exchange in single.items():
        words = f"{operation.method} {operation.path} is refused when it gives {name}"
        bench.scenario.check(
            clauses[name],
            succeeded(exchange),
            words,
            expected="a success (2xx)",
            seen=seen_answer(exchange),
            at=exchange,
        )


def _members(bench: Workbench, operation: Operation) -> tuple[dict[str, str], frozenset[str]]:
    """Clauses of the optional members by name, and the names of the required ones."""
    schema = operation.request.schemas.get(bench.media_type, {})
    example = bench.values.body(operation, bench.media_type) if schema else None
    if not isinstance(example, Mapping):
        return {}, frozenset()
    required = frozenset(schema.get("required", ()))
    clauses = {
        name: str(member[CLAUSE_KEY])
        for name, member in schema.get("properties", {}).items()
        if name in example and name not in required and CLAUSE_KEY in member
    }
    return clauses, required
