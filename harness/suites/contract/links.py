"""How the operations of a spec hang together: what makes what, what takes it away, what may be tried without harm.

Read from the links and `x-value` marks of the OpenAPI document; pure, so that tests can be chosen before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.spec import Operation, Spec

VALUE_KEY = "x-value"
# Marks of path parameters that name what a target has anyhow; a target file may say which by a key of the same name.
GIVEN = ("account", "domain", "user-id")
DIALLING = frozenset({"dial-number", "dial-uri", "extension"})
_SPLIT = re.compile(r"(\{[^}]+\})")


@dataclass(frozen=True, slots=True)
class Link:
    """A documented way from one operation's answer to another's path parameters (name to runtime expression)."""

    source: str
    target: str
    parameters: Mapping[str, str]


class Links:
    """The links of one spec, and what follows from them."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._document = spec.document
        self.all = tuple(self._links())

    def _links(self) -> Iterator[Link]:
        for item in self._document.get("paths", {}).values():
            for node in item.values():
                if not isinstance(node, Mapping):
                    continue
                for response in node.get("responses", {}).values():
                    for link in response.get("links", {}).values():
                        yield Link(node["operationId"], link["operationId"], link.get("parameters", {}))

    def to(self, operation: Operation) -> Iterator[tuple[Link, Operation]]:
        """Links that lead to an operation, each with its source."""
        for link in self.all:
            if link.target == operation.id:
                yield link, self.spec.operation(link.source)

    def creates(self, operation: Operation) -> Link | None:
        """The link that tells what an operation made."""
        return next((link for link in self.all if link.source == operation.id and self._leads_to_made(link)), None)

    def maker(self, operation: Operation) -> Operation | None:
        """The operation that makes what another one works on, or what its neighbours on the same path do."""
        same = [operation, *(one for one in self.spec.operations if one.path == operation.path)]
        found = (source for one in same for link, source in self.to(one) if self._leads_to_made(link))
        return next(found, None)

    def _leads_to_made(self, link: Link) -> bool:
        """From a POST to something with more path parameters, or from a PUT that chooses a new name."""
        source, target = self.spec.operation(link.source), self.spec.operation(link.target)
        if source.method == "POST":
            return bool(link.parameters) and target.path.count("{") > source.path.count("{")
        return source.method == "PUT" and "unique" in self.path_marks(source).values()

    def deleter(self, create: Operation) -> Operation | None:
        """The operation that takes away what `create` made."""
        targets = (self.spec.operation(link.target) for link in self.all if link.source == create.id)
        return next((target for target in targets if target.method == "DELETE"), None)

    def lists(self, operation: Operation) -> list[tuple[Link, Operation]]:
        """Reads whose answers list things of the kind that `operation` works on, with the link to one of them."""
        same = operation.path.rpartition("/{")[0]
        reads = [one for one in self.spec.operations if one.method == "GET" and one.path == same]
        return [(link, read) for read in reads for link in self.all if link.source == read.id and link.parameters]

    def dials(self, operation: Operation) -> bool:
        """Whether a request to the operation can cause a call; such ones are sent by scenarios only."""
        return self.carries(operation, DIALLING)

    def names_users(self) -> bool:
        """Whether requests name users whom only the target file can know."""
        marks = {"user-id"}
        return any(
            self.carries(one, marks) or marks & set(self.path_marks(one).values()) for one in self.spec.operations
        )

    def carries(self, operation: Operation, marks: Collection[str]) -> bool:
        """Whether the body of a request to the operation has a member with one of these marks."""
        return any(self._has_mark(schema, marks) for schema in self._bodies(operation))

    def marked(self, operation: Operation, value: Any) -> Iterator[tuple[str, Any]]:
        """The marked values in the body of a request to the operation, each with its mark."""
        for schema in self._bodies(operation):
            yield from self._marked(schema, value)

    def _bodies(self, operation: Operation) -> list[Any]:
        content = self.follow(self.node(operation).get("requestBody", {})).get("content", {})
        return [item.get("schema", {}) for item in content.values()]

    def _marked(self, schema: Any, value: Any) -> Iterator[tuple[str, Any]]:
        schema = self.follow(schema)
        if VALUE_KEY in schema:
            yield schema[VALUE_KEY], value
        for key in ("anyOf", "oneOf", "allOf"):
            for branch in schema.get(key, ()):
                yield from self._marked(branch, value)
        if isinstance(value, Mapping):
            members = schema.get("properties", {})
            for name in members.keys() & value.keys():
                yield from self._marked(members[name], value[name])
        elif isinstance(value, list):
            for item in value:
                yield from self._marked(schema.get("items", {}), item)

    def is_whole(self, operation: Operation) -> bool:
        """Whether a valid request needs no call going on, and changes nothing but what was made for it."""
        if self.dials(operation):
            return False
        if operation.method in ("GET", "HEAD", "OPTIONS") or self.creates(operation) is not None:
            return True
        if not operation.secured:
            return True
        own = [mark for mark in self.path_marks(operation).values() if mark not in GIVEN]
        return operation.method in ("PUT", "PATCH", "DELETE") and bool(own)

    def leaves_behind(self, operation: Operation) -> bool:
        """Whether the operation makes things, or works on things made for it, that no operation takes away again."""
        make = operation if self.creates(operation) is not None else self.maker(operation)
        return make is not None and self.deleter(make) is None

    def path_marks(self, operation: Operation) -> dict[str, str]:
        """The path parameters of an operation, each with its `x-value` mark (empty where it has none)."""
        return {
            one["name"]: str(self.follow(one.get("schema", {})).get(VALUE_KEY, ""))
            for one in self.parameters(operation)
            if one.get("in") == "path"
        }

    def parameters(self, operation: Operation) -> list[Mapping[str, Any]]:
        """The documented parameters of an operation, those of its path included."""
        item = self._document["paths"][operation.path]
        nodes = (*item.get("parameters", ()), *self.node(operation).get("parameters", ()))
        return [self.follow(one) for one in nodes]

    def node(self, operation: Operation) -> Mapping[str, Any]:
        """The operation as it stands in the document."""
        found: Mapping[str, Any] = self._document["paths"][operation.path][operation.method.lower()]
        return found

    def follow(self, node: Any) -> Mapping[str, Any]:
        """The node that a `$ref` leads to."""
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self._document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node if isinstance(node, Mapping) else {}

    def _has_mark(self, schema: Any, marks: Collection[str]) -> bool:
        schema = self.follow(schema)
        below = [*schema.get("properties", {}).values(), schema.get("items", {})]
        below += [branch for key in ("anyOf", "oneOf", "allOf") for branch in schema.get(key, ())]
        return schema.get(VALUE_KEY) in marks or any(self._has_mark(one, marks) for one in below if one)


