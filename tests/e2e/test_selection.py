"""What `-k` chooses: tests by name, by system and by clause, and never by where Ringtrue happens to lie."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.e2e.command import ringtrue


@pytest.mark.parametrize(
    ("expression", "tests"),
    [
        ("VX-access-granted", {"test_login_and_application_open_the_api"}),
        ("vtx and contract and getServer and valid", {"test_valid_request[vtx-getServer]"}),
    ],
)
def test_a_test_is_found_by_its_clause_and_its_system(expression: str, tests: set[str], tmp_path: Path) -> None:
    done = ringtrue(
        "run", "--system", "vtx", "--workers", "1", "-k", expression, "-q", "--run-dir", "run", folder=tmp_path
    )
    assert done.code == 0, done
    cases = ET.parse(tmp_path / "run" / "junit.xml").getroot().iter("testcase")
    assert {case.get("name") for case in cases} == tests


def test_neither_the_folder_in_which_ringtrue_lies_nor_its_own_name_is_a_name(tmp_path: Path) -> None:
    done = ringtrue("run", "--system", "vtx", "-k", "harness or ringtrue", "-q", folder=tmp_path)
    assert done.code == 3, done
    assert "no test has a name that matches" in done.out


def test_a_folder_that_is_used_again_holds_the_newest_run_only(tmp_path: Path) -> None:
    run = ("run", "--system", "vtx", "-q", "--workers", "1", "--run-dir", "run")
    for expression in ("listSubscriptions", "getServer"):
        done = ringtrue(*run, "-k", f"test_valid_request and {expression}", folder=tmp_path)
        assert done.code in (0, 3), done.err
        results = list((tmp_path / "run" / "allure-results").glob("*-result.json"))
        names = [json.loads(path.read_text(encoding="utf-8"))["name"] for path in results]
        timelines = sorted((tmp_path / "run" / "timelines").glob("test_*.jsonl"))
        assert names
        assert len(timelines) == 1, timelines
        assert expression in timelines[0].name
