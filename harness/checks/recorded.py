"""Judges a recording: the same checks as in a scenario, part by part, as far as nobody's intention is needed for them.

`harness.recordings` cuts a recording into parts and calls this. Pure, like every check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.checks.callbacks import check_callbacks
from harness.checks.correlation import check_correlation, check_domains
from harness.checks.flows.judging import check_flows
from harness.checks.flows.passive import Passive
from harness.checks.flows.record import Record
from harness.checks.headers import check_headers
from harness.checks.http import check_exchanges
from harness.contract import Contract
from harness.sequences import Unique
from harness.target import Timing
from harness.timeline import Callback, Event, Note, Timeline
from harness.verdicts import Finding, Verdict

_BEGINS = ("newCall", "newRemoteCall")


def check_whole(
    events: Sequence[Event], contract: Contract, passive: Passive, *, hsts_without_tls: bool = False
) -> Iterator[Finding]:
    """What each message says by itself, and what holds for all calls together."""
    timeline, contracts = Timeline.of_events("recording", events), {contract.system: contract}
    yield from check_exchanges(timeline, contracts, {})
    yield from check_headers(timeline, contracts, [contract.system] if hsts_without_tls else [])
    yield from check_callbacks(events, contract)
    distinct = tuple(
        replace(flow, rules=tuple(rule for rule in flow.rules if isinstance(rule, Unique)))
        for flow in contract.sequences
    )
    record = Record(events, replace(contract, sequences=distinct), passive=passive)
    yield from check_flows(record, Timing(), complete=False)
    # An application may have several domains, and operations of one of them may be all that was recorded.
    yield from (finding for finding in check_domains(record) if finding.verdict is Verdict.PASS)


def check_part(events: Sequence[Event], contract: Contract, passive: Passive, timing: Timing) -> Iterator[Finding]:
    """What the events of one call say together."""
    events = [*events, *_said_for(events)]
    record = Record(events, contract, passive=passive)
    yield from check_correlation(record)
    yield from check_flows(record, timing, complete=False)


def _said_for(events: Iterable[Event]) -> Iterator[Note]:
    """The notes that a scenario would have made: several calls in one part; an alarm that somebody may have deserved."""
    callbacks = [event for event in events if isinstance(event, Callback)]
    if not callbacks:
        return
    at, operations = callbacks[0].at, [event.about.get("operation", "") for event in callbacks]
    if sum(operation in _BEGINS for operation in operations) > 1:
        yield Note(at, "several-calls", "")
    if "alarm" in operations:
        yield Note(at, "provoked", "")


def settled(findings: Iterable[Finding]) -> list[Finding]:
    """Without what stayed open in one part and was decided in another."""
    found = list(findings)
    decided = {finding.clause for finding in found if finding.verdict in (Verdict.PASS, Verdict.FAIL)}
    return [finding for finding in found if finding.verdict is not Verdict.INCONC or finding.clause not in decided]
