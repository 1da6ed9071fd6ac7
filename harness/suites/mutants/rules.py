"""How each promise of a schema can be broken: pure functions from a schema to places in a value and what goes wrong there.

Values are such that they name nothing at any platform: whatever the harness does with a wrong id or number, it is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from harness.spec import CLAUSE_KEY, TWINS_KEY, Schema

ITEM = "[]"
"""A step of a path: the last item of an array, because a check that looks at the first one only is easy to write."""

Path = tuple[str, ...]
_TEXT = "ringtrue mutant"
_NUMBER = -720071
_LONGEST = 10_000
_WRONG_TYPES: tuple[tuple[str, Any], ...] = (
    ("number", _NUMBER), ("string", _TEXT), ("array", [_TEXT]), ("object", {_TEXT: True}), ("boolean", True), ("null", None),
)  # fmt: skip
# What is most like a mistake that is made: an array for an object, text for a number.
_TRIED_FIRST = {"object": "array", "array": "object", "number": "string", "integer": "string", "boolean": "string"}
_OF_VALUES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_ALIKE = {"integer": "number"}


class Gone(Enum):
    """Stands for a member that is taken away, and for a place that is not there."""

    GONE = "gone"


GONE = Gone.GONE


@dataclass(frozen=True)
class Spot:
    """A place in a value that is made wrong. `in_branch`: one of several shapes has it there, so another may allow it."""

    path: Path
    rule: str
    clause: str
    value: Any
    in_branch: bool = False


def spots(schema: Schema, clause: str) -> Iterator[Spot]:
    """Every way to break a promise of a schema; `clause` is that of the whole value. Each place and rule comes once."""
    seen: set[tuple[Path, str]] = set()
    for spot in _node(schema, (), clause, {}):
        if (spot.path, spot.rule) not in seen:
            seen.add((spot.path, spot.rule))
            yield spot


def _node(node: Schema, path: Path, clause: str, twins: Mapping[str, str]) -> Iterator[Spot]:
    for rule, keyword, value in _broken(node):
        yield Spot(path, rule, twins.get(keyword, clause), value)
    yield from _below(node, path, clause)
    for branch in node.get("allOf", ()):
        yield from _node(branch, path, clause, {})
    for key in ("anyOf", "oneOf"):
        # That none of the shapes fits is all that can be said, so it is the clause of the choice that breaks.
        for branch in node.get(key, ()):
            for spot in (*_own(branch, path), *_below(branch, path, clause)):
                yield Spot(spot.path, spot.rule, twins.get(key, clause), spot.value, in_branch=True)


def _own(branch: Schema, path: Path) -> Iterator[Spot]:
    """What breaks a shape itself, but for its type: a value of no shape's type stands at the choice already."""
    for rule, _, value in _broken(branch):
        if rule != "type":
            yield Spot(path, rule, "", value)


def _below(node: Schema, path: Path, clause: str) -> Iterator[Spot]:
    required = node.get("required", ())
    for name, child in node.get("properties", {}).items():
        label, twins = child.get(CLAUSE_KEY, clause), child.get(TWINS_KEY, {})
        if name in required:
            yield Spot((*path, name), "removed", twins.get("required", label), GONE)
        yield from _node(child, (*path, name), label, twins)
    if isinstance(node.get("items"), Mapping):
        yield from _node(node["items"], (*path, ITEM), clause, {})


def _broken(node: Schema) -> Iterator[tuple[str, str, Any]]:
    """Rule, keyword that breaks, and a value that breaks it, as far as can be without breaking another."""
    allowed = _types(node)
    wrong = _of_other_type(allowed)
    if wrong is not GONE:
        yield "type", next((key for key in ("type", "anyOf", "oneOf", "enum", "const") if key in node), "type"), wrong
    for keyword in ("enum", "const"):
        if keyword in node:
            listed = node["enum"] if keyword == "enum" else [node["const"]]
            figures = [value for value in listed if isinstance(value, int | float) and not isinstance(value, bool)]
            yield "enum", keyword, _NUMBER if figures and len(figures) == len(listed) else _TEXT
    if "format" in node:
        yield "format", "format", _TEXT
    if "pattern" in node:
        tried = (_TEXT, "~", "0", "", "x" * 300)
        least = node.get("minLength", 0)
        fits = [text for text in tried if not re.search(node["pattern"], text)]
        for text in [text for text in fits if len(text) >= least][:1] or fits[:1]:
            yield "format", "pattern", text
    yield from _out_of_bounds(node)


def _out_of_bounds(node: Schema) -> Iterator[tuple[str, str, Any]]:
    for keyword, beyond in (("minimum", -1), ("exclusiveMinimum", 0)):
        if keyword in node:
            yield "number-low", keyword, node[keyword] + beyond
    for keyword, beyond in (("maximum", 1), ("exclusiveMaximum", 0)):
        if keyword in node:
            yield "number-high", keyword, node[keyword] + beyond
    if node.get("minLength", 0) > 0:
        yield "too-short", "minLength", "x" * (node["minLength"] - 1)
    if 0 < node.get("maxLength", 0) < _LONGEST:
        yield "too-long", "maxLength", "x" * (node["maxLength"] + 1)
    if node.get("minItems", 0) == 1:
        yield "too-few", "minItems", []


def _of_other_type(allowed: frozenset[str] | None) -> Any:
    if allowed is None:
        return GONE
    wanted = next((_TRIED_FIRST[name] for name in sorted(allowed) if name in _TRIED_FIRST), "")
    in_turn = sorted(_WRONG_TYPES, key=lambda one: one[0] != wanted)
    return next((value for name, value in in_turn if name not in allowed), GONE)


def _types(node: Schema) -> frozenset[str] | None:
    """The JSON types that a value may have, integers among the numbers; None where it may have any."""
    found: frozenset[str] | None = None
    if "type" in node:
        named = node["type"]
        found = frozenset(_ALIKE.get(name, name) for name in ([named] if isinstance(named, str) else named))
    for key in ("anyOf", "oneOf"):
        if key in node:
            branches = [_types(branch) for branch in node[key]]
            known = [types for types in branches if types is not None]
            if len(known) == len(branches):
                found = _both(found, frozenset().union(*known))
    for branch in node.get("allOf", ()):
        found = _both(found, _types(branch))
    listed = node["enum"] if "enum" in node else [node["const"]] if "const" in node else None
    if listed is not None:
        names = (_OF_VALUES.get(type(value), "null") for value in listed)
        found = _both(found, frozenset(_ALIKE.get(name, name) for name in names))
    return found


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return other if one is None else one if other is None else one & other


def changed(value: Any, path: Path, new: Any) -> Any:
    """A copy of a JSON value in which the place is `new` (GONE: is not there); GONE where nothing can be changed.

    What is not there is not put there, and what is `new` already stays. Of an array it is the last item that has the place.
    """
    if not path:
        return GONE if new is GONE or _same(value, new) else new
    step, rest = path[0], path[1:]
    if step == ITEM:
        if isinstance(value, list):
            for index in reversed(range(len(value))):
                item = changed(value[index], rest, new)
                if item is not GONE:
                    return [*value[:index], item, *value[index + 1 :]]
        return GONE
    if not isinstance(value, Mapping) or step not in value:
        return GONE
    if not rest and new is GONE:
        return {name: item for name, item in value.items() if name != step}
    item = changed(value[step], rest, new)
    return GONE if item is GONE else {**value, step: item}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
