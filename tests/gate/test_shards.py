"""Shards: each test in exactly one, split in the same way everywhere; and merged, they are one run."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gate.shards import Shard, ShardError, Unit, digest, split
from harness.suites.selection import plain_id
from harness.timeline import Timeline
from tests.e2e.command import Done, ringtrue
from tests.gate.lamp import Lamps, keeps_schema, lamps, of, refused, run

UNITS = [Unit(f"t{number:03}", "serial" if number % 7 == 0 else None) for number in range(60)]


@pytest.mark.parametrize("count", [1, 2, 4, 7, 60, 100])
def test_each_test_is_in_exactly_one_shard_and_groups_stay_together(count: int) -> None:
    shards = split(UNITS, count, {})
    assert len(shards) == count
    assert Counter(test for shard in shards for test in shard) == dict.fromkeys((unit.test for unit in UNITS), 1)
    serial = {unit.test for unit in UNITS if unit.group}
    assert sum(bool(shard & serial) for shard in shards) == 1
    assert split(UNITS[::-1], count, {}) == shards, "the order of collection does not matter"
    assert digest(split(UNITS[::-1], count, {})) == digest(shards)


def test_known_durations_balance_the_shards() -> None:
    seconds = {unit.test: 30.0 if unit.test == "t001" else 1.0 for unit in UNITS if unit.test != "t002"}
    shards = split(UNITS, 3, seconds)
    loads = sorted(sum(seconds.get(test, 1.0) for test in shard) for shard in shards)
    assert loads == [29.0, 30.0, 30.0], "the long one is alone, and one that nobody knows counts as the usual one"
    assert digest(shards) != digest(split(UNITS, 3, {}))
    assert digest(split(UNITS[1:], 3, {})) != digest(split(UNITS, 3, {}))


def test_the_group_that_xdist_adds_is_no_part_of_a_tests_name() -> None:
    assert (
        plain_id("contract/test_contract.py::test_x[lamp-a]@lamp-serial") == "contract/test_contract.py::test_x[lamp-a]"
    )
    assert plain_id("scenarios/test_x.py::test_mail_a@b[1]") == "scenarios/test_x.py::test_mail_a@b[1]"


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "-1/4", "1/4/2", "1/10000", ""])
def test_a_shard_that_is_none_isrefused(text: str) -> None:
    with pytest.raises(ShardError, match="such as 2/5"):
        Shard.parse(text)
    assert Shard.parse(" 2/5 ") == Shard(2, 5)


@pytest.fixture(scope="module")
def platform() -> Iterator[Lamps]:
    with lamps() as made:
        made.deviate("bath")
        made.gone.add("door")
        yield made


@pytest.fixture(scope="module")
def parts(platform: Lamps, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs 1, 2 and 3, and the whole one `one`."""
    folder = tmp_path_factory.mktemp("parts")
    for name in ("1", "2", "3", "one"):
        shard = ["--shard", f"{name}/3"] if name != "one" else []
        workers = ["--workers", "2"] if name == "2" else []  # how many there are makes no difference
        done = run(platform, folder, "--run-dir", name, *shard, *workers)
        assert done.code in (0, 1, 3), done
        if name != "one":
            deviates = "LA-Bath.state" in done.out
            assert done.code == (1 if deviates else 0), "the floor is for the whole"
            assert _read(folder / name)["shard"] == {
                "index": int(name), "of": 3, "tests": 7, "complete": True, "digest": _read(folder / "1")["shard"]["digest"],
            }  # fmt: skip
    return folder


def _read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    return found


def _verdicts(folder: Path) -> dict[str, tuple[str, str]]:
    return {item["id"]: (item["verdict"], item["reason"]) for item in _read(folder)["clauses"]}


def merge(folder: Path, *runs: str, output: str = "merged", more: tuple[str | Path, ...] = ()) -> Done:
    return ringtrue("merge", *runs, "-o", output, "--specs", folder / "specs", *more, folder=folder)


def test_shards_that_are_merged_are_one_run(parts: Path) -> None:
    done = merge(parts, "3", "1", "2")
    one, merged = _read(parts / "one"), _read(parts / "merged")
    assert done.code == one["exit_code"] == 1, done
    assert _verdicts(parts / "merged") == _verdicts(parts / "one")
    for name in ("conclusion", "counts", "documented", "coverage", "complete", "target", "systems", "seed", "problems"):
        assert merged[name] == one[name], name
    assert {test["id"]: test["outcome"] for test in merged["tests"]} == {
        test["id"]: test["outcome"] for test in one["tests"]
    }
    assert merged["footer"] == one["footer"]
    assert "shard" not in merged
    keeps_schema(merged)
    assert "deviates: 1 clause failed" in done.out


