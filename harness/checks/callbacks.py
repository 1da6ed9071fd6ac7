"""Judges every callback that a platform sent: which webhook it is, how it came, and what its payload holds.

What the harness answered is no promise of the platform and is not judged. Callbacks of a system are told apart by what a
scenario said of them, by their path, or because the system has one webhook only; what cannot be told is not judged.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.checks.evidence import failed, inconclusive, passed, shorten
from harness.checks.flows.values import normal_url
from harness.checks.schema import judge_value
from harness.contract import Contract
from harness.spec import Operation
from harness.timeline import Callback, Event, HttpExchange, HttpRequest, Note, declared_type
from harness.verdicts import Finding, Reason

WEBHOOK_NOTE = "webhook"
"""Topic of a note by which a scenario says which webhook (`data.operation`) is called at `data.url`, or below it."""

# Which clause says that a callback is a POST to its own name. A hook of Callable has a method of its own, and a script of
# Apidaze may be fetched by GET or POST: the call flows of these systems say so.
_METHOD_CLAUSES = {"mediaservice": "MS-callback-path", "vtx": "VX-push-at-call-end", "callable": None, "apidaze": None}
# What kind of hook of Callable gets which callback (CA, Hooks).
HOOK_KINDS = {"event.generic": "communicationEvent", "flow.generic": "flowControl"}
_KEPT_FAILURES = 20
_LARGEST_BODY = 16_000_000


def check_callbacks(events: Iterable[Event], contract: Contract, system: str = "") -> Iterator[Finding]:
    """Findings about the callbacks of one system; `system`: whose they are where they do not say it themselves."""
    events = tuple(events)
    webhooks = Webhooks(events, contract)
    callbacks = (
        event for event in events if isinstance(event, Callback) and (event.system or system) == contract.system
    )
    yield from first_of_each(finding for callback in callbacks for finding in judge_callback(callback, webhooks))


def first_of_each(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Of each clause and subject one pass, and the first few of each deviation: a record may hold many thousands."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        key = (finding.clause, finding.subject, finding.message)
        counts[key] += 1
        if counts[key] <= (_KEPT_FAILURES if finding.message else 1):
            yield finding


class Webhooks:
    """Tells which webhook of a system a callback is for."""

    def __init__(self, events: Iterable[Event], contract: Contract) -> None:
        self.contract = contract
        self._by_name = {webhook.id: webhook for webhook in contract.spec.webhooks}
        self._by_path = {webhook.path.strip("/"): webhook for webhook in contract.spec.webhooks}
        self._by_url: dict[str, Operation] = {}
        for event in events:
            url, operation = _announced(event)
            if url and operation in self._by_name:
                self._by_url[_place(url)] = self._by_name[operation]
        decided = {clause for flow in contract.sequences for clause in flow.clauses}
        # Where no flow says when a callback has to come, that it came is all that its own clause promises.
        self.shown_by_arrival = frozenset(hook.clause for hook in contract.spec.webhooks if hook.clause not in decided)
        self.method_clauses = {
            webhook.id: _METHOD_CLAUSES.get(contract.system, webhook.clause) for webhook in contract.spec.webhooks
        }

    def find(self, callback: Callback) -> Operation | None:
        """The webhook: named by the driver, announced for its URL, called by its path, or the only one there is."""
        if named := self._by_name.get(callback.about.get("operation", "")):
            return named
        place = _place(callback.request.url)
        while self._by_url and place:
            if place in self._by_url:
                return self._by_url[place]
            place = place.rpartition("/")[0]
        if found := self.named(callback):
            return found
        if routed := self._by_path.get(callback.about.get("route", "")):
            return routed
        return next(iter(self._by_name.values())) if len(self._by_name) == 1 else None

    def named(self, callback: Callback) -> Operation | None:
        """The webhook that the end of the path names."""
        segments = _segments(callback.request.url)
        endings = ("/".join(segments[start:]) for start in range(len(segments)))
        return next((self._by_path[path] for path in endings if path in self._by_path), None)

    def misspelt(self, callback: Callback) -> Operation | None:
        """The webhook whose name differs from the end of the path only in upper and lower case."""
        last = "/".join(_segments(callback.request.url)[-1:])
        return next((hook for path, hook in self._by_path.items() if last and path.lower() == last.lower()), None)


def judge_callback(callback: Callback, webhooks: Webhooks) -> Iterator[Finding]:
    """Findings about one callback."""
    at = (callback.seq,)
    if callback.about.get("refused"):
        return
    webhook = webhooks.find(callback)
    if webhook is None:
        meant = webhooks.misspelt(callback)
        clause = webhooks.method_clauses[meant.id] if meant else None
        if meant and clause:
            yield failed(
                clause, "the path does not end in the name of the callback", expected=meant.path,
                seen=urlsplit(callback.request.url).path, subject=meant.id, at=at,
            )  # fmt: skip
        return
    request, subject = callback.request, webhook.id
    method_clause = webhooks.method_clauses[webhook.id]
    right_method = request.method.upper() == webhook.method
    if method_clause and not right_method:
        yield failed(
            method_clause, f"{webhook.id} comes by another method than documented", expected=webhook.method,
            seen=request.method, subject=subject, at=at,
        )  # fmt: skip
    elif method_clause and method_clause != webhook.clause:
        yield passed(method_clause, subject, at=at)
    if right_method and webhook.clause in webhooks.shown_by_arrival:
        yield passed(webhook.clause, subject, at=at)
    if webhook.request.schemas:
        yield from _judge_payload(webhook, callback)


def _judge_payload(webhook: Operation, callback: Callback) -> Iterator[Finding]:
    at, subject, request = (callback.seq,), webhook.id, callback.request
    declared = declared_type(request.headers)
    media_type = next((known for known in webhook.request.schemas if _same_media_type(known, declared)), None)
    if media_type is None:
        yield failed(
            webhook.body_clause, "the content type is not the documented one",
            expected=" or ".join(webhook.request.schemas), seen=declared or "no content type", subject=subject, at=at,
        )  # fmt: skip
        if declared:
            return
        media_type = next(iter(webhook.request.schemas))
    if not _is_complete(callback):
        yield inconclusive(
            webhook.body_clause, Reason.NO_EVIDENCE, "the body is not in the record as a whole", subject=subject, at=at
        )
        return
    value = payload(request)
    if value is None or not media_type.endswith("json"):
        if media_type.endswith("json"):
            yield failed(
                webhook.body_clause, "the body is not JSON", expected="JSON", seen=_shown(request) or "an empty body",
                subject=subject, at=at,
            )  # fmt: skip
        return
    verdict = judge_value(webhook.request.schemas[media_type], value[0])
    for violation in verdict.violations:
        yield failed(
            violation.clause or webhook.body_clause, violation.message, expected=violation.keyword,
            seen=violation.seen, subject=subject, at=at,
        )  # fmt: skip
    for clause in sorted(verdict.kept):
        yield passed(clause, subject, at=at)
    if declared and all(violation.clause for violation in verdict.violations):
        yield passed(webhook.body_clause, subject, at=at)


def payload(request: HttpRequest) -> tuple[Any] | None:
    """The JSON value of a request's body, in a tuple of one; None where the body is none (`null` is a value)."""
    body = request.body
    if (request.header("content-encoding") or "identity").strip().lower() in ("gzip", "x-gzip", "deflate"):
        unpacked = _unpacked(body)
        if unpacked is None:
            return None
        body = unpacked
    try:
        value = json.loads(body, parse_constant=_no_constant)
        json.dumps(
            value, ensure_ascii=False
        ).encode()  # a lone surrogate is no text that a schema could be held against
    except (ValueError, RecursionError):
        return None
    return (value,)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON (RFC 8259 6)")


