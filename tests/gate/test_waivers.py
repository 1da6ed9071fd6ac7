"""A waiver lets one known deviation pass, and nothing else; one that is out of date is red itself."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Done, ringtrue
from tests.gate.lamp import Lamps, keeps_schema, lamps, refused, run

_FILE = """\
[[waiver]]
clause = "LA-Bath.state"
fingerprint = "0123456789ab"
reason = "the vendor mends it in May"
owner = "anna"
until = 2099-12-31
"""


@pytest.fixture(scope="module")
def platform() -> Iterator[Lamps]:
    """Lamps of which two deviate."""
    with lamps() as made:
        made.deviate("bath")
        made.deviate("door")
        yield made


@pytest.fixture(scope="module")
def first(platform: Lamps, tmp_path_factory: pytest.TempPathFactory) -> Done:
    done = run(platform, tmp_path_factory.mktemp("first"), "-k", "valid")
    assert done.code == 1, done
    return done


def waive(first: Done, folder: Path, which: str, *more: str, until: str = "2099-12-31") -> Done:
    return ringtrue(
        "waive", which, "--run", first.run_dir, "--reason", "known", "--owner", "anna", "--until", until, *more,
        folder=folder,
    )  # fmt: skip


def waivers(done: Done) -> dict[str, str]:
    return {item["clause"]: item["state"] for item in done.verdicts["waivers"]}


def test_a_waived_deviation_lets_the_run_pass_and_is_shown_as_such(
    platform: Lamps, first: Done, tmp_path: Path
) -> None:
    for clause in ("LA-Bath.state", "LA-Door.state"):
        done = waive(first, tmp_path, clause)
        assert done.code == 0, done
        assert f"waivers.toml: waives {clause}" in done.out
    done = run(platform, tmp_path, "--waivers", "waivers.toml", "-k", "valid")
    assert done.code == 0, done
    assert done.by_clause["LA-Bath.state"] == done.by_clause["LA-Door.state"] == "waived"
    assert waivers(done) == {"LA-Bath.state": "holds", "LA-Door.state": "holds"}
    assert "none failed, 2 waived" in done.out
    assert "WAIVED LA-Bath.state" in done.out
    assert "(anna): holds: until 2099-12-31" in done.out
    keeps_schema(done.verdicts)
    bath = next(item for item in done.verdicts["clauses"] if item["id"] == "LA-Bath.state")
    assert {finding.get("waived", False) for finding in bath["findings"] if finding["verdict"] == "fail"} == {True}
    assert done.verdicts["footer"]["tests"]["waived"] >= 2
    cases = ET.parse(done.run_dir / "junit.xml").getroot().iter("testcase")
    skipped = [skip for case in cases for skip in case.iter("skipped") if skip.get("type") == "pytest.xfail"]
    assert len(skipped) == done.verdicts["footer"]["tests"]["waived"]
    assert all("waived: LA-" in skip.get("message", "") for skip in skipped)
    assert "| waived |" in (done.run_dir / "summary.md").read_text(encoding="utf-8")


def test_another_deviation_of_the_same_clause_stays_red(first: Done, tmp_path: Path) -> None:
    assert waive(first, tmp_path, "LA-Bath.state").code == 0
    with lamps() as changed:
        changed.deviate("bath", 7)  # no text, besides being none of the values
        done = run(changed, tmp_path, "--waivers", "waivers.toml", "-k", "valid")
    assert done.code == 1, done
    assert done.by_clause["LA-Bath.state"] == "fail"
    assert waivers(done) == {"LA-Bath.state": "holds"}
    bath = next(item for item in done.verdicts["clauses"] if item["id"] == "LA-Bath.state")
    assert {finding.get("waived", False) for finding in bath["findings"] if finding["verdict"] == "fail"} == {
        True,
        False,
    }
    assert "deviates: 1 clause failed (" in done.out
    failed = [
        case
        for case in ET.parse(done.run_dir / "junit.xml").getroot().iter("testcase")
        if case.find("failure") is not None
    ]
    assert len(failed) == done.verdicts["footer"]["tests"]["failed"] > 0


def test_a_waiver_of_something_else_is_red(platform: Lamps, tmp_path: Path) -> None:
    (tmp_path / "waivers.toml").write_text(_FILE, encoding="utf-8")
    done = run(platform, tmp_path, "--waivers", "waivers.toml")
    assert done.code == 1, done
    assert waivers(done) == {"LA-Bath.state": "unmatched"}
    assert "WAIVER LA-Bath.state 0123456789ab (anna): unmatched: " in done.out
    assert "deviates: 2 clauses failed, 1 waiver unmatched" in done.out


def test_a_waiver_that_is_not_needed_any_more_is_red(first: Done, tmp_path: Path) -> None:
    assert waive(first, tmp_path, "LA-Bath.state").code == 0
    with lamps() as healthy:
        done = run(healthy, tmp_path, "--waivers", "waivers.toml")
        assert done.code == 1, done
        assert waivers(done) == {"LA-Bath.state": "passing"}
        assert "deviates: 1 waiver passing" in done.out
        assert "the clause is kept now: remove the waiver" in done.out
        part = run(healthy, tmp_path, "--waivers", "waivers.toml", "-k", "valid and attic")
        assert part.code == 0, "a part of the tests cannot tell"
        assert waivers(part) == {"LA-Bath.state": "not judged"}
        assert "WAIVER LA-Bath.state" in part.out


def test_an_expired_waiver_hides_nothing(platform: Lamps, first: Done, tmp_path: Path) -> None:
    for clause in ("LA-Bath.state", "LA-Door.state"):
        assert waive(first, tmp_path, clause).code == 0
    file = tmp_path / "waivers.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("2099-12-31", "2026-01-31", 1), encoding="utf-8")
    done = run(platform, tmp_path, "--waivers", "waivers.toml", "-k", "valid")
    assert done.code == 1, done
    assert waivers(done) == {"LA-Bath.state": "expired", "LA-Door.state": "holds"}
    assert done.by_clause["LA-Bath.state"] == "fail"
    assert "expired on 2026-01-31" in done.out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("LA-Bath.state", "LA-Bath.stete"), ("wrong.toml:2", "LA-Bath.stete", "Did you mean 'LA-Bath.state'")),
        (("2099-12-31", '"soon"'), ("wrong.toml:6", "until", "soon")),
        (("0123456789ab", "0123"), ("wrong.toml:3", "fingerprint")),
        (('owner = "anna"\n', ""), ("wrong.toml:1", "lacks the key owner")),
        (('"anna"', '" "'), ("wrong.toml:5", "owner")),
        (("owner", "owned"), ("wrong.toml:5", "owned", "owner")),
        (("[[waiver]]", "[waiver]"), ("wrong.toml:1", "[[waiver]]")),
        (("[[waiver]]", "[[wavier]]"), ("wrong.toml", "wavier", "waiver")),
        (("[[waiver]]", "[[["), ("wrong.toml", "not TOML")),
        ((_FILE, _FILE + _FILE), ("wrong.toml:7", "twice")),
    ],
    ids=lambda value: str(value[1])[:20].strip() if isinstance(value[0], str) else "",
)
def test_a_wrong_waiver_file_is_refused_with_the_place(
    change: tuple[str, str], words: tuple[str, ...], tmp_path: Path, platform: Lamps
) -> None:
    (tmp_path / "wrong.toml").write_text(_FILE.replace(*change), encoding="utf-8")
    refused(run(platform, tmp_path, "--waivers", "wrong.toml"), *words)


def test_a_waiver_file_that_is_not_there_isrefused(platform: Lamps, tmp_path: Path) -> None:
    refused(run(platform, tmp_path, "--waivers", "none.toml"), "none.toml", "ringtrue waive")


def test_waive_says_what_can_be_waived(first: Done, tmp_path: Path) -> None:
    refused(waive(first, tmp_path, "LA-Attic.state"), "LA-Attic.state", "it is pass")
    refused(waive(first, tmp_path, "LA-Nothing"), "LA-Nothing", "LA-Bath.state, LA-Door.state")
    refused(waive(first, tmp_path, "LA-Bath.state", until="2020-01-01"), "2020-01-01", "has passed")
    refused(waive(first, tmp_path, "LA-Bath.state", until="31.1.2099"), "31.1.2099", "2027-01-31")
    refused(waive(first, tmp_path, "LA-Bath.state", "--reason", " "), "--reason")
    refused(ringtrue("waive", "LA-Bath.state", "--owner", "a", folder=tmp_path), "--reason")
    assert not (tmp_path / "waivers.toml").exists()
    fingerprint = next(iter(_fingerprints(first, "LA-Bath.state")))
    assert waive(first, tmp_path, fingerprint, "-o", "mine.toml").code == 0
    refused(waive(first, tmp_path, fingerprint, "-o", "mine.toml"), "mine.toml", fingerprint, "already")
    text = (tmp_path / "mine.toml").read_text(encoding="utf-8")
    assert text.count("[[waiver]]") == 1


def test_waive_refuses_a_run_that_is_not_whole(first: Done, tmp_path: Path) -> None:
    whole = (first.run_dir / "verdicts.json").read_text(encoding="utf-8")
    for name, text, word in (
        ("cut", whole[: len(whole) // 2], "truncated"),
        ("footless", json.dumps({**json.loads(whole), "footer": None}), "footer"),
        ("later", whole.replace('"format": 1', '"format": 9', 1), "format 9"),
        ("other", '{"results": []}', "format"),
        ("list", "[1]", "format"),
    ):
        file = tmp_path / f"{name}.json"
        file.write_text(text, encoding="utf-8")
        done = ringtrue(
            "waive", "LA-Bath.state", "--run", file, "--reason", "r", "--owner", "o", "--until", "2099-01-01",
            folder=tmp_path,
        )  # fmt: skip
        refused(done, file.name, word)
    none = ringtrue(
        "waive", "LA-Bath.state", "--reason", "r", "--owner", "o", "--until", "2099-01-01", folder=tmp_path / "empty"
    )
    refused(none, "reports/latest", "cannot be read")


def _fingerprints(done: Done, clause: str) -> set[Any]:
    item = next(item for item in done.verdicts["clauses"] if item["id"] == clause)
    return {finding["fingerprint"] for finding in item["findings"] if finding["verdict"] == "fail"}
