"""What an exchange says about its operation: in both directions for each kind of promise, and honest variety passes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.checks import check_timeline
from harness.checks.http import check_exchanges, find_operation
from harness.contract import Contract
from harness.timeline import HttpExchange, HttpResponse
from harness.verdicts import Finding, Reason, Verdict
from tests.checks.build import BASE, by_verdict, exchange, response, timeline

RING: dict[str, Any] = {"id": "1", "tone": "low", "phone": {"number": "31"}, "seen": ["2024-05-01T09:00:00Z"]}
COUNT = {"X-Count": "1"}


def findings(toy: Contract, *exchanges: HttpExchange) -> list[Finding]:
    return list(check_exchanges(timeline(*exchanges), {"toy": toy}, {"toy": BASE}))


def judged(toy: Contract, *exchanges: HttpExchange) -> dict[str, set[str]]:
    found = by_verdict(findings(toy, *exchanges))
    assert not (found.get("fail", set()) & found.get("pass", set())), "one exchange both kept and broke a clause"
    return found


def listed(answer: HttpResponse | None, **about: Any) -> HttpExchange:
    return exchange("GET", "/rings", answer, **{"auth": "valid", **about})


def test_an_answer_that_keeps_everything_passes_all_its_clauses(toy: Contract) -> None:
    found = judged(toy, listed(response(200, [RING], {**COUNT, "X-Hint": "loud"}), expect="success"))
    assert found == {
        "pass": {
            "TY-listRings", "TY-listRings.status", "TY-listRings.body", "TY-header.X-Count", "TY-header.X-Hint",
            "TY-Ring.id", "TY-Ring.tone", "TY-Ring.tone:enum", "TY-Ring.tone:required", "TY-Ring.phone",
            "TY-Ring.phone.number", "TY-Ring.phone.number:required", "TY-Ring.seen",
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        response(200, [], COUNT),
        response(200, [{**RING, "more": {"of": ["this"]}}], COUNT),
        response(200, [{"tone": "high", "id": ""}], COUNT),
        response(200, [{**RING, "phone": None}], COUNT),
        response(200, [RING], {"x-COUNT": " 0 "}),
        response(200, [RING], (("X-Count", "3"), ("X-Count", "odd"))),
        response(200, b"\xef\xbb\xbf[]", {**COUNT, "content-type": "APPLICATION/JSON; charset=UTF-8"}),
        response(200, "[]".encode("utf-16"), {**COUNT, "content-type": "application/json"}),
        response(200, b"[]", {**COUNT, "Content-Type": "application/vnd.toy+json", "Transfer-Encoding": "chunked"}),
        response(200, b" \r\n [ ] ", {**COUNT, "content-type": "application/json;x=y"}),
        response(404, b"<html>gone</html>", COUNT),
        response(429, None, COUNT),
    ],
)
def test_honest_variety_breaks_nothing(toy: Contract, answer: HttpResponse) -> None:
    assert set(judged(toy, listed(answer))) == {"pass"}


@pytest.mark.parametrize(
    ("answer", "clauses", "message"),
    [
        (response(200, [RING]), {"TY-header.X-Count"}, "the header X-Count is missing"),
        (response(200, [RING], {"X-Count": "many"}), {"TY-header.X-Count"}, "the header X-Count is not of type integer"),
        (response(200, [RING], {"X-Count": "1.5"}), {"TY-header.X-Count"}, "the header X-Count is not of type integer"),
        (response(200, [RING], {"X-Count": "-1"}), {"TY-header.X-Count"}, "the header X-Count breaks minimum"),
        (response(200, [RING], {"X-Count": ""}), {"TY-header.X-Count"}, "the header X-Count is not of type integer"),
        (response(200, [RING], {**COUNT, "X-Hint": "odd"}), {"TY-header.X-Hint"},
         "the header X-Hint is not one of the documented values"),
        (response(404, None), {"TY-header.X-Count"}, "the header X-Count is missing"),
        (response(200, {}, COUNT), {"TY-listRings.body"}, "is not of type array"),
        (response(200, None, COUNT), {"TY-listRings.body"}, "the content type is not the documented one"),
        (response(200, b"[]", COUNT), {"TY-listRings.body"}, "the content type is not the documented one"),
        (response(200, b"[]", {**COUNT, "Content-Type": "text/html"}), {"TY-listRings.body"}, "the content type is not"),
        (response(200, b"[", {**COUNT, "Content-Type": "application/json"}), {"TY-listRings.body"}, "the body is not JSON"),
        (response(200, b"", {**COUNT, "Content-Type": "application/json"}), {"TY-listRings.body"}, "the body is not JSON"),
        (response(200, b"\xff", {**COUNT, "Content-Type": "application/json"}), {"TY-listRings.body"}, "is not JSON"),
        (response(200, b"[NaN]", {**COUNT, "Content-Type": "application/json"}), {"TY-listRings.body"}, "is not JSON"),
        (response(200, b"[" * 99_999, {**COUNT, "Content-Type": "application/json"}), {"TY-listRings.body"}, "is not JSON"),
        (response(200, [RING, {"id": "2"}], COUNT), {"TY-Ring.tone:required"}, "[].tone: is missing"),
        (response(200, [RING, {"tone": "low"}], COUNT), {"TY-Ring.id"}, "[].id: is missing"),
        (response(200, [{**RING, "tone": "odd"}], COUNT), {"TY-Ring.tone:enum"}, "[].tone: is not one of the documented"),
        (response(200, [{**RING, "id": 1}], COUNT), {"TY-Ring.id"}, "[].id: is not of type string"),
        (response(200, [{**RING, "phone": "31"}], COUNT), {"TY-Ring.phone"}, "[].phone: is not of type"),
        (response(200, [{**RING, "phone": {}}], COUNT), {"TY-Ring.phone.number:required"}, "[].phone.number: is missing"),
        (response(200, [{**RING, "phone": {"number": "+31"}}], COUNT), {"TY-Ring.phone.number"},
         "[].phone.number: does not have the pattern ^[0-9]+$"),
        (response(200, [{**RING, "seen": ["today"]}], COUNT), {"TY-Ring.seen"},
         "[].seen[]: does not have the format date-time"),
        (response(200, ["ring"], COUNT), {"TY-listRings.body"}, "[]: is not of type object"),
        (response(302, None), {"TY-listRings.status"}, "answers 302, which is not among its documented codes"),
        (response(500, b"oops"), {"TY-listRings.status"}, "answers 500, which is not among its documented codes"),
    ],
)  # fmt: skip
def test_each_broken_promise_fails_its_own_clause_and_no_other(
    toy: Contract, answer: HttpResponse, clauses: set[str], message: str
) -> None:
    found = findings(toy, listed(answer))
    broken = [one for one in found if one.verdict is Verdict.FAIL]
    assert {one.clause for one in broken} == clauses
    assert message in broken[0].message
    assert broken[0].subject == "listRings"
    assert broken[0].seen
    assert judged(toy, listed(answer))["fail"] == clauses


def test_the_same_deviation_has_the_same_fingerprint_wherever_in_a_list_it_stands(toy: Contract) -> None:
    first = findings(toy, listed(response(200, [{**RING, "id": 1}], COUNT)))
    later = findings(toy, listed(response(200, [RING] * 9 + [{**RING, "id": 7}], COUNT)))
    assert {one.fingerprint for one in first if one.verdict is Verdict.FAIL} == {
        one.fingerprint for one in later if one.verdict is Verdict.FAIL
    }


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 500, 503])
def test_a_request_that_had_to_succeed_and_did_not_fails_its_operation(toy: Contract, status: int) -> None:
    found = judged(toy, listed(response(status, None, COUNT), expect="success"))
    assert "TY-listRings" in found["fail"]


@pytest.mark.parametrize(
    ("kind", "value", "broken"),
    [
        ("application/json", [RING], set()),
        ("text/plain", [RING], {"TY-listRings.media-type"}),
        ("", [RING], {"TY-listRings.media-type"}),
        ("text/plain", [{**RING, "seen": 17}], {"TY-listRings.media-type", "TY-Ring.seen"}),
    ],
)
def test_a_body_under_another_name_is_judged_where_the_name_is_only_inferred(
    toy: Contract, kind: str, value: object, broken: set[str]
) -> None:
    operations = [replace(one, media_clause=f"{one.clause}.media-type") for one in toy.spec.operations]
    lenient = replace(toy, spec=replace(toy.spec, operations=tuple(operations)))
    headers = {**COUNT, "Content-Type": kind} if kind else COUNT
    found = judged(lenient, listed(response(200, json.dumps(value).encode(), headers)))
    assert found.get("fail", set()) == broken
    assert {"TY-listRings.body", "TY-Ring.tone"} <= found["pass"]


@pytest.mark.parametrize("status", [400, 401, 404, 429])
def test_a_refusal_of_a_request_that_need_not_succeed_says_nothing_about_the_operation(
    toy: Contract, status: int
) -> None:
    found = judged(toy, listed(response(status, None, COUNT)))
    assert found == {"pass": {"TY-listRings.status", "TY-header.X-Count"}}


def test_a_used_up_quota_leaves_the_operation_open(toy: Contract) -> None:
    found = findings(toy, listed(response(429, None, COUNT), expect="success"))
    assert [(one.clause, one.reason) for one in found if one.verdict is Verdict.INCONC] == [
        ("TY-listRings", Reason.PRECONDITION)
    ]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("timeout: too long", Reason.TIMEOUT),
        ("connect: refused", Reason.UNREACHABLE),
        ("protocol: garbage", Reason.UNREACHABLE),
        (None, Reason.UNREACHABLE),
    ],
)
@pytest.mark.parametrize("expect", ["success", ""])
def test_no_answer_decides_nothing(toy: Contract, failure: str | None, reason: Reason, expect: str) -> None:
    found = findings(toy, listed(None, expect=expect) if failure is None else exchange(
        "GET", "/rings", None, failure=failure, auth="valid", expect=expect))  # fmt: skip
    assert [(one.clause, one.verdict, one.reason) for one in found] == [("TY-listRings", Verdict.INCONC, reason)]


@pytest.mark.parametrize("auth", ["none", "wrong", "expired"])
def test_api_answers_are_judged_on_authenticated_requests_only(toy: Contract, auth: str) -> None:
    assert judged(toy, listed(response(401), auth=auth)) == {"pass": {"TY-listRings.status"}}
    served = judged(toy, listed(response(200, [], {}), auth=auth))
    assert "TY-listRings" not in served["pass"]
    assert "fail" not in served


def test_of_recorded_traffic_nobody_knows_the_credentials_so_the_status_tells(toy: Contract) -> None:
    assert judged(toy, exchange("GET", "/rings", response(401))) == {"pass": {"TY-listRings.status"}}
    assert "TY-header.X-Count" in judged(toy, exchange("GET", "/rings", response(404)))["fail"]
    assert "TY-listRings" in judged(toy, exchange("GET", "/rings", response(200, [], COUNT)))["pass"]


def test_an_invalid_request_that_is_served_proves_nothing_about_valid_ones(toy: Contract) -> None:
    assert "TY-listRings" not in judged(toy, listed(response(200, [], COUNT), case="negative"))["pass"]


def test_a_body_longer_than_what_is_kept_is_not_judged(toy: Contract) -> None:
    answer = response(200, b"[1, 2", {**COUNT, "Content-Type": "application/json"}, truncated=True)
    found = judged(toy, listed(answer))
    assert found["inconc"] == {"TY-listRings.body"}
    assert "fail" not in found


def test_where_there_can_be_no_body_none_is_missed(toy: Contract) -> None:
    assert set(judged(toy, exchange("POST", "/rings", response(204), auth="valid"))) == {"pass"}
    assert set(judged(toy, exchange("DELETE", "/bell", response(204), auth="valid"))) == {"pass"}


def test_either_documented_shape_passes_and_any_other_fails(toy: Contract) -> None:
    def one(body: Any) -> dict[str, set[str]]:
        return judged(toy, exchange("GET", "/rings/7", response(200, body), auth="valid"))

    assert set(one(RING)) == set(one([RING])) == {"pass"}
    assert "TY-Ring.tone:enum" in one([RING])["pass"]
    wrongs: tuple[Any, ...] = ({}, [], "ring", None, 1, {**RING, "id": 1})
    for wrong in wrongs:
        assert one(wrong)["fail"] == {"TY-getRing.body"}
        assert "TY-Ring.id" not in one(wrong)["pass"]


def test_what_is_not_json_is_only_held_against_its_content_type(toy: Contract) -> None:
    def sound(kind: str) -> dict[str, set[str]]:
        return judged(
            toy, exchange("GET", "/rings/last", response(200, b"\xff\x00", {"Content-Type": kind}), auth="valid")
        )

    assert sound("audio/wav; rate=8000")["pass"] >= {"TY-lastRing.body"}
    assert sound("application/json")["fail"] == {"TY-lastRing.body"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"phone": "1", "often": "2"}'),
        ("application/json; charset=utf-8", b'{"phone": "1", "often": "2"}'),
        ("application/x-www-form-urlencoded", b"phone=1&often=2"),
    ],
)
def test_members_of_a_request_that_was_served_were_accepted(toy: Contract, kind: str, body: bytes) -> None:
    def asked(answer: HttpResponse, **about: Any) -> dict[str, set[str]]:
        sent = exchange("POST", "/rings", answer, sent=body, headers=(("Content-Type", kind),), auth="valid", **about)
        return judged(toy, sent)

    members = {"TY-NewRing.phone", "TY-NewRing.often"}
    assert asked(response(201, RING), expect="success")["pass"] >= members
    assert not asked(response(201, RING))["pass"] & members
    assert not asked(response(400), expect="success")["pass"] & members


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"phone": ""}', b"\xff"])
def test_a_request_that_was_no_valid_one_proves_no_member(toy: Contract, body: bytes) -> None:
    headers = (("Content-Type", "application/json"),)
    sent = exchange("POST", "/rings", response(201, RING), sent=body, headers=headers, auth="valid", expect="success")
    assert not any(clause.startswith("TY-NewRing") for clause in judged(toy, sent)["pass"])


@pytest.mark.parametrize(
    ("method", "path", "base", "about", "expected"),
    [
        ("GET", "/rings", BASE, {}, "listRings"),
        ("get", "/rings?page=2#x", BASE, {}, "listRings"),
        ("POST", "/rings", BASE, {}, "ring"),
        ("GET", "/rings/7", BASE, {}, "getRing"),
        ("GET", "/rings/a%2Fb", BASE, {}, "getRing"),
        ("GET", "/rings/last", BASE, {}, "lastRing"),
        ("GET", "/rings/", BASE, {}, None),
        ("GET", "/rings/7/more", BASE, {}, None),
        ("PATCH", "/rings", BASE, {}, None),
        ("GET", "/elsewhere", BASE, {}, None),
        ("GET", "/rings", "http://toy.example", {}, "listRings"),
        ("GET", "/whatever", BASE, {"operation": "getRing"}, "getRing"),
        ("GET", "/rings", BASE, {"operation": "ofAnotherVersion"}, "listRings"),
    ],
)  # fmt: skip
def test_a_request_is_told_by_its_name_or_by_method_and_path(
    toy: Contract, method: str, path: str, base: str, about: dict[str, Any], expected: str | None
) -> None:
    asked = exchange(method, path, response(200), base=base, **about)
    found = find_operation(toy, asked, base if base == BASE else "http://toy.example")
    assert (found.id if found else None) == expected


def test_traffic_that_no_document_covers_is_not_judged(toy: Contract) -> None:
    other = HttpExchange(1.0, system="other", request=listed(None).request, response=response(500))
    unknown = exchange("GET", "/unknown", response(500), auth="valid", expect="success")
    assert findings(toy, other, unknown) == []


def test_a_head_answer_needs_no_body(toy: Contract) -> None:
    assert judged(toy, exchange("HEAD", "/rings", response(200, None, COUNT), auth="valid", operation="listRings")) == {
        "pass": {"TY-listRings", "TY-listRings.status", "TY-header.X-Count"}
    }


def test_an_open_operation_is_judged_without_credentials(toy: Contract) -> None:
    assert judged(toy, exchange("POST", "/token", response(200, {}), auth="valid"))["pass"] >= {"TY-token"}


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": "\\ud800", "tone": "low"}]',
        b'[{"\\ud800": 1, "id": "1", "tone": "low"}]',
        b'{"\\ud800": 1}',
        b'[{"id": 1e400, "tone": "low"}]',
        b"[" + b"1" * 4000 + b"]",
        b'[{"id": ' + b"[" * 400 + b"]" * 400 + b"}]",
        b"[" * 800 + b"]" * 800,
        b'[{"id": "' + b"a" * 500_000 + b'"}]',
    ],
)
def test_hostile_json_becomes_a_verdict_and_never_a_crash(toy: Contract, body: bytes) -> None:
    answer = response(200, body, {**COUNT, "Content-Type": "application/json", "Content-Length": str(len(body))})
    found = list(check_timeline(timeline(listed(answer)), {"toy": toy}, {"toy": BASE}))
    assert all(len(one.seen) < 300 for one in found)
    if b"tone" in body and b"\\ud800" in body:
        return  # legal JSON; whether half a surrogate pair may stand in a string is not said
    assert any(one.verdict is Verdict.FAIL for one in found)
