"""Judges every API exchange of a timeline by what the OpenAPI document says of its operation.

Status, headers, body and members each have their clauses; a request that had to succeed and did not is held against the
operation's own clause. What a document promises about API answers is judged on authenticated ones only.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from urllib.parse import parse_qsl, urlsplit

from harness.checks.evidence import curl, failed, inconclusive, parse_json, passed, seen_answer
from harness.checks.schema import judge_value
from harness.checks.taken import Value, is_taken
from harness.contract import Contract
from harness.spec import HeaderSpec, Operation, Payload
from harness.timeline import HttpExchange, HttpResponse, Timeline, declared_type
from harness.verdicts import Finding, Reason

_NO_BODY = (204, 205, 304)


def check_exchanges(
    timeline: Timeline, contracts: dict[str, Contract], bases: dict[str, str], taken: Container[Value] = ()
) -> Iterator[Finding]:
    """Findings about all API exchanges.

    `bases`: base URL by system, to find an operation by its path; `taken`: values that were given against the documents.
    """
    for exchange in timeline.of(HttpExchange):
        contract = contracts.get(exchange.system)
        if contract is None:
            continue
        operation = find_operation(contract, exchange, bases.get(exchange.system, ""))
        if operation is not None:
            yield from judge_exchange(operation, exchange, taken)


def find_operation(contract: Contract, exchange: HttpExchange, base: str) -> Operation | None:
    """The operation that a request was for: named by the driver, else found by method and path below `base`."""
    if named := exchange.about.get("operation"):
        try:
            return contract.spec.operation(named)
        except KeyError:
            pass  # a record made with another version of the document; the path may still tell
    path = urlsplit(exchange.request.url).path.removeprefix(urlsplit(base).path)
    return contract.spec.match(exchange.request.method, path)


def judge_exchange(operation: Operation, exchange: HttpExchange, taken: Container[Value] = ()) -> Iterator[Finding]:
    """Findings about one exchange; several for one clause are possible, and weighed later."""
    at = (exchange.seq,)
    subject = operation.id
    response = exchange.response
    must_succeed = exchange.about.get("expect") == "success"
    if response is None:
        reason = Reason.TIMEOUT if (exchange.failure or "").startswith("timeout") else Reason.UNREACHABLE
        yield inconclusive(operation.clause, reason, exchange.failure or "no answer", subject=subject, at=at)
        return
    authenticated = exchange.about.get("auth", "valid" if response.status not in (401, 403) else "none") == "valid"
    succeeded = 200 <= response.status < 300
    if authenticated and succeeded and exchange.about.get("case") != "negative":
        yield passed(operation.clause, subject, at=at)
        yield from _accepted_members(operation, exchange)
    elif must_succeed and response.status == 429:
        yield inconclusive(operation.clause, Reason.PRECONDITION, "the quota is used up", subject=subject, at=at)
    elif must_succeed:
        yield failed(
            operation.clause,
            f"a valid {operation.method} {operation.path} is answered {response.status}",
            expected="a success (2xx)",
            seen=seen_answer(exchange),
            subject=subject,
            at=at,
            reproduce=curl(exchange),
        )
    documented = operation.response(response.status)
    if documented is None:
        if operation.responses:
            yield failed(
                operation.status_clause,
                f"answers {response.status}, which is not among its documented codes",
                expected=operation.statuses,
                seen=seen_answer(exchange),
                subject=subject,
                at=at,
                reproduce=curl(exchange),
            )
        return
    yield passed(operation.status_clause, subject, at=at)
    if authenticated or not operation.secured:
        for header in documented.headers:
            yield from _judge_header(header, exchange, response, subject)
    if documented.payload.schemas and exchange.request.method != "HEAD" and response.status not in _NO_BODY:
        yield from _judge_body(operation, documented.payload, exchange, response, taken)


def _judge_header(
    header: HeaderSpec, exchange: HttpExchange, response: HttpResponse, subject: str
) -> Iterator[Finding]:
    at = (exchange.seq,)
    raw = response.header(header.name)
    if raw is None:
        if header.required:
            yield failed(
                header.clause, f"the header {header.name} is missing", expected=header.name, seen="absent",
                subject=subject, at=at, reproduce=curl(exchange),
            )  # fmt: skip
        return
    value = _header_value(raw, header.schema.get("type"))
    verdict = judge_value(header.schema, value)
    if verdict.violations:
        yield failed(
            header.clause, f"the header {header.name} {verdict.violations[0].message}", expected=header.schema,
            seen=raw or "an empty value",
            subject=subject, at=at, reproduce=curl(exchange),
        )  # fmt: skip
    else:
        yield passed(header.clause, subject, at=at)


def _header_value(raw: str, kind: object) -> object:
    """A header as a JSON value: figures where the schema asks for figures and the text is one."""
    text = raw.strip()
    if kind == "integer" and re.fullmatch(r"[+-]?\d{1,15}", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"[+-]?\d{1,15}(\.\d+)?", text):
        return float(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _judge_body(
    operation: Operation, payload: Payload, exchange: HttpExchange, response: HttpResponse, taken: Container[Value]
) -> Iterator[Finding]:
    at = (exchange.seq,)
    subject = operation.id
    declared = declared_type(response.headers)
    media_type = next((known for known in payload.schemas if _same_media_type(known, declared)), None)
    if media_type is None:
        yield failed(
            operation.media_clause, "the content type is not the documented one",
            expected=" or ".join(payload.schemas), seen=declared or "no content type",
            subject=subject, at=at, reproduce=curl(exchange),
        )  # fmt: skip
        if operation.media_clause == operation.body_clause or len(payload.schemas) > 1:
            return
        (media_type,) = payload.schemas  # whatever it is called, the document shows what it holds
    elif operation.media_clause != operation.body_clause:
        yield passed(operation.media_clause, subject, at=at)
    if not media_type.endswith("json"):
        yield passed(operation.body_clause, subject, at=at)
        return
    if response.truncated:
        yield inconclusive(
            operation.body_clause, Reason.NO_EVIDENCE, "the answer is longer than what is kept", subject=subject, at=at
        )
        return
    try:
        value = parse_json(response.body)
    except ValueError:
        yield failed(
            operation.body_clause, "the body is not JSON", expected="JSON", seen=seen_answer(exchange), subject=subject,
            at=at, reproduce=curl(exchange),
        )  # fmt: skip
        return
    verdict = judge_value(payload.schemas[media_type], value)
    for violation in verdict.violations:
        if is_taken(violation, taken):
            continue
        yield failed(
            violation.clause or operation.body_clause, violation.message, expected=violation.keyword,
            seen=violation.seen, subject=subject, at=at, reproduce=curl(exchange),
        )  # fmt: skip
    for clause in verdict.kept:
        yield passed(clause, subject, at=at)
    if all(violation.clause for violation in verdict.violations):
        yield passed(operation.body_clause, subject, at=at)


def _same_media_type(documented: str, declared: str) -> bool:
    return documented == declared or (documented == "application/json" and declared.endswith("+json"))


def _accepted_members(operation: Operation, exchange: HttpExchange) -> Iterator[Finding]:
    """Members of a request that succeeded were accepted; only sound for requests known to be meant as valid."""
    if exchange.about.get("expect") != "success" or not exchange.request.body:
        return
    declared = declared_type(exchange.request.headers)
    schema = operation.request.schemas.get(declared)
    if schema is None:
        return
    value = request_value(declared, exchange.request.body)
    for clause in judge_value(schema, value).kept:
        yield passed(clause, operation.id, at=(exchange.seq,))


def request_value(media_type: str, body: bytes) -> object:
    """The body of a request as a value; None where it is none."""
    if media_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        parsed: object = parse_json(body)
    except ValueError:
        return None
    return parsed
