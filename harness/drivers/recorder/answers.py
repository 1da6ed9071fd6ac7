"""Answers and matches as data: what the recorder replies, and which callbacks a route takes.

Scenarios build them, the control socket carries them as JSON, the recorder's server renders them. No I/O here.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.drivers.recorder.errors import RecorderError
from harness.timeline import Headers


class _Missing:
    """The absence of a JSON value; `None` will not do, since null is one."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a callback.

    `body` is sent as it is. `json` (any JSON value) and `template` are sent as `application/json`; in a template each
    string of the form `$.member.inner` becomes that member of the request's JSON body, and a member that the request
    lacks is left out. `delay`: seconds before the answer; `drop`: close the connection instead of answering. Headers
    given here win over those that the recorder adds, so a wrong Content-Type or Content-Length is a matter of data.
    """

    status: int = 200
    headers: Headers | Mapping[str, str] = ()
    body: bytes | str = b""
    json: Any = MISSING
    template: Any = MISSING
    delay: float = 0.0
    drop: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, for the control socket."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        item: dict[str, Any] = {
            "status": self.status,
            "headers": [list(pair) for pair in _pairs(self.headers)],
            "body": base64.b64encode(body).decode("ascii"),
            "delay": self.delay,
            "drop": self.drop,
        }
        if self.json is not MISSING:
            item["json"] = self.json
        if self.template is not MISSING:
            item["template"] = self.template
        return item

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> Answer:
        """Raises RecorderError when the item is no answer."""
        try:
            answer = cls(
                status=int(item["status"]),
                headers=tuple((str(name), str(value)) for name, value in item["headers"]),
                body=base64.b64decode(item["body"]),
                json=item.get("json", MISSING),
                template=item.get("template", MISSING),
                delay=float(item["delay"]),
                drop=bool(item["drop"]),
            )
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise RecorderError(f"not an answer: {error!r}") from error
        if not 200 <= answer.status <= 599:
            raise RecorderError(f"status {answer.status}: an answer has a status from 200 to 599")
        return answer

    def render(self, request: Any) -> tuple[int, Headers, bytes]:
        """Status, headers and body for a request whose JSON body is `request` (MISSING when it is not JSON)."""
        headers = _pairs(self.headers)
        body = self.body.encode() if isinstance(self.body, str) else self.body
        value = self.json if self.template is MISSING else fill(self.template, request)
        if value is not MISSING:
            body = json.dumps(value, ensure_ascii=False).encode()
            if not any(name.lower() == "content-type" for name, _ in headers):
                headers = (*headers, ("Content-Type", "application/json"))
        return self.status, headers, body


@dataclass(frozen=True, slots=True)
class Match:
    """Conditions on a callback, beside path and method; all of them must hold.

    `headers` and `query` map a name to its value. `json` maps a member's path (`user.id`, `list.0`) to a value, or to
    a list of values of which one must be there; numbers equal the strings that spell them, as the documents mix the
    two. `known` names a member, or several of which one is enough, whose value must be one that a route of the same
    client has learned (see `RecorderClient.route`), which is how later callbacks of a session find the scenario that its
    first one found; `caller=party` compares the member `caller` with what was learned as `party`. It counts as two
    conditions, for who knows a session is nearer to it than who expects something like it. `mentions` is a text that
    must stand in the body, such as a name that a scenario made up for itself.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] = field(default_factory=dict)
    known: str | tuple[str, ...] | None = None
    mentions: str | None = None

    @property
    def weight(self) -> int:
        """How specific this is: the number of conditions, where a session that is known counts for two."""
        counted = len(self.headers) + len(self.query) + len(self.json)
        return counted + 2 * (self.known is not None) + (self.mentions is not None)

    def to_json(self) -> dict[str, Any]:
        return {
            "headers": dict(self.headers),
            "query": dict(self.query),
            "json": dict(self.json),
            "known": self.known,
            "mentions": self.mentions,
        }

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> Match:
        """Raises RecorderError when the item is no match."""
        try:
            known = tuple(item["known"]) if isinstance(item["known"], list) else item["known"]
            return cls(dict(item["headers"]), dict(item["query"]), dict(item["json"]), known, item["mentions"])
        except (KeyError, TypeError, ValueError) as error:
            raise RecorderError(f"not a match: {error!r}") from error


def member(value: Any, path: str) -> Any:
    """The member at a dotted path (`a.b`, `list.0`) of a JSON value, or MISSING."""
    for step in path.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def fill(template: Any, request: Any) -> Any:
    """The template with its `$.member` strings replaced; MISSING where the request has no such member."""
    if isinstance(template, str) and template.startswith("$."):
        return member(request, template[2:])
    if isinstance(template, Mapping):
        filled = {key: fill(item, request) for key, item in template.items()}
        return {key: item for key, item in filled.items() if item is not MISSING}
    if isinstance(template, list | tuple):
        return [item for item in (fill(entry, request) for entry in template) if item is not MISSING]
    return template


def same(seen: Any, expected: Any) -> bool:
    """Whether two JSON values are equal, numbers and the strings that spell them counting as equal."""
    if seen is MISSING:
        return False
    if isinstance(seen, bool) or isinstance(expected, bool):
        return seen is expected
    if isinstance(seen, str | int | float) and isinstance(expected, str | int | float):
        return str(seen) == str(expected)
    return bool(seen == expected)


def _pairs(headers: Headers | Mapping[str, str]) -> Headers:
    return tuple(headers.items()) if isinstance(headers, Mapping) else headers
