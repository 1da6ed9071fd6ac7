"""What a whole run on the embedded platform says, and what it leaves on disk."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest

import harness.report
from harness.suites.safety.ledger import read_ledger
from harness.timeline import Callback, HttpExchange, SipMessage, Timeline
from tests.e2e.command import Done

_SCHEMA = Path(harness.report.__file__).with_name("verdicts.schema.json")


def test_the_healthy_platform_conforms(embedded: Done) -> None:
    assert embedded.code == 0, embedded
    assert embedded.verdicts["exit_code"] == 0
    assert re.search(
        r"^conforms: \d+ of \d+ documented clauses decided, none failed \([\d.]+ s, exit code 0\)$", embedded.out, re.M
    )
    assert "verdicts.json" in embedded.out.splitlines()[-1]
    assert "Traceback" not in embedded.out + embedded.err


def test_no_documented_clause_is_left_undecided(embedded: Done) -> None:
    documented = [item for item in embedded.verdicts["clauses"] if item["level"] == "documented"]
    undecided = [item["id"] for item in documented if item["verdict"] not in ("pass", "fail", "untestable", "none")]
    assert undecided == []
    assert {item["id"]: item["reason"] for item in documented if item["verdict"] == "none"} == dict.fromkeys(
        (item["id"] for item in documented if item["verdict"] == "none"), "did not occur"
    )
    assert len(documented) > 80


def test_verdicts_json_keeps_its_published_schema(embedded: Done) -> None:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(embedded.verdicts, schema, jsonschema.Draft202012Validator)


def test_counts_agree_with_the_clauses_and_with_the_matrix(embedded: Done) -> None:
    verdicts = embedded.verdicts
    counted = Counter(item["verdict"] for item in verdicts["clauses"])
    assert {name: count for name, count in verdicts["counts"].items() if count} == dict(counted)
    documented = Counter(item["verdict"] for item in verdicts["clauses"] if item["level"] == "documented")
    assert {name: count for name, count in verdicts["documented"].items() if count} == dict(documented)
    last = next(line for line in embedded.out.splitlines() if line.split()[:1] == ["all"]).split()
    columns = ("pass", "fail", "warn", "inconc", "error")
    shown = [0 if cell == "·" else int(cell) for cell in last[1:]]
    assert shown == [
        len(verdicts["clauses"]),
        *(counted[name] for name in columns),
        counted["none"] + counted["untestable"],
    ]
    coverage = verdicts["coverage"]
    assert coverage["decided"] == documented["pass"] + documented["fail"]
    assert coverage["of"] == sum(documented.values()) - documented["none"] - documented["untestable"]


def test_the_footer_counts_what_ran(embedded: Done) -> None:
    footer = embedded.verdicts["footer"]
    assert list(embedded.verdicts)[-1] == "footer"
    assert footer["clauses"] == len(embedded.verdicts["clauses"])
    assert set(footer["tests"]) == {"passed"}
    assert footer["tests"]["passed"] == len(_junit(embedded).findall(".//testcase"))


def test_every_pass_rests_on_evidence_that_can_be_looked_up(embedded: Done) -> None:
    for item in embedded.verdicts["clauses"]:
        if item["verdict"] != "pass":
            continue
        assert item["passes"] > 0, item["id"]
        for finding in item["findings"]:
            assert (embedded.run_dir / finding["timeline"]).is_file(), (item["id"], finding)


def test_junit_counts_every_test_once(embedded: Done) -> None:
    root = _junit(embedded)
    suite = root.find("testsuite")
    assert suite is not None
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert int(suite.get("tests", "0")) == len(cases) == len(set(cases))
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == ["0", "0", "0"]


def test_the_summary_is_a_table_for_a_job_page(embedded: Done) -> None:
    text = (embedded.run_dir / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("## ✅ Ringtrue: conforms")
    assert "| apidaze | SIP clients |" in text
    assert "| all |" in text


def test_allure_results_exist_for_every_test(embedded: Done) -> None:
    results = [json.loads(path.read_text()) for path in (embedded.run_dir / "allure-results").glob("*-result.json")]
    assert len(results) == embedded.verdicts["footer"]["tests"]["passed"]
    for result in results:
        labels = {label["name"] for label in result["labels"]}
        assert {"epic", "feature", "story", "severity"} <= labels, result["name"]
        assert result["steps"], result["name"]
        assert result["attachments"], result["name"]


def test_every_timeline_is_complete_and_all_planes_were_seen(embedded: Done) -> None:
    timelines = [Timeline.read(path) for path in sorted((embedded.run_dir / "timelines").glob("*.jsonl"))]
    assert len(timelines) > embedded.verdicts["footer"]["tests"]["passed"]
    for kind in (HttpExchange, Callback, SipMessage):
        assert any(timeline.of(kind) for timeline in timelines), kind


def test_scripts_are_changed_by_one_test_at_a_time(embedded: Done) -> None:
    """Which of several scripts a call runs is not documented: that of another test would blame the platform."""
    spans = []
    for path in sorted((embedded.run_dir / "timelines").glob("*.jsonl")):
        seen = [one for one in Timeline.read(path).of(HttpExchange) if "/externalscripts" in one.request.url]
        if any(one.request.method in ("POST", "PUT") for one in seen):
            spans.append((min(one.at for one in seen), max(one.ended or one.at for one in seen), path.stem))
    spans.sort()
    assert len(spans) > 10
    assert [(one, other) for one, other in pairwise(spans) if other[0] < one[1]] == []


def test_everything_that_was_created_was_deleted_again(embedded: Done) -> None:
    accounts, unreadable = read_ledger(embedded.run_dir)
    assert unreadable == []
    assert sum(account.total for account in accounts) > 0
    assert [account.left for account in accounts] == [()]


_LEAKS = (
    rb'"(?:client_secret|access_token|password)\\?"\s*:\s*\\?"(?!\*\*\*|\\?")[^"]{4,}',
    rb"Bearer (?!\*\*\*|\$)[A-Za-z0-9._~+/-]{8,}",
    rb"client_secret=(?!\*\*\*)[^&\s\"']{4,}",
    rb'response="(?!\*\*\*)[0-9a-f]{32}"',
)


@pytest.mark.parametrize("pattern", _LEAKS, ids=["member", "bearer", "form", "digest"])
def test_nothing_that_looks_like_a_secret_is_on_disk(embedded: Done, pattern: bytes) -> None:
    found = [
        (str(path.relative_to(embedded.run_dir)), hit[0][:60])
        for path in sorted(embedded.run_dir.rglob("*"))
        if path.is_file() and (hit := re.search(pattern, path.read_bytes()))
    ]
    assert found == []


def _junit(done: Done) -> ET.Element:
    return ET.parse(done.run_dir / "junit.xml").getroot()
