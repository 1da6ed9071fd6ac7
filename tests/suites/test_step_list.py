"""The step vocabulary is complete, and features that do not keep to it are refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.contract import data_folder, load_contracts
from harness.suites.scenarios.features import FeatureError
from harness.suites.scenarios.steps import all_steps, as_json, as_text, check_features, readable

_CONTRACTS = load_contracts(("apidaze", "vtx"))
_GOOD = """\
Feature: Mine

  @AZ-account-created-listed
  Scenario: An account of mine
    When a SIP account is created with
      | name | Reception |
    Then the SIP account is in the list [AZ-account-created-listed]
"""


def _features(folder: Path, text: str, place: str = "apidaze/mine.feature") -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def test_every_shipped_feature_keeps_to_the_vocabulary() -> None:
    check_features([data_folder("features")], load_contracts())


def test_steps_are_listed_as_people_write_them() -> None:
    for pattern, words in (
        (r"user (?P<a>[ABC]) calls user (?P<b>[ABC])( again)?", "user (A|B|C) calls user (A|B|C)( again)?"),
        (r"(?P<o>(send|hangup)(jwt)?) is sent for (?P<who>.+)", "(send|hangup)(jwt)? is sent for {who}"),
        (r"an? (?P<k>desk|phone)(?P<m>| that is busy), (?:for|with) '(?P<n>[0-9]+)'",
         "an? (desk|phone)( that is busy)?, (for|with) '{n}'"),
        (r"a call(?P<x>( into nowhere)?) for (?P<s>\d+) seconds(?: of (?P<p>bob))?",
         "a call( into nowhere)? for {s} seconds( of bob)?"),
        (r"(?P<c>newCall|callEvent) comes\s*\[(?P<clause>[A-Z]{2,3}-[^\]\s]+)\]", "(newCall|callEvent) comes [CLAUSE]"),
    ):  # fmt: skip
        assert readable(pattern) == words
    assert not [step.text for step in all_steps() if "(?" in step.text or "\\" in step.text]


def test_good_features_pass(tmp_path: Path) -> None:
    check_features([_features(tmp_path, _GOOD)], _CONTRACTS)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (
            "is created with",
            "is made with",
            5,
            "unknown step of apidaze: When 'a SIP account is made with'. Did you",
        ),
        ("When a SIP", "Given a SIP", 5, "unknown step of apidaze: Given 'a SIP account is created with'"),
        ("@AZ-account-created-listed\n", "@AZ-nothing\n", 4, "unknown clause 'AZ-nothing'"),
        ("  @AZ", "  @needs-fax @AZ", 4, "unknown capability 'fax': expected one of callbacks, sip, quota"),
        ("[AZ-account-created-listed]", "", 4, "clause AZ-account-created-listed is a tag but decided by no step"),
        ("  Scenario: An", "  Scenarioo: An", 4, "no Gherkin"),
        ("Feature: Mine", "Feature", 1, "no Gherkin"),
    ],
)
def test_a_wrong_feature_is_refused_with_file_and_line(
    old: str, new: str, line: int, words: str, tmp_path: Path
) -> None:
    with pytest.raises(FeatureError) as caught:
        check_features([_features(tmp_path, _GOOD.replace(old, new, 1))], _CONTRACTS)
    assert f"{tmp_path / 'apidaze' / 'mine.feature'}:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_each_row_of_an_outline_is_checked(tmp_path: Path) -> None:
    text = _GOOD.replace("Scenario:", "Scenario Outline:").replace(
        "a SIP account is created", "a SIP <what> is created"
    )
    rows = "    Examples:\n      | what |\n      | account |\n      | phone |\n"
    with pytest.raises(FeatureError, match="'a SIP phone is created with'"):
        check_features([_features(tmp_path, text + rows)], _CONTRACTS)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("mine.feature", "stands in no folder of a system"),
        ("apidaise/mine.feature", "with one of apidaze, vtx"),
        ("apidaze/mine.txt", "no feature file there"),
    ],
)
def test_a_feature_that_would_be_passed_over_is_refused(place: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=words):
        check_features([_features(tmp_path, _GOOD, place)], _CONTRACTS)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="no such folder"):
        check_features([tmp_path / "none"], _CONTRACTS)


def test_the_vocabulary_says_what_follows_a_step_and_which_steps_decide() -> None:
    steps = {(step.system, step.kind, step.text): step for step in all_steps()}
    assert len(steps) > 100
    assert steps["apidaze", "when", "a SIP account is created with"].table
    decides = steps["apidaze", "then", "the SIP account is in the list [CLAUSE]"]
    assert decides.clause
    assert not decides.table
    assert {step.kind for step in steps.values()} == {"given", "when", "then"}


def test_text_and_json_hold_every_step() -> None:
    steps = all_steps()
    text = as_text(steps)
    assert all(step.text in text for step in steps)
    listed = json.loads(as_json(steps))
    assert listed["format"] == 1
    assert len(listed["steps"]) == len(steps)
