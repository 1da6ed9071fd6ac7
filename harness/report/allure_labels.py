"""Fills in the Allure results while tests run: labels, Gherkin steps, clause steps, and what was seen as attachments.

epic = system, feature = area, story = clause; severity follows the level. Registered by the plugin in every process that
runs tests; does nothing when Allure results are not being written.
"""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from typing import Any

import allure
import pytest
from allure_commons.types import AttachmentType, Severity

from harness.report.browse.clause_page import PAGE, VERDICTS
from harness.report.ladder import MOST_EVENTS, make_ladder
from harness.report.ladder_svg import render_svg
from harness.report.text import render_timeline
from harness.suites.outcome import is_waived
from harness.suites.plan import Plan
from harness.suites.scenario import Scenario
from harness.verdicts import Finding, Reason, Verdict

VERDICT_LABEL = "verdict"
# Of hundreds of requests that all went well, the first few show how the others went.
_ENOUGH_EVENTS = 20


class ClauseNotKeptError(AssertionError):
    """Marks an Allure step of a clause as failed."""


class AllureLabels:
    """Hooks that write into the Allure result of the test that is running."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._steps: dict[str, ExitStack] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_bdd_before_step(self, request: pytest.FixtureRequest, step: Any) -> None:
        stack = self._steps[request.node.nodeid] = ExitStack()
        stack.enter_context(allure.step(f"{step.keyword} {step.name}"))

    def pytest_bdd_after_step(self, request: pytest.FixtureRequest, step: Any) -> None:
        del step
        # A Then step goes on after a deviation, so that the ones behind it are judged too; here it shows as failed.
        scenario: Scenario = request.getfixturevalue("scenario")
        deviated, scenario.step_failed = scenario.step_failed, False
        self._end_step(request.node.nodeid, ClauseNotKeptError("not as promised") if deviated else None)

    def pytest_bdd_step_error(self, request: pytest.FixtureRequest, step: Any, exception: BaseException) -> None:
        del step
        self._end_step(request.node.nodeid, exception)

    def _end_step(self, nodeid: str, error: BaseException | None) -> None:
        stack = self._steps.pop(nodeid, None)
        if stack is not None:
            stack.__exit__(type(error) if error else None, error, None)

    def pytest_ringtrue_concluded(self, item: pytest.Item, scenario: Scenario, findings: list[Finding]) -> None:
        catalogue = self._plan.catalogue
        clauses = list(dict.fromkeys([*scenario.clauses, *(finding.clause for finding in findings)]))
        areas = dict.fromkeys(catalogue[clause].area for clause in (scenario.clauses or clauses[:1]))
        allure.dynamic.epic(scenario.contract.title)
        allure.dynamic.feature(*areas)
        allure.dynamic.story(*(scenario.clauses or clauses))
        allure.dynamic.title(scenario.title)
        allure.dynamic.parameter("test", item.name)
        allure.dynamic.label(VERDICT_LABEL, self._worst(scenario, findings))
        documented = any(catalogue[clause].documented for clause in scenario.clauses)
        allure.dynamic.severity(Severity.CRITICAL if documented else Severity.MINOR)
        for clause in scenario.clauses:
            allure.dynamic.link(f"{PAGE}#{clause}", name=f"{clause}: {catalogue[clause].source}")
        allure.dynamic.description(
            "\n".join(
                f"- `{clause}` {catalogue[clause].text} ({catalogue[clause].source})" for clause in scenario.clauses
            )
        )
        by_clause = {clause: [finding for finding in findings if finding.clause == clause] for clause in clauses}
        kept = [
            one for one in clauses if one not in scenario.clauses and self._worst(scenario, by_clause[one]) == "pass"
        ]
        for clause in clauses:
            if clause not in kept:
                self._clause_step(scenario, clause, by_clause[clause])
        if kept:
            with allure.step(f"pass: {len(kept)} more clauses were seen to be kept"):
                for clause in kept:
                    self._clause_step(scenario, clause, by_clause[clause])
        deviates = any(finding.verdict is not Verdict.PASS for finding in findings)
        ladder = make_ladder(
            scenario.timeline,
            findings,
            title=scenario.title,
            redactor=scenario.worker.redactor,
            inferred=() if self._plan.strict else [clause for clause in clauses if not catalogue[clause].documented],
            bases={name: system.base_url for name, system in self._plan.target.systems.items()},
            most=MOST_EVENTS if deviates or len(scenario.timeline) <= MOST_EVENTS else _ENOUGH_EVENTS,
        )
        if ladder.rows:
            allure.attach(render_svg(ladder), name="Ladder", attachment_type=AttachmentType.SVG)
        redact = scenario.worker.redactor.text
        text = redact(render_timeline(scenario.timeline))
        allure.attach(text, name="Timeline", attachment_type=AttachmentType.TEXT)
        allure.attach(
            redact(self._again(item, scenario)), name="How to see it again", attachment_type=AttachmentType.TEXT
        )

    def _worst(self, scenario: Scenario, findings: list[Finding]) -> str:
        """What the findings of a test come to; a deviation of an inferred clause is a warning unless the run is strict."""
        kinds = {self._shown(scenario, finding) for finding in findings}
        found = next((kind for kind in VERDICTS if kind in kinds), "none")
        flaky = found == Verdict.INCONC and any(finding.reason is Reason.FLAKY for finding in findings)
        return Reason.FLAKY.value if flaky else found

    def _shown(self, scenario: Scenario, finding: Finding) -> str:
        if finding.verdict is Verdict.FAIL and is_waived(scenario, finding):
            return Verdict.WAIVED.value
        inferred = not self._plan.catalogue[finding.clause].documented and not self._plan.strict
        return "warn" if inferred and finding.verdict is Verdict.FAIL else finding.verdict.value

    def _again(self, item: pytest.Item, scenario: Scenario) -> str:
        """Command lines that do the same once more: the whole test, and each SIP agent of it."""
        where = "--fault ID" if self._plan.target.embedded else "--target FILE"
        name = item.name.partition("[")[0]
        lines = [f"ringtrue run --system {scenario.system} {where} -k {shlex.quote(name)} --seed {self._plan.seed}"]
        if "sipp" in vars(scenario):
            lines += scenario.sipp.commands
        return "\n\n".join(lines) + "\n"

    def _clause_step(self, scenario: Scenario, clause: str, findings: list[Finding]) -> None:
        promise = self._plan.catalogue[clause]
        shown = self._worst(scenario, findings)
        try:
            with allure.step(f"{shown}: {clause} ({promise.level}): {promise.text}"):
                for finding in findings:
                    if finding.verdict is Verdict.PASS:
                        continue
                    lines = [
                        finding.message,
                        f"expected: {finding.expected}",
                        f"seen: {finding.seen}",
                        f"source: {promise.source}",
                    ]
                    if finding.at:
                        lines.append(f"timeline events: {', '.join(map(str, finding.at))}")
                    if finding.reproduce:
                        lines.append(f"reproduce: {finding.reproduce}")
                    allure.attach("\n".join(lines), name=finding.message[:80], attachment_type=AttachmentType.TEXT)
                if shown == "fail":
                    raise ClauseNotKeptError(findings[0].message if findings else clause)
        except ClauseNotKeptError:
            return  # the step is marked; the test itself is failed by `outcome`
