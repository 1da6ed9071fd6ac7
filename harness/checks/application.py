"""Remarks about the other side of a recording: what the application answered to callbacks, and what it sent to the API.

None of this is a promise of the platform, so none of it is a finding about a clause or touches an exit code; it is told to
whoever writes the application. Pure, like every check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.checks.evidence import parse_json, shorten
from harness.checks.schema import judge_value
from harness.contract import Contract
from harness.spec import Operation
from harness.timeline import Callback, Event, Exchange, HttpExchange, declared_type

# An answer says again whose it is.
_ECHOED = ("sessionId", "replyId")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about the application. `about`: the callback or operation; `at`: the `seq` of the exchange."""

    about: str
    message: str
    expected: str = ""
    seen: str = ""
    at: int = -1

    def to_json(self) -> dict[str, Any]:
        return {
            "about": self.about,
            "message": self.message,
            "expected": self.expected,
            "seen": self.seen,
            "at": self.at,
        }


def remarks_on(events: Iterable[Event], contract: Contract) -> Iterator[Remark]:
    """Remarks about the application's side of a system's callbacks and API calls."""
    for event in events:
        if not isinstance(event, Exchange) or event.system != contract.system:
            continue
        try:
            operation = contract.spec.operation(event.about.get("operation", ""))
        except KeyError:
            continue
        if isinstance(event, Callback):
            yield from _answer(event, operation)
        elif isinstance(event, HttpExchange):
            yield from _request(event, operation)


def _answer(callback: Callback, webhook: Operation) -> Iterator[Remark]:
    response, at = callback.response, callback.seq
    if response is None:
        yield Remark(webhook.id, "is not answered", "an answer", callback.failure or "none", at)
        return
    if not 200 <= response.status < 300:
        yield Remark(webhook.id, "is not taken", "a success (2xx)", f"{response.status} {response.reason}".strip(), at)
        return
    documented = webhook.response(response.status)
    schema = documented.payload.schemas.get("application/json") if documented else None
    if schema is None or response.truncated:
        return
    if not response.body:
        if documented and documented.payload.required:
            yield Remark(webhook.id, "the answer is empty", "JSON", "an empty body", at)
        return
    try:
        value = parse_json(response.body)
    except ValueError:
        yield Remark(
            webhook.id, "the answer is not JSON", "JSON", shorten(response.body.decode("utf-8", "replace")), at
        )
        return
    for violation in judge_value(schema, value).violations:
        yield Remark(webhook.id, f"the answer: {violation.message}", violation.keyword, shorten(violation.seen), at)
    yield from _echo(callback, webhook, value)


def _echo(callback: Callback, webhook: Operation, answer: Any) -> Iterator[Remark]:
    try:
        asked = parse_json(callback.request.body)
    except ValueError:
        return
    if not isinstance(asked, dict) or not isinstance(answer, dict):
        return
    for name in _ECHOED:
        if name in asked and name in answer and asked[name] != answer[name]:
            yield Remark(
                webhook.id, f"the answer has another {name} than was asked", shorten(asked[name]), shorten(answer[name]),
                callback.seq,
            )  # fmt: skip


def _request(exchange: HttpExchange, operation: Operation) -> Iterator[Remark]:
    at, declared = exchange.seq, declared_type(exchange.request.headers)
    if exchange.response is not None and exchange.response.status in (401, 403):
        yield Remark(
            operation.id, "its credentials are refused", "valid credentials", str(exchange.response.status), at
        )
    schema = operation.request.schemas.get("application/json")
    if schema is None or not exchange.request.body or declared not in ("application/json", ""):
        return
    try:
        value = parse_json(exchange.request.body)
    except ValueError:
        yield Remark(operation.id, "the request is not JSON", "JSON", "something else", at)
        return
    for violation in judge_value(schema, value).violations:
        yield Remark(operation.id, f"the request: {violation.message}", violation.keyword, shorten(violation.seen), at)
