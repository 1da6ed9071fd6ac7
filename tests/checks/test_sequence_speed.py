"""Twice the callbacks take about twice the work, counted in calls of functions and not in seconds."""

from __future__ import annotations

import json
import sys
from types import FrameType
from typing import Any

import pytest

from harness.checks import check_timeline
from harness.contract import load_contracts
from harness.timeline import Callback, HttpRequest, HttpResponse, Timeline, event_from_json
from harness.verdicts import Verdict
from tests.checks.data.scenes import completed, connected_call, new_call, push

JSON = (("Content-Type", "application/json"),)


def sessions(count: int) -> Timeline:
    """Calls that overlap, each refused by the application: two callbacks for each."""
    timeline = Timeline("many")
    for number in range(count):
        session, at = f"s-{number}", number * 0.01
        refs = {"traceId": f"trace-{number}", "httpTransactionId": f"tx-{number}"}
        for delay, name, body in (
            (0.0, "newCall", new_call(session, f"c-{number}", f"ivr-{number}")),
            (1.0, "sessionCompleted", completed(session, **refs)),
        ):
            request = HttpRequest("POST", f"http://127.0.0.1/cb/{name}", JSON, json.dumps(body).encode())
            answer = HttpResponse(200, JSON, b'{"action": "drop"}')
            timeline.add(Callback(at + delay, request=request, response=answer, ended=at + delay + 0.001))
    return timeline


def pushes(count: int) -> Timeline:
    timeline = Timeline("many")
    for number in range(count):
        request = HttpRequest("POST", "http://127.0.0.1/p", JSON, json.dumps(push(number)).encode())
        timeline.add(Callback(number * 0.01, request=request, response=HttpResponse(200)))
    return timeline


def busy_calls(count: int) -> Timeline:
    """Calls that overlap, with their SIP messages, so that nothing tells which destination belongs to which caller."""
    timeline = Timeline("many")
    lines: list[tuple[float, int, dict[str, Any]]] = []
    for number in range(count):
        for line in connected_call().lines:
            text = json.dumps(line)
            for old in ("s-2", "a-1@", "b-1@", "trace-1", "tx-1", "c-1", "ivr-desk"):
                text = text.replace(old, f"{old.rstrip('@')}-{number}{'@' if old.endswith('@') else ''}")
            lines.append((line["at"] + number * 0.01, len(lines), json.loads(text)))
    for at, _, line in sorted(lines, key=lambda item: item[:2]):
        timeline.add(event_from_json({**line, "at": at, **({"ended": at + 0.01} if "ended" in line else {})}))
    return timeline


def work(timeline: Timeline, system: str) -> int:
    """How many Python functions a judgement calls."""
    contracts = load_contracts((system,))
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        findings = list(check_timeline(timeline, contracts, {}, system=system))
    finally:
        sys.setprofile(None)
    assert findings
    return calls


@pytest.mark.parametrize(
    ("make", "system", "size"),
    [(sessions, "mediaservice", 150), (pushes, "vtx", 150), (busy_calls, "mediaservice", 25)],
    ids=["sessions", "pushes", "overlapping calls"],
)
def test_four_times_the_record_takes_at_most_five_times_the_work(make: Any, system: str, size: int) -> None:
    work(make(8), system)  # what is made once for all
    assert work(make(size * 4), system) <= 5 * work(make(size), system)


def test_twenty_thousand_callbacks_give_a_bounded_number_of_findings() -> None:
    findings = list(check_timeline(sessions(10_000), load_contracts(("mediaservice",)), {}, system="mediaservice"))
    assert len(findings) < 500
    assert not [finding for finding in findings if finding.verdict is Verdict.FAIL]


def test_calls_that_overlap_break_nothing_that_only_one_of_them_would() -> None:
    for count in (3, 30):
        contracts = load_contracts(("mediaservice",))
        findings = list(check_timeline(busy_calls(count), contracts, {}, system="mediaservice"))
        assert [finding for finding in findings if finding.verdict is Verdict.FAIL] == []


def test_one_call_among_thousands_is_still_found() -> None:
    timeline = sessions(500)
    repeated = timeline.of(Callback)[501]
    timeline.add(Callback(repeated.at + 1, request=repeated.request, response=repeated.response))
    findings = list(check_timeline(timeline, load_contracts(("mediaservice",)), {}, system="mediaservice"))
    failed = {finding.clause for finding in findings if finding.verdict is Verdict.FAIL}
    assert "MS-session-completed-once" in failed
