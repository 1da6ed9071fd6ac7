"""Every way to fail has data: each place in harness/checks that makes a failure is reached by a timeline of data/.

The places are found in the source, so that a new check, or a new way of an old one, is noticed as long as no timeline shows
it. What a place says is told apart further where one place says several things.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import harness.checks
from harness.checks import callbacks, correlation, evidence, headers, http
from harness.checks.flows import judging
from harness.verdicts import Finding, Verdict
from tests.checks.test_sequence_cases import BROKEN, HONEST, judged

MODULES = (callbacks, correlation, headers, http, judging)
FOLDER = Path(harness.checks.__file__).parent
# What one place says in several ways: of call flows, of schemas (harness.checks.schema), of headers.
SAYINGS = (
    "comes too late", "does not come after", "does not come often enough", "comes too often", "does not come after each",
    "comes after .* before", "comes before", "comes without", "is not what it has to be", "have the same",
    "is missing", "is not of type", "is not one of the documented values", "does not have the (format|pattern)",
    "has none of the documented shapes", "breaks ", "has no content-type", "that is not chunked has no content-length",
    "does not ask for a year", "access-control-allow-origin is missing$", "pre-flight answer are missing on an ordinary one",
    "access-control-allow-origin is missing or odd", "access-control-allow-credentials is",
    "access-control-allow-headers is", "access-control-allow-methods is", "access-control-max-age is", "quota-used fell",
)  # fmt: skip

Place = tuple[str, int]


def places() -> Iterator[Place]:
    """Module and line of each call of `failed` in the checks."""
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failed":
                yield path.name, node.lineno


@pytest.fixture(scope="module")
def reached() -> tuple[set[Place], set[str]]:
    """Where failures were made while all timelines were judged, and what they said."""
    seen: set[Place] = set()
    said: set[str] = set()

    def failed(clause: str, message: str, **more: Any) -> Finding:
        frame = sys._getframe(1)
        seen.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
        said.add(message)
        return evidence.failed(clause, message, **more)

    with pytest.MonkeyPatch.context() as patch:
        for module in MODULES:
            patch.setattr(module, "failed", failed)
        for path in (*HONEST, *BROKEN):
            judged(path)
    return seen, said


def test_every_module_that_makes_failures_is_looked_at() -> None:
    assert {name for name, _ in places()} == {Path(str(module.__file__)).name for module in MODULES}
    assert all(isinstance(module, ModuleType) for module in MODULES)


def test_every_place_that_makes_a_failure_has_a_timeline(reached: tuple[set[Place], set[str]]) -> None:
    missing = sorted(set(places()) - reached[0])
    assert missing == [], (
        f"no timeline in data/broken reaches these: write one in data/broken.py or data/api.py: {missing}"
    )


@pytest.mark.parametrize("saying", SAYINGS)
def test_everything_that_a_failure_says_has_a_timeline(saying: str, reached: tuple[set[Place], set[str]]) -> None:
    assert any(re.search(saying, message) for message in reached[1])


def test_every_kind_of_failure_also_passes_in_an_honest_timeline() -> None:
    """Both directions: a clause that a broken timeline fails is passed by an honest one."""
    passed = {finding.clause for path in HONEST for finding in judged(path)[1] if finding.verdict is Verdict.PASS}
    failed = {clause for path in BROKEN for clause in judged(path)[0]["fails"]}
    assert failed - passed == set()
