"""No secret of any system is written anywhere: run folder, report, ladders, doctor, clean-up, standard output and error."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.report.browse.allure_report import find_allure
from tests.drivers.hostile import answer
from tests.e2e.canaries import Canaries
from tests.e2e.command import Running, ringtrue
from tests.e2e.conftest import need
from tests.e2e.hostile_targets import hostile_platform
from tests.e2e.unfit import write_target

# By system and way to authenticate: what the platform is started with, tests that use every kind of secret, and the kinds.
_SYSTEMS: dict[str, tuple[tuple[str, ...], str, set[str]]] = {
    "vtx": (
        (),
        "outgoing_call or (credentials and createSubscription)",
        {"password", "application", "basic", "sip password"},
    ),
    "callable": ((), "(valid_request and (authorize or createDevice)) or short", {"password", "basic", "access_token"}),
    "mediaservice": (("--auth", "bearer"), "valid_request and Prompt", {"token"}),
    "mediaservice-sigv4": (("--auth", "sigv4"), "valid_request and Prompt", {"secret_key"}),
    "mediaservice-basic": (("--auth", "basic"), "valid_request and Prompt", {"password", "basic"}),
}

_FEW = ("--workers", "1")


@contextmanager
def _platform(folder: Path, *options: str) -> Iterator[Path]:
    file = folder / "platform.toml"
    with Running("platform", "--target-file", file, *options, folder=folder) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 30, "the platform's ready line")
        yield file


@pytest.mark.parametrize("name", _SYSTEMS)
def test_no_secret_of_a_system_is_written_anywhere(name: str, tmp_path: Path) -> None:
    need(shutil.which("sipp"), "SIPp")
    system = name.partition("-")[0]
    options, keyword, kinds = _SYSTEMS[name]
    with (
        _platform(tmp_path, "--system", system, *options) as file,
        Canaries(file, tmp_path / "target.toml") as canaries,
    ):
        arguments = ("--system", system, "--target", canaries.target_file, *_FEW)
        done = ringtrue("run", *arguments, "-k", keyword, "-v", folder=tmp_path / "here")
        asked = ringtrue("doctor", "--target", canaries.target_file, folder=tmp_path / "here")
        cleaned = ringtrue("cleanup", done.run_dir, "--target", canaries.target_file, folder=tmp_path / "here")
    assert done.verdicts["footer"]["tests"].get("passed"), done
    assert cleaned.code == 0, cleaned
    assert kinds <= {kind for kind, _ in canaries.secrets}, canaries.secrets
    if find_allure():
        assert ringtrue("report", done.run_dir, folder=tmp_path / "here").code == 0
    assert canaries.leaks(tmp_path / "here") == []
    assert canaries.told(done.out, done.err, asked.out, asked.err, cleaned.out, cleaned.err) == []
    signed = re.compile(rb"(?i)Signature=[0-9a-f]{16,}")
    shown = [path.name for path in done.run_dir.rglob("*") if path.is_file() and signed.search(path.read_bytes())]
    assert shown == [], "a signature can be used again for a while"


# Every place in an answer in which a platform may give a secret away.
_GIVEN_AWAY = answer(
    body=json.dumps(
        [
            {
                "id": "1",
                "password": "canary-member-1",
                "sip": {"username": "u", "password": "canary-member-2"},
                "refresh_token": "canary-member-3",
                "note": json.dumps({"api_key": "canary-nested-4"}),
                "link": "https://u:canary-userinfo-5@h.example/x?access_token=canary-query-6&y=1",
                "header": "Authorization: Bearer canary.bearer.7",
            }
        ]
    ).encode(),
    headers=(
        "Set-Cookie: session=canary-cookie-8; HttpOnly\r\nX-Api-Key: canary-key-9\r\n"
        "Authorization: Bearer canary.bearer.10\r\nProxy-Authorization: Basic canaryY2FuYXJ5MTE=\r\n"
    ),
)


def test_what_a_platform_gives_away_is_not_passed_on(tmp_path: Path) -> None:
    with hostile_platform([lambda connection, over: connection.sendall(_GIVEN_AWAY)]) as address:
        here = tmp_path / "here"
        target = write_target(tmp_path / "t.toml", int(address.rpartition(":")[2]))
        done = ringtrue("run", "--target", target, *_FEW, "-k", "valid_request and Accounts", "-v", folder=here)
        asked = ringtrue("doctor", "--target", target, folder=here)
    assert done.code in (1, 3), done
    written = {path.name: path.read_bytes() for path in here.rglob("*") if path.is_file()} | {
        "output": (done.out + done.err + asked.out + asked.err).encode()
    }
    leaks = {name: re.findall(rb".{0,80}canary", content)[:2] for name, content in written.items()}
    assert {name: found for name, found in leaks.items() if found} == {}


def test_secrets_in_the_environment_and_in_urls_are_shown_nowhere(target: Path, tmp_path: Path) -> None:
    text = target.read_text(encoding="utf-8")
    secret = text.partition('client_secret = "')[2].partition('"')[0]
    text = text.replace(f'"{secret}"', '"${CANARY_VARIABLE}"')
    (tmp_path / "t.toml").write_text(text, encoding="utf-8")
    (tmp_path / "url.toml").write_text(text.replace("http://", "http://u:canary-info@"), encoding="utf-8")
    environment = {"CANARY_VARIABLE": secret, "ANOTHER_SECRET": "canary-environment"}
    here = tmp_path / "here"
    keyword = (*_FEW, "-k", "valid_request and list")
    done = ringtrue("run", "--target", tmp_path / "t.toml", *keyword, folder=here, environment=environment)
    assert done.code == 0, done
    inside = ringtrue("run", "--target", tmp_path / "url.toml", *keyword, "-v", folder=here, environment=environment)
    asked = ringtrue("doctor", "--target", tmp_path / "url.toml", folder=here, environment=environment)
    written = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    written[Path("output")] = "".join((done.out, done.err, inside.out, inside.err, asked.out, asked.err)).encode()
    for word in (secret, "canary-info", "canary-environment"):
        assert [str(path) for path, content in written.items() if word.encode() in content] == [], word
