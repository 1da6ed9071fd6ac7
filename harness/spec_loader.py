"""Reads an OpenAPI file whose `x-clause` marks say which promise each part of it stands for.

A mark is inherited by everything below it until something overrides it:

    x-clause:
      id: AZ-name                 # instead of the derived id; the id of a clause in clauses.yaml makes this a link to it
      source, level, area, capability, untestable, conditional, text      # as in clauses.yaml
      inferred: [required, enum]  # keywords that are only inferred although the rest is documented
      documented: [required]      # the other way round; undoes an inherited `inferred`
      members: false              # nothing below becomes a clause

What the harness itself sends in answer to a callback is no promise of the platform: members of a webhook's answer only
link to the clauses that say what they do.

Derived ids are names: `AZ-listSipAccounts` (operation), `….status`, `….body`, `….media-type`, `AZ-header.sunset`,
`AZ-SipAccount.sip.username` (member), and `<id>:<keyword>` for a keyword whose level differs from its member's. The
loaders of suites, checks and the reference platform call `load_spec`; nothing here talks to anyone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from harness.clauses import Clause, ClauseFile, Level, Surface, check_source
from harness.spec import CLAUSE_KEY, METHODS, TWINS_KEY, HeaderSpec, Operation, Payload, ResponseSpec, Schema, Spec
from harness.yamlfile import Step, YamlFile


@dataclass(frozen=True, slots=True)
class _Mark:
    level: Level = Level.DOCUMENTED
    source: str = ""
    area: str = ""
    capability: str | None = None
    untestable: str | None = None
    conditional: bool = False
    inferred: frozenset[str] = frozenset()
    documented: frozenset[str] = frozenset()
    members: bool = True
    linked: bool = False

    def of(self, keyword: str) -> Level:
        if keyword in self.documented:
            return Level.DOCUMENTED
        return Level.INFERRED if keyword in self.inferred else self.level


_MARK_KEYS = {
    "id", "text", "source", "level", "area", "capability", "untestable", "conditional", "inferred", "documented", "members",
}  # fmt: skip
_KEYWORDS = (
    "type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "contains", "anyOf", "oneOf", "not",
)  # fmt: skip
_LEVELLED = (*_KEYWORDS, "required", "status", "body", "media-type")
_COMBINERS = ("anyOf", "oneOf", "allOf")
_DEEPEST = 40


def load_spec(file: YamlFile, own: ClauseFile) -> Spec:
    """Derive operations, schemas and clauses from a parsed OpenAPI file.

    Raises:
        DataError: a broken reference, an unknown mark, a missing description, or a body that forbids extra members.
    """
    return _Loader(file, own).load()


class _Loader:
    def __init__(self, file: YamlFile, own: ClauseFile) -> None:
        self.file = file
        self.own = own
        self.linked = {clause.id: clause for clause in own.clauses}
        self.derived: dict[str, Clause] = {}
        self.where: dict[str, tuple[Step, ...]] = {}

    def load(self) -> Spec:
        data = self.file.data
        if not isinstance(data, Mapping) or not str(data.get("openapi", "")).startswith("3.1"):
            raise self.file.error("expected an OpenAPI 3.1 document", "openapi")
        root = self.mark(_Mark(), data, ())
        operations = tuple(self.operations("paths", root, Surface.HTTP))
        webhooks = tuple(self.operations("webhooks", root, Surface.CALLBACK))
        self.refuse_twice((*operations, *webhooks))
        return Spec(operations, webhooks, tuple(self.derived.values()), data)

    def refuse_twice(self, operations: Iterable[Operation]) -> None:
        seen: set[str] = set()
        for operation in operations:
            if operation.id in seen:
                raise self.file.error(f"operationId {operation.id!r} stands twice")
            seen.add(operation.id)

    # Marks and clauses

    def mark(self, parent: _Mark, node: Mapping[str, Any], steps: tuple[Step, ...]) -> _Mark:
        raw = node.get("x-clause")
        if raw is None:
            return parent
        here = (*steps, "x-clause")
        self.file.only(raw, _MARK_KEYS, *here)
        changes: dict[str, Any] = {}
        if "level" in raw:
            if raw["level"] not in tuple(Level):
                raise self.file.error(f"{raw['level']!r}: expected one of {', '.join(Level)}", *here, "level")
            changes["level"] = Level(raw["level"])
        if "source" in raw:
            changes["source"] = check_source(self.file, raw["source"], self.own.documents, *here, "source")
        capability = self.file.text(raw.get("capability"), *here, "capability")
        if capability is not None and capability not in self.own.capabilities:
            known = ", ".join(self.own.capabilities) or "none is declared in clauses.yaml"
            raise self.file.error(f"unknown capability {capability!r}: expected one of {known}", *here, "capability")
        for key in ("area", "untestable"):
            self.file.text(raw.get(key), *here, key)
        for key in ("area", "capability", "untestable", "conditional", "members"):
            if key in raw:
                changes[key] = raw[key]
        documented, inferred = (self.keywords(raw, key, here) for key in ("documented", "inferred"))
        changes["documented"] = (parent.documented - inferred) | documented
        changes["inferred"] = (parent.inferred - documented) | inferred
        return replace(parent, **changes)

    def keywords(self, raw: Mapping[str, Any], key: str, here: tuple[Step, ...]) -> frozenset[str]:
        listed = self.file.texts(raw.get(key), *here, key)
        for keyword in listed:
            if keyword not in _LEVELLED:
                expected = ", ".join(sorted(_LEVELLED))
                raise self.file.error(f"unknown keyword {keyword!r}: expected one of {expected}", *here, key)
        return frozenset(listed)

    def clause(
        self, name: str, mark: _Mark, node: Mapping[str, Any], steps: tuple[Step, ...], surface: Surface, text: str = ""
    ) -> str:
        """Make (or link to) the clause of a node; return its id."""
        raw = node.get("x-clause") or {}
        clause_id = str(raw.get("id") or f"{self.own.prefix}-{name}")
        if clause_id in self.linked:
            return clause_id
        words = str(raw.get("text") or text or node.get("summary") or node.get("description") or "").strip()
        if not words:
            raise self.file.error(f"clause {clause_id} has no words: give a description", *steps)
        return self.add(clause_id, words, mark, mark.level, surface, steps)

    def twin(
        self, clause_id: str, keyword: str, words: str, mark: _Mark, surface: Surface, steps: tuple[Step, ...]
    ) -> str:
        """The clause of a keyword: the node's own, or a second one where its level differs."""
        if not mark.members:
            return clause_id
        level = mark.of(keyword)
        base = self.linked.get(clause_id) or self.derived[clause_id]
        if level is base.level:
            return clause_id
        return self.add(f"{clause_id}:{keyword}", words, mark, level, surface, steps)

    def add(
        self, clause_id: str, words: str, mark: _Mark, level: Level, surface: Surface, steps: tuple[Step, ...]
    ) -> str:
        known = self.derived.get(clause_id)
        if known is not None:
            if self.where[clause_id] != steps:
                raise self.file.error(f"clause {clause_id} is made twice: first in {known.location}", *steps)
            return clause_id
        for key in ("source", "area"):
            if not getattr(mark, key):
                raise self.file.error(f"clause {clause_id} has no {key}: mark it or an ancestor with x-clause", *steps)
        self.where[clause_id] = steps
        self.derived[clause_id] = Clause(
            id=clause_id,
            system=self.own.system,
            text=words,
            source=mark.source,
            level=level,
            surface=surface,
            area=mark.area,
            capability=mark.capability,
            untestable=mark.untestable,
            conditional=mark.conditional,
            location=f"{self.file.path.name}:{self.file.line(*steps)}",
        )
        return clause_id

    # Operations

    def operations(self, section: str, root: _Mark, surface: Surface) -> Iterator[Operation]:
        for path, item in self.file.mapping(self.file.data.get(section), section).items():
            for method in METHODS:
                if method in self.file.mapping(item, section, path):
                    yield self.operation(section, path, method, root, surface)

    def operation(self, section: str, path: str, method: str, root: _Mark, surface: Surface) -> Operation:
        steps: tuple[Step, ...] = (section, path, method)
        node = self.file.mapping(self.file.data[section][path][method], *steps)
        name = node.get("operationId")
        if not name or not isinstance(name, str):
            raise self.file.error("missing key 'operationId'", *steps)
        tags = self.file.texts(node.get("tags"), *steps, "tags")
        if not tags:
            raise self.file.error(f"operation {name} has no tag: the first one names its area", *steps)
        mark = self.mark(replace(root, area=tags[0]), node, steps)
        clause_id = self.clause(name, mark, node, steps, surface)
        ours = surface is Surface.CALLBACK
        answer_mark = replace(mark, linked=True) if ours else mark
        responses = tuple(
            self.response(name, str(status), answer_mark, (*steps, "responses", status), surface)
            for status in self.file.mapping(node.get("responses"), *steps, "responses")
        )
        listed = ", ".join(response.status for response in responses)
        request = self.payload(f"{name}.request", node.get("requestBody"), mark, (*steps, "requestBody"), surface)
        status_clause = body_clause = media_clause = clause_id
        if not ours:
            words = {"description": f"{name} answers with one of {listed}"}
            status_clause = self.clause(f"{name}.status", replace(mark, level=mark.of("status")), words, steps, surface)
        if request.schemas if ours else any(response.payload.schemas for response in responses):
            verb = "is sent" if ours else "answers"
            words = {"description": f"{name} {verb} in the documented format and shape"}
            level = mark.of("body")
            media_clause = body_clause = self.clause(f"{name}.body", replace(mark, level=level), words, steps, surface)
            if not ours and mark.of("media-type") is Level.INFERRED is not level:
                words = {"description": f"{name} answers with the media type of its format"}
                less = replace(mark, level=Level.INFERRED)
                media_clause = self.clause(f"{name}.media-type", less, words, steps, surface)
        return Operation(
            id=name,
            method=method.upper(),
            path=path,
            area=mark.area,
            clause=clause_id,
            status_clause=status_clause,
            body_clause=body_clause,
            media_clause=media_clause,
            responses=responses,
            request=request,
            secured=bool(node.get("security", self.file.data.get("security"))),
            target_url=node.get("x-target-url"),
            pattern=_path_pattern(path),
        )

    def response(self, name: str, status: str, mark: _Mark, steps: tuple[Step, ...], surface: Surface) -> ResponseSpec:
        node, steps = self.follow(_at(self.file.data, steps), steps)
        mark = self.mark(mark, node, steps)
        headers = tuple(
            self.header(name, header, mark, (*steps, "headers", header), surface)
            for header in self.file.mapping(node.get("headers"), *steps, "headers")
        )
        prefix = f"{name}.{status}" if status[0] in "345" else f"{name}.response"
        return ResponseSpec(status, headers, self.payload(prefix, node, mark, steps, surface))

    def header(self, name: str, header: str, mark: _Mark, steps: tuple[Step, ...], surface: Surface) -> HeaderSpec:
        node, followed = self.follow(_at(self.file.data, steps), steps)
        mark = self.mark(mark, node, followed)
        stem = f"header.{header}" if followed != steps else f"{name}.header.{header}"
        words = node.get("description", "")
        clause_id = self.clause(stem, mark, node, followed, surface, words and f"{header}: {words}")
        schema = self.schema(
            stem, node.get("schema") or {}, (*followed, "schema"), replace(mark, members=False), surface
        )
        return HeaderSpec(header, clause_id, schema, bool(node.get("required", False)))

    def payload(
        self, prefix: str, node: Mapping[str, Any] | None, mark: _Mark, steps: tuple[Step, ...], surface: Surface
    ) -> Payload:
        if node is None:
            return Payload(False, {})
        node, steps = self.follow(node, steps)
        mark = self.mark(mark, node, steps)
        schemas: dict[str, Schema] = {}
        for media_type, content in self.file.mapping(node.get("content"), *steps, "content").items():
            here = (*steps, "content", media_type, "schema")
            body = self.file.mapping(content, *here[:-1]).get("schema")
            schemas[str(media_type).lower()] = self.schema(prefix, body or {}, here, mark, surface)
        return Payload(bool(node.get("required", False)), schemas)

    # Schemas

    def schema(
        self, name: str, node: Any, steps: tuple[Step, ...], mark: _Mark, surface: Surface, depth: int = 0
    ) -> Schema:
        """A copy of a schema without references, each member's node labelled with its clause."""
        if depth > _DEEPEST:
            raise self.file.error("a schema refers to itself, or is nested too deeply", *steps)
        if not isinstance(node, Mapping):
            raise self.file.error(f"expected a schema, got {type(node).__name__}", *steps)
        if "$ref" in node:
            target, followed = self.follow(node, steps)
            if followed[:2] == ("components", "schemas") and len(followed) == 3 and target.get("x-clause"):
                # A component's marks are its own: they must not depend on where it is used.
                name = str(followed[2])
                mark = _Mark(area=mark.area, source=mark.source, members=mark.members, linked=mark.linked)
            return self.schema(name, target, followed, mark, surface, depth + 1)
        mark = self.mark(mark, node, steps)
        result: dict[str, Any] = {
            key: value for key, value in node.items() if not key.startswith("x-") and key != "example"
        }
        if "type" in node and not isinstance(node["type"], str):
            self.file.texts(node["type"] or 0, *steps, "type")
        if node.get("additionalProperties") is False:
            raise self.file.error("additionalProperties: false would forbid extra members, which never fail", *steps)
        for key in _COMBINERS:
            if key in node:
                result[key] = [
                    self.schema(name, item, (*steps, key, index), mark, surface, depth + 1)
                    for index, item in enumerate(node[key])
                ]
        for key in ("items", "additionalProperties", "contains", "not", "if", "then", "else"):
            if isinstance(node.get(key), Mapping):
                result[key] = self.schema(name, node[key], (*steps, key), mark, surface, depth + 1)
        if "properties" in node:
            required = frozenset(self.file.texts(node.get("required"), *steps, "required"))
            result["properties"] = {
                member: self.member(
                    f"{name}.{member}", child, (*steps, "properties", member), mark, surface, depth, required
                )
                for member, child in self.file.mapping(node["properties"], *steps, "properties").items()
            }
        return result

    def member(
        self,
        name: str,
        node: Mapping[str, Any],
        steps: tuple[Step, ...],
        parent: _Mark,
        surface: Surface,
        depth: int,
        required: Collection[str],
    ) -> Schema:
        mark = self.mark(parent, self.file.mapping(node, *steps, optional=False), steps)
        schema = dict(self.schema(name, node, steps, parent, surface, depth + 1))
        if not mark.members:
            return schema
        if mark.linked and not (node.get("x-clause") or {}).get("id"):
            raise self.file.error(
                "the harness sends this: link it to the clause that says what it does, by x-clause id", *steps
            )
        target = self.follow(node, steps)[0] if "$ref" in node else node
        words = node.get("description") or target.get("description") or ""
        clause_id = self.clause(name, mark, node, steps, surface, words and f"{name}: {words}")
        if clause_id in self.linked:
            twins: dict[str, str] = {}
        else:
            twins = {
                key: self.twin(clause_id, key, f"{name}: {_keyword_words(key, target)}", mark, surface, steps)
                for key in _KEYWORDS
                if key in target
            }
            if steps[-1] in required:
                twins["required"] = self.twin(clause_id, "required", f"{name} is always there", mark, surface, steps)
        schema[CLAUSE_KEY] = clause_id
        schema[TWINS_KEY] = {key: twin for key, twin in twins.items() if twin != clause_id}
        return schema

    def follow(self, node: Any, steps: tuple[Step, ...]) -> tuple[Mapping[str, Any], tuple[Step, ...]]:
        """The node that a `$ref` leads to, with its place; the node itself where there is none."""
        for _ in range(_DEEPEST):
            if not isinstance(node, Mapping):
                raise self.file.error(f"expected a mapping, got {type(node).__name__}", *steps)
            if "$ref" not in node:
                return node, steps
            reference = str(node["$ref"])
            if not reference.startswith("#/"):
                raise self.file.error(
                    f"reference {reference!r}: expected one inside this file, such as '#/components/…'", *steps
                )
            target = tuple(unquote(part).replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))
            try:
                node = _at(self.file.data, target)
            except (KeyError, TypeError, IndexError):
                raise self.file.error(f"reference {reference!r} leads nowhere", *steps) from None
            steps = target
        raise self.file.error("references go round in a circle", *steps)


def _at(data: Any, steps: Iterable[Step]) -> Any:
    for step in steps:
        data = data[step]
    return data


def _path_pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts))


def _keyword_words(keyword: str, schema: Mapping[str, Any]) -> str:
    value = schema[keyword]
    match keyword:
        case "type":
            return f"is of type {value if isinstance(value, str) else ' or '.join(value)}"
        case "enum":
            return "is one of " + ", ".join(map(str, value))
        case "format" | "pattern":
            return f"has the {keyword} {value}"
        case _ if keyword in _COMBINERS or keyword in ("contains", "not"):
            return "has one of the documented shapes"
        case _:
            return f"keeps {keyword} {value}"
