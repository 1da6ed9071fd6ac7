"""Checks: pure functions that read a timeline and give findings; they do no I/O and know no driver."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator

from harness.checks.callbacks import check_callbacks
from harness.checks.correlation import check_correlation
from harness.checks.flows.judging import check_flows
from harness.checks.flows.record import Record
from harness.checks.headers import check_headers
from harness.checks.http import check_exchanges
from harness.checks.taken import Value
from harness.contract import Contract
from harness.target import Timing
from harness.timeline import Exchange, Timeline
from harness.verdicts import Finding, Verdict


def check_timeline(
    timeline: Timeline,
    contracts: dict[str, Contract],
    bases: dict[str, str],
    *,
    hsts_without_tls: Collection[str] = (),
    system: str = "",
    timing: Timing | None = None,
    observed: Collection[str] | None = None,
    asked: Collection[str] | None = None,
    complete: bool = True,
    taken: Container[Value] = (),
) -> Iterator[Finding]:
    """All findings that follow from a timeline alone, whatever scenario it belongs to.

    `bases`: the base URL of each system, to tell which operation a request was for; `hsts_without_tls`: systems whose
    target says that strict-transport-security is sent over plain HTTP too; `taken`: values that were given against the
    documents and taken all the same.

    Callbacks and call flows: `system` is whose they are where callbacks do not say it; `timing`: how long things may take;
    `observed`: the kinds of events that somebody watched for (None: those that are there), without which their absence
    means nothing; `asked`: the clauses that nothing else decides, so that what a call flow leaves open about others is left
    out (None: all); `complete` False: the scenario was cut short.
    """
    yield from check_exchanges(timeline, contracts, bases, taken)
    yield from check_headers(timeline, contracts, hsts_without_tls)
    events = timeline.events
    speaking = {event.system for event in events if isinstance(event, Exchange)} | {system}
    for name, contract in contracts.items():
        if name not in speaking:
            continue
        yield from check_callbacks(events, contract, system)
        record = Record(events, contract, base=bases.get(name, ""), system=system, observed=observed)
        yield from check_correlation(record)
        for finding in check_flows(record, timing or Timing(), complete=complete):
            if asked is None or finding.clause in asked or finding.verdict is not Verdict.INCONC:
                yield finding
