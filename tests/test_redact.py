"""Redaction: no secret is left in any place where one may stand, and what is no secret is left alone."""

from __future__ import annotations

import base64
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest

from harness.redact import MASK, Redactor

SECRET = 'p&ss "wörd"/+1'


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%C3%B6", "%c3%b6"),
        json.dumps({"echo": SECRET}),
        json.dumps({"echo": SECRET}, ensure_ascii=False),
        SECRET.encode().decode("latin-1"),
        'p&amp;ss &quot;wörd&quot;/+1',
    ],
)  # fmt: skip
def test_a_known_secret_is_masked_however_it_is_written(shown: str) -> None:
    clean = Redactor([SECRET]).text(f"before {shown} after")
    assert MASK in clean
    assert "rd" not in clean.removeprefix("before ")
    assert clean.startswith("before ")
    assert clean.endswith(" after")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abcd.efgh-1", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz=", "Authorization: Basic ***"),
        ('Digest username="a", response="0123456789abcdef"', 'Digest username="a", response="***"'),
        ('{"password": "hunter2"}', '{"password": "***"}'),
        ('{"password": "a\\"b", "name": "x"}', '{"password": "***", "name": "x"}'),
        ('{"access_token":"eyJ"}', '{"access_token":"***"}'),
        ('{"Client_Secret" : "x"}', '{"Client_Secret" : "***"}'),
        ('{"apiKey":"x", "api_key":"y"}', '{"apiKey":"***", "api_key":"***"}'),
        ('{"password": 12345, "n": 1}', '{"password": "***", "n": 1}'),
        ('{"a": "{\\"password\\": \\"hunter2\\", \\"b\\": 1}"}', '{"a": "{\\"password\\": \\"***\\", \\"b\\": 1}"}'),
        ('{"password": "hunt… (900 characters)', '{"password": "***'),
        ('{"password": "hunt\\', '{"password": "***'),
        ("grant_type=x&client_secret=a%20b&scope=c", "grant_type=x&client_secret=***&scope=c"),
        ("password=hunter2&username=me", "password=***&username=me"),
        ("https://h/p?token=abc&x=1", "https://h/p?token=***&x=1"),
        ("https://me:hunter2@host/p", "https://me:***@host/p"),
        ("curl --data-binary 'password=x&a=b' http://h", "curl --data-binary 'password=***&a=b' http://h"),
        ("curl --data-binary 'a=b&password=x' http://h", "curl --data-binary 'a=b&password=***' http://h"),
    ],
)
def test_places_made_for_secrets_are_masked_though_nobody_told_the_secret(text: str, clean: str) -> None:
    assert Redactor().text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        'WWW-Authenticate: Basic realm="x"',
        'WWW-Authenticate: Bearer realm="x", error="invalid_token"',
        'WWW-Authenticate: Digest realm="x", nonce="0123456789abcdef"',
        '{"passwords": "two", "token_type": "Bearer", "expires_in": "3599"}',
        '{"password": null, "token": true}',
        "https://host:8443/p?username=me",
        "sip:100@127.0.0.1:5060",
        "",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert Redactor(["s3cret-value"]).text(text) == text


def test_a_masked_command_line_can_still_be_parsed_by_a_shell() -> None:
    command = Redactor().text("curl --data-binary " + shlex.quote("a=it's&password=it's") + " http://h")
    assert "password=***" in command
    assert shlex.split(command)[0] == "curl"


@pytest.mark.parametrize("short", ["", "a", "123", None])
def test_values_too_short_to_be_told_from_ordinary_text_are_not_learnt(short: str | None) -> None:
    redactor = Redactor()
    redactor.add(short)
    assert redactor.text("a 123 b") == "a 123 b"
    assert not redactor.secrets


def test_a_secret_within_a_longer_one_does_not_leave_the_rest_of_it() -> None:
    assert Redactor(["hunter", "hunter22-tail"]).text("x hunter22-tail y hunter z") == "x *** y *** z"


