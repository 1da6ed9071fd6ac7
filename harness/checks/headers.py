"""Judges promises about answers that hold for every operation: framing, transport security, cross-origin, quota counting.

Which clause stands behind a rule is said in `clauses.yaml` under `rules`; a rule that a system does not have is not judged.
Promises about API answers are judged on authenticated ones only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from harness.checks.evidence import curl, failed, passed
from harness.contract import Contract
from harness.timeline import HttpExchange, HttpResponse, Timeline
from harness.verdicts import Finding

_YEAR = 31_536_000


def check_headers(
    timeline: Timeline, contracts: Mapping[str, Contract], hsts_without_tls: Collection[str] = ()
) -> Iterator[Finding]:
    """Findings about the answers of a timeline, rule by rule.

    `hsts_without_tls`: systems whose target says that they send strict-transport-security over plain HTTP too.
    """
    outside = {system: _without_rules(contract) for system, contract in contracts.items()}
    for exchange in timeline.of(HttpExchange):
        contract = contracts.get(exchange.system)
        if contract is None or exchange.response is None or exchange.about.get("operation") in outside[exchange.system]:
            continue
        rules = contract.file.rules
        if exchange.about.get("case") == "preflight":
            yield from _preflight(exchange, exchange.response, rules)
        elif exchange.about.get("auth") == "valid":
            yield from _framing(exchange, exchange.response, rules)
            if exchange.system in hsts_without_tls or exchange.request.url.startswith("https://"):
                yield from _transport_security(exchange, exchange.response, rules)
            yield from _cross_origin(exchange, exchange.response, rules)
    for contract in contracts.values():
        if clause := contract.file.rules.get("quota-used-counts"):
            yield from _quota_counts(timeline, contract.system, clause, outside[contract.system])


def _without_rules(contract: Contract) -> frozenset[str]:
    """Operations outside the API proper, such as a token service."""
    return frozenset(operation.id for operation in contract.spec.operations if not operation.secured)


class _Judge:
    """Says pass or fail for one exchange, where the system has the rule."""

    def __init__(self, exchange: HttpExchange, rules: Mapping[str, str]) -> None:
        self.exchange = exchange
        self.rules = rules

    def __call__(self, rule: str, kept: bool, message: str, expected: str, seen: object) -> Iterator[Finding]:
        clause = self.rules.get(rule)
        if clause is None:
            return
        at = (self.exchange.seq,)
        if kept:
            yield passed(clause, self.exchange.request.method, at=at)
        else:
            shown = "absent" if seen is None else seen
            yield failed(clause, message, expected=expected, seen=shown, at=at, reproduce=curl(self.exchange))


def _framing(exchange: HttpExchange, response: HttpResponse, rules: Mapping[str, str]) -> Iterator[Finding]:
    judge = _Judge(exchange, rules)
    if response.body:
        kind = response.header("content-type")
        yield from judge("content-type", bool(kind), "an answer with a body has no content-type", "content-type", kind)
    chunked = "chunked" in (response.header("transfer-encoding") or "").lower()
    if response.body and not chunked and not response.truncated:
        length = response.header("content-length")
        yield from judge(
            "content-length",
            bool(length),
            "an answer that is not chunked has no content-length",
            "content-length",
            length,
        )


def _transport_security(exchange: HttpExchange, response: HttpResponse, rules: Mapping[str, str]) -> Iterator[Finding]:
    """Called for answers over TLS: over plain HTTP the header is not sent, and has no meaning (RFC 6797 section 7.2)."""
    value = response.header("strict-transport-security")
    # Section 6.1: names without case, values may be quoted, space around the signs; the documents end with a full stop.
    directives = {re.sub(r"[\s\"]", "", part).lower().rstrip(".") for part in (value or "").split(";")}
    kept = {f"max-age={_YEAR}", "includesubdomains", "preload"} <= directives
    yield from _Judge(exchange, rules)(
        "strict-transport-security", kept, "strict-transport-security does not ask for a year with subdomains and preload",
        f"max-age={_YEAR}; includeSubDomains; preload", value,
    )  # fmt: skip


def _cross_origin(exchange: HttpExchange, response: HttpResponse, rules: Mapping[str, str]) -> Iterator[Finding]:
    if exchange.request.header("origin") is None:
        return
    judge = _Judge(exchange, rules)
    value = response.header("access-control-allow-origin")
    yield from judge(
        "cors-allow-origin", value is not None, "access-control-allow-origin is missing",
        "access-control-allow-origin", value,
    )  # fmt: skip
    others = [f"access-control-{name}" for name in ("allow-credentials", "allow-headers", "allow-methods", "max-age")]
    missing = [name for name in others if response.header(name) is None]
    words = "access-control headers of a pre-flight answer are missing on an ordinary one"
    seen = f"without {', '.join(missing)}"
    yield from judge("cors-other-headers", not missing, words, ", ".join(others), seen)


def _preflight(exchange: HttpExchange, response: HttpResponse, rules: Mapping[str, str]) -> Iterator[Finding]:
    judge = _Judge(exchange, rules)
    forms = {
        "origin": (r".+", "*, or an origin"),
        "credentials": (r"(?i)true|false", "true or false"),
        "headers": (r".+", "a list of headers"),
        "methods": (r"\*|[\s,]*[A-Za-z-]+([\s,]+[A-Za-z-]+)*[\s,]*", "a list of methods"),
    }
    for name, (form, expected) in forms.items():
        value = response.header(f"access-control-allow-{name}")
        kept = value is not None and re.fullmatch(form, value.strip()) is not None
        yield from judge(
            f"preflight-allow-{name}", kept, f"access-control-allow-{name} is missing or odd on a pre-flight answer",
            expected, value,
        )  # fmt: skip
    age = response.header("access-control-max-age")
    kept = age is not None and re.fullmatch(r"-?\d+", age.strip()) is not None
    yield from judge("preflight-max-age", kept, "access-control-max-age is missing or no number", "seconds", age)


def _quota_counts(timeline: Timeline, system: str, clause: str, outside: Collection[str]) -> Iterator[Finding]:
    """Within one quota period, and as long as requests came one after the other, the count never falls."""
    last: dict[tuple[str, str], tuple[int, float]] = {}
    for exchange in timeline.of(HttpExchange):
        response = exchange.response
        if response is None or exchange.system != system or exchange.about.get("auth") != "valid":
            continue
        if exchange.about.get("operation") in outside:
            continue
        used, reset = response.header("quota-used"), response.header("quota-reset-UTC")
        if used is None or reset is None or not re.fullmatch(r"\s*[0-9]{1,15}\s*", used):
            continue
        key = (reset, exchange.about.get("application", ""))
        before, ended = last.get(key, (0, 0.0))
        if exchange.at >= ended:
            if int(used) < before:
                yield failed(
                    clause, "quota-used fell within a quota period", expected=f"at least {before}", seen=used,
                    at=(exchange.seq,), reproduce=curl(exchange),
                )  # fmt: skip
            elif before:
                yield passed(clause, at=(exchange.seq,))
        last[key] = (max(int(used), before), max(exchange.ended or exchange.at, ended))
