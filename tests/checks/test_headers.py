"""Rules about headers that hold for every operation: both directions for each, and honest spellings pass."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks.headers import check_headers
from harness.contract import Contract
from harness.timeline import HttpExchange, HttpResponse
from tests.checks.build import BASE, by_verdict, exchange, response, timeline

TLS = BASE.replace("http:", "https:")
ORIGIN = (("Origin", "https://app.example"),)


def judged(toy: Contract, *exchanges: HttpExchange, plain: tuple[str, ...] = ()) -> dict[str, set[str]]:
    return by_verdict(check_headers(timeline(*exchanges), {"toy": toy}, plain))


def served(answer: HttpResponse, **options: Any) -> HttpExchange:
    return exchange("GET", "/rings", answer, **{"auth": "valid", **options})


@pytest.mark.parametrize(
    "answer",
    [
        response(200, []),
        response(200, b"x", {"CONTENT-TYPE": "a/b", "content-LENGTH": "1"}),
    ],
)
def test_a_framed_answer_passes(toy: Contract, answer: HttpResponse) -> None:
    assert judged(toy, served(answer)) == {"pass": {"TY-rule-type", "TY-rule-length"}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (response(204), {}),
        (response(304, None, {"Content-Length": "5"}), {}),
        (response(200, b"x", {"Content-Type": "a/b", "Transfer-Encoding": "gzip, Chunked"}), {"pass": {"TY-rule-type"}}),
        (response(200, b"x", {"Content-Type": "a/b"}, truncated=True), {"pass": {"TY-rule-type"}}),
        (response(200, b"x", {"Content-Type": "a/b"}), {"pass": {"TY-rule-type"}, "fail": {"TY-rule-length"}}),
        (response(200, b"x", {"Content-Length": "1"}), {"fail": {"TY-rule-type"}, "pass": {"TY-rule-length"}}),
        (response(200, b"x", {"Content-Length": "1", "Content-Type": ""}),
         {"fail": {"TY-rule-type"}, "pass": {"TY-rule-length"}}),
    ],
)  # fmt: skip
def test_framing_is_judged_where_there_is_something_to_frame(
    toy: Contract, answer: HttpResponse, expected: dict[str, set[str]]
) -> None:
    assert judged(toy, served(answer)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "max-age=31536000; includeSubDomains; preload",
        "max-age=31536000; includeSubdomains; preload.",
        "PRELOAD;INCLUDESUBDOMAINS;MAX-AGE=31536000",
        'max-age="31536000"; includeSubDomains; preload; more=1;',
        "max-age = 31536000 ;includeSubDomains ; preload",
    ],
)
def test_transport_security_passes_in_every_legal_spelling(toy: Contract, value: str) -> None:
    answer = response(204, None, {"Strict-Transport-Security": value})
    assert judged(toy, exchange("GET", "/x", answer, base=TLS, auth="valid")) == {"pass": {"TY-rule-hsts"}}


@pytest.mark.parametrize("value", [None, "", "max-age=60; includeSubDomains; preload", "max-age=31536000; preload",
                                   "max-age=31536000; includeSubDomains"])  # fmt: skip
def test_transport_security_fails_where_it_asks_for_less(toy: Contract, value: str | None) -> None:
    answer = response(204, None, {} if value is None else {"Strict-Transport-Security": value})
    assert judged(toy, exchange("GET", "/x", answer, base=TLS, auth="valid")) == {"fail": {"TY-rule-hsts"}}


def test_transport_security_is_not_judged_over_plain_http_unless_the_target_says_so(toy: Contract) -> None:
    weak = served(response(204, None, {"Strict-Transport-Security": "max-age=60"}))
    assert judged(toy, weak) == {}
    assert judged(toy, weak, plain=("toy",)) == {"fail": {"TY-rule-hsts"}}
    assert judged(toy, served(response(204)), plain=("other",)) == {}


def test_an_answer_to_a_request_with_an_origin_says_who_may_read_it(toy: Contract) -> None:
    def asked(headers: dict[str, str]) -> dict[str, set[str]]:
        others = {name: value for name, value in PREFLIGHT.items() if not name.endswith("Origin")}
        answer = response(204, None, others | headers)
        return judged(toy, exchange("GET", "/x", answer, headers=ORIGIN, auth="valid"))

    assert asked({"Access-Control-Allow-Origin": "*"}) == {"pass": {"TY-rule-cors", "TY-rule-others"}}
    assert asked({"access-control-allow-origin": "https://a.example"}) == {"pass": {"TY-rule-cors", "TY-rule-others"}}
    assert asked({}) == {"fail": {"TY-rule-cors"}, "pass": {"TY-rule-others"}}


@pytest.mark.parametrize("left_out", ["Credentials", "Headers", "Methods", "Age"])
def test_an_answer_to_a_request_with_an_origin_carries_the_other_headers_too(toy: Contract, left_out: str) -> None:
    headers = {name: value for name, value in PREFLIGHT.items() if not name.endswith(left_out)}
    answer = response(204, None, headers)
    asked = judged(toy, exchange("GET", "/x", answer, headers=ORIGIN, auth="valid"))
    assert asked == {"pass": {"TY-rule-cors"}, "fail": {"TY-rule-others"}}
    assert judged(toy, exchange("GET", "/x", answer, auth="valid")) == {}


PREFLIGHT = {
    "Access-Control-Allow-Origin": "https://app.example",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Headers": "authorization, x-other",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Max-Age": "600",
}
PREFLIGHT_CLAUSES = {"TY-rule-origin", "TY-rule-credentials", "TY-rule-headers", "TY-rule-methods", "TY-rule-age"}


def preflight(toy: Contract, changes: dict[str, str | None], status: int = 204) -> dict[str, set[str]]:
    headers = {name: value for name, value in {**PREFLIGHT, **changes}.items() if value is not None}
    return judged(toy, exchange("OPTIONS", "/x", response(status, None, headers), auth="none", case="preflight"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*", "Access-Control-Allow-Methods": "*"},
        {"Access-Control-Allow-Credentials": "False", "Access-Control-Max-Age": "-1"},
        {"Access-Control-Allow-Methods": "GET,HEAD,M-SEARCH,"},
        {"Access-Control-Allow-Methods": " get , post "},
    ],
)
def test_a_whole_preflight_answer_passes_in_every_legal_spelling(toy: Contract, changes: dict[str, str | None]) -> None:
    assert preflight(toy, changes) == {"pass": PREFLIGHT_CLAUSES}
    assert preflight(toy, changes, status=200) == {"pass": PREFLIGHT_CLAUSES}


@pytest.mark.parametrize(
    ("name", "value", "clause"),
    [
        ("Access-Control-Allow-Origin", None, "origin"),
        ("Access-Control-Allow-Credentials", None, "credentials"),
        ("Access-Control-Allow-Headers", None, "headers"),
        ("Access-Control-Allow-Methods", None, "methods"),
        ("Access-Control-Max-Age", None, "age"),
        ("Access-Control-Allow-Origin", "", "origin"),
        ("Access-Control-Allow-Credentials", "yes", "credentials"),
        ("Access-Control-Allow-Headers", " ", "headers"),
        ("Access-Control-Allow-Methods", "", "methods"),
        ("Access-Control-Allow-Methods", "GET; POST", "methods"),
        ("Access-Control-Max-Age", "ten", "age"),
        ("Access-Control-Max-Age", "1.5", "age"),
    ],
)  # fmt: skip
def test_each_missing_or_odd_preflight_header_fails_its_own_clause(
    toy: Contract, name: str, value: str | None, clause: str
) -> None:
    found = preflight(toy, {name: value})
    assert found == {"fail": {f"TY-rule-{clause}"}, "pass": PREFLIGHT_CLAUSES - {f"TY-rule-{clause}"}}


def counted(used: str | None, *, reset: str = "10:00", at: float = 1.0, **about: Any) -> HttpExchange:
    headers = {"quota-reset-UTC": reset, **({"Quota-Used": used} if used is not None else {})}
    return exchange("GET", "/rings", response(204, None, headers), at=at, **{"auth": "valid", **about})


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([counted("1", at=1), counted("2", at=2), counted("2", at=3), counted("9", at=4)], {"pass"}),
        ([counted("5", at=1), counted("4", at=2)], {"fail"}),
        ([counted("5", at=1), counted("0", at=2, reset="11:00")], set()),
        ([counted("5", at=1), counted("4", at=1.2)], set()),
        ([counted("5", at=1), counted("1", at=2, application="limited")], set()),
        ([counted("5", at=1), counted("1", at=2, auth="none"), counted("6", at=3)], {"pass"}),
        ([counted("5", at=1), counted("1", at=2, operation="token"), counted("6", at=3)], {"pass"}),
        ([counted("5", at=1), counted("odd", at=2), counted("²", at=3), counted(None, at=4)], set()),
        ([counted("0", at=1), counted("0", at=2)], set()),
    ],
)  # fmt: skip
def test_the_quota_count_never_falls_within_a_period(
    toy: Contract, exchanges: list[HttpExchange], expected: set[str]
) -> None:
    found = judged(toy, *exchanges)
    assert {verdict for verdict, clauses in found.items() if "TY-rule-quota" in clauses} == expected


@pytest.mark.parametrize(
    "about", [{"auth": "none"}, {"auth": "wrong"}, {"auth": "expired"}, {"auth": "valid", "operation": "token"}]
)
def test_answers_that_are_no_authenticated_api_answers_are_not_judged(toy: Contract, about: dict[str, Any]) -> None:
    assert judged(toy, exchange("GET", "/x", response(200, b"x"), base=TLS, headers=ORIGIN, **about)) == {}


def test_exchanges_without_an_answer_and_of_other_systems_are_passed_over(toy: Contract) -> None:
    unanswered = served(response(200, []))
    other = HttpExchange(
        1.0, system="other", request=unanswered.request, response=response(200, b"x"), about={"auth": "valid"}
    )
    dead = exchange("GET", "/x", None, failure="connect: refused", auth="valid")
    assert judged(toy, other, dead) == {}


def test_a_rule_that_a_system_does_not_have_is_not_judged(toy: Contract) -> None:
    from dataclasses import replace

    bare = replace(toy, file=replace(toy.file, rules={}))
    assert judged(bare, served(response(200, b"x")), exchange("OPTIONS", "/x", response(404), case="preflight")) == {}
