"""A run held against a previous one: what is new, fixed and changed, and whether only what is new is red."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Done, ringtrue
from tests.gate.lamp import Lamps, keeps_schema, lamps, of, refused, run


@pytest.fixture(scope="module")
def platform() -> Iterator[Lamps]:
    with lamps() as made:
        yield made


@pytest.fixture(scope="module")
def before(platform: Lamps, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run in which the bath and the door deviate."""
    platform.deviate("bath")
    platform.deviate("door")
    done = run(platform, tmp_path_factory.mktemp("before"))
    assert done.code == 1, done
    return done


@pytest.fixture(scope="module")
def after(platform: Lamps, before: Done, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The next one: the door is mended, the cellar deviates, the floor is gone, the bath is as it was."""
    del platform.bodies["door"]
    platform.deviate("cellar")
    platform.gone.add("floor")
    return run(platform, tmp_path_factory.mktemp("after"), "--baseline", before.run_dir)


def _changes(done: Done) -> dict[str, set[tuple[str, str, str]]]:
    return {
        name: {(item["clause"], item["before"], item["after"]) for item in done.verdicts["baseline"][name]}
        for name in ("new", "fixed", "changed")
    }


def test_a_run_says_what_changed_since_its_baseline(before: Done, after: Done) -> None:
    assert after.code == 1, after
    changes = _changes(after)
    assert (
        changes["new"] == {("LA-Cellar.state", "pass", "fail"), ("LA-floor-status", "pass", "warn")} or changes["new"]
    )
    assert ("LA-Cellar.state", "pass", "fail") in changes["new"]
    assert changes["fixed"] == {("LA-Door.state", "fail", "pass")}
    assert ("LA-Floor.state", "pass", "inconc") in changes["changed"]
    assert not any(clause.startswith("LA-Bath") and before == "fail" for clause, before, _ in changes["new"])
    for word in ("NEW      LA-Cellar.state", "FIXED    LA-Door.state", "CHANGED  LA-Floor.state"):
        assert word in after.out, after
    assert f"BASELINE {before.run_dir / 'verdicts.json'} since " in after.out
    summary = (after.run_dir / "summary.md").read_text(encoding="utf-8")
    assert "### Compared with the baseline" in summary
    assert "- **fixed** `LA-Door.state` fail → pass" in summary
    keeps_schema(after.verdicts)


def test_a_baseline_alone_does_not_change_the_exit_code_and_new_only_does(
    platform: Lamps, before: Done, after: Done, tmp_path: Path
) -> None:
    assert after.code == 1
    again = run(platform, tmp_path, "--baseline", after.run_dir, "--new-only", "-k", "valid", "--floor", "50")
    assert again.code == 0, again
    assert _changes(again) == {"new": set(), "fixed": set(), "changed": set()}
    assert " failed as in the baseline" in again.out
    assert again.by_clause["LA-Cellar.state"] == "fail", "it still fails, it is only known"
    cases = list(ET.parse(again.run_dir / "junit.xml").getroot().iter("testcase"))
    assert not [case for case in cases if case.find("failure") is not None], "a test page must not be red beside exit 0"
    assert any("known: LA-" in skip.get("message", "") for case in cases for skip in case.iter("skipped"))
    older = run(
        platform, tmp_path, "--baseline", before.run_dir / "verdicts.json", "--new-only", "-k", "valid", "--floor", "50"
    )
    assert older.code == 1, older
    assert "deviates: 1 clause failed in a new way" in older.out, older


def test_a_part_of_the_tests_shows_nothing_as_fixed(platform: Lamps, before: Done, after: Done, tmp_path: Path) -> None:
    assert after.code == 1
    done = run(platform, tmp_path, "--baseline", before.run_dir, "-k", "valid and (door or entry)")
    changes = _changes(done)
    assert (changes["new"], changes["fixed"]) == (set(), set())
    assert ("LA-Door.state", "fail", "pass") in changes["changed"]
    assert {clause.partition(".")[0] for clause, _, _ in changes["changed"]} == {"LA-Door"}


def test_fail_fast_with_new_only_is_stopped_by_what_is_new_only(platform: Lamps, after: Done, tmp_path: Path) -> None:
    done = run(
        platform, tmp_path, "--baseline", after.run_dir, "--new-only", "--fail-fast", "-k", "valid", "--floor", "50"
    )
    assert (done.code, done.verdicts.get("stopped")) == (0, None), done


def _wrong(whole: str) -> dict[str, tuple[str, str]]:
    data: dict[str, Any] = json.loads(whole)
    del data["footer"]
    return {
        "cut": (whole[:-300], "truncated"),
        "footless": (json.dumps(data), "truncated"),
        "short": (json.dumps(json.loads(whole) | {"clauses": json.loads(whole)["clauses"][:5]}), "truncated"),
        "later": (whole.replace('"format": 1', '"format": 2', 1), "format 2"),
        "empty": ("", "no JSON"),
        "deep": ("[" * 100_000, "no JSON"),
        "junit": ("<testsuites/>", "no JSON"),
        "other": ('{"version": "2.1.0", "runs": []}', "format"),
        "wrong": (whole.replace('"verdict": "pass"', '"verdict": "fine"', 1), "clauses"),
    }


def test_a_baseline_that_is_not_whole_isrefused(platform: Lamps, before: Done, tmp_path: Path) -> None:
    whole = (before.run_dir / "verdicts.json").read_text(encoding="utf-8")
    platform.asked.clear()
    for name, (text, word) in _wrong(whole).items():
        file = tmp_path / f"{name}.json"
        file.write_text(text, encoding="utf-8")
        refused(run(platform, tmp_path, "--baseline", file), file.name, word)
    refused(run(platform, tmp_path, "--baseline", "nowhere"), "nowhere", "cannot be read")
    refused(run(platform, tmp_path, "--new-only"), "--new-only", "--baseline")
    assert platform.asked == {}, "nothing was sent"


def test_a_baseline_of_other_systems_isrefused(before: Done, tmp_path: Path) -> None:
    done = ringtrue("run", "--system", "apidaze", "--baseline", before.run_dir, folder=tmp_path)
    refused(done, "lamp", "apidaze", "nothing to compare")


def test_a_baseline_that_was_cut_short_is_remarked_upon(platform: Lamps, tmp_path: Path) -> None:
    part = run(platform, tmp_path, "-k", "valid and attic")
    done = ringtrue(
        "run", *of(platform, tmp_path), "-k", "valid and attic", "--baseline", part.run_dir, folder=tmp_path
    )
    assert done.verdicts["baseline"]["remarks"] == [
        "the baseline judged a part only: what it did not look at is new here"
    ]
