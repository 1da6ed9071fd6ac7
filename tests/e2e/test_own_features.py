"""Features of the user's own: listed steps, a run with them, and refusals before anything is started."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.command import ringtrue
from tests.e2e.conftest import need

# Nothing of this may be taken for anything but text: by a shell, by SIPp, by the report.
_TEXT = "$(touch pwned) `touch pwned` ; touch pwned # \"quoted\" 'too' <b>&amp; %s {x} \\\\n"
_OWN = f"""\
Feature: Mine

  @AZ-account-values-shown @AZ-account-created-listed
  Scenario: An account of mine has a strange name
    When a SIP account is created with
      | name | {_TEXT} |
    Then the SIP account is in the list [AZ-account-created-listed]
    And it has the values that were given [AZ-account-values-shown]
"""
# The first shows that a call can be seen where one is made.
_CALLED = {"I have the IVR call bob": "{bob}", "I have the IVR call 112": "sip:112@carrier.example.net"}
_CALL = """
  @MS-newCall-call-destAddr
  Scenario: {title}
    Given a phone bob that answers
    And newCall is answered with
      | action   | call     |
      | destAddr | {number} |
    When a caller calls the IVR
    Then bob is called at the address that was given [MS-newCall-call-destAddr]
"""


def _write(folder: Path, text: str = _OWN) -> None:
    path = folder / "own" / "apidaze" / "mine.feature"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def test_the_steps_are_listed(tmp_path: Path) -> None:
    done = ringtrue("steps", "--system", "apidaze", folder=tmp_path)
    assert done.code == 0, done
    assert "  When  a SIP account is created with  + table\n" in done.out
    assert "vtx" not in done.out.splitlines()
    listed = json.loads(ringtrue("steps", "--format", "json", folder=tmp_path).out)
    assert {"apidaze", "vtx"} <= {step["system"] for step in listed["steps"]}
    wrong = ringtrue("steps", "--system", "apidaise", folder=tmp_path)
    assert (wrong.code, "apidaze" in wrong.err) == (2, True), wrong


def test_a_feature_of_the_user_runs_and_its_words_stay_text(tmp_path: Path) -> None:
    _write(tmp_path)
    done = ringtrue(
        "run", "--system", "apidaze", "--features", "own", "--workers", "1", "-k", "of_mine", "-v", folder=tmp_path
    )
    assert done.code == 0, done
    assert done.by_clause["AZ-account-values-shown"] == "pass", done
    assert done.verdicts["footer"]["tests"] == {"passed": 1}
    assert list(tmp_path.rglob("pwned")) == []
    timeline = next((done.run_dir / "timelines").glob("*of_mine*")).read_text(encoding="utf-8")
    assert "touch+pwned" in timeline or "touch pwned" in timeline


def test_a_number_that_the_target_file_does_not_allow_is_not_dialled(tmp_path: Path) -> None:
    need(shutil.which("sipp"), "SIPp")
    path = tmp_path / "own" / "mediaservice" / "mine.feature"
    path.parent.mkdir(parents=True)
    scenarios = (_CALL.format(title=title, number=number) for title, number in _CALLED.items())
    path.write_text("Feature: Mine\n" + "".join(scenarios), encoding="utf-8")
    done = ringtrue(
        "run", "--system", "mediaservice", "--features", "own", "-k", "i_have_the_ivr_call", folder=tmp_path
    )
    assert done.code == 0, done
    assert done.by_clause["MS-newCall-call-destAddr"] == "inconc", done
    assert "the target file does not allow to dial 'sip:112@carrier.example.net', so it is not done" in done.out
    assert 'add it to [dial]: allow = ["sip:112@carrier.example.net"]' in done.out
    assert done.verdicts["footer"]["tests"] == {"passed": 1, "skipped": 1}
    timelines = {path.stem: path.read_text(encoding="utf-8") for path in (done.run_dir / "timelines").glob("test_*")}
    called = {name: "INVITE sip:bob" in text for name, text in timelines.items()}
    assert called == {"test_i_have_the_ivr_call_bob": True, "test_i_have_the_ivr_call_112": False}
    assert "carrier.example.net" not in timelines["test_i_have_the_ivr_call_112"], "the platform is not even told"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("a SIP account is created with", "somebody dials 112", "mine.feature:5: unknown step of apidaze"),
        ("@AZ-account-values-shown", "@AZ-account-values-sown", "mine.feature:4: scenario"),
        ("  @AZ-account-values-shown", "  @needs-fax @AZ-account-values-shown", "unknown capability 'fax'"),
        ("Feature: Mine", "Mine", "mine.feature:1: no Gherkin"),
    ],
)
def test_a_wrong_feature_is_refused_before_anything_is_started(old: str, new: str, words: str, tmp_path: Path) -> None:
    _write(tmp_path, _OWN.replace(old, new, 1))
    done = ringtrue("run", "--features", "own", "--run-dir", "run", folder=tmp_path)
    assert done.code == 2, done
    assert words in done.err, done
    assert "Traceback" not in done.out + done.err
    assert not (tmp_path / "run" / "platform.log").exists()
    assert not (tmp_path / "run" / "timelines").exists()
