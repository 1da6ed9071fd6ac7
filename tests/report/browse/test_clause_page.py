"""The page of clauses: complete, worst first, and text stays text whatever a platform answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.report.browse.clause_page import Beside, read_proof, render
from harness.report.results import to_json
from harness.yamlfile import DataError
from tests.report.runs import record

_HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


def _run() -> dict[str, Any]:
    return to_json(record(Path("run")))


def test_every_clause_is_a_row_with_its_verdict() -> None:
    run = _run()
    rows = dict(re.findall(r'<tr id="([^"]+)" data-verdict="([^"]+)"', render(run, Beside())))
    assert rows == {item["id"]: item["verdict"] for item in run["clauses"]}


def test_what_needs_a_look_comes_first_in_its_area() -> None:
    run = _run()
    for item in run["clauses"]:
        item["area"] = "One"
    verdicts = re.findall(r'<tr id="[^"]+" data-verdict="([^"]+)"', render(run, Beside()))
    bad = [verdict for verdict in verdicts if verdict in ("fail", "error", "warn", "waived", "inconc")]
    assert bad
    assert verdicts[: len(bad)] == bad


def test_a_hostile_answer_stays_text() -> None:
    run = _run()
    finding = next(item for item in run["clauses"] if item["verdict"] == "fail")["findings"][0]
    finding |= dict.fromkeys(("message", "expected", "seen", "subject", "reproduce", "timeline"), _HOSTILE)
    run |= {"target": _HOSTILE, "systems": {"toy": _HOSTILE}, "conclusion": _HOSTILE}
    page = render(run, Beside())
    assert page.count("<script>") == render(_run(), Beside()).count("<script>") == 1
    assert "<img" not in page
    assert "onerror=alert(1)&gt;" in page


def test_nothing_is_asked_of_another_host() -> None:
    page = render(_run(), Beside(report="index.html"))
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
    assert "@import" not in page


def test_waivers_are_told_with_their_state() -> None:
    waiver = {"clause": "T-1", "fingerprint": "0" * 12, "reason": "known", "owner": "Ann", "until": "2027-01-31"}
    page = render(_run() | {"waivers": [{**waiver, "state": "expired", "says": "it has run out"}]}, Beside())
    assert "known (Ann, until 2027-01-31): it has run out" in page
    assert '<b class="tag fail">expired</b>' in page


def test_what_changed_since_a_baseline_is_told() -> None:
    change = {"clause": "TY-broken", "before": "pass", "after": "fail", "says": "rings twice <b>"}
    baseline = {
        "run": "reports/1/verdicts.json", "target": "staging.toml", "started": "2026-11-25T01:02:03Z",
        "new": [change], "fixed": [], "changed": [], "remarks": ["the target is another one"],
    }  # fmt: skip
    page = render(_run() | {"baseline": baseline}, Beside())
    assert "Since 2026-11-25 01:02:03 UTC (staging.toml): 1 new, 0 fixed, 0 changed" in page
    assert "the target is another one" in page
    assert '<a class="id" href="#TY-broken">TY-broken</a> rings twice &lt;b&gt;' in page
    assert "new deviations" in page
    assert "<h3>fixed" not in page
    assert "Since" not in render(_run(), Beside())


def test_a_proof_shows_which_checks_a_fault_has_turned_red(tmp_path: Path) -> None:
    run = _run()
    first, second = (item["id"] for item in run["clauses"][:2])
    clauses = [{"id": first, "proven_by": ["toy-a", "toy-b"]}, {"id": second, "proven_by": []}]
    run_dir = tmp_path / "reports" / "one"
    run_dir.mkdir(parents=True)
    assert read_proof(run_dir) is None
    (run_dir.parent / "proof.json").write_text(json.dumps({"clauses": clauses, "footer": {"faults": 2}}))
    proof = read_proof(run_dir)
    page = render(run, Beside(proof=proof))
    assert 'title="turned red by: toy-a, toy-b">proven by 2<' in page
    assert page.count(">unproven<") == 1


def test_a_broken_proof_is_refused(tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_text('{"clauses": []}')
    with pytest.raises(DataError, match=r"proof\.json"):
        read_proof(tmp_path)
