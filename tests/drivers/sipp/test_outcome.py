"""SIPp's exit code and error log to an outcome; and every delivered script can be understood."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from harness.drivers.sipp.outcome import judge
from harness.drivers.sipp.script import Script, ScriptError, scripts_folder
from harness.timeline import SipMessage

STAMP = "2026-11-21\t06:04:41.597521\t1795241081.597521: "
SEEN = SipMessage(0.0, agent="a", direction="out", local="l", remote="r", text="REGISTER sip:x SIP/2.0\r\n\r\n")


@pytest.mark.parametrize(
    ("code", "log", "seen", "killed", "outcome", "words"),
    [
        (0, "", [SEEN], None, "done", ""),
        (0, f"{STAMP}receive timeout on message x:6, jumping to label 8", [SEEN], None, "done", ""),
        (1, f"{STAMP}... while expecting '100' (index 1), received 'SIP/2.0 500 Oops\r\n", [SEEN], None, "failed",
         "expected 100, 200, 407 or 401, received SIP/2.0 500 Oops"),
        (1, f"{STAMP}Call-Id: 1, receive timeout on message register:6 without label to jump to", [SEEN], None,
         "timeout", "no 100 or 200 within 3 s"),
        (1, f"{STAMP}Aborting call on UDP retransmission timeout for Call-ID '1'", [SEEN], None, "timeout", "no answer"),
        (1, f"{STAMP}Unsupported keyword 'x' in xml scenario file", [], None, "broken", "Unsupported keyword 'x'"),
        (1, "", [], None, "broken", "SIPp said nothing"),
        (1, f"{STAMP}Failed regexp match", [SEEN], None, "failed", "Failed regexp match"),
        (97, f"{STAMP}uas timed out after '1.996' seconds", [], None, "timeout", "nothing arrived"),
        (255, f"{STAMP}Error on TCP connection, remote peer closed: Connection refused", [], None, "failed", "refused"),
        (254, f"{STAMP}Unable to bind main socket, errno = 98 (Address already in use)", [], None, "broken", "in use"),
        (255, f"{STAMP}RINGTRUE: the call was answered", [SEEN], None, "failed", "the call was answered"),
        (-9, "", [SEEN], "deadline", "timeout", "the last message was REGISTER sip:x SIP/2.0"),
        (-9, "", [], "stop", "stopped", "stopped by the harness"),
        (-11, "", [SEEN], None, "broken", "SIPp ended with -11"),
        (127, "sh: 1: sipp: not found", [], None, "broken", "not found"),
    ],
)  # fmt: skip
def test_outcomes(
    code: int, log: str, seen: list[SipMessage], killed: Literal["deadline", "stop"] | None, outcome: str, words: str
) -> None:
    script = Script.load("register.xml")
    got, detail = judge(script, code, log, seen, killed=killed, timeout=3)
    assert got == outcome
    assert words in detail


@pytest.mark.parametrize("path", sorted(scripts_folder().glob("*.xml")), ids=lambda path: path.stem)
def test_every_script_says_how_to_run_it_by_hand(path: Path) -> None:
    script = Script.load(path)
    assert f"By hand: sipp -sf {path.name} " in script.text
    assert script.waits_first == path.name.startswith("uas_")
    assert script.expected(0 if script.waits_first else 1) != "?"


def test_the_digest_uri_is_the_request_uri() -> None:
    values = {"domain": "example.org", "service": "100"}
    assert Script.load("register.xml").auth_uri(values) == "example.org"
    assert Script.load("call_registered.xml").auth_uri(values) == "100@example.org"
    assert Script.load("call_registered.xml").auth_uri({}) is None


def test_hold_changes_the_time_of_the_hangup_only() -> None:
    script = Script.load("uac_call.xml")
    assert script.with_hold(1234).text == script.text.replace('timeout="500" ontimeout', 'timeout="1234" ontimeout')
    with pytest.raises(ScriptError, match=r"uas_busy\.xml"):
        Script.load("uas_busy.xml").with_hold(1)
