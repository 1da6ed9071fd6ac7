"""Judges what was read or recorded, and writes it like a run: verdicts, JUnit, summary, timeline, ladders.

`judge_recording` is what `ringtrue check` and `ringtrue record` have in common. It judges the platform by its clauses, and
the application beside it, whose remarks go into a file of their own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.checks import check_timeline
from harness.checks.application import Remark, remarks_on
from harness.checks.flows.passive import Passive
from harness.checks.recorded import check_part, check_whole, settled
from harness.contract import Contract
from harness.recordings.calls import Part, cut
from harness.recordings.clocks import disagreement
from harness.recordings.output import write_junit, write_ladders
from harness.recordings.reading import RECORDING_FILE, Pile
from harness.redact import Redactor
from harness.report.results import RunRecord, write_results
from harness.sequences import ORDER_SLACK
from harness.target import SystemTarget, Timing
from harness.timeline import Event, HttpExchange, Note, SipMessage, Timeline
from harness.verdicts import Finding, Reason, RunVerdict, Scope, Verdict, judge

APPLICATION = "application.json"
_FINDINGS = "findings.jsonl"
# Seconds by which the clocks of different observers (a proxy here, a capture there) may disagree.
_SLACK = 1.0
# A recording has no target file that says how long things may take; nobody is waiting, so patience costs nothing. Seconds.
PATIENT = Timing(answer=15.0, callback=15.0)
_NOTHING = "the recording shows nothing that can be judged"


@dataclass(frozen=True)
class Judged:
    """What came of it: the result as of a run, and remarks about the application."""

    record: RunRecord
    remarks: tuple[Remark, ...]
    parts: int


@dataclass(frozen=True)
class Case:
    """What is judged. `title`: what it is, for reports; `target`: the platform's table, if there is a target file."""

    contract: Contract
    run_dir: Path
    title: str
    started: float
    target: SystemTarget | None = None
    timing: Timing = PATIENT
    strict: bool = False
    interrupted: bool = False
    problems: Sequence[str] = ()
    redactor: Redactor = field(default_factory=Redactor)


def judge_recording(case: Case, pile: Pile, events: Sequence[Event], timeline: str) -> Judged:
    """Judge and write. `events`: those of the recording in order of time, as they stand in `timeline` on disk."""
    contract = case.contract
    parts = cut(events, contract.system)
    plain = bool(getattr(case.target, "hsts_without_tls", False))
    comparable = _on_one_clock(events, pile)
    judged_parts = parts if len(comparable) == len(events) else cut(comparable, contract.system)
    found = [
        replace(finding, timeline=timeline)
        for finding in findings_in(comparable, judged_parts, contract, pile, case.timing, hsts_without_tls=plain)
    ]
    found += _of_scenarios(case, pile)
    found = settled(found)
    found = [Finding.from_json(case.redactor.scrub(finding.to_json())) for finding in found]
    verdict = _weigh(case, pile, found)
    remarks = tuple(remarks_on(events, contract))
    titles = [part.title for part in parts] + [path.stem for path, _ in pile.scenarios]
    record = RunRecord(
        verdict=verdict,
        target=case.title,
        systems={contract.system: case.target.base_url if case.target else ""},
        run_dir=case.run_dir,
        started=case.started,
        seconds=time.time() - case.started,
        seed=0,
        tests=dict(_outcomes(titles, found)),
    )
    _write(case, record, found, remarks)
    write_ladders(case.run_dir, contract.system, parts, found, verdict, case.redactor)
    return Judged(record, remarks, len([part for part in parts if not part.outside]) + len(pile.scenarios))


def _on_one_clock(events: Sequence[Event], pile: Pile) -> Sequence[Event]:
    """The events whose times can be compared: without SIP, where a clock was wrong."""
    gap = disagreement(events, _SLACK) if pile.observers > 1 else None
    if gap is None:
        return events
    pile.notes.append(
        f"the clocks of these recordings disagree: SIP is {abs(gap):.1f} s {'ahead of' if gap > 0 else 'behind'} the "
        f"callbacks that belong to it, so it is shown and not judged. `editcap -t {-gap:.3f}` shifts a capture"
    )
    return [event for event in events if not isinstance(event, SipMessage)]


