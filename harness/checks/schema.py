"""Judges a JSON value against a schema whose members carry clauses: which promises it keeps and which it breaks.

Used for answers, callbacks and, through `harness.checks.http`, for every exchange of a timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from harness.spec import CLAUSE_KEY, TWINS_KEY, Schema

_COMBINERS = ("anyOf", "oneOf", "allOf")


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: `clause` (None: nothing below the root names one), the place in the value, and words."""

    clause: str | None
    path: str
    keyword: str
    message: str
    seen: Any


@dataclass(frozen=True, slots=True)
class SchemaVerdict:
    """What a value shows: clauses of members that were there and right, and what is wrong."""

    kept: frozenset[str]
    violations: tuple[Violation, ...]


def judge_value(schema: Schema, value: Any) -> SchemaVerdict:
    """Hold a value against a schema (JSON Schema 2020-12, formats included)."""
    try:
        violations = tuple(_violation(schema, error, value) for error in _validator(schema).iter_errors(value))
    except ValueError:
        # Legal JSON that a validator cannot hold: nested hundreds deep, or with half a surrogate pair as a name.
        violations = (Violation(None, "", "readable", "cannot be read as ordinary JSON", value),)
        return SchemaVerdict(frozenset(), violations)
    broken = {violation.clause for violation in violations}
    kept = frozenset(clause for clause in _present(schema, value) if clause not in broken)
    return SchemaVerdict(kept, violations)


def _violation(schema: Schema, error: Any, value: Any) -> Violation:
    steps = list(error.schema_path)
    keyword = str(steps[-1]) if steps else ""
    missing = getattr(error.kind, "property", None) if keyword == "required" else None
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path).lstrip(".")
    if missing is not None:
        path = f"{path}.{missing}".lstrip(".")
    clause = _clause_of(schema, steps, keyword, missing)
    place = f"{_without_positions(path)}: " if path else ""
    words = f"{place}{_words(keyword, error, missing)}"
    return Violation(clause, path, keyword, words, "absent" if missing is not None else _at(value, error.instance_path))


def _words(keyword: str, error: Any, missing: str | None) -> str:
    """Says what is wrong without quoting the value, so that the same deviation always has the same words."""
    if missing is not None:
        return "is missing"
    kind = error.kind
    match keyword:
        case "type":
            return f"is not of type {_plain(getattr(kind, 'types', ''))}"
        case "enum":
            return "is not one of the documented values"
        case "format" | "pattern":
            return f"does not have the {keyword} {_plain(getattr(kind, keyword, ''))}"
        case "anyOf" | "oneOf":
            return "has none of the documented shapes"
        case _:
            return f"breaks {keyword}"


def _plain(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list | tuple | set) else str(value)


def _without_positions(path: str) -> str:
    return "".join(character for character in path if not character.isdigit())


def _at(value: Any, steps: Iterable[str | int]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _clause_of(schema: Any, steps: list[str | int], keyword: str, missing: str | None) -> str | None:
    """The clause of the nearest labelled node on the way to the keyword that broke."""
    node, label = schema, None
    labelled: Mapping[str, Any] = {}
    for step in steps[:-1]:
        node = node[step]
        if isinstance(node, Mapping) and CLAUSE_KEY in node:
            label, labelled = str(node[CLAUSE_KEY]), node
            own = True
        else:
            own = False
    if missing is not None:
        child = node.get("properties", {}).get(missing, {})
        if CLAUSE_KEY in child:
            return str(child.get(TWINS_KEY, {}).get("required", child[CLAUSE_KEY]))
        return label
    if label is not None and own and keyword in labelled.get(TWINS_KEY, {}):
        return str(labelled[TWINS_KEY][keyword])
    return label


def _present(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    """Clauses of all labelled members that the value has."""
    for key in _COMBINERS:
        for branch in schema.get(key, ()):
            if key == "allOf" or fits(branch, value):
                yield from _present(branch, value)
    if isinstance(value, Mapping):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                if CLAUSE_KEY in child:
                    yield child[CLAUSE_KEY]
                    yield from child.get(TWINS_KEY, {}).values()
                yield from _present(child, value[name])
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for item in value:
            yield from _present(schema["items"], item)


def fits(schema: Schema, value: Any) -> bool:
    """Whether a value keeps all that a schema says."""
    try:
        return bool(_validator(schema).is_valid(value))
    except ValueError:
        return False


_validators: dict[int, tuple[Schema, Any]] = {}


def _validator(schema: Schema) -> Any:
    """Compiled once for each schema object; the schema is kept beside it so that its identity stays taken."""
    known = _validators.get(id(schema))
    if known is None:
        made = jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)
        known = _validators[id(schema)] = (schema, made)
    return known[1]
