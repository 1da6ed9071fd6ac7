"""A run that must end early ends in order: what was not run is said, and nothing that was recorded is lost."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from harness.timeline import HttpExchange, Timeline
from tests.e2e.command import Done, ringtrue
from tests.gate.lamp import lamps, of, run

PYTEST = Path(sys.executable).with_name("pytest")


def test_a_run_whose_time_is_over_says_what_was_not_run(tmp_path: Path) -> None:
    with lamps() as slow:
        slow.slow = 8.0
        done = run(slow, tmp_path, "--max-time", "18s", "--workers", "1")
    assert done.code == 3, done
    verdicts = done.verdicts
    tests = Counter(test["outcome"] for test in verdicts["tests"])
    assert tests["not run"] > 0, tests
    assert tests["passed"] > 0, tests
    assert verdicts["footer"]["tests"] == dict(tests)
    words = f"stopped at the time limit of 18s: {tests['not run']} of {len(verdicts['tests'])} tests were not run"
    assert f"nothing can be said: {words}" in done.out
    assert (verdicts["stopped"], verdicts["problems"]) == (words, [words])
    undecided = [item for item in verdicts["clauses"] if item["verdict"] == "inconc"]
    assert {item["reason"] for item in undecided} == {"timeout"}
    assert any(item["verdict"] == "pass" for item in verdicts["clauses"])
    assert done.seconds < 60, "no test begins when the time is over, and one that has begun ends soon"
    assert _not_run(done) == tests["not run"]


def test_a_deviation_that_was_seen_before_the_end_of_the_time_decides(tmp_path: Path) -> None:
    with lamps() as slow:
        slow.deviate("attic")
        slow.slow = 8.0
        done = run(slow, tmp_path, "--max-time", "20s", "--workers", "2")
    assert done.code == 1, done
    assert "deviates: 1 clause failed; stopped at the time limit of 20s" in done.out
    assert done.by_clause["LA-Attic.state"] == "fail"


def test_a_run_that_ends_in_time_is_as_any_other(tmp_path: Path) -> None:
    with lamps() as quick:
        done = run(quick, tmp_path, "--max-time", "1h30m", "-k", "valid")
    assert (done.code, done.verdicts.get("stopped")) == (0, None), done


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fail_fast_begins_no_test_after_the_first_deviation(workers: str, tmp_path: Path) -> None:
    with lamps() as platform:
        for name in ("attic", "bath", "cellar", "door", "entry", "floor"):
            platform.deviate(name)
        platform.slow = 0.2
        done = run(platform, tmp_path, "--fail-fast", "--workers", workers)
    assert done.code == 1, done
    tests = Counter(test["outcome"] for test in done.verdicts["tests"])
    assert 1 <= tests["failed"] <= 2 * int(workers), tests
    assert tests["not run"] >= 6 - 2 * int(workers), tests
    assert f"stopped at the first deviation: {tests['not run']} of {sum(tests.values())} tests were not run" in done.out
    assert done.verdicts["conclusion"].startswith("deviates: ")
    assert _not_run(done) == tests["not run"]
    assert not list(done.run_dir.glob(".stop"))


def test_fail_fast_is_not_stopped_by_what_does_not_count(tmp_path: Path) -> None:
    with lamps() as platform:
        platform.bodies["attic"] = json.dumps({"state": "on", "age": "old"}).encode()  # inferred only
        done = run(platform, tmp_path, "--fail-fast", "-k", "valid")
        assert (done.code, done.verdicts["counts"]["warn"], done.verdicts.get("stopped")) == (0, 1, None), done
        strict = run(platform, tmp_path, "--fail-fast", "--strict", "-k", "valid")
        assert (strict.code, "stopped at the first deviation" in strict.out) == (1, True), strict


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_the_x_of_pytest_is_no_interruption(workers: list[str], tmp_path: Path) -> None:
    with lamps() as platform:
        for name in ("attic", "bath", "cellar", "door", "entry", "floor"):
            platform.deviate(name)
        platform.slow = 0.5
        options = of(platform, tmp_path)
        done = ringtrue(
            "--ringtrue-target", options[1], "--ringtrue-specs", options[3], "-x", "-q", *workers,
            folder=tmp_path, program=PYTEST,
        )  # fmt: skip
    assert done.code == 1, done
    (file,) = (tmp_path / "reports").glob("*/verdicts.json")
    verdicts = json.loads(file.read_text(encoding="utf-8"))
    assert verdicts["conclusion"].endswith("; stopped by -x or --maxfail: the tests behind it were not run")
    assert verdicts["counts"]["none"] > 0
    assert verdicts["counts"]["fail"] < 6


@pytest.mark.parametrize("text", ["soon", "10", "0s", "-5s", "10 minutes", ""])
def test_a_time_without_its_unit_is_refused(text: str, tmp_path: Path) -> None:
    with lamps() as platform:
        done = ringtrue("run", *of(platform, tmp_path), f"--max-time={text}", folder=tmp_path)
        if text:
            assert done.code == 2, done
            assert "90s, 10m, 1h30m" in done.err
            assert platform.asked == {}


def test_the_floor_decides_how_many_clauses_are_enough(tmp_path: Path) -> None:
    with lamps() as platform:
        platform.gone |= {"bath", "cellar"}
        usual = run(platform, tmp_path, "-k", "valid")
        assert usual.code == 3, usual
        coverage = usual.verdicts["coverage"]
        share = coverage["decided"] / coverage["of"]
        assert 0.3 < share < coverage["floor"] == 0.9
        words = f"{coverage['decided']} of {coverage['of']} documented clauses decided, the floor is 90%"
        assert f"nothing can be said: {words}" in usual.out
        low = run(platform, tmp_path, "-k", "valid", "--floor", f"{int(share * 100)}%")
        assert low.code == 0, low
        assert low.verdicts["coverage"]["floor"] == int(share * 100) / 100
        high = run(platform, tmp_path, "-k", "valid", "--floor", str(int(share * 100) + 1))
        assert high.code == 3, high


def test_a_rate_is_kept_by_all_workers_together(tmp_path: Path) -> None:
    with lamps() as platform:
        options = of(platform, tmp_path)
        file = Path(options[1])
        file.write_text(f"{file.read_text(encoding='utf-8')}[rate]\nmax_per_second = 1\n", encoding="utf-8")
        done = ringtrue("run", *options[:-1], "2", "-k", "valid", folder=tmp_path)
    assert done.code == 0, done
    times = {
        path.stem: [event.at for event in Timeline.read(path).of(HttpExchange)]
        for path in (done.run_dir / "timelines").glob("*.jsonl")
    }
    probe = times.pop("probe-lamp")
    assert probe[-1] - probe[0] > 0.9 * (len(probe) - 1), "one each second"
    tests = sorted(at for found in times.values() for at in found)
    assert len(tests) == 6
    assert tests[-1] - tests[0] > 0.9 * (len(tests) - 2), "both may begin at once"


@pytest.mark.parametrize("text", ["0.9", "101", "much", "-1"])
def test_a_floor_that_is_no_percentage_is_refused(text: str, tmp_path: Path) -> None:
    wrong = ringtrue("run", "--system", "apidaze", f"--floor={text}", folder=tmp_path)
    assert wrong.code == 2, wrong
    assert "such as 90 or 90%" in wrong.err, wrong


def _not_run(done: Done) -> int:
    cases = ET.parse(done.run_dir / "junit.xml").getroot().iter("testcase")
    return sum("not run: " in skip.get("message", "") for case in cases for skip in case.iter("skipped"))
