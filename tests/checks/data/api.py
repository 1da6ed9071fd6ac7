"""API exchanges as a faultless platform answers them, and the same with one thing wrong in each answer. See make.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.checks.data.scenes import Line, Scene

Case = tuple[str, Scene, list[str], list[str]]

_URL = "https://api.example/v1/sipaccounts"
_ACCOUNT = {
    "id": "7", "name": "Desk", "sip": {"username": "desk", "password": "w-1"},
    "callerid": {"internal_name": "Desk", "internal_number": "20", "external_name": None, "external_number": None},
    "voicemail": {"mwi_account": None}, "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
}  # fmt: skip
_QUOTA = [
    ["Sunset", "n/a"], ["API-Version", "1.1"], ["Quota-Interval", "1"], ["Quota-Limit", "1000"], ["Quota-Used", "1"],
    ["Quota-Reset-UTC", "2026-01-02T04:00:00Z"], ["Quota-Time-Unit", "hour"],
]  # fmt: skip
_SECURE = ["Strict-Transport-Security", "preload; max-age=31536000; includeSubDomains"]
_CROSS = [
    ["Access-Control-Allow-Origin", "*"], ["Access-Control-Allow-Credentials", "true"],
    ["Access-Control-Allow-Headers", "Authorization"], ["Access-Control-Allow-Methods", "GET, POST"],
    ["Access-Control-Max-Age", "600"],
]  # fmt: skip
_RULES = {
    "Access-Control-Allow-Origin": "AZ-preflight-allow-origin",
    "Access-Control-Allow-Credentials": "AZ-preflight-allow-credentials",
    "Access-Control-Allow-Headers": "AZ-preflight-allow-headers",
    "Access-Control-Allow-Methods": "AZ-preflight-allow-methods",
    "Access-Control-Max-Age": "AZ-preflight-max-age",
}


def accounts() -> Scene:
    """Two lists, one item of them, and what a browser asks before it lists."""
    scene = Scene("apidaze")
    for number, (path, operation, answer) in enumerate(
        (("", "listSipAccounts", [_ACCOUNT]), ("", "listSipAccounts", [_ACCOUNT]), ("/7", "getSipAccount", _ACCOUNT))
    ):
        line = scene.http(float(number), "GET", _URL + path, operation, answer=answer)
        length = [pair for pair in line["response"]["headers"] if pair[0] != "Access-Control-Allow-Origin"]
        line["response"]["headers"] = [*length, list(_SECURE), *map(list, _CROSS), *map(list, _QUOTA)]
        line["request"]["headers"] = [["Origin", "https://app.example"]]
        line["about"]["expect"] = "success"
        put(line, "Quota-Used", str(number + 1))
    asked = scene.http(4.0, "OPTIONS", _URL, "")
    asked["about"] = {"case": "preflight", "auth": "none"}
    asked["request"]["headers"] = [["Origin", "https://app.example"], ["Access-Control-Request-Method", "GET"]]
    asked["response"]["headers"] = [*map(list, _CROSS), ["Content-Length", "0"]]
    return scene


def put(line: Line, name: str, value: str | None) -> None:
    """Give a header another value; None takes it away."""
    headers = line["response"]["headers"]
    line["response"]["headers"] = [
        [key, held if key != name else value] for key, held in headers if key != name or value is not None
    ]


def honest_api() -> Iterator[tuple[str, Scene, list[str]]]:
    """Name, scene, and clauses that it must pass."""
    passes = [
        "AZ-header-content-type", "AZ-header-content-length", "AZ-header-strict-transport-security",
        "AZ-cors-allow-origin", "AZ-cors-other-headers", "AZ-quota-used-counts", "AZ-listSipAccounts",
        "AZ-listSipAccounts.status", "AZ-listSipAccounts.body", "AZ-SipAccount.sip.username", "AZ-header.sunset",
        "AZ-header.quota-limit", "AZ-header.quota-time-unit", *_RULES.values(),
    ]  # fmt: skip
    yield "api-answers", accounts(), passes
    chunked = accounts()
    for line in chunked.lines[:3]:
        put(line, "Content-Length", None)
        line["response"]["headers"].append(["Transfer-Encoding", "chunked"])
    yield "api-answers-chunked", chunked, [clause for clause in passes if clause != "AZ-header-content-length"]
    shouted = accounts()
    for line in shouted.lines[:3]:
        line["response"]["headers"] = [[key.upper(), value] for key, value in line["response"]["headers"]]
        line["response"]["headers"] = line["response"]["headers"][::-1]
    put(shouted.lines[0], "STRICT-TRANSPORT-SECURITY", '"max-age=31536000"; Preload; INCLUDESUBDOMAINS.')
    yield "api-answers-shouted-and-shuffled", shouted, passes
    more = accounts()
    body(more.lines[0], [{**_ACCOUNT, "callerid": None, "voicemail": None, "more": [1]}])
    yield "api-answers-nulls-and-more-members", more, passes

    yield "prompt-url", prompt_url("https://files.example/x?sign=1"), ["MS-PromptFileUrl.url", "MS-getPromptFileUrl"]


def prompt_url(url: str) -> Scene:
    scene = Scene("mediaservice")
    where = "http://127.0.0.1:8080/acme/promptfile/hello.wav/url"
    scene.http(0.0, "GET", where, "getPromptFileUrl", answer={"success": True, "url": url})
    return scene


def broken_api() -> Iterator[Case]:
    """Name, scene, all clauses that it fails, and clauses that it leaves undecided."""
    yield "prompt-url-no-url", prompt_url("hello there"), ["MS-PromptFileUrl.url:format"], []
    for header, clause in (
        ("Content-Length", "AZ-header-content-length"),
        ("Strict-Transport-Security", "AZ-header-strict-transport-security"),
        ("Access-Control-Allow-Origin", "AZ-cors-allow-origin"),
        ("Access-Control-Max-Age", "AZ-cors-other-headers"),
        ("Sunset", "AZ-header.sunset"),
    ):
        scene = accounts()
        put(scene.lines[0], header, None)
        yield f"api-answer-without-{header.lower()}", scene, [clause], []
    untyped = accounts()
    put(untyped.lines[0], "Content-Type", None)
    yield "api-answer-without-content-type", untyped, ["AZ-header-content-type", "AZ-listSipAccounts.body"], []
    for header, clause in _RULES.items():
        scene = accounts()
        put(scene.lines[3], header, None)
        yield f"preflight-without-{header.lower()}", scene, [clause], []
    fallen = accounts()
    put(fallen.lines[2], "Quota-Used", "1")
    yield "quota-used-falls", fallen, ["AZ-quota-used-counts"], []
    wrong = accounts()
    put(wrong.lines[0], "Quota-Time-Unit", "fortnight")
    yield "api-header-outside-enum", wrong, ["AZ-header.quota-time-unit"], []
    worded = accounts()
    put(worded.lines[0], "Quota-Limit", "many")
    yield "api-header-of-wrong-type", worded, ["AZ-header.quota-limit"], []
    yield from _bodies()
    yield from _statuses()


def _bodies() -> Iterator[Case]:
    text = accounts()
    put(text.lines[0], "Content-Type", "text/html")
    yield "api-body-of-another-kind", text, ["AZ-listSipAccounts.body"], []
    cut = accounts()
    cut.lines[0]["response"]["body"] = cut.lines[0]["response"]["body"][:-5]
    yield "api-body-not-json", cut, ["AZ-listSipAccounts.body"], []
    for name, change, clause in (
        ("without-a-member", {"created_at": None}, "AZ-SipAccount.created_at"),
        ("member-of-wrong-type", {"sip": "desk"}, "AZ-SipAccount.sip"),
        ("member-empty", {"created_at": ""}, "AZ-SipAccount.created_at"),
    ):
        scene = accounts()
        changed = {key: value for key, value in {**_ACCOUNT, **change}.items() if value is not None}
        body(scene.lines[0], [changed])
        yield f"api-body-{name}", scene, [clause], []
    shape = accounts()
    body(shape.lines[2], 7)
    yield "api-body-of-no-documented-shape", shape, ["AZ-getSipAccount.body"], []
    long = accounts()
    long.lines[2]["response"]["truncated"] = True
    yield "api-body-longer-than-is-kept", long, [], ["AZ-getSipAccount.body"]


def _statuses() -> Iterator[Case]:
    refused = accounts()
    refused.lines[2]["response"]["status"] = 500
    yield "api-valid-request-refused", refused, ["AZ-getSipAccount"], []
    strange = accounts()
    strange.lines[2]["response"]["status"] = 418
    yield "api-status-not-listed", strange, ["AZ-getSipAccount", "AZ-getSipAccount.status"], []
    silent = accounts()
    silent.lines[2] |= {"response": None, "failure": "timeout: no answer"}
    yield "api-request-unanswered", silent, [], ["AZ-getSipAccount"]
    full = accounts()
    full.lines[2]["response"]["status"] = 429
    yield "api-quota-used-up", full, [], ["AZ-getSipAccount"]


def body(line: Line, value: Any) -> None:
    """Give an answer another JSON body."""
    line["response"]["body"] = json.dumps(value)
    put(line, "Content-Length", str(len(line["response"]["body"])))
