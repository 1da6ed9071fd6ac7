"""The words of findings: values of a readable length, answers in a line, command lines that really repeat a request."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from typing import Any

import pytest

from harness.checks.evidence import curl, failed, inconclusive, json_body, parse_json, passed, seen_answer, shorten
from harness.checks.hosts import likely_hosts
from harness.timeline import HttpExchange, HttpRequest, HttpResponse
from harness.verdicts import Reason, Verdict
from tests.drivers.hostile import answer, answering, serving


def request(method: str = "GET", url: str = "http://h/p", headers: Any = (), body: bytes = b"") -> HttpExchange:
    return HttpExchange(1.0, request=HttpRequest(method, url, tuple(headers), body))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", "/p?a=b&c=%20d", [("X-Odd", "it's \"quoted\" $HOME `x`")], b""),
        ("GET", "/p/[1]/{a,b}?x[]=1", [], b""),
        ("HEAD", "/p", [], b""),
        ("DELETE", "/p", [], b""),
        ("POST", "/p", [("Content-Type", "application/json")], b'{"a": "it\'s $HOME\\n`id`"}'),
        ("POST", "/p", [("Content-Type", "text/plain")], b"@/etc/hostname"),
        ("POST", "/p", [], b"no type\nsecond line\n"),
        ("PUT", "/p", [("content-type", "application/x-www-form-urlencoded")], b"a=%26&b=+"),
        ("M-SEARCH", "/p;rm", [], b""),
    ],
)  # fmt: skip
def test_the_command_line_sends_the_same_request_again(method: str, path: str, headers: Any, body: bytes) -> None:
    seen: list[bytes] = []
    with serving(answering(answer(body=b"", content_type="text/plain"), seen=seen)) as url:
        command = curl(request(method, url + path, headers, body))
        subprocess.run(["sh", "-c", command], capture_output=True, timeout=10, check=True)
    head, _, sent = seen[0].partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    assert lines[0] == f"{method} {path} HTTP/1.1"
    assert sent == body
    for name, value in headers:
        assert any(line.lower() == f"{name}: {value}".lower() for line in lines)
    assert any(line.lower().startswith("content-type:") for line in lines) == bool(headers and body)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Bearer canary-1", "Bearer $CREDENTIALS"),
        ("Basic canary-1", "Basic $CREDENTIALS"),
        ("canary-1", "$CREDENTIALS"),
        ('";canary-1 x', "$CREDENTIALS"),
        ("", "$CREDENTIALS"),
    ],
)
def test_the_command_line_leaves_credentials_to_the_reader(value: str, shown: str) -> None:
    command = curl(request(headers=[("Authorization", value)]))
    assert "canary" not in command
    assert f'"Authorization: {shown}"' in command


def test_the_command_line_leaves_out_what_curl_says_itself() -> None:
    noise = [("Host", "h"), ("User-Agent", "x"), ("Content-Length", "0"), ("X-Schemathesis-TestCaseId", "1")]
    assert shlex.split(curl(request(headers=noise))) == ["curl", "-i", "-X", "GET", "http://h/p"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("words", "words"),
        (None, "null"),
        (5, "5"),
        ({"a": "ü"}, '{"a": "ü"}'),
        ("\x1b[31mred\x07 \x9b \ud800\n\ttwo", "\\x1b[31mred\\x07 \\x9b \\ud800\n\ttwo"),
        ({"a": "\ud800"}, '{"a": "\\ud800"}'),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "… (201 characters)"),
    ],
)
def test_values_are_shown_as_people_read_them(value: object, text: str) -> None:
    assert shorten(value) == text


def test_a_value_nested_beyond_reason_is_still_shown_somehow() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    assert shorten(value) == "a deeply nested list"
    while isinstance(value, list):  # taken apart by hand: freeing it at once would recurse
        value = value[0]


def test_an_answer_is_shown_in_one_line() -> None:
    exchange = request()
    assert seen_answer(exchange) == "no answer"
    assert seen_answer(HttpExchange(1.0, failure="timeout: x")) == "timeout: x"
    assert (
        seen_answer(HttpExchange(1.0, response=HttpResponse(404, (), b" gone\n", "Not Found"))) == "404 Not Found, gone"
    )
    assert seen_answer(HttpExchange(1.0, response=HttpResponse(204))) == "204"
    assert len(seen_answer(HttpExchange(1.0, response=HttpResponse(200, (), b"\xff" * 9999)))) < 250


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"NaN", b"[Infinity]", b"-Infinity", b"[" * 99_999, b"'a'", b"01"]
)
def test_what_is_no_json_is_none(body: bytes) -> None:
    assert json_body(HttpExchange(1.0, response=HttpResponse(200, (), body))) is None
    with pytest.raises(ValueError, match=r"."):
        parse_json(body)


@pytest.mark.parametrize("value", [None, 0, "", [], {"a": [1.5, True, "ü"]}])
def test_what_is_json_is_its_value(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value).encode("utf-16")) == value


def test_findings_say_what_was_looked_at() -> None:
    good = passed("TY-a", "ring", at=(1,))
    bad = failed("TY-a", "words", expected=["x"], seen={"y": "z" * 999}, subject="ring", at=(2,), reproduce="curl")
    open_ = inconclusive("TY-a", Reason.TIMEOUT, "words", at=(3,))
    assert [one.verdict for one in (good, bad, open_)] == [Verdict.PASS, Verdict.FAIL, Verdict.INCONC]
    assert (bad.expected, len(bad.seen) < 250, bad.reproduce) == ('["x"]', True, "curl")
    assert open_.reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ({"domain": "sip.example.org"}, ["sip.example.org"]),
        ({"a": {"b": ["x", "sip.example.org:5060"]}, "c": "sip.example.org:5060"}, ["sip.example.org:5060"]),
        (["192.0.2.1", "192.0.2.1:5060"], ["192.0.2.1", "192.0.2.1:5060"]),
        (["b.example", {"x": "a.example"}], ["b.example", "a.example"]),
        (["1.0", "256.1.1.1", "1.2.3", "localhost", "", "a b.c", "me@h.org", "http://h.org"], []),
        (["-a.org", "a..b", "2024-05-01"], []),
        ({"key.example.org": 1, "n": 5, "x": None, "y": True}, []),
        ("registered", []),
        ("a." * 20_000, []),
    ],
)  # fmt: skip
def test_host_names_are_told_from_other_strings(value: Any, hosts: list[str]) -> None:
    assert likely_hosts(value) == hosts


def test_hosts_are_looked_for_at_any_depth() -> None:
    value: Any = "sip.example.org"
    for _ in range(5000):
        value = [value]
    assert likely_hosts(value) == ["sip.example.org"]
