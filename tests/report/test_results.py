"""The files of a run: whole or not there, complete with their footer, and safe whatever a target sent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.clauses import Catalogue
from harness.report.browse.allure_config import executor
from harness.report.browse.clause_page import PAGE
from harness.report.ci.summary import to_markdown
from harness.report.results import SUMMARY, VERDICTS, to_json, write_results
from harness.verdicts import Finding, Scope, Verdict, judge
from tests.report.runs import BROKEN, CATALOGUE, clause, finished, record


def test_verdicts_hold_each_clause_with_its_findings_and_count_themselves(tmp_path: Path) -> None:
    write_results(record(tmp_path), tmp_path)
    data = json.loads((tmp_path / VERDICTS).read_text(encoding="utf-8"))
    assert data == to_json(record(tmp_path))
    assert (data["exit_code"], data["conclusion"]) == (1, "deviates: 1 clause failed")
    assert data["started"] == "2023-11-14T22:13:20Z"
    assert data["footer"] == {"clauses": len(CATALOGUE), "findings": 0, "tests": {"failed": 1, "passed": 2}}
    assert sum(data["counts"].values()) == len(CATALOGUE)
    assert data["counts"]["warn"] - data["documented"]["warn"] == 1
    assert data["coverage"] == {"decided": 2, "of": 5, "floor": 0.9}
    broken = next(item for item in data["clauses"] if item["id"] == "TY-broken")
    assert broken["verdict"] == "fail"
    assert Finding.from_json(broken["findings"][0]) == BROKEN
    assert broken["findings"][0]["fingerprint"] == BROKEN.fingerprint


def test_nothing_but_whole_files_is_left(tmp_path: Path) -> None:
    write_results(record(tmp_path), tmp_path)
    write_results(record(tmp_path), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([PAGE, SUMMARY, VERDICTS])


def test_allure_is_told_where_the_run_took_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "allure-results").mkdir()
    write_results(record(tmp_path), tmp_path)
    lines = (tmp_path / "allure-results" / "environment.properties").read_text(encoding="utf-8").splitlines()
    assert {"Target=staging.toml", "Seed=7", "toy=http://h"} <= set(lines)
    assert not (tmp_path / "allure-results" / "executor.json").exists()


_JOBS = {
    "GitHub Actions": (
        {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7", "GITHUB_RUN_NUMBER": "3"},
        "https://github.com/a/b/actions/runs/7",
    ),
    "GitLab CI": ({"GITLAB_CI": "1", "CI_JOB_URL": "https://g/-/jobs/7", "CI_PIPELINE_IID": "3"}, "https://g/-/jobs/7"),
    "Jenkins": ({"JENKINS_URL": "https://j/", "BUILD_URL": "https://j/job/7", "BUILD_NUMBER": "3"}, "https://j/job/7"),
}


@pytest.mark.parametrize("name", _JOBS)
def test_the_job_of_a_pipeline_is_named(name: str) -> None:
    variables, url = _JOBS[name]
    job = executor(variables)
    assert job is not None
    assert (job["name"], job["buildUrl"], job["buildOrder"]) == (name, url, 3)


def test_without_a_pipeline_there_is_no_job() -> None:
    assert executor({"HOME": "/root"}) is None


def test_the_summary_is_a_table_and_a_list_that_hostile_words_do_not_break(tmp_path: Path) -> None:
    text = to_markdown(record(tmp_path))
    assert text.startswith("## ❌ Ringtrue: deviates: 1 clause failed")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 5
    assert {line.count("|") for line in table} == {10}
    assert "  - rings twice \\| \\<b\\>: expected `once 'x'`, seen `twice`" in text.splitlines()


@pytest.mark.parametrize(
    ("findings", "sign"),
    [((Finding("TY-kept", Verdict.PASS),), "✅"), ((BROKEN,), "❌"), ((Finding("TY-kept", Verdict.ERROR),), "⚠️")],
)
def test_the_head_of_the_summary_shows_the_outcome(tmp_path: Path, findings: tuple[Finding, ...], sign: str) -> None:
    catalogue = Catalogue([clause("kept" if findings[0].clause == "TY-kept" else "broken")])
    assert to_markdown(record(tmp_path, finished(findings, catalogue))).startswith(f"## {sign} ")


def test_an_interrupted_run_is_written_too(tmp_path: Path) -> None:
    run = judge(CATALOGUE, [], Scope({"toy": frozenset()}), interrupted=True, problems=["stopped"])
    write_results(record(tmp_path, run), tmp_path)
    data = json.loads((tmp_path / VERDICTS).read_text(encoding="utf-8"))
    assert (data["exit_code"], data["problems"]) == (130, ["stopped"])


def test_half_a_surrogate_pair_in_a_finding_does_not_lose_the_results(tmp_path: Path) -> None:
    write_results(record(tmp_path, finished((replace(BROKEN, seen="\ud800"),))), tmp_path)
    assert json.loads((tmp_path / VERDICTS).read_text(encoding="utf-8"))["exit_code"] == 1
    assert (tmp_path / SUMMARY).read_text(encoding="utf-8")
