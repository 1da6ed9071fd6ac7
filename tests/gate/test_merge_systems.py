"""Runs of different systems, merged, are one run of all of them: its verdicts, its files and its report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.report.browse.allure_report import find_allure
from tests.e2e.browser import Browser
from tests.e2e.command import ringtrue
from tests.e2e.conftest import need
from tests.gate.lamp import keeps_schema, lamps, refused, run


def _read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs of `lamp` and one of `fan`, each at its own target."""
    folder = tmp_path_factory.mktemp("systems")
    with lamps() as broken, lamps() as healthy:
        broken.deviate("bath")
        for platform, system in ((broken, "lamp"), (healthy, "fan")):
            done = run(platform, folder, "--run-dir", system, "-k", "valid", system=system)
            assert done.code == (1 if platform is broken else 0), done
        run(healthy, folder, "--run-dir", "again", "-k", "valid and attic")
    return folder


@pytest.fixture(scope="module")
def whole(runs: Path) -> Path:
    """Both systems, merged."""
    done = ringtrue("merge", "lamp", "fan", "-o", "whole", "--specs", runs / "specs", folder=runs)
    assert done.code == 1, done
    for words in ("lamp    Lamps", "fan     Fans", "deviates: 1 clause failed"):
        assert words in done.out, done
    return runs / "whole"


def test_runs_of_different_systems_make_one_run(runs: Path, whole: Path) -> None:
    parts, merged = [_read(runs / name) for name in ("lamp", "fan")], _read(whole)
    keeps_schema(merged)
    of_parts = {item["id"]: item["verdict"] for part in parts for item in part["clauses"]}
    assert {item["id"]: item["verdict"] for item in merged["clauses"]} == of_parts
    for name, count in merged["counts"].items():
        assert count == sum(part["counts"][name] for part in parts), name
    assert set(merged["systems"]) == {"lamp", "fan"}
    assert merged["target"] == f"{runs / 'fan.toml'}, {runs / 'lamp.toml'}"
    assert merged["footer"]["tests"] == {"passed": 11, "failed": 1}
    assert sorted(path.name for path in (whole / "shards").iterdir()) == ["fan", "lamp"]


def test_a_system_that_two_runs_judged_is_refused(runs: Path) -> None:
    done = ringtrue("merge", "lamp", "again", "-o", "refused", "--specs", runs / "specs", folder=runs)
    refused(done, "lamp is no shard", "as did again")
    assert not (runs / "refused").exists()


def test_the_report_of_a_merged_run_leads_through_all_its_systems(whole: Path, tmp_path: Path) -> None:
    need(find_allure(), "the allure command")
    program = need(shutil.which("chromium") or shutil.which("google-chrome"), "Chromium")
    built = ringtrue("report", whole, folder=tmp_path)
    assert built.code == 0, built
    page = Path(built.out.splitlines()[-1])
    with Browser(program, tmp_path / "chromium") as browser:
        browser.open(page.as_uri())
        shown = browser.wait_for("Lamps")
        assert "Fans" in shown
        browser.open((page.parent / "clauses.html").as_uri())
        shown = browser.wait_for("FA-Bath.state")
    for words in ("LA-Bath.state", "fan.toml, ", "Deviates: 1 clause failed"):
        assert words in shown, words
