"""Values that requests may carry: examples of the spec, made unique or safe where its `x-value` marks say so.

`x-value: unique` asks for a name that nothing else has; `x-value: recorder-url` for a URL of the run's own recorder, so
that a target fetches nothing from anyone else. Used by contract tests and by the fuzzing guard.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from harness.contract import Contract
from harness.spec import Operation

VALUE_KEY = "x-value"
UNKNOWN_ID = "ringtrue-no-such-id"


def unique(base: str = "rt") -> str:
    """A short name that nothing else in the world has."""
    return f"{base}{secrets.token_hex(5)}"


class Values:
    """Example requests of a system. `recorder_url` makes a URL at which the recorder answers.

    `made` lists the values that are ours alone: what carries one of them was made by this run.
    """

    def __init__(self, contract: Contract, recorder_url: Callable[[], str]) -> None:
        self._document = contract.spec.document
        self._recorder_url = recorder_url
        self.made: list[str] = []

    def body(self, operation: Operation, media_type: str) -> Any:
        """The example body of an operation, with marked members replaced."""
        node = self._node(operation)
        content = self._follow(node.get("requestBody", {})).get("content", {}).get(media_type, {})
        return self.safe(content.get("schema", {}), content.get("example"))

    def query(self, operation: Operation) -> dict[str, str]:
        """The example query: required parameters with their examples."""
        item = self._document["paths"][operation.path]
        parameters = [
            self._follow(one) for one in (*item.get("parameters", ()), *self._node(operation).get("parameters", ()))
        ]
        return {
            one["name"]: str(self.safe(one.get("schema", {}), one.get("example")))
            for one in parameters
            if one.get("in") == "query" and one.get("required")
        }

    def safe(self, schema: Any, value: Any) -> Any:
        """The value with every marked place below it replaced."""
        schema = self._follow(schema)
        match schema.get(VALUE_KEY):
            case "unique":
                self.made.append(unique())
                return self.made[-1]
            case "recorder-url":
                self.made.append(self._recorder_url())
                return self.made[-1]
            case _:
                pass
        if isinstance(value, Mapping):
            members = schema.get("properties", {})
            return {name: self.safe(members.get(name, {}), item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.safe(schema.get("items", {}), item) for item in value]
        return value

    def _node(self, operation: Operation) -> Mapping[str, Any]:
        node: Mapping[str, Any] = self._document["paths"][operation.path][operation.method.lower()]
        return node

    def _follow(self, node: Any) -> Mapping[str, Any]:
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self._document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node if isinstance(node, Mapping) else {}
