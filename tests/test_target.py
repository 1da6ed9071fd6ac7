"""The target file: what is right is read, what is wrong is explained with its place, and no secret is ever quoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.target import ApidazeTarget, SystemTarget, Target, TargetError, load_target, parse_target

CAPABILITIES = {"apidaze": {"sip": "", "callbacks": "", "quota": ""}, "callable": {"pstn": ""}, "toy": {"bell": ""}}
GOOD = """\
# a comment
[apidaze]
base_url = "https://staging.example/api/v1/"
token_url = "https://staging.example/token"
client_id = "me"
client_secret = "${RT_SECRET}"
capabilities = ["sip", "callbacks"]

[apidaze.sip]
address = "192.0.2.5:5060"
transport = "tcp"

[[apidaze.users]]
aor = "a@example.org"
password = "user-secret-1"

[[apidaze.users]]
aor = "b@example.org"
password = "user-secret-2"
number = "+31201234567"

[dial]
allow = ["sip:*@127.0.0.1:*"]

[timing]
callback = 2.5

[rate]
max_per_second = 20
"""
SECRETS = ("rt-env-secret", "user-secret-1", "user-secret-2")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RT_SECRET", "rt-env-secret")
    monkeypatch.setenv("RT_EMPTY", "")
    monkeypatch.delenv("RT_ABSENT", raising=False)


def load(tmp_path: Path, text: str) -> Target:
    path = tmp_path / "target.toml"
    path.write_text(text, encoding="utf-8")
    return load_target(path, CAPABILITIES)


def complaint(tmp_path: Path, text: str) -> str:
    with pytest.raises(TargetError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "target.toml"))
    assert not any(secret in message for secret in SECRETS)
    cause = caught.value.__cause__
    assert cause is None or not any(secret in str(cause) for secret in SECRETS)
    return message.removeprefix(str(tmp_path / "target.toml"))


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    target = load(tmp_path, GOOD)
    system = target.systems["apidaze"]
    assert isinstance(system, ApidazeTarget)
    assert system.base_url == "https://staging.example/api/v1"
    assert system.client_secret == "rt-env-secret"
    assert system.sip is not None
    assert (system.sip.address, system.sip.transport) == ("192.0.2.5:5060", "tcp")
    assert [user.aor for user in system.users] == ["a@example.org", "b@example.org"]
    assert (target.timing.callback, target.timing.answer) == (2.5, 10.0)
    assert target.dial.allow == ("sip:*@127.0.0.1:*",)
    assert target.recorder.listen == "127.0.0.1:0"
    assert not target.embedded


def test_all_secrets_are_named_and_none_shows_in_a_repr(tmp_path: Path) -> None:
    target = load(tmp_path, GOOD)
    assert set(target.secrets) == set(SECRETS)
    assert not any(secret in repr(target) for secret in SECRETS)
    assert not any(secret in str(target.systems["apidaze"]) for secret in SECRETS)


def test_a_target_survives_the_way_to_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RT_SECRET", "odd-${RT_ABSENT}-secret")
    target = load(tmp_path, GOOD)
    assert parse_target(target.to_plain(), CAPABILITIES, environment=False) == target


def test_a_system_of_the_users_own_is_read_as_a_plain_one() -> None:
    target = parse_target({"toy": {"base_url": "http://127.0.0.1:1", "capabilities": ["bell"]}}, CAPABILITIES)
    assert type(target.systems["toy"]) is SystemTarget


def replaced(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", [": no system is described: expected one of apidaze, callable, toy"]),
        ("[timing]\nanswer = 1", [": no system is described"]),
        ("= broken", [": not TOML", "line 1"]),
        (replaced("[apidaze]", "[apidase]").replace("[apidaze.", "[apidase.").replace("[[apidaze.", "[[apidase."),
         [":2: unknown system or table [apidase]", "expected one of apidaze,", "Did you mean 'apidaze'?"]),
        ("x = 1\n" + GOOD, [":1: unknown system or table [x]"]),
        ("dial = 1\n" + GOOD.replace("[dial]", "[rate2]"), [":1: dial", "expected a table [dial]"]),
        (replaced("[dial]", "[dails]"), [":22: unknown system or table [dails]", "Did you mean 'dial'?"]),
        (replaced("client_id =", "cliend_id ="),
         [":5: unknown key 'cliend_id' in [apidaze]", "Did you mean 'client_id'?"]),
        (replaced('client_id = "me"\n', ""), [":2: [apidaze] lacks the key client_id"]),
        (replaced('client_id = "me"', 'client_id = "me"\nclient_identity = "me"'),
         [":6: unknown key 'client_identity' in [apidaze]", "expected one of base_url,", "Did you mean 'client_id'?"]),
        (replaced('transport = "tcp"', 'transport = "tls"'),
         [":11: apidaze.sip.transport: input should be 'udp' or 'tcp', got 'tls'"]),
        (replaced('transport = "tcp"', 'port = 5060'),
         [":11: unknown key 'port' in [apidaze.sip]: expected one of address, domain, transport"]),
        (replaced('address = "192.0.2.5:5060"\n', ""), [":9: [apidaze.sip] lacks the key address"]),
        (replaced("192.0.2.5:5060", "192.0.2.5"), [":10: apidaze.sip.address: expected host:port", "got '192.0.2.5'"]),
        (replaced("192.0.2.5:5060", "192.0.2.5:70000"), [":10: apidaze.sip.address: expected host:port"]),
        (replaced("192.0.2.5:5060", "h:²"), [":10: apidaze.sip.address: expected host:port"]),
        (replaced("192.0.2.5:5060", "::1"), [":10: apidaze.sip.address: expected host:port", "[::1]:5060"]),
        (replaced("https://staging.example/api/v1/", "staging.example"),
         [":3: apidaze.base_url: expected a URL that starts with http:// or https://", "got 'staging.example'"]),
        (replaced("https://staging.example/api/v1/", "http://sta ging.example"), [":3: apidaze.base_url: expected a URL"]),
        (replaced("https://staging.example/api/v1/", "http://h:99999"), [":3: apidaze.base_url: ", "port"]),
        (replaced("https://staging.example/api/v1/", "http://h:0"), [":3: apidaze.base_url: ", "port"]),
        (replaced("https://staging.example/api/v1/", "http://[::1"), [":3: apidaze.base_url: expected a URL"]),
        (replaced("https://staging.example/api/v1/", "http://h/p?q=1"), [":3: apidaze.base_url: ", "query"]),
        (replaced("callback = 2.5", 'callback = "soon"'), [":26: timing.callback: ", "got 'soon'"]),
        (replaced("callback = 2.5", "callback = 0"), [":26: timing.callback: ", "greater than 0, got 0"]),
        (replaced("callback = 2.5", "callback = nan"), [":26: timing.callback: "]),
        (replaced("callback = 2.5", "callback = inf"), [":26: timing.callback: "]),
        (replaced("callback = 2.5", "calback = 1"), [":26: unknown key 'calback' in [timing]", "Did you mean 'callback'?"]),
        (replaced("max_per_second = 20", "max_per_second = -1"), [":29: rate.max_per_second: "]),
        (replaced('"callbacks"]', '"calbacks"]'),
         [":7: unknown capability 'calbacks': expected one of sip, callbacks, quota. Did you mean 'callbacks'?"]),
        (replaced('capabilities = ["sip", "callbacks"]', 'capabilities = "sip"'),
         [":7: apidaze.capabilities: ", "got 'sip'"]),
        (replaced('aor = "b@example.org"\n', ""), [":17: [apidaze.users.1] lacks the key aor"]),
        (replaced('number = "+31201234567"', "number = 31"), [":20: apidaze.users.1.number: ", "got 31"]),
        (replaced("${RT_SECRET}", "${RT_ABSENT}"),
         [":6: apidaze.client_secret: the environment variable RT_ABSENT is not set"]),
        (replaced("${RT_SECRET}", "${RT_EMPTY}"),
         [":6: apidaze.client_secret: the environment variable RT_EMPTY is empty"]),
        (replaced("user-secret-2", "${RT_ABSENT}"),
         [":19: apidaze.users.1.password: the environment variable RT_ABSENT is not set"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_key_and_what_was_expected(tmp_path: Path, text: str, words: list[str]) -> None:
    message = complaint(tmp_path, text)
    assert message.startswith(words[0])
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('client_secret = "${RT_SECRET}"', 'client_secret = ["rt-env-secret"]'),
        ('client_secret = "${RT_SECRET}"', 'client_secret = {value = "rt-env-secret"}'),
        ('client_secret = "${RT_SECRET}"', 'client_secrets = "${RT_SECRET}"\nclient_secret = "x"'),
        ('client_secret = "${RT_SECRET}"', 'client_secret = "${RT_SECRET}"\nverify_tls = {password = "user-secret-1"}'),
        ('password = "user-secret-1"', 'password = ["user-secret-1"]'),
        ('password = "user-secret-1"', 'password = "user-secret-1"\nid = ["user-secret-1"]'),
        ("https://staging.example/api/v1/", "ftp://me:user-secret-1@h"),
    ],
)
def test_no_complaint_quotes_a_secret(tmp_path: Path, old: str, new: str) -> None:
    complaint(tmp_path, replaced(old, new))


def test_users_written_as_one_table_are_refused_without_quoting_them(tmp_path: Path) -> None:
    start, end = GOOD.index("[[apidaze.users]]"), GOOD.index("[dial]")
    users = '[apidaze.users]\naor = "a@b"\npassword = "user-secret-1"\n'
    message = complaint(tmp_path, GOOD[:start] + users + GOOD[end:])
    assert message.startswith(":13: apidaze.users: ")
    assert message.endswith("got a table")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[apidaze]\nsip.address = 'x'\n" + GOOD.split("\n", 2)[2].partition("[apidaze.sip]")[0], 2),
        (replaced('[apidaze.sip]\naddress = "192.0.2.5:5060"\ntransport = "tcp"', "").replace(
            'client_id = "me"', 'sip = {address = "x"}\nclient_id = "me"'), 5),
        (replaced("[apidaze.sip]", "[ apidaze . sip ]  # spaces").replace("192.0.2.5:5060", "x"), 10),
        (replaced("[apidaze.sip]", '["apidaze"."sip"]').replace("192.0.2.5:5060", "x"), 10),
    ],
)  # fmt: skip
def test_the_line_is_found_in_every_way_to_write_a_key(tmp_path: Path, text: str, line: int) -> None:
    assert complaint(tmp_path, text).startswith(f":{line}: apidaze.sip.address: expected host:port")


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"none\.toml: cannot be read: No such file.*ringtrue init"):
        load_target(tmp_path / "none.toml", CAPABILITIES)
    with pytest.raises(TargetError, match="cannot be read"):
        load_target(tmp_path, CAPABILITIES)
    path = tmp_path / "target.toml"
    path.write_bytes(b"\xff\xfe[apidaze]")
    with pytest.raises(TargetError, match="not UTF-8"):
        load_target(path, CAPABILITIES)


@pytest.mark.parametrize("value", [1, "text", [], None])
def test_a_system_that_is_no_table_is_refused(value: Any) -> None:
    with pytest.raises(TargetError, match="expected a table"):
        parse_target({"apidaze": value}, CAPABILITIES)


@pytest.mark.parametrize("address", ["h:0", "127.0.0.1:65535", "[::1]:5060", "sip.example.org:5060"])
def test_every_usual_form_of_an_address_is_taken(address: str) -> None:
    tables = {"toy": {"base_url": "http://h", "sip": {"address": address}}}
    sip = parse_target(tables, CAPABILITIES).systems["toy"].sip
    assert sip is not None
    assert sip.address == address


@pytest.mark.parametrize("url", ["http://h", "https://h:8443/a/b", "http://[::1]:80", "http://me:pw@h/x", "https://h/"])
def test_every_usual_form_of_a_base_url_is_taken(url: str) -> None:
    assert parse_target({"toy": {"base_url": url}}, CAPABILITIES).systems["toy"].base_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"auth": "basic", "username": "u"}, 'auth = "basic" needs the keys password'),
        ({"auth": "bearer"}, 'auth = "bearer" needs the keys token'),
        ({"auth": "sigv4", "token": "t"}, 'auth = "sigv4" needs the keys access_key, secret_key, region'),
    ],
)
def test_a_way_to_authenticate_without_what_it_needs_is_refused(keys: dict[str, str], words: str) -> None:
    table = {"base_url": "http://127.0.0.1:1", "domain": "d.example", **keys}
    with pytest.raises(TargetError, match=words):
        parse_target({"mediaservice": table}, {"mediaservice": {}})
