"""What an OpenAPI file says, ready for checks and suites: operations, their answers, and the clauses behind each part.

`harness.spec_loader` makes these values; they are frozen, and nothing here reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.clauses import Clause

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
CLAUSE_KEY = "x-clause-id"
TWINS_KEY = "x-clause-twins"

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HeaderSpec:
    """A header that an answer carries. `schema` is that of the parsed value; `required` False: judged only if present."""

    name: str
    clause: str
    schema: Schema
    required: bool


@dataclass(frozen=True, slots=True)
class Payload:
    """Bodies by media type (lower case); schemas have no references left and carry their clause ids."""

    required: bool
    schemas: Mapping[str, Schema]


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """One documented answer; `status` is a code, a range such as `4XX`, or `default`."""

    status: str
    headers: tuple[HeaderSpec, ...]
    payload: Payload


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that the implementation serves (or, as a webhook, one that it calls).

    `media_clause` is `body_clause`, unless the media type of an answer is promised less firmly than its body.
    """

    id: str
    method: str
    path: str
    area: str
    clause: str
    status_clause: str
    body_clause: str
    media_clause: str
    responses: tuple[ResponseSpec, ...]
    request: Payload
    secured: bool
    target_url: str | None = None
    pattern: re.Pattern[str] = field(default=re.compile(""), repr=False, compare=False)

    def response(self, status: int) -> ResponseSpec | None:
        """What the document says of an answer with this status: the exact code, else its range, else the default."""
        by_status = {response.status: response for response in self.responses}
        return by_status.get(str(status)) or by_status.get(f"{status // 100}XX") or by_status.get("default")

    @property
    def statuses(self) -> str:
        return " ".join(response.status for response in self.responses)


@dataclass(frozen=True, slots=True)
class Spec:
    """A loaded OpenAPI file: operations, webhooks, and the clauses derived from them."""

    operations: tuple[Operation, ...]
    webhooks: tuple[Operation, ...]
    clauses: tuple[Clause, ...]
    document: Mapping[str, Any]

    def operation(self, operation_id: str) -> Operation:
        """Raises KeyError for an operationId that the document does not have."""
        for operation in (*self.operations, *self.webhooks):
            if operation.id == operation_id:
                return operation
        raise KeyError(f"no operation {operation_id!r} in the document")

    def match(self, method: str, path: str) -> Operation | None:
        """The operation for a path below the base URL; of several, the one with the fewest path parameters."""
        found = [item for item in self.operations if item.method == method.upper() and item.pattern.fullmatch(path)]
        return min(found, key=lambda item: item.path.count("{"), default=None)
