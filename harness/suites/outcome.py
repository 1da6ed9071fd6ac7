"""How a test of the suites ends: checks read its timeline, its findings are weighed, and pytest is told.

A deviation is a failed test, a documented one at least; a stimulus that could not be given is a skipped test with its
reason; anything unforeseen is an error of the harness. Findings travel to the controlling process with the test's report.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.checks import check_timeline
from harness.checks.callbacks import Webhooks, judge_callback, payload
from harness.drivers.recorder.errors import RecorderError
from harness.sequences import ORDER_SLACK
from harness.suites.repeating import TestRun, runs_before, want_again, weigh
from harness.suites.scenario import InconclusiveError, Scenario, Worker
from harness.verdicts import Finding, Reason, Verdict

FINDINGS = "ringtrue-findings"
RUNS_HAD = "ringtrue-runs"
_MOST_STRAYS = 5
_scenario = pytest.StashKey[Scenario]()


class DeviationError(AssertionError):
    """The implementation broke a promise; the message lists the findings."""


class HarnessError(Exception):
    """Something of the harness itself broke, so its test says nothing about the implementation."""


def scenario_for(item: pytest.Item, worker: Worker) -> Scenario:
    """The scenario of a test, made from its `ringtrue` marker."""
    marker = item.get_closest_marker("judges")
    assert marker is not None, f"{item.nodeid} has no ringtrue marker"
    about = marker.kwargs
    title = about.get("title", item.name)
    example = getattr(item, "callspec", None) and item.callspec.params.get("_pytest_bdd_example")  # type: ignore[attr-defined]
    if example:
        title += f" ({', '.join(map(str, example.values()))})"
    number = len(runs_before(item)) + 1
    made = Scenario(worker, about["system"], item.name, title, about.get("clauses", ()), number)
    item.stash[_scenario] = made
    return made


def conclude(item: pytest.Item, error: BaseException | None) -> None:
    """Judge what the test recorded and end it: return (passed), or raise what pytest shows.

    Raises:
        DeviationError: a documented clause (any, in a strict run) failed.
        HarnessError: the test broke for a reason of its own.
        pytest.skip.Exception: nothing failed, but something could not be decided.
        pytest.xfail.Exception: nothing failed but what a waiver covers, or what the baseline had where only news count.
    """
    scenario = item.stash.get(_scenario, None)
    if scenario is None:
        if error is not None:
            raise error
        return
    findings = list(scenario.findings)
    broken: BaseException | None = None
    try:
        scenario.end()
        contracts = scenario.plan.contracts
        systems = scenario.plan.target.systems
        bases = {name: system.base_url for name, system in systems.items()}
        plain = [name for name, system in systems.items() if getattr(system, "hsts_without_tls", False)]
        complete = error is None and scenario.kept_back is None
        scenario.timeline.note("end", "the steps are over", complete=complete)
        if (slack := scenario.slack) > ORDER_SLACK:
            scenario.timeline.note(
                "slack", f"by so much observers may disagree: {slack:.3f} s", seconds=round(slack, 3)
            )
        watched = {"http", "note", *(("callback",) if "recorder" in vars(scenario) else ())}
        watched |= {"sip", "media"} if "sipp" in vars(scenario) else set()
        scenario.worker.taken.refresh()
        findings += check_timeline(
            scenario.timeline,
            contracts,
            bases,
            hsts_without_tls=plain,
            system=scenario.system,
            timing=scenario.plan.target.timing,
            observed=watched,
            asked={*scenario.clauses} - {finding.clause for finding in scenario.findings},
            complete=complete,
            taken=scenario.worker.taken,
        )
        findings += _unreadable(scenario)
    except Exception as caught:  # noqa: BLE001  a broken check must not hide what the test has found already
        broken = caught
    if (kept_back := scenario.kept_back) is not None:
        # The platform got an error of ours for an answer: nobody can say what it would have done else.
        error, broken = kept_back, None
        findings = [finding for finding in findings if finding.verdict is not Verdict.FAIL]
    inconclusive = error if isinstance(error, InconclusiveError) else None
    own_error = broken
    if error is not None and inconclusive is None and not isinstance(error, pytest.skip.Exception):
        own_error = error
    findings = _without_moot(findings)
    decided = {finding.clause for finding in findings}
    for clause in scenario.clauses:
        if clause in decided and own_error is None:
            continue
        if error is None and own_error is None and scenario.plan.catalogue[clause].conditional:
            continue  # what it speaks of need not happen, and in a whole scenario it did not
        if own_error is not None:
            words = f"{type(own_error).__name__}: {own_error}"
            findings.append(Finding(clause, Verdict.ERROR, words, scenario.title))
        else:
            reason = inconclusive.reason if inconclusive else Reason.NO_EVIDENCE
            words = str(inconclusive) if inconclusive else "the scenario ended without evidence about it"
            findings.append(Finding(clause, Verdict.INCONC, words, scenario.title, reason=reason))
    named = [
        replace(finding, source=item.nodeid, timeline=f"timelines/{scenario.slug}.jsonl") for finding in _thin(findings)
    ]
    runs = runs_before(item)
    runs.append(TestRun(tuple(named), complete=error is None and own_error is None))
    weighed = weigh(runs, lambda finding: not _is_expected(scenario, finding))
    item.user_properties[:] = [one for one in item.user_properties if one[0] not in (FINDINGS, RUNS_HAD)]
    item.user_properties.append((FINDINGS, _scrubbed(scenario, weighed)))
    item.user_properties.append((RUNS_HAD, len(runs)))
    if not want_again(item, scenario, lambda finding: not _is_expected(scenario, finding)):
        named = weighed
    # Reporters get what the controlling process gets: a finding may quote a request with its secrets.
    item.config.hook.pytest_ringtrue_concluded(
        item=item, scenario=scenario, findings=[Finding.from_json(one) for one in _scrubbed(scenario, named)]
    )
    _end(scenario, named, own_error, inconclusive)


def _unreadable(scenario: Scenario) -> Iterator[Finding]:
    """Findings about callbacks that belong to no scenario because they are no JSON object: wrong, whosever they are.

    Only those whose path says what they are. They enter the record after all else is judged, so that no call flow takes
    them for its own.
    """
    if "recorder" not in vars(scenario):
        return
    strays = [one for one in scenario.recorder.unrouted() if one.seq < 0]
    unreadable = [one for one in strays if not isinstance((payload(one.request) or (None,))[0], dict)]
    for stray in unreadable[:_MOST_STRAYS]:
        webhooks = Webhooks(scenario.timeline, scenario.contract)
        webhook = webhooks.named(stray)
        if webhook is not None and webhook.request.schemas and webhook.method == stray.request.method:
            found = judge_callback(scenario.timeline.add(stray), webhooks)
            yield from (one for one in found if one.verdict is Verdict.FAIL and one.clause == webhook.body_clause)


def _scrubbed(scenario: Scenario, findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [scenario.worker.redactor.scrub(finding.to_json()) for finding in findings]


def _end(
    scenario: Scenario, findings: list[Finding], own_error: BaseException | None, inconclusive: InconclusiveError | None
) -> None:
    catalogue = scenario.plan.catalogue
    counting = [
        finding
        for finding in findings
        if finding.verdict is Verdict.FAIL and (scenario.plan.strict or catalogue[finding.clause].documented)
    ]
    known = {finding for finding in counting if _is_expected(scenario, finding)}
    broken = [finding for finding in counting if finding not in known]
    redact = scenario.worker.redactor.text
    if broken:
        raise DeviationError(redact("\n".join(describe(finding) for finding in broken))) from None
    if own_error is not None:
        if isinstance(own_error, RecorderError):
            raise HarnessError(redact(str(own_error))) from None
        frames = "".join(traceback.format_exception(own_error))
        raise HarnessError(redact(f"{type(own_error).__name__}: {own_error}\n{frames}")) from None
    if inconclusive is not None:
        pytest.skip(redact(f"{inconclusive.reason}: {inconclusive}"))
    undecided = [finding for finding in findings if finding.verdict is Verdict.INCONC]
    if undecided:
        pytest.skip(
            redact("; ".join(f"{finding.clause}: {finding.reason}: {finding.message}" for finding in undecided[:3]))
        )
    if known:
        word = "waived" if all(is_waived(scenario, finding) for finding in known) else "known"
        pytest.xfail(redact(f"{word}: " + "; ".join(describe(finding) for finding in counting)))


def is_waived(scenario: Scenario, finding: Finding) -> bool:
    """Whether a waiver covers a finding, as the controlling process sees it, which knows it without its secrets."""
    told = _as_told(scenario, finding)
    return (told.clause, told.fingerprint) in scenario.plan.scope.holding


def _is_expected(scenario: Scenario, finding: Finding) -> bool:
    """Whether nobody has to look into a deviation."""
    return is_waived(scenario, finding) or _is_known(scenario, finding)


def _is_known(scenario: Scenario, finding: Finding) -> bool:
    """Whether it is not new, and only what is new counts."""
    known = scenario.plan.scope.known
    return known is not None and _as_told(scenario, finding).fingerprint in known


def _as_told(scenario: Scenario, finding: Finding) -> Finding:
    return Finding.from_json(scenario.worker.redactor.scrub(finding.to_json()))


def describe(finding: Finding) -> str:
    """A finding in one or three lines."""
    lines = [f"{finding.clause}: {finding.message}"]
    if finding.expected or finding.seen:
        lines += [f"  expected: {finding.expected}", f"  seen:     {finding.seen}"]
    return "\n".join(lines)


def _without_moot(findings: list[Finding]) -> list[Finding]:
    """A deviation that was seen is not unsaid by what could not be decided beside it, in the same test."""
    broken = {finding.clause for finding in findings if finding.verdict is Verdict.FAIL}
    return [finding for finding in findings if finding.verdict is not Verdict.INCONC or finding.clause not in broken]


def _thin(findings: Iterable[Finding]) -> list[Finding]:
    """One pass for each clause and subject is evidence enough; of each deviation the first few are kept."""
    seen: dict[tuple[str, str, str], int] = {}
    kept: list[Finding] = []
    for finding in findings:
        is_pass = finding.verdict is Verdict.PASS
        key = (finding.clause, finding.subject, finding.verdict.value + ("" if is_pass else finding.fingerprint))
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= (1 if is_pass else 3):
            kept.append(finding)
    return kept