def test_the_files_of_a_merged_run_are_those_of_one_run(parts: Path) -> None:
    merge(parts, "1", "2", "3", output="files")
    folder = parts / "files"
    suite = ET.parse(folder / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    names = [(case.get("classname"), case.get("name")) for case in suite.iter("testcase")]
    assert len(names) == len(set(names)) == int(suite.get("tests", "0")) == 7
    whole = ET.parse(parts / "one" / "junit.xml").getroot().find("testsuite")
    assert whole is not None
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == [
        whole.get(name) for name in ("failures", "errors", "skipped")
    ]
    assert {str(name).partition("@")[0] for _, name in names} == {case.get("name") for case in whole.iter("testcase")}
    for item in _read(folder)["clauses"]:
        for finding in item["findings"]:
            Timeline.read(folder / finding["timeline"])
    assert len(list((folder / "timelines").glob("probe-lamp*.jsonl"))) == 3
    results = list((folder / "allure-results").glob("*-result.json"))
    assert len(results) == len(list((parts / "one" / "allure-results").glob("*-result.json")))
    assert (folder / "summary.md").read_text(encoding="utf-8").startswith("## ❌ Ringtrue: deviates")
    assert sorted(path.name for path in (folder / "shards").iterdir()) == [f"lamp-{index}-of-3" for index in (1, 2, 3)]
    assert (folder / "shards" / "lamp-1-of-3" / "pytest.log").is_file()


def test_a_merged_run_can_be_compared(parts: Path) -> None:
    done = merge(parts, "1", "2", "3", output="compared", more=("--baseline", "one", "--new-only"))
    assert done.code == 3, "nothing is new, and the lamp that does not answer leaves too little"
    assert _read(parts / "compared")["baseline"]["new"] == _read(parts / "compared")["baseline"]["fixed"] == []
    low = merge(parts, "1", "2", "3", output="low", more=("--baseline", "one", "--new-only", "--floor", "50"))
    assert (low.code, "failed as in the baseline" in low.out) == (0, True), low


def test_what_does_not_belong_together_isrefused(parts: Path, platform: Lamps) -> None:
    run(platform, parts, "--run-dir", "narrow", "--shard", "3/3", "-k", "valid")
    run(platform, parts, "--run-dir", "seed", "--shard", "3/3", "--seed", "9", "-k", "links")
    run(platform, parts, "--run-dir", "four", "--shard", "3/4", "-k", "links")
    with lamps() as other:
        run(other, parts, "--run-dir", "foreign", "--shard", "3/3")
    of(platform, parts)
    for runs, words in (
        (("1", "2"), ("3 is missing",)),
        (("2",), ("1, 3 are missing",)),
        (("1", "2", "2", "3"), ("overlap", "both are shard 2/3")),
        (("1", "2", "one"), ("one is no shard",)),
        (("1", "2", "narrow"), ("narrow was cut from other tests",)),
        (("1", "2", "seed"), ("seed", "cut from other tests")),
        (("1", "2", "four"), ("four is one of 4 shards",)),
        (("1", "2", "foreign"), ("foreign has another target",)),
        (("1", "2", "nowhere"), ("nowhere", "cannot be read")),
        (("one", "one"), ("no shard",)),
    ):
        done = merge(parts, *runs, output="refused")
        refused(done, *words)
        assert not (parts / "refused").exists(), done
    refused(merge(parts, "1", "2", "3", output="one"), "one", "not empty")
    refused(merge(parts, "1", "2", "3", output="1/within"), "within")
    unknown = ringtrue("merge", "1", "2", "3", "-o", "refused", folder=parts)
    refused(unknown, "'lamp'", "--specs")


def _spoil(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_a_part_that_is_not_whole_isrefused(parts: Path) -> None:
    whole = (parts / "3" / "verdicts.json").read_text(encoding="utf-8")
    findings = (parts / "3" / "findings.jsonl").read_text(encoding="utf-8")
    later = json.dumps(json.loads(whole) | {"ringtrue": "99.0"})
    other_clauses = json.dumps(json.loads(whole.replace('"level": "inferred"', '"level": "documented"')))
    for name, file, text, word in (
        ("cut", "verdicts.json", whole[:-200], "truncated"),
        ("version", "verdicts.json", later, "99.0"),
        ("clauses", "verdicts.json", other_clauses, "other clauses"),
        ("short", "findings.jsonl", findings.partition("\n")[0] + "\n", "truncated"),
        ("junk", "findings.jsonl", findings.replace('{"clause"', "{clause", 1), "no finding"),
        ("junit", "junit.xml", "<testsuites><testsuite>", "no JUnit file"),
    ):
        shutil.copytree(parts / "3", parts / name)
        _spoil(parts / name, file, text)
        refused(merge(parts, "1", "2", name, output=f"out-{name}"), name, word)


def test_a_shard_that_was_stopped_leaves_the_whole_undecided(parts: Path, tmp_path: Path) -> None:
    data = _read(parts / "3")
    for name, change in (
        ("interrupted", {"exit_code": 130, "tests": data["tests"][:1]}),
        ("unreachable", {"exit_code": 3, "problems": ["lamp: cannot be reached"], "unseen": "unreachable"}),
    ):
        for part in ("1", "2", "3"):
            shutil.copytree(parts / part, tmp_path / name / part)
        _spoil(tmp_path / name / "3", "verdicts.json", json.dumps(data | change))
        done = ringtrue("merge", "1", "2", "3", "-o", "out", "--specs", parts / "specs", folder=tmp_path / name)
        assert done.code in (1, 3), done
        problems = " ".join(_read(tmp_path / name / "out")["problems"])
        assert "lamp-3-of-3" in problems
        assert name in problems or "cannot be reached" in problems


def test_a_shard_with_nothing_in_it_says_so(platform: Lamps, tmp_path: Path) -> None:
    done = run(platform, tmp_path, "--shard", "3/3", "-k", "valid and (attic or cellar)")
    assert done.code == 3, done
    assert "shard 3/3 has no test: there are 2 in all, use fewer shards" in done.out
    for wrong in ("4/3", "x"):
        refused(run(platform, tmp_path, "--shard", wrong), "--shard", "such as 2/5")
    refused(run(platform, tmp_path, "--durations", "nowhere"), "--shard")


def test_known_durations_split_a_run(parts: Path, platform: Lamps) -> None:
    done = run(platform, parts, "--run-dir", "timed", "--shard", "1/3", "--durations", "one", "-k", "valid")
    assert done.code in (0, 1), done
    assert _read(parts / "timed")["shard"]["tests"] == 6