def fitting(branches: Sequence[Mapping[str, Any]], value: Any) -> Mapping[str, Any]:
    """The branch of a choice whose members are those of the value."""
    if isinstance(value, Mapping):
        return max(branches, key=lambda branch: len(value.keys() & branch.get("properties", {}).keys()))
    return next((branch for branch in branches if VALUE_KEY in branch), {})


def pick(value: Any, parameters: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str] | None:
    """Path parameters out of an answer; an answer that is a list of one is taken for its item where that fits.

    `sent`: the path parameters of the request, for expressions such as `$request.path.account`.
    """
    found: dict[str, str] = {}
    for name, expression in parameters.items():
        if expression.startswith("$request.path."):
            item: Any = sent.get(expression.removeprefix("$request.path."))
        else:
            pointer = expression.partition("#")[2]
            item = _at(value, pointer)
            if item is None and isinstance(value, list) and len(value) == 1:
                item = _at(value[0], pointer)
        if not isinstance(item, str | int) or isinstance(item, bool):
            return None
        found[name.rpartition(".")[2]] = str(item)
    return found


def path_parameters(operation: Operation, url: str) -> dict[str, str]:
    """The path parameters that a request to an operation carried."""
    names = re.findall(r"\{([^}]+)\}", operation.path)
    ending = "".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in _SPLIT.split(operation.path))
    found = re.search(ending + "$", urlsplit(url).path)
    return dict(zip(names, map(unquote, found.groups()), strict=True)) if found else {}


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return value
