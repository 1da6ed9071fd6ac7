"""Makes things at the target so that operations on them can be tried, and takes them away again.

How an id is found is read from the spec's links: in the answer of the operation that creates, or else by comparing the list
before and after. What was created stands in the run's ledger until it is deleted; nothing else is ever changed or deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.evidence import json_body
from harness.drivers.http import Body, fill_path
from harness.spec import Operation
from harness.suites.contract.values import Values
from harness.suites.scenario import InconclusiveError, Scenario
from harness.target import ApidazeTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Link:
    """A documented way from one operation's answer to another's path parameters (name to JSON pointer)."""

    source: str
    target: str
    parameters: Mapping[str, str]


@dataclass
class Workbench:
    """Valid requests of one scenario's system, with whatever they need made first."""

    scenario: Scenario
    created: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        contract = self.scenario.contract
        self.spec = contract.spec
        self.values = Values(contract, self._recorder_url)
        self.links = tuple(_links(contract.spec.document))

    def _recorder_url(self) -> str:
        from harness.drivers.recorder import Answer

        recorder = self.scenario.recorder
        script = Answer(headers={"Content-Type": "application/xml"}, body="<document><work><hangup/></work></document>")
        return recorder.route(recorder.unique("contract"), script).url

    @property
    def media_type(self) -> str:
        """How bodies are encoded where an operation allows several."""
        target = self.scenario.target
        return FORM if isinstance(target, ApidazeTarget) and target.body_encoding == "form" else JSON

    def send(self, operation: Operation, parameters: Mapping[str, str] | None = None, **options: Any) -> HttpExchange:
        """Send a valid request; `parameters` are its path parameters (made, when they are not given)."""
        if parameters is None:
            parameters = self.parameters(operation)
        about = {"operation": operation.id, **options.pop("about", {"expect": "success", "case": "example"})}
        exchange = self.scenario.api.request(
            operation.method,
            fill_path(operation.path, **parameters),
            params=self.values.query(operation) or None,
            body=self.body(operation),
            about=about,
            **options,
        )
        self.keep(operation, exchange)
        return exchange

    def keep(self, operation: Operation, exchange: HttpExchange) -> dict[str, str] | None:
        """If the exchange created something, find out what, and have it deleted at the end; its path parameters.

        What cannot be found for certain is not touched: it may be somebody else's.
        """
        link = next((one for one in self.links if one.source == operation.id and operation.method == "POST"), None)
        if link is None or exchange.response is None or not 200 <= exchange.response.status < 300:
            return None
        found = _pick(json_body(exchange), link.parameters)
        if found is None:
            own = self._own(self.spec.operation(link.target))
            found = own[0] if len(own) == 1 else None
        if found is not None:
            self.remember(operation, found)
        return found

    def body(self, operation: Operation) -> Body | None:
        schemas = operation.request.schemas
        if not schemas:
            return None
        media_type = self.media_type if self.media_type in schemas else next(iter(schemas))
        value = self.values.body(operation, media_type)
        return Body.form(value) if media_type == FORM else Body.json(value)

    def parameters(self, operation: Operation) -> dict[str, str]:
        """Path parameters that name something which exists because it was made for this test.

        Raises:
            InconclusiveError: nothing could be made.
        """
        if "{" not in operation.path:
            return {}
        maker = self._maker(operation)
        if maker is None:
            raise InconclusiveError(Reason.PRECONDITION, f"the spec has no link that leads to {operation.id}")
        made = len(self.created)
        exchange = self.send(maker)
        if exchange.response is None or not 200 <= exchange.response.status < 300:
            status = exchange.response.status if exchange.response else exchange.failure
            raise InconclusiveError(
                Reason.PRECONDITION, f"{maker.id} was answered {status}, so there is nothing to try"
            )
        if len(self.created) == made:
            words = f"what {maker.id} made can be told neither from its answer nor from the list"
            raise InconclusiveError(Reason.PRECONDITION, words)
        return self.created[-1][1]

    def remember(self, create: Operation, parameters: dict[str, str]) -> None:
        """Enter something that was created into the ledger and have it deleted at the end."""
        delete = self._deleter(create)
        self._ledger({"created_by": create.id, "delete": delete.id if delete else None, "parameters": parameters})
        self.created.append((create.id, parameters))
        if delete is not None:
            self.scenario.cleanup(lambda: self.delete(delete, parameters))

    def delete(self, delete: Operation, parameters: Mapping[str, str]) -> None:
        """Take something away; that it is gone already is as good."""
        path = fill_path(delete.path, **parameters)
        exchange = self.scenario.api.request("DELETE", path, about={"operation": delete.id, "case": "cleanup"})
        if exchange.response is not None and (exchange.response.status < 300 or exchange.response.status in (404, 410)):
            self._ledger({"deleted": path})

    def _ledger(self, entry: Mapping[str, Any]) -> None:
        line = {"system": self.scenario.system, "base_url": self.scenario.target.base_url, **entry}
        with (self.scenario.plan.run_dir / "ledger.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _maker(self, operation: Operation) -> Operation | None:
        for link in self.links:
            source = self.spec.operation(link.source)
            if link.target == operation.id and source.method == "POST":
                return source
        return None

    def _deleter(self, create: Operation) -> Operation | None:
        targets = [self.spec.operation(link.target) for link in self.links if link.source == create.id]
        return next((target for target in targets if target.method == "DELETE"), None)

    def lists(self, operation: Operation) -> list[Operation]:
        """Reads whose answers list things of the kind that `operation` works on."""
        same = operation.path.partition("/{")[0]
        return [one for one in self.spec.operations if one.method == "GET" and one.path == same]

    def _own(self, operation: Operation) -> list[dict[str, str]]:
        """Path parameters of listed things that carry the last value which was made unique for this run."""
        mark = self.values.made[-1] if self.values.made else None
        for source in self.lists(operation):
            for link in self.links:
                if link.source == source.id and mark is not None:
                    about = {"operation": source.id, "expect": "success", "case": "example"}
                    value = json_body(self.scenario.api.request("GET", source.path, about=about))
                    items = value if isinstance(value, list) else []
                    picked = (_pick([item], link.parameters) for item in items if mark in json.dumps(item))
                    return [one for one in picked if one is not None]
        return []


def _links(document: Mapping[str, Any]) -> Iterator[Link]:
    for item in document.get("paths", {}).values():
        for node in item.values():
            if not isinstance(node, Mapping):
                continue
            for response in node.get("responses", {}).values():
                for link in response.get("links", {}).values():
                    yield Link(node["operationId"], link["operationId"], link.get("parameters", {}))


def _pick(value: Any, parameters: Mapping[str, str]) -> dict[str, str] | None:
    """Path parameters out of an answer; an answer that is a list of one is taken for its item where that fits."""
    found: dict[str, str] = {}
    for name, expression in parameters.items():
        pointer = expression.partition("#")[2]
        item = _at(value, pointer)
        if item is None and isinstance(value, list) and len(value) == 1:
            item = _at(value[0], pointer)
        if not isinstance(item, str | int) or isinstance(item, bool):
            return None
        found[name.rpartition(".")[2]] = str(item)
    return found


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return value
