"""Every operation, member, enum value, status, header and named ability of the public documents has a clause."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from harness.clauses import Clause
from harness.contract import Contract, load_contract
from harness.spec import Operation
from tests.specs.reading.documents import REPOSITORY
from tests.specs.reading.facts import Fact, Part
from tests.specs.reading.lookup import (
    accepts_value,
    all_members,
    any_payload,
    clause_of,
    find_members,
    find_operation,
    is_required,
)
from tests.specs.reading.readers import READERS, Reader

SPECS = REPOSITORY / "specs"

# What the harness answers to a callback is no promise of a platform, and nothing is said to follow from these.
ECHOED = {("sessionId",)}


class Judge:
    """Says of a fact what is missing; `clauses` collects what stands behind the facts that have something."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.clauses: set[str] = set()

    def missing(self, fact: Fact) -> str | None:
        """Why a fact has no clause; None when it has one."""
        operation = find_operation(self.contract, fact.place) if fact.place else None
        if fact.place and operation is None:
            return "no such operation in the spec"
        match fact.kind:
            case "operation" | "secured" | "media type" | "parameter" | "status" if operation:
                return self.of_operation(fact, operation)
            case "member" | "type" | "required" | "optional" | "enum" | "choice" if operation:
                return self.of_body(fact, operation)
            case "header" if operation:
                return self.has(self.header_clauses((operation,), fact.value), f"no clause for header {fact.value}")
            case "header":
                named = self.header_clauses(self.contract.spec.operations, fact.value)
                return self.has((*named, *self.speaking_of(fact.value)), f"no clause for header {fact.value}")
            case "header value" | "request header" | "parameter" | "server" | "security" | "status":
                return self.of_document(fact)
            case "named":
                unknown = [clause for clause in fact.clauses if clause not in self.contract.catalogue]
                return f"no clause {', '.join(unknown)}" if unknown else self.has(fact.clauses, "no clause")
        raise AssertionError(f"unknown kind of fact: {fact}")

    def has(self, clauses: Any, complaint: str) -> str | None:
        known = [clause for clause in clauses if clause in self.contract.catalogue]
        self.clauses.update(known)
        return None if known else complaint

    def speaking_of(self, word: str) -> Iterator[str]:
        spoken = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
        named = re.compile(rf"[.-]{re.escape(word)}$", re.IGNORECASE)
        clauses = self.contract.catalogue
        return (clause.id for clause in clauses if spoken.search(clause.text) or named.search(clause.id))

    def header_clauses(self, operations: tuple[Operation, ...], name: str) -> list[str]:
        headers = [header for operation in operations for answer in operation.responses for header in answer.headers]
        return [header.clause for header in headers if header.name.lower() == name.lower()]

    def of_operation(self, fact: Fact, operation: Operation) -> str | None:
        document = self.contract.spec.document
        match fact.kind:
            case "operation":
                return self.has([operation.clause], f"operation {operation.id} has no clause")
            case "secured":
                return None if operation.secured else "the spec leaves it open to everyone"
            case "media type":
                body = operation.request if fact.part is Part.REQUEST else operation.responses[0].payload
                return None if fact.value in body.schemas else f"the spec has {', '.join(body.schemas) or 'no body'}"
            case "status":
                answer = operation.response(int(fact.value))
                if answer is None:
                    return f"the spec lists {operation.statuses}"
                return self.has([operation.status_clause], "no clause for the status")
            case _:
                item = next(node for name, node in document["paths"].items() if name == operation.path)
                own = item[operation.method.lower()]
                listed = [*item.get("parameters", ()), *own.get("parameters", ())]
                names = {_resolve(document, parameter).get("name") for parameter in listed}
                in_path = re.findall(r"\{(\w+)\}", operation.path)
                return None if fact.value in names | set(in_path) else f"the spec has {', '.join(map(str, names))}"

    def of_body(self, fact: Fact, operation: Operation) -> str | None:
        schemas = any_payload(operation, fact.part)
        if not schemas:
            return "the spec has no such body"
        if not fact.path:
            listed = [node for schema in schemas for node in all_members(schema) if accepts_value(node, fact.value)]
            return self.has([clause_of(node) for node in listed], f"no member lists {fact.value}")
        found = [node for schema in schemas for node in find_members(schema, fact.path)]
        if not found and fact.kind == "choice":
            return self.has(self.speaking_of(fact.path[-1]), "neither the spec nor a clause has such a choice")
        if not found:
            return "the spec has no such member"
        called = operation in self.contract.spec.webhooks
        theirs = (fact.part is Part.REQUEST) == called
        match fact.kind:
            case "required":
                needed = any(is_required(schema, fact.path[0]) for schema in schemas)
                return None if needed else "the spec does not require it"
            case "optional":
                needed = any(is_required(schema, fact.path[0]) for schema in schemas)
                return "the spec requires it" if needed else None
            case "type" if theirs:
                return None if any(_allows_type(node, fact.value) for node in found) else "the spec has another type"
            case "enum":
                if not any(accepts_value(node, fact.value) for node in found):
                    return self.has(
                        self.speaking_of(fact.value), f"neither the spec nor a clause has the value {fact.value}"
                    )
        if fact.path in ECHOED and called and not theirs:
            return None
        return self.has([clause_of(node) for node in found], "the member has no clause")

    def of_document(self, fact: Fact) -> str | None:
        document = self.contract.spec.document
        match fact.kind:
            case "status":
                listing = [item for item in self.contract.spec.operations if fact.value in item.statuses.split()]
                return self.has([item.status_clause for item in listing], "no operation lists it")
            case "header value":
                name, value = fact.value.split()
                headers = [
                    h for o in self.contract.spec.operations for a in o.responses for h in a.headers if h.name == name
                ]
                return self.has(
                    [h.clause for h in headers if accepts_value(h.schema, value)], "the spec has no such value"
                )
            case "request header":
                words = {"Content-Type": "content type"}.get(fact.value, fact.value)
                return self.has(self.speaking_of(words), f"no clause speaks of {words}")
            case "server":
                urls = [server["url"] for server in document["servers"]]
                return (
                    None
                    if any(url.startswith(fact.value.rstrip("/")) for url in urls)
                    else f"the spec has {', '.join(urls)}"
                )
            case "security":
                schemes = document["components"]["securitySchemes"].values()
                return None if any(fact.value == scheme.get("scheme") for scheme in schemes) else "no such scheme"
            case _:
                return (
                    None if f'"{fact.value}"' in repr(document).replace("'", '"') else "the spec has no such parameter"
                )


