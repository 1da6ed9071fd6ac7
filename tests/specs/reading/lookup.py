"""Finds in a contract what a document speaks of: the operation of a place, the schema node of a member, its clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.contract import Contract
from harness.spec import CLAUSE_KEY, Operation, Payload, Schema
from tests.specs.reading.facts import Part, Path, Place

_COMBINERS = ("anyOf", "oneOf", "allOf")

# Objects that belong to the application: samples fill them with members of no meaning to the platform.
DATA = {"sessionReferenceId", "data"}


def find_operation(contract: Contract, place: Place) -> Operation | None:
    """The operation or webhook of a place; None where the spec has none."""
    spec = contract.spec
    if place.operation:
        return next((item for item in spec.operations if item.id == place.operation), None)
    if place.webhook:
        named = {operation.path.lower(): operation for operation in spec.webhooks}
        if place.webhook.startswith("<"):
            return next((item for name, item in named.items() if "alarm" in name), None)
        found = named.get(place.webhook.lower())
        return found or (spec.webhooks[0] if len(spec.webhooks) == 1 else None)
    for path in _below_server(contract, place.path):
        blank = _blank(path)
        for operation in spec.operations:
            if operation.method == place.method and _blank(operation.path) == blank:
                return operation
        if found := spec.match(place.method, path):
            return found
    return None


def _below_server(contract: Contract, path: str) -> Iterator[str]:
    yield path
    for server in contract.spec.document.get("servers", ()):
        base = urlsplit(server["url"]).path.rstrip("/")
        blank, whole = _blank(base), _blank(path)
        if blank and whole.startswith(blank + "/"):
            yield "/" + "/".join(path.split("/")[base.count("/") + 1 :])


def _blank(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def payloads(operation: Operation, part: Part, media_type: str) -> list[Schema]:
    """The schemas of a message, one for each kind of answer that has this media type."""
    bodies = [operation.request] if part is Part.REQUEST else [answer.payload for answer in _successes(operation)]
    return [schema for payload in bodies for schema in _of_type(payload, media_type)]


def _successes(operation: Operation) -> Iterator[Any]:
    return (answer for answer in operation.responses if answer.status[0] in "2d")


def _of_type(payload: Payload, media_type: str) -> Iterator[Schema]:
    for name, schema in payload.schemas.items():
        if name.split(";")[0] == media_type:
            yield schema


def any_payload(operation: Operation, part: Part) -> list[Schema]:
    """The schemas of a message in whatever media type."""
    bodies = [operation.request] if part is Part.REQUEST else [answer.payload for answer in _successes(operation)]
    return [schema for payload in bodies for schema in payload.schemas.values()]


def nodes(schema: Schema) -> Iterator[Schema]:
    """A schema and all that describes the same value, or an item of it: alternatives and array items."""
    yield schema
    for key in _COMBINERS:
        for item in schema.get(key, ()):
            yield from nodes(item)
    if isinstance(schema.get("items"), Mapping):
        yield from nodes(schema["items"])


def find_members(schema: Schema, path: Path) -> list[Schema]:
    """Every node that describes the member at `path`; below an application's own data, the node of the data."""
    found = [schema]
    for above, name in zip(("", *path), path, strict=False):
        deeper = [
            node["properties"][name] for item in found for node in nodes(item) if name in node.get("properties", ())
        ]
        if not deeper:
            return found if above in DATA else []
        found = deeper
    return found


def all_members(schema: Schema) -> Iterator[Schema]:
    """Every member of a body, at any depth."""
    for node in nodes(schema):
        for member in node.get("properties", {}).values():
            yield member
            yield from all_members(member)


def clause_of(node: Schema) -> str | None:
    """The clause of a member: its own, or that of one of its alternatives."""
    return next((item[CLAUSE_KEY] for item in nodes(node) if CLAUSE_KEY in item), None)


def is_required(schema: Schema, name: str) -> bool:
    """Whether every alternative that has the member needs it."""
    owners = [node for node in nodes(schema) if name in node.get("properties", ())]
    return bool(owners) and all(name in node.get("required", ()) for node in owners)


def accepts_value(node: Schema, value: str) -> bool:
    """Whether an enum, a constant or a pattern of the node lists the value."""
    for item in nodes(node):
        if value in item.get("enum", ()) or item.get("const") == value:
            return True
        if "pattern" in item and re.search(item["pattern"], value):
            return True
    return False
