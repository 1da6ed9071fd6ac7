"""The first minutes with a platform of one's own: `ringtrue init`, by options and by questions, and `ringtrue doctor`."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any

from harness.proof.null.http import answering
from tests.e2e.command import RINGTRUE, Running, ringtrue
from tests.e2e.unfit import taken_port, write_target


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_init_takes_everything_as_options(tmp_path: Path) -> None:
    done = ringtrue(
        "init", "apidaze", "--base-url", "https://voice.test/cpaas", "--set", "token_url=https://voice.test/token",
        "--sip", "192.0.2.9:5060", "--set", "sip.transport=tcp", "--capability", "sip", "--capability", "callbacks",
        "--public-url", "https://recorder.test", "--allow", "+31201234567", folder=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done
    made = _read(tmp_path / "apidaze.toml")
    assert made["apidaze"] == {
        "base_url": "https://voice.test/cpaas",
        "token_url": "https://voice.test/token",
        "client_id": "${APIDAZE_CLIENT_ID}",
        "client_secret": "${APIDAZE_CLIENT_SECRET}",
        "capabilities": ["sip", "callbacks"],
        "sip": {"address": "192.0.2.9:5060", "transport": "tcp"},
    }
    assert made["recorder"]["public_url"] == "https://recorder.test"
    assert made["dial"]["allow"] == ["+31201234567"]
    assert "export APIDAZE_CLIENT_ID=… APIDAZE_CLIENT_SECRET=…" in done.out
    assert "ringtrue doctor --target apidaze.toml" in done.out


def test_tokens_are_taken_for_given_where_the_api_is(tmp_path: Path) -> None:
    done = ringtrue("init", "apidaze", "--base-url", "http://voice.test:8443/cpaas", folder=tmp_path)
    assert done.code == 0, done
    made = _read(tmp_path / "apidaze.toml")["apidaze"]
    assert made["base_url"] == "http://voice.test:8443/cpaas"
    assert made["token_url"] == "http://voice.test:8443/oauth/client_credential/accesstoken"


def test_values_are_text_whatever_they_hold(tmp_path: Path) -> None:
    strange = 'a"b\'$(touch pwned)`touch pwned`\n[dial]\nallow = ["*"]\\'
    done = ringtrue("init", "mediaservice", "--set", f"domain={strange}", folder=tmp_path)
    assert done.code == 0, done
    made = _read(tmp_path / "mediaservice.toml")
    assert made["mediaservice"]["domain"] == strange
    assert made["dial"]["allow"] == []
    asked = ringtrue("doctor", "--target", "mediaservice.toml", folder=tmp_path)
    assert "Traceback" not in asked.out + asked.err
    assert list(tmp_path.rglob("pwned")) == []


def test_a_wrong_value_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    for options, words in (
        (["--base-url", "voice.test"], ["base_url", "http://"]),
        (["--sip", "192.0.2.9"], ["sip.address", "host:port"]),
        (["--capability", "fax"], ["fax", "callbacks"]),
        (["--set", "colour=red"], ["colour", "base_url"]),
        (["--set", "colour"], ["KEY=VALUE"]),
    ):
        done = ringtrue("init", "vtx", *options, folder=tmp_path)
        assert done.code == 2, done
        assert "Traceback" not in done.err
        for word in words:
            assert word in done.err, done
    assert list(tmp_path.glob("*.toml")) == []


def _talk(folder: Path, *arguments: str, answers: dict[str, str]) -> str:
    """Run the command on a terminal of its own, and answer each question as it comes; all that the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(RINGTRUE), *arguments], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown, answered, until = "", 0, time.monotonic() + 60
    left = list(answers.items())
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        assert time.monotonic() < until, shown
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536).decode()
            except OSError:  # the other side of the terminal has been closed
                break
        if left and left[0][0] in shown[answered:]:
            answered = len(shown)
            os.write(ours, left.pop(0)[1].encode() + b"\n")
    os.close(ours)
    assert process.wait(10) == 0, shown
    assert left == [], shown
    return shown