def findings_in(
    events: Sequence[Event],
    parts: Iterable[Part],
    contract: Contract,
    pile: Pile,
    timing: Timing = PATIENT,
    *,
    hsts_without_tls: bool = False,
) -> Iterator[Finding]:
    """All findings of a recording; `source` is the part that each is about."""
    passive = Passive(_SLACK if pile.observers > 1 else ORDER_SLACK, _merged(pile.covered))
    yield from check_whole(events, contract, passive, hsts_without_tls=hsts_without_tls)
    for part in parts:
        if not part.outside:
            found = check_part(part.events, contract, passive, timing)
            yield from (replace(finding, source=part.title) for finding in found)


def write_timeline(events: Iterable[Event], folder: Path, redactor: Redactor) -> tuple[tuple[Event, ...], str]:
    """Write a recording as one timeline; its events as they stand there, and the file's name within the run."""
    with Timeline("recording", path=folder / RECORDING_FILE, redactor=redactor) as timeline:
        for event in events:
            timeline.add(event)
    return timeline.events, RECORDING_FILE


def _merged(covered: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, list[tuple[float, float]]]:
    """Stretches that overlap, as one."""
    result: dict[str, list[tuple[float, float]]] = {}
    for kind, stretches in covered.items():
        done: list[tuple[float, float]] = []
        for begin, end in sorted(stretches):
            if done and begin <= done[-1][1]:
                done[-1] = (done[-1][0], max(done[-1][1], end))
            else:
                done.append((begin, end))
        result[kind] = done
    return result


def _of_scenarios(case: Case, pile: Pile) -> Iterator[Finding]:
    """Timelines of a run, in which a scenario was in control; what its steps found stands in that run's own verdicts."""
    contract = case.contract
    bases = {contract.system: case.target.base_url if case.target else ""}
    for path, timeline in pile.scenarios:
        end = next(
            (event for event in reversed(timeline.events) if isinstance(event, Note) and event.topic == "end"), None
        )
        systems = {event.system for event in timeline.of(HttpExchange)} or {contract.system}
        if contract.system not in systems:
            continue
        findings = check_timeline(
            timeline,
            {contract.system: contract},
            bases,
            system=contract.system,
            timing=case.timing,
            asked=(),
            complete=bool(end and end.data.get("complete")),
        )
        yield from (replace(finding, source=path.stem, timeline=str(path)) for finding in findings)


def _weigh(case: Case, pile: Pile, findings: Sequence[Finding]) -> RunVerdict:
    contract = case.contract
    declared = frozenset(case.target.capabilities if case.target else contract.file.capabilities)
    scope = Scope({contract.system: declared}, strict=case.strict, complete=False, floor=0.0)
    problems = list(case.problems)
    if not any(finding.verdict in (Verdict.PASS, Verdict.FAIL) for finding in findings) and not problems:
        problems.append(f"{_NOTHING} by the documents of {contract.system}{_hint(pile)}")
    verdict = judge(contract.catalogue, findings, scope, problems=problems, interrupted=case.interrupted)
    clauses = tuple(
        replace(item, reason=Reason.NOT_OCCURRED) if item.reason == Reason.NOT_SELECTED else item
        for item in verdict.clauses
    )
    return replace(verdict, clauses=clauses)


def _hint(pile: Pile) -> str:
    if pile.messages and not pile.exchanges and not pile.events:
        return ": they speak of its callbacks and API, so record these too and name both files"
    return ""


def _outcomes(titles: Sequence[str], findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    failed = {finding.source for finding in findings if finding.verdict is Verdict.FAIL}
    for number, title in enumerate(titles, 1):
        yield f"{number}: {title}", "failed" if title in failed else "passed"


def _write(case: Case, record: RunRecord, findings: Iterable[Finding], remarks: Iterable[Remark]) -> None:
    folder, scrub = case.run_dir, case.redactor.scrub
    with (folder / _FINDINGS).open("w", encoding="utf-8", errors="backslashreplace") as file:
        for finding in findings:
            file.write(json.dumps(scrub(finding.to_json()), ensure_ascii=False) + "\n")
    told = json.dumps([scrub(remark.to_json()) for remark in remarks], ensure_ascii=False, indent=1)
    (folder / APPLICATION).write_text(told + "\n", encoding="utf-8", errors="backslashreplace")
    write_results(record, folder)
    write_junit(record.verdict, folder / "junit.xml", record.target)
