"""A deviation that does not repeat is flaky and shown as that; one that comes and goes is red."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.command import Done, Running, ringtrue

_CLAUSE = "VX-Server.buildDate"
_TEST = "contract/test_contract.py::test_valid_request[vtx-getServer]"


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Callable[..., Done]]:
    """A run of the test of the server's version, before which the knock has asked for it once."""
    with ExitStack() as stack:

        def run(times: str, *options: str) -> Done:
            file = tmp_path / "vtx.toml"
            arguments = ("-m", "tests.e2e.glitch", times, "--system", "vtx", "--target-file", file)
            place = {"PYTHONPATH": str(Path(__file__).parents[2])}
            platform = Running(*arguments, folder=tmp_path, program=sys.executable, environment=place)
            stack.enter_context(platform)
            platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
            chosen = ("--target", file, "--workers", "1", "-k", "test_valid_request and getServer")
            return ringtrue("run", *chosen, *options, folder=tmp_path)

        yield run


def test_what_happens_once_is_flaky_with_its_evidence_and_not_red(judged: Callable[..., Done]) -> None:
    done = judged("2", "--floor", "80", "--workers", "2")
    assert done.code == 0, done
    verdicts = done.verdicts
    clause = next(one for one in verdicts["clauses"] if one["id"] == _CLAUSE)
    assert (clause["verdict"], clause["reason"], clause["passes"]) == ("inconc", "flaky", 2)
    records = [one["timeline"] for one in clause["findings"]]
    assert len(set(records)) == 3
    assert all((done.run_dir / record).is_file() for record in records)
    assert verdicts["flaky"] == [_CLAUSE]
    (test,) = verdicts["tests"]
    assert (test["id"], test["outcome"], test["runs"]) == (_TEST, "skipped", 3)
    assert f"FLAKY  {_CLAUSE}" in done.out
    assert "1 flaky" in verdicts["conclusion"]
    assert f"**flaky** `{_CLAUSE}`" in (done.run_dir / "summary.md").read_text(encoding="utf-8")
    page = (done.run_dir / "clauses.html").read_text(encoding="utf-8")
    assert page.count("clean runs of the same test") == 1
    found = [json.loads(path.read_text()) for path in (done.run_dir / "allure-results").glob("*-result.json")]
    found.sort(key=lambda one: one["start"])
    labels = [[label["value"] for label in one["labels"] if label["name"] == "verdict"] for one in found]
    assert labels == [["fail"], ["pass"], ["flaky"]]
    assert len({one["historyId"] for one in found}) == 1


def test_what_comes_and_goes_is_red(judged: Callable[..., Done]) -> None:
    done = judged("2,4")
    assert done.code == 1, done
    assert done.by_clause[_CLAUSE] == "fail"
    assert done.verdicts["flaky"] == []
    assert done.verdicts["tests"][0]["runs"] == 3
    assert f"FAIL   {_CLAUSE}" in done.out


def test_without_repeats_what_happens_once_is_red(judged: Callable[..., Done]) -> None:
    done = judged("2", "--reruns", "0")
    assert done.code == 1, done
    assert done.by_clause[_CLAUSE] == "fail"
    assert "runs" not in done.verdicts["tests"][0]
