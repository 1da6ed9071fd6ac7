"""How a test ends: a deviation fails it, an open question skips it, and what the harness broke is never a verdict."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.drivers.recorder.errors import RecorderError
from harness.suites.outcome import DeviationError, HarnessError, conclude, describe
from harness.suites.scenario import InconclusiveError, Scenario
from harness.verdicts import Finding, Reason, Verdict
from tests.checks.build import exchange, response
from tests.suites.world import Item, make_plan, make_scenario

SKIPPED = cast(type[BaseException], pytest.skip.Exception)


def end(scenario: Scenario, error: BaseException | None = None) -> tuple[BaseException | None, list[dict[str, Any]]]:
    """What pytest is told, and the findings that travel."""
    item = Item(scenario)
    raised: BaseException | None = None
    try:
        conclude(cast(pytest.Item, item), error)
    except BaseException as caught:  # noqa: BLE001  pytest's own outcomes are no Exceptions
        raised = caught
    scenario.close()
    assert len(item.concluded) == 1
    return raised, item.findings()


def verdicts(findings: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(finding["clause"], finding["verdict"]) for finding in findings}


def test_evidence_for_every_clause_passes(tmp_path: Path) -> None:
    scenario = make_scenario(make_plan(tmp_path), ["TY-ring"])
    scenario.check("TY-ring", True, "does not ring")
    raised, findings = end(scenario)
    assert raised is None
    assert verdicts(findings) == {("TY-ring", "pass")}
    assert findings[0]["source"] == "suite::test_it"
    assert findings[0]["timeline"] == "timelines/test_it-a-b.jsonl"
    assert (tmp_path / "run" / findings[0]["timeline"]).is_file()


def test_a_documented_deviation_fails_and_says_what_was_expected_and_seen(tmp_path: Path) -> None:
    scenario = make_scenario(make_plan(tmp_path), ["TY-ring"])
    seen = scenario.timeline.add(exchange("GET", "/rings", response(204), auth="valid"))
    scenario.check("TY-ring", False, "rings twice", expected="once", seen="twice", at=seen)
    raised, findings = end(scenario)
    assert isinstance(raised, DeviationError)
    assert "TY-ring: rings twice\n  expected: once\n  seen:     twice" in str(raised)
    broken = next(finding for finding in findings if finding["clause"] == "TY-ring")
    assert (broken["at"], broken["reproduce"][:5]) == ([0], "curl ")


def test_an_inferred_deviation_fails_only_in_a_strict_run(tmp_path: Path) -> None:
    for strict in (False, True):
        scenario = make_scenario(make_plan(tmp_path, strict=strict), ["TY-Ring.tone:enum"])
        scenario.check("TY-Ring.tone:enum", False, "sounds odd")
        raised, findings = end(scenario)
        assert isinstance(raised, DeviationError) == strict
        assert ("TY-Ring.tone:enum", "fail") in verdicts(findings)


def test_what_could_not_be_tried_is_skipped_with_its_reason(tmp_path: Path) -> None:
    scenario = make_scenario(make_plan(tmp_path), ["TY-ring", "TY-getRing"])
    scenario.check("TY-ring", True, "")
    raised, findings = end(scenario, InconclusiveError(Reason.TIMEOUT, "nobody answered"))
    assert isinstance(raised, SKIPPED)
    assert "timeout: nobody answered" in str(raised)
    assert verdicts(findings) == {("TY-ring", "pass"), ("TY-getRing", "inconc")}
    assert findings[1]["reason"] == "timeout"


def test_a_deviation_counts_more_than_what_could_not_be_tried(tmp_path: Path) -> None:
    scenario = make_scenario(make_plan(tmp_path), ["TY-ring", "TY-getRing"])
    scenario.check("TY-ring", False, "rings twice")
    raised, findings = end(scenario, InconclusiveError(Reason.TIMEOUT, "nobody answered"))
    assert isinstance(raised, DeviationError)
    assert verdicts(findings) == {("TY-ring", "fail"), ("TY-getRing", "inconc")}


def test_a_clause_that_ended_without_evidence_is_no_pass(tmp_path: Path) -> None:
    raised, findings = end(make_scenario(make_plan(tmp_path), ["TY-ring"]))
    assert isinstance(raised, SKIPPED)
    assert verdicts(findings) == {("TY-ring", "inconc")}
    assert findings[0]["reason"] == "no evidence"


def test_a_defect_of_the_harness_is_an_error_for_all_clauses_of_the_test(tmp_path: Path) -> None:
    scenario = make_scenario(make_plan(tmp_path), ["TY-ring", "TY-getRing"])
    scenario.check("TY-ring", True, "")
    raised, findings = end(scenario, KeyError("canary-secret"))
    assert isinstance(raised, HarnessError)
    assert "KeyError" in str(raised)
    assert "canary-secret" not in str(raised)
    assert ("TY-ring", "error") in verdicts(findings)
    assert ("TY-getRing", "error") in verdicts(findings)
    assert "canary-secret" not in str(findings)


def test_a_recorder_that_broke_is_told_without_a_traceback(tmp_path: Path) -> None:
    raised, _ = end(make_scenario(make_plan(tmp_path), ["TY-ring"]), RecorderError("the recorder has gone"))
    assert isinstance(raised, HarnessError)
    assert str(raised) == "the recorder has gone"


def test_a_platform_that_was_given_no_answer_is_not_blamed_for_what_it_did_then(tmp_path: Path) -> None:
    kept_back = InconclusiveError(Reason.PRECONDITION, "may not be dialled")
    for broke, told in ((kept_back, SKIPPED), (KeyError("phone"), DeviationError)):
        scenario = make_scenario(make_plan(tmp_path), ["TY-ring", "TY-getRing"])
        vars(scenario)["recorder"] = SimpleNamespace(broke=broke)
        scenario.check("TY-getRing", True, "")
        scenario.check("TY-ring", False, "nobody was called")
        raised, findings = end(scenario)
        assert isinstance(raised, told)
        ring = next(finding for finding in findings if finding["clause"] == "TY-ring")
        assert (ring["verdict"], ring["message"]) == (
            ("inconc", "may not be dialled") if broke is kept_back else ("fail", "nobody was called")
        )
        assert ("TY-getRing", "pass") in verdicts(findings)


def test_a_broken_check_does_not_hide_a_deviation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a check broke")

    monkeypatch.setattr("harness.suites.outcome.check_timeline", broken)
    scenario = make_scenario(make_plan(tmp_path), ["TY-ring"])
    scenario.check("TY-ring", False, "rings twice")
    raised, findings = end(scenario)
    assert isinstance(raised, DeviationError)
    assert verdicts(findings) == {("TY-ring", "fail"), ("TY-ring", "error")}


def test_what_the_timeline_shows_is_judged_too(tmp_path: Path) -> None:
    scenario = make_scenario(make_plan(tmp_path))
    scenario.timeline.add(exchange("GET", "/rings", response(500), auth="valid"))
    raised, findings = end(scenario)
    assert isinstance(raised, DeviationError)
    assert ("TY-listRings.status", "fail") in verdicts(findings)


def test_many_findings_of_one_kind_are_thinned_and_no_kind_is_lost(tmp_path: Path) -> None:
    scenario = make_scenario(make_plan(tmp_path))
    for number in range(50):
        scenario.check("TY-ring", True, "")
        scenario.check("TY-ring", False, f"took {number} s")
    scenario.check("TY-ring", False, "another thing")
    _, findings = end(scenario)
    assert sum(finding["verdict"] == "pass" for finding in findings) == 1
    messages = [finding["message"] for finding in findings if finding["verdict"] == "fail"]
    assert len(messages) == 4
    assert "another thing" in messages


def test_a_test_that_made_no_scenario_is_left_to_pytest(tmp_path: Path) -> None:
    del tmp_path
    item = cast(pytest.Item, Item(None))
    conclude(item, None)
    with pytest.raises(ZeroDivisionError):
        conclude(item, ZeroDivisionError())


def test_a_finding_is_described_in_one_line_or_three() -> None:
    assert describe(Finding("TY-a", Verdict.FAIL, "words")) == "TY-a: words"
    assert describe(Finding("TY-a", Verdict.FAIL, "words", seen="x")).splitlines()[2] == "  seen:     x"