def _resolve(document: Any, node: Any) -> Any:
    if "$ref" in node:
        for step in node["$ref"][2:].split("/"):
            document = document[step]
        return document
    return node


def _allows_type(node: Any, wanted: str) -> bool:
    listed = node.get("type")
    if listed is None:
        alternatives = [item for key in ("anyOf", "oneOf") for item in node.get(key, ())]
        return not alternatives or any(_allows_type(item, wanted) for item in alternatives)
    types = {listed} if isinstance(listed, str) else set(listed)
    return wanted in types or (wanted == "number" and "integer" in types)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.document)
def test_everything_that_a_document_says_has_a_clause(reader: Reader, record_property: Any) -> None:
    facts = reader.facts()
    judge = Judge(load_contract(SPECS / reader.system))
    complaints = [f"{fact}: {complaint}" for fact in facts if (complaint := judge.missing(fact))]
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(fact.kind for fact in facts).items()))
    print(f"{reader.document}: {len(facts)} facts ({kinds}), {len(judge.clauses)} clauses behind them")
    record_property("facts", len(facts))
    assert not complaints, "\n".join(complaints)
    assert len(facts) == reader.fact_count


def test_each_clause_names_a_section_of_a_document_that_exists() -> None:
    for system in sorted({reader.system for reader in READERS}):
        contract = load_contract(SPECS / system)
        names = {reader.document for reader in READERS if reader.system == system}
        assert set(contract.file.documents.values()) == names, system
        clauses: list[Clause] = list(contract.catalogue)
        assert all(clause.source for clause in clauses)
