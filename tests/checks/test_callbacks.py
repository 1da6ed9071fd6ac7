"""Callbacks judged one by one. Whole calls: test_sequence_cases.py."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from harness.checks.callbacks import WEBHOOK_NOTE, Webhooks, check_callbacks
from harness.contract import load_contracts
from harness.timeline import Callback, Event, Headers, HttpExchange, HttpRequest, HttpResponse, Note
from harness.verdicts import Finding, Reason, Verdict
from tests.checks.data.scenes import completed, push

JSON: Headers = (("Content-Type", "application/json"),)


def callback(
    body: Any = None,
    *,
    url: str = "http://h/cb/sessionCompleted",
    method: str = "POST",
    headers: Headers = JSON,
    system: str = "",
    failure: str | None = None,
    **about: str,
) -> Callback:
    raw = body if isinstance(body, bytes) else json.dumps(completed("s") if body is None else body).encode()
    request = HttpRequest(method, url, headers, raw)
    return Callback(
        1.0, system=system, request=request, response=HttpResponse(200), failure=failure, about=about, seq=3
    )


def judge(*events: Event, system: str = "mediaservice") -> list[Finding]:
    return list(check_callbacks(events, load_contracts((system,))[system], system))


def failed(findings: list[Finding]) -> dict[str, str]:
    return {finding.clause: finding.message for finding in findings if finding.verdict is Verdict.FAIL}


def passed(findings: list[Finding]) -> set[str]:
    return {finding.clause for finding in findings if finding.verdict is Verdict.PASS}


def test_a_good_callback_passes_its_members_its_path_and_its_shape() -> None:
    findings = judge(callback())
    assert failed(findings) == {}
    shown = {
        "MS-sessionCompleted",
        "MS-sessionCompleted.body",
        "MS-callback-path",
        "MS-SessionCompleted.sessionDuration",
    }
    assert shown <= passed(findings)
    assert {finding.at for finding in findings} == {(3,)}


@pytest.mark.parametrize(
    "headers",
    [
        (("content-TYPE", "Application/JSON; charset=utf-8"),),
        (("Content-Type", "application/vnd.x+json"),),
        (("Content-Type", "application/json"), ("Content-Length", "x")),
    ],
)
def test_other_spellings_of_json_are_json(headers: Headers) -> None:
    assert failed(judge(callback(headers=headers))) == {}


def test_more_members_another_order_and_a_query_break_nothing() -> None:
    body = dict(reversed({**completed("s"), "more": {"deep": [1]}}.items()))
    assert failed(judge(callback(body, url="http://h/cb/sessionCompleted/?a=1"))) == {}


def test_a_packed_body_is_unpacked() -> None:
    packed = callback(gzip.compress(json.dumps(completed("s")).encode()), headers=(*JSON, ("Content-Encoding", "gzip")))
    assert failed(judge(packed)) == {}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b'{"a": NaN}', b"[" * 20_000])
def test_what_is_no_json_fails_the_shape(body: bytes) -> None:
    findings = judge(callback(body))
    assert failed(findings) == {"MS-sessionCompleted.body": "the body is not JSON"}
    assert "MS-sessionCompleted.body" not in passed(findings)


@pytest.mark.parametrize("body", [b'{"x": ' + b"[" * 400 + b"]" * 400 + b"}", b'{"\\ud800": 1}'])
def test_json_that_no_schema_can_be_held_against_fails_the_shape(body: bytes) -> None:
    assert set(failed(judge(callback(body)))) == {"MS-sessionCompleted.body"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_fails_the_shape(kind: str) -> None:
    assert "MS-sessionCompleted.body" in failed(judge(callback(headers=(("Content-Type", kind),))))


def test_without_a_content_type_the_members_are_judged_all_the_same() -> None:
    findings = judge(callback({**completed("s"), "traceId": 7}, headers=()))
    assert set(failed(findings)) == {"MS-sessionCompleted.body", "MS-SessionCompleted.traceId"}
    assert "MS-sessionCompleted.body" not in passed(findings)


@pytest.mark.parametrize(
    "cut", [callback(headers=(*JSON, ("Content-Length", "99999"))), callback(b"", failure="too-large: over the bound")]
)
def test_what_the_recorder_has_only_a_part_of_is_undecided(cut: Callback) -> None:
    findings = judge(cut)
    assert failed(findings) == {}
    assert [f.reason for f in findings if f.clause == "MS-sessionCompleted.body"] == [Reason.NO_EVIDENCE]


def test_the_method_is_that_of_the_document_where_a_clause_says_so() -> None:
    assert set(failed(judge(callback(method="PUT")))) == {"MS-callback-path"}
    fetched = callback(b"", url="http://h/any", method="POST", headers=())
    assert judge(fetched, system="apidaze") == []
    put = callback(push(1), url="http://h/any", method="PUT")
    assert set(failed(judge(put, system="vtx"))) == {"VX-push-at-call-end"}


def test_a_name_in_other_letters_is_a_wrong_path() -> None:
    (finding,) = judge(callback(url="http://h/cb/SessionCompleted"))
    assert (finding.clause, finding.verdict) == ("MS-callback-path", Verdict.FAIL)


def test_an_unknown_path_a_refused_request_and_another_system_are_not_judged() -> None:
    assert judge(callback(url="http://h/cb/fileRecorded")) == []
    assert judge(callback(b"x", refused="absolute-form")) == []
    assert judge(callback(b"x", system="vtx")) == []


def test_only_what_flows_do_not_time_is_shown_by_arrival() -> None:
    assert "VX-push-at-call-end" not in passed(judge(callback(push(1), url="http://h/x"), system="vtx"))
    assert "VX-pushCallLog.body" in passed(judge(callback(push(1), url="http://h/x"), system="vtx"))


def find(event: Callback, *events: Event, system: str = "mediaservice") -> str | None:
    found = Webhooks((*events, event), load_contracts((system,))[system]).find(event)
    return found.id if found else None


def test_a_webhook_is_known_by_name_note_path_or_because_it_is_the_only_one() -> None:
    note = Note(0.0, WEBHOOK_NOTE, "", {"url": "http://H:80/alarms", "operation": "alarm"})
    assert find(callback(url="http://h/alarms/x?y"), note) == "alarm"
    assert find(callback(url="http://h/other"), note) is None
    assert find(callback(url="http://h/other", operation="callEvent")) == "callEvent"
    assert find(callback(url="http://h/other", route="alarm")) == "alarm"
    assert find(callback(url="http://h/t%65st/newCall/")) == "newCall"
    assert find(callback(url="http://h/anything"), system="vtx") == "pushCallLog"
    assert find(callback(url="http://[broken")) is None


@pytest.mark.parametrize(
    ("app", "expected"), [("event.generic", "communicationEvent"), ("flow.generic", "flowControl")]
)
def test_a_hook_of_callable_is_known_by_the_request_that_made_it(app: str, expected: str) -> None:
    made = json.dumps({"app": app, "url": "http://h/hook-1", "method": "POST"}).encode()
    request = HttpRequest("POST", "http://p/api/v1/account/1/hook", JSON, made)
    good = HttpExchange(0.0, system="callable", request=request, response=HttpResponse(201))
    refused = HttpExchange(0.0, system="callable", request=request, response=HttpResponse(400))
    asked = callback({"a": 1}, url="http://h/hook-1?x=1")
    assert find(asked, good, system="callable") == expected
    assert find(asked, refused, system="callable") is None


def test_many_callbacks_give_few_findings_and_none_is_forgotten() -> None:
    wrong = callback({**completed("s"), "traceId": 7})
    findings = judge(*[callback()] * 500, *[wrong] * 500)
    assert len(findings) < 100
    assert "MS-SessionCompleted.traceId" in failed(findings)
