"""What the Allure command is told about a run: names, groups, categories, the CI job, and where earlier runs are kept.

Results carry a label `verdict`, so that an inferred deviation, whose test passes, has a category too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

HISTORY = "history"
_KEPT_RUNS = 20
# The first that fits counts.
CATEGORIES: list[dict[str, Any]] = [
    {"name": "Deviation", "matchers": {"labels": {"verdict": "fail"}}},
    {"name": "Inferred deviation", "matchers": {"labels": {"verdict": "warn"}}},
    {"name": "Waived", "matchers": {"labels": {"verdict": "waived"}}},
    {"name": "Flaky", "matchers": {"labels": {"verdict": "flaky"}}},
    {"name": "Inconclusive", "matchers": {"labels": {"verdict": "inconc"}}},
    {"name": "Not judged at this target", "matchers": {"statuses": ["skipped"]}},
    {"name": "Harness error", "matchers": {"statuses": ["failed", "broken"]}},
]


def allure_config(run: Mapping[str, Any], history: str, *, append: bool) -> dict[str, Any]:
    """The configuration of one report. `run`: the content of verdicts.json; `history`: the file of earlier runs."""
    return {
        "name": report_name(run),
        "historyPath": history,
        "appendHistory": append,
        "historyLimit": _KEPT_RUNS,
        "categories": {"rules": CATEGORIES},
        "variables": variables(run),
        "plugins": {
            "awesome": {
                "options": {
                    "reportName": report_name(run),
                    "groupBy": ["epic", "feature", "story"],
                    "singleFile": True,
                    "reportLanguage": "en",
                }
            }
        },
    }


def report_name(run: Mapping[str, Any]) -> str:
    """Names a run in its report and in the history: what was judged, and when."""
    return f"Ringtrue: {run['target']}, {run['started'].replace('T', ' ').rstrip('Z')} UTC"


def variables(run: Mapping[str, Any]) -> dict[str, str]:
    """What the first page says about the run, besides what environment.properties says about the target."""
    coverage = run["coverage"]
    return {
        "Conclusion": str(run["conclusion"]),
        "Exit code": str(run["exit_code"]),
        "Decided": f"{coverage['decided']} of {coverage['of']} documented clauses, floor {coverage['floor']:.0%}",
        "Clauses": ", ".join(f"{count} {verdict}" for verdict, count in run["counts"].items() if count),
    }


def history_file(target: str) -> str:
    """The name of the file with earlier runs of a target: runs of different targets are no trend."""
    return re.sub(r"[^A-Za-z0-9]+", "-", target).strip("-").lower()[:80] + ".jsonl"


def executor(environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """The CI job that this process is part of, as Allure's executor.json; None elsewhere."""
    get = environment.get
    if get("GITHUB_ACTIONS"):
        place = f"{get('GITHUB_SERVER_URL', 'https://github.com')}/{get('GITHUB_REPOSITORY', '')}"
        url = f"{place}/actions/runs/{get('GITHUB_RUN_ID', '')}"
        return _executor("GitHub Actions", "github", get("GITHUB_WORKFLOW", ""), get("GITHUB_RUN_NUMBER", ""), url)
    if get("GITLAB_CI"):
        url = get("CI_JOB_URL", "")
        return _executor("GitLab CI", "gitlab", get("CI_JOB_NAME", ""), get("CI_PIPELINE_IID", ""), url)
    if get("JENKINS_URL"):
        return _executor("Jenkins", "jenkins", get("JOB_NAME", ""), get("BUILD_NUMBER", ""), get("BUILD_URL", ""))
    return None


def _executor(name: str, kind: str, job: str, number: str, url: str) -> dict[str, Any]:
    build = f"{job} #{number}" if number else job
    made: dict[str, Any] = {"name": name, "type": kind, "buildName": build, "buildUrl": url, "reportName": "Ringtrue"}
    return made | ({"buildOrder": int(number)} if number.isdecimal() else {})
