"""What `-k` chooses: tests by name, by system and by clause, and never by where Ringtrue happens to lie."""

from __future__ import annotations

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
    done = ringtrue("run", "--system", "vtx", "-k", expression, "-q", "--run-dir", "run", folder=tmp_path)
    assert done.code == 0, done
    cases = ET.parse(tmp_path / "run" / "junit.xml").getroot().iter("testcase")
    assert {case.get("name") for case in cases} == tests


def test_the_folder_in_which_ringtrue_lies_is_no_name(tmp_path: Path) -> None:
    done = ringtrue("run", "--system", "vtx", "-k", "harness", "-q", folder=tmp_path)
    assert done.code == 3, done
    assert "no test has a name that matches" in done.out