@pytest.mark.parametrize(
    ("name", "value", "clean"),
    [
        ("Authorization", "Bearer abcdef", "Bearer ***"),
        ("authorization", "Token abcdef", "Token ***"),
        ("AUTHORIZATION", "abcdef", "***"),
        ("Proxy-Authorization", "Basic abcdef", "Basic ***"),
        ("Authorization", 'Digest username="a", response="00ff"', 'Digest username="a", response="***"'),
        ("Cookie", "session=abc", "***"),
        ("Set-Cookie", "session=abc; Path=/", "***"),
        ("X-API-Key", "abc", "***"),
        ("Content-Type", "text/plain", "text/plain"),
        ("Location", "https://h/?access_token=abc", "https://h/?access_token=***"),
    ],
)
def test_headers_lose_their_credentials_by_name(name: str, value: str, clean: str) -> None:
    assert Redactor().header(name, value) == clean


def test_bytes_that_are_no_text_lose_their_secrets_and_nothing_else() -> None:
    redactor = Redactor(["hunter2-long", "wörd-long"])
    assert redactor.data(b"\xff\x00hunter2-long\xfe") == b"\xff\x00***\xfe"
    assert redactor.data(b"\xff" + "wörd-long".encode()) == b"\xff***"
    assert redactor.data(bytes(range(256))) == bytes(range(256))


def test_scrub_reaches_every_depth_and_the_names_too() -> None:
    redactor = Redactor(["hunter2-long"])
    value = {
        "a": ["hunter2-long", {"b": ("x hunter2-long",)}],
        "hunter2-long": 1,
        "password": "anything",
        "token": 4711,
        "n": None,
        "flag": True,
    }
    assert redactor.scrub(value) == {
        "a": ["***", {"b": ["x ***"]}],
        "***": 1,
        "password": MASK,
        "token": MASK,
        "n": None,
        "flag": True,
    }


def test_a_basic_pair_is_masked_where_it_stands_alone_once_it_is_known() -> None:
    pair = base64.b64encode(b"user:pass").decode()
    assert Redactor([pair]).text(f"sent {pair}.") == "sent ***."


def test_credentials_in_headers_are_learned_and_known_elsewhere() -> None:
    redactor = Redactor()
    redactor.learn(
        [("Authorization", "Bearer tok-12345678"), ("X-C5-Application", "app-secret"), ("X-Other", "plain-word")]
    )
    assert redactor.text("seen tok-12345678, app-secret and plain-word") == "seen ***, *** and plain-word"


def test_a_bearer_inside_json_is_masked_and_a_challenge_is_not() -> None:
    redactor = Redactor()
    assert redactor.text('{"header": "Authorization: Bearer abc.def.7"}') == '{"header": "Authorization: Bearer ***"}'
    assert redactor.text('"Basic dXNlcjpwYXNz=="') == '"Basic ***"'
    for challenge in ('Basic realm="x"', 'Bearer error="invalid_token"', "Bearer scope = x"):
        assert redactor.text(challenge) == challenge


def test_signatures_are_masked() -> None:
    redactor = Redactor()
    url = "http://h/f.wav?X-Amz-Date=20261126T000000Z&X-Amz-Signature=0123456789abcdef&X-Amz-Security-Token=t0k&y=1"
    assert redactor.text(url) == (
        "http://h/f.wav?X-Amz-Date=20261126T000000Z&X-Amz-Signature=***&X-Amz-Security-Token=***&y=1"
    )
    header = (
        "AWS4-HMAC-SHA256 Credential=AKIA/20261126/eu/x/aws4_request, SignedHeaders=host, Signature=0123456789abcdef"
    )
    assert redactor.header("Authorization", header).endswith("SignedHeaders=host, Signature=***")


def test_what_was_cut_short_inside_json_is_masked_whatever_follows() -> None:
    redactor = Redactor()
    cut = redactor.text('seen: {"note": "{\\"api_key\\": \\"canary-ne… and 300 more\nsource: "AS"')
    assert "canary" not in cut
    assert "canary" not in redactor.text('seen: {"password": "canary-ne… and 300 more')
