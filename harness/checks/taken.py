"""Values that a target took from requests against the documents: to see them again is no deviation of the target's own.

No document says that such a request is refused, and whoever reads the thing afterwards is shown what was put there. A value
counts by the name of its member and its JSON text, type included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from harness.checks.schema import Violation

Value = tuple[str, str]
_POSITION = re.compile(r"\[\d+\]")


def values_of(body: Any, name: str = "") -> Iterator[Value]:
    """All values of a body that stand under a name, those of a list under the name of the list."""
    if name:
        yield name, _text(body)
    if isinstance(body, Mapping):
        for member, value in body.items():
            yield from values_of(value, str(member))
    elif isinstance(body, list):
        for item in body:
            yield from values_of(item, name)


def is_taken(violation: Violation, taken: Container[Value]) -> bool:
    """Whether what is wrong is a value that was given before; a member that is not there was given by nobody."""
    name = _POSITION.sub("", violation.path).rpartition(".")[2]
    return violation.keyword != "required" and (name, _text(violation.seen)) in taken


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