def _unpacked(body: bytes) -> bytes | None:
    unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib, whichever the bytes begin with
    try:
        result = unpacker.decompress(body, _LARGEST_BODY)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail else result


def _is_complete(callback: Callback) -> bool:
    """Whether the recorder has the whole body: it may have been too large, or its sender may have gone."""
    if (callback.failure or "").startswith("too-large"):
        return False
    length = (callback.request.header("content-length") or "").strip()
    return not length.isdigit() or int(length[:12]) <= len(callback.request.body)


def _same_media_type(documented: str, declared: str) -> bool:
    return documented == declared or (documented == "application/json" and declared.endswith("+json"))


def _announced(event: Event) -> tuple[str, str]:
    """A URL and the webhook that is called there: said by a note, or by a request that sets up a hook."""
    if isinstance(event, Note) and event.topic == WEBHOOK_NOTE:
        return str(event.data.get("url", "")), str(event.data.get("operation", ""))
    if isinstance(event, HttpExchange) and event.request.method in ("POST", "PUT") and b'"app"' in event.request.body:
        if event.response is None or event.response.status >= 300:
            return "", ""
        value = payload(event.request)
        if value and isinstance(value[0], dict):
            return str(value[0].get("url", "")), HOOK_KINDS.get(str(value[0].get("app")), "")
    return "", ""


def _place(url: str) -> str:
    """A URL as it is compared: host and path, without query and without a slash at the end."""
    parts = normal_url(url)
    return f"{parts[1]}:{parts[2]}{parts[3]}".rstrip("/") if len(parts) > 1 else url


def _segments(url: str) -> list[str]:
    try:
        path = urlsplit(url).path
    except ValueError:
        return []
    return [unquote(part) for part in path.split("/") if part][-3:]


def _shown(request: HttpRequest) -> str:
    return shorten(request.body[:400].decode("utf-8", "replace"))