def test_init_asks_on_a_terminal_and_asks_again_after_a_wrong_answer(tmp_path: Path) -> None:
    shown = _talk(
        tmp_path, "init", "vtx",
        answers={
            "base_url [": "voice.test", "base_url": "https://voice.test", "capabilities": "fax", "fax": "callbacks, pstn",
            "SIP address": "192.0.2.9:5060", "URL at which": "https://recorder.test",
        },
    )  # fmt: skip
    assert "expected a URL" in shown
    made = _read(tmp_path / "vtx.toml")
    assert made["vtx"]["base_url"] == "https://voice.test"
    assert made["vtx"]["capabilities"] == ["callbacks", "pstn"]
    assert made["vtx"]["sip"]["address"] == "192.0.2.9:5060"
    assert made["vtx"]["password"] == "${VTX_PASSWORD}"
    assert made["recorder"]["public_url"] == "https://recorder.test"


def test_init_asks_nothing_when_told_so(tmp_path: Path) -> None:
    _talk(tmp_path, "init", "vtx", "--no-input", answers={})
    assert _read(tmp_path / "vtx.toml")["vtx"]["base_url"] == "https://api.example"


def _doctor(target: Path, folder: Path) -> tuple[int, dict[str, tuple[str, str]]]:
    done = ringtrue("doctor", "--target", target, folder=folder, seconds=60)
    assert "Traceback" not in done.out + done.err, done
    lines = [re.fullmatch(r"(ok|missing|note|wrong) +([^:]+): (.*)", line) for line in done.out.splitlines()]
    return done.code, {line[2]: (line[1], line[3]) for line in lines if line}


def test_doctor_tries_everything_that_a_run_will_need(target: Path, tmp_path: Path) -> None:
    code, said = _doctor(target, tmp_path)
    assert code == 0, said
    for name in (
        "SIPp",
        "target file",
        "apidaze API",
        "apidaze clock",
        "apidaze SIP",
        "apidaze capabilities",
        "recorder",
    ):
        assert said[name][0] == "ok", said


def test_doctor_says_that_a_platform_elsewhere_cannot_reach_the_recorder(tmp_path: Path) -> None:
    file = write_target(tmp_path / "t.toml", 9)
    text = file.read_text(encoding="utf-8").replace("http://127.0.0.1:9/", "https://192.0.2.77/")
    file.write_text(text, encoding="utf-8")
    code, said = _doctor(file, tmp_path)
    assert code == 3
    assert said["apidaze API"][0] == "missing"
    assert said["recorder"][0] == "missing"
    assert "public_url" in said["recorder"][1]


def test_doctor_says_that_the_public_url_leads_to_somebody_else(target: Path, tmp_path: Path) -> None:
    base = _read(target)["apidaze"]["base_url"]
    file = tmp_path / "t.toml"
    text = target.read_text(encoding="utf-8")
    file.write_text(f'{text}\n[recorder]\npublic_url = "{base}"\n', encoding="utf-8")
    code, said = _doctor(file, tmp_path)
    assert code == 3, said
    assert said["recorder"][0] == "missing", said
    assert "somebody else" in said["recorder"][1], said


def test_doctor_says_that_a_port_is_taken_and_that_a_clock_is_off(tmp_path: Path) -> None:
    late = "200 OK\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT"
    with answering(late, b'{"access_token": "canary"}') as port, taken_port() as taken:
        file = write_target(tmp_path / "t.toml", port)
        more = f'\n[recorder]\nlisten = "127.0.0.1:{taken}"\n'
        file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
        code, said = _doctor(file, tmp_path)
    assert code == 3
    assert re.fullmatch(r"is \d+ s off ours: .*", said["apidaze clock"][1]), said
    assert said["apidaze clock"][0] == "note"
    assert said["recorder"][0] == "missing"
    assert str(taken) in said["recorder"][1]


def test_a_target_file_without_users_is_said_and_no_deviation_of_the_platform(tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    with Running("platform", "--system", "vtx", "--target-file", file, folder=tmp_path) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        lacking = tmp_path / "lacking.toml"
        lacking.write_text(re.sub(r"(?m)^users = .*$", "", file.read_text(encoding="utf-8")), encoding="utf-8")
        code, said = _doctor(lacking, tmp_path)
        whole = _doctor(file, tmp_path)
        keyword = "valid_request and createSubscription"
        done = ringtrue("run", "--target", lacking, "-k", keyword, "--workers", "1", folder=tmp_path)
    assert (code, said["vtx users"][0]) == (3, "missing"), said
    assert "none with an id; scenarios need up to 3: name them in [[vtx.users]]" in said["vtx users"][1]
    assert (whole[0], whole[1]["vtx users"][0]) == (0, "ok"), whole
    assert (done.code, done.by_clause["VX-createSubscription"]) == (3, "inconc"), done
    assert "the target file names no user with an id" in done.out, done
