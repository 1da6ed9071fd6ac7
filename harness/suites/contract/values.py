"""Values that requests may carry: examples of the spec, made unique or safe where its `x-value` marks say so.

The marks: `unique` (a name that nothing else has), `recorder-url` (a URL of the run's own recorder, so that a target fetches
nothing from anyone else), `soon` (a moment two minutes ahead), `user-id`, `username`, `password` (from the target file),
`agent-host`, `agent-port`, `new-extension`, `trunk-id`, and `path-id` (left out: the path says it).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.spec import Operation
from harness.suites.contract.links import VALUE_KEY, Links, fitting
from harness.suites.inconclusive import InconclusiveError
from harness.target import SystemTarget
from harness.verdicts import Reason

# Scenarios give their gateways numbers that begin with 8.
_FIRST_DIGITS = "234567"
NEW_EXTENSION_PATTERN = f"^[{_FIRST_DIGITS}][0-9]{{2}}$"
UNKNOWN_ID = "ringtrue-no-such-id"
_SOON = timedelta(minutes=2)
_OMIT = object()


def unique(base: str = "rt") -> str:
    """A short name that nothing else in the world has."""
    return f"{base}{secrets.token_hex(5)}"


class Values:
    """Example requests of a system. `makers` gives values for marks that need something to be made first.

    `made` lists the values that are ours alone: what carries one of them was made by this run.
    """

    def __init__(self, links: Links, target: SystemTarget, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._links = links
        self._target = target
        self._makers = makers
        self.made: list[str] = []
        self._turn = 0

    def body(self, operation: Operation, media_type: str) -> Any:
        """The example body of an operation, with marked members replaced."""
        body = self._links.follow(self._links.node(operation).get("requestBody", {}))
        content = body.get("content", {}).get(media_type, {})
        example = content.get("example")
        if example is None and content.get("examples"):
            example = next(iter(content["examples"].values())).get("value")
        return self.safe(content.get("schema", {}), example)

    def query(self, operation: Operation) -> dict[str, str]:
        """The example query: required parameters with their examples."""
        return {
            one["name"]: str(self.safe(one.get("schema", {}), one.get("example")))
            for one in self._links.parameters(operation)
            if one.get("in") == "query" and one.get("required") and "example" in one
        }

    def safe(self, schema: Any, value: Any) -> Any:
        """The value with every marked place below it replaced."""
        schema = self._links.follow(schema)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                schema = {**schema, **fitting([self._links.follow(one) for one in schema[key]], value)}
        if VALUE_KEY in schema:
            return self._marked(schema[VALUE_KEY], value)
        if isinstance(value, Mapping):
            members = schema.get("properties", {})
            made = {name: self.safe(members.get(name, {}), item) for name, item in value.items()}
            return {name: item for name, item in made.items() if item is not _OMIT}
        if isinstance(value, list):
            items = [self.safe(schema.get("items", {}), item) for item in value]
            # A target that has one user has him once, however many the example names.
            return [item for place, item in enumerate(items) if item not in items[:place]]
        return value

    def _marked(self, mark: str, value: Any) -> Any:
        match mark:
            case "unique":
                self.made.append(unique())
                return self.made[-1]
            case "recorder-url":
                self.made.append(self._makers[mark]())
                return self.made[-1]
            case "username" | "password":
                return getattr(self._target, mark, None) or value
            case "soon":
                return (datetime.now(UTC) + _SOON).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            case "user-id":
                return self.user_id(value)
            case "agent-host":
                return "127.0.0.1"
            case "agent-port":
                return 20_000 + secrets.randbelow(40_000)
            case "new-extension":
                return f"{secrets.choice(_FIRST_DIGITS)}{secrets.randbelow(100):02}"
            case "path-id":
                return _OMIT
            case _:
                return self._makers[mark]() if mark in self._makers else value

    def user_id(self, value: Any) -> Any:
        """The id of one of the target's users, each in turn, in the type of the example.

        Raises:
            InconclusiveError: the target file names none, and nobody else's may be made up.
        """
        known = self.user_ids(number=isinstance(value, int))
        if not known:
            raise InconclusiveError(Reason.PRECONDITION, "the target file names no user with an id")
        self._turn += 1
        return known[self._turn % len(known)]

    def user_ids(self, *, number: bool) -> list[Any]:
        """The ids of the target's users: as text, or as numbers those that are some."""
        known = [user.id for user in self._target.users if user.id]
        return [int(one) for one in known if one.isdecimal()] if number else known
