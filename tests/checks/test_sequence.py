"""The meaning of each kind of rule, on small flows over small timelines. Whole calls: test_sequence_cases.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.checks.flows.judging import judge_flow
from harness.checks.flows.record import Record
from harness.contract import load_contract
from harness.target import Timing
from harness.timeline import Callback, Event, HttpExchange, HttpRequest, HttpResponse, MediaReport, Note, SipMessage
from harness.verdicts import Finding, Reason, Verdict
from tests.specs.toy import FILES, write_toy

FLOW = """\
system: toy
flows:
  ring:
    title: A ring
    start: ring
    {until}
    events:
      ring: {{kind: http, match: {{operation: ring}}, keep: {{id: response.body.id}}}}
      told: {{kind: callback, match: {{operation: told}}, same: {{request.body.id: id}}, keep: {{word: request.body.word}}}}
      any: {{kind: callback, match: {{operation: told}}}}
      item: {{kind: callback, match: {{operation: told}}, items: request.body.list, same: {{request.body.id: id}}}}
      big: {{kind: callback, match: {{request.body.size: {{pattern: '[5-9]'}}}}, unless: {{request.body.word: x}}}}
      invite: {{kind: sip, match: {{method: INVITE, direction: in}}}}
      busy: {{kind: sip, match: {{method: INVITE, status: 4XX}}}}
      heard: {{kind: media, match: {{data.codec: PCMA}}}}
      stop: {{kind: note, match: {{topic: stop}}}}
    rules:
      - {{{rule}, clause: TY-told-once}}
      - {{order: [told, any, item, big, invite, busy, heard, stop], clause: TY-ring-rings}}
"""
TIMING = Timing(answer=2.0, callback=1.0, quiet=0.5)


def ring(at: float = 0.0, call: str = "a", took: float = 0.1) -> HttpExchange:
    request = HttpRequest("POST", "http://h/rings")
    answer = HttpResponse(201, (), json.dumps({"id": call}).encode())
    return HttpExchange(
        at, system="toy", request=request, response=answer, ended=at + took, about={"operation": "ring"}
    )


def told(at: float, call: str = "a", status: int = 200, **members: Any) -> Callback:
    request = HttpRequest("POST", "http://r/told", (), json.dumps({"id": call, **members}).encode())
    return Callback(at, request=request, response=HttpResponse(status), ended=at + 0.01)


def sip(
    at: float, start: str = "INVITE sip:x@h SIP/2.0", direction: str = "in", call: str = "c", agent: str = "phone"
) -> SipMessage:
    return SipMessage(at, agent, direction, "l", "r", f"{start}\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\r\n")


def note(at: float, topic: str = "end", **data: float) -> Note:
    return Note(at, topic, "", data)


def judge(
    folder: Path,
    rule: str,
    events: Sequence[Event],
    *,
    until: str = "",
    complete: bool = True,
    observed: Any = "all",
    template: str = FLOW,
) -> list[Finding]:
    text = template.format(rule=rule, until=f"until: {until}" if until else "")
    path = write_toy(folder, {"sequences.yaml": (FILES["sequences.yaml"], text)})
    contract = load_contract(path)
    numbered = [type(event)(**{**_members(event), "seq": number}) for number, event in enumerate(events)]
    watched = ("http", "callback", "sip", "media") if observed == "all" else observed
    record = Record(numbered, contract, system="toy", observed=watched)
    (flow,) = contract.sequences
    findings = list(judge_flow(record, flow, TIMING, complete=complete))
    return [finding for finding in findings if finding.clause == "TY-told-once"]


def _members(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__dataclass_fields__}


def verdicts(findings: list[Finding]) -> set[str]:
    return {finding.verdict.value for finding in findings}


WITHIN = "expect: told, after: ring, within: callback"
EXPECT = [
    ("in time", WITHIN, [ring(), told(1.05), note(9)], {"pass"}),
    ("counted from the end of the answer", WITHIN, [ring(took=5.0), told(5.9), note(9)], {"pass"}),
    ("before the answer", WITHIN, [ring(took=5.0), told(1.0), note(9)], {"pass"}),
    ("within what observers disagree about", WITHIN, [told(-0.04), ring(), note(9)], {"pass"}),
    ("too late", WITHIN, [ring(), told(1.3), note(9)], {"fail"}),
    ("not at all", WITHIN, [ring(), note(9)], {"fail"}),
    ("of another call", WITHIN, [ring(), told(0.5, "b"), note(9)], {"fail"}),
    ("not yet when the record ends", WITHIN, [ring(), note(0.5)], {"inconc"}),
    ("without its anchor", WITHIN.replace("after: ring", "after: invite"), [ring(), note(9)], set()),
    ("as often as said", "expect: told, exactly: 2", [ring(), told(1), told(5)], {"pass"}),
    ("too often", "expect: told, exactly: 1", [ring(), told(1), told(5)], {"fail"}),
    ("too seldom", "expect: told, exactly: 3", [ring(), told(1), told(5)], {"fail"}),
    ("never, which is allowed", "expect: told, at_most: 1", [ring(), note(9)], set()),
    ("either of two", "expect: [invite, told]", [ring(), told(1)], {"pass"}),
    ("items one by one", "expect: item, exactly: 3", [ring(), told(1, list=[1, 2]), told(2, list=[3])], {"pass"}),
    ("no items", "expect: item", [ring(), told(1, list="x"), told(2)], {"fail"}),
    ("only where a condition is seen", f"{WITHIN}, when: invite", [ring(), note(9)], set()),
    ("not where an exception is seen", f"{WITHIN}, unless: invite", [ring(), sip(1), note(9)], set()),
    ("retransmitted", "expect: invite, exactly: 1", [ring(), sip(1), sip(1.5), sip(3.5)], {"pass"}),
    ("an answer is no request", "expect: invite", [ring(), sip(1, "SIP/2.0 200 OK")], {"fail"}),
    ("a range of statuses", "expect: busy", [ring(), sip(1, "SIP/2.0 486 Busy")], {"pass"}),
    ("only by the harness itself", "expect: stop", [ring(), note(1, "stop")], set()),
    ("media", "expect: heard", [ring(), MediaReport(1, "a", {"codec": "PCMA"})], {"pass"}),
    ("a pattern", "expect: big", [ring(), told(1, size=7)], {"pass"}),
    ("a pattern with an exception", "expect: big", [ring(), told(1, size=7, word="x")], {"fail"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "events", "expected"), [case[1:] for case in EXPECT], ids=[case[0] for case in EXPECT]
)
def test_expected_events(tmp_path: Path, rule: str, events: list[Event], expected: set[str]) -> None:
    assert verdicts(judge(tmp_path, rule, events)) == expected


EACH = "expect: told, each: invite, exactly: 1"
EACHES = [
    ("one after each", EACH, [sip(1, call="1"), told(2), sip(3, call="2"), told(4)], {"pass"}),
    ("both after the second", EACH, [sip(1, call="1"), sip(2, call="2"), told(3), told(3.1)], {"inconc"}),
    ("one of two", EACH, [sip(1, call="1"), sip(3, call="2"), told(4)], {"pass", "fail"}),
    ("one too many", EACH, [sip(1, call="1"), told(2), sip(3, call="2"), told(4), told(5)], {"pass", "fail"}),
    ("late beyond a deadline", f"{EACH}, within: callback", [sip(1, call="1"), sip(3, call="2"), told(3.1), note(9)],
     {"pass", "fail"}),
    ("the next before the deadline", f"{EACH}, within: callback", [sip(1, call="1"), sip(1.5, call="2"), told(2), note(9)],
     {"pass"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "events", "expected"), [case[1:] for case in EACHES], ids=[case[0] for case in EACHES]
)
def test_events_expected_after_each_of_several(
    tmp_path: Path, rule: str, events: list[Event], expected: set[str]
) -> None:
    assert verdicts(judge(tmp_path, rule, [ring(), *events])) == expected


ABSENT = "absent: told, after: invite, control: told"
ABSENCES = [
    ("silence, and a control before", ABSENT, [told(0.5), sip(1), note(2)], {"pass"}),
    ("without a control", ABSENT, [sip(1), note(2)], {"inconc"}),
    ("with a control of another call only", ABSENT, [told(0.5, "b"), sip(1), note(2)], {"inconc"}),
    ("with too little silence", ABSENT, [told(0.5), sip(1), note(1.4)], {"inconc"}),
    ("broken", ABSENT, [sip(1), told(1.2), note(2)], {"fail"}),
    ("broken after the silence", ABSENT, [sip(1), told(8)], {"fail"}),
    ("no more than observers disagree about", ABSENT, [sip(1), told(1.03), note(2)], {"pass"}),
    ("ended by an event", f"{ABSENT}, before: stop", [told(0.5), sip(1), note(1.1, "stop"), told(1.5)], {"pass"}),
    ("broken before that event", f"{ABSENT}, before: stop", [sip(1), told(1.06), note(1.2, "stop")], {"fail"}),
    ("for a time of its own", f"{ABSENT}, for: 5", [told(0.5), sip(1), note(4)], {"inconc"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "events", "expected"), [case[1:] for case in ABSENCES], ids=[c[0] for c in ABSENCES])
def test_absence(tmp_path: Path, rule: str, events: list[Event], expected: set[str]) -> None:
    assert verdicts(judge(tmp_path, rule, [ring(), *events])) == expected


def test_absence_without_control_says_so(tmp_path: Path) -> None:
    (finding,) = judge(tmp_path, ABSENT, [ring(), sip(1), note(2)])
    assert finding.reason is Reason.NO_CONTROL


BUSY = "SIP/2.0 486 X"
AGENTS = [
    ("expect: busy, after: invite, within: answer", [sip(0.97, BUSY), sip(1), note(4)], "fail"),
    ("absent: busy, after: invite, control: told", [told(0.5), sip(1), sip(1.03, BUSY), note(2)], "fail"),
    ("absent: busy, after: invite, before: stop, control: told",
     [told(0.5), sip(0.9), sip(1.03, BUSY), note(1.05, "stop")], "pass"),
    ("precede: [busy, invite]", [sip(1), sip(1.03, BUSY)], "fail"),
    ("order: [busy, invite]", [sip(1), sip(1.03, BUSY)], "fail"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "events", "expected"), AGENTS)
def test_one_agent_knows_what_came_first_and_two_may_disagree(
    tmp_path: Path, rule: str, events: list[Event], expected: str
) -> None:
    assert verdicts(judge(tmp_path / "one", rule, [ring(), *events])) == {expected}
    two = [replace(one, agent="desk") if isinstance(one, SipMessage) and BUSY in one.text else one for one in events]
    assert verdicts(judge(tmp_path / "two", rule, [ring(), *two])) == {"pass"}


def test_on_a_crowded_machine_observers_disagree_by_as_much_as_was_measured(tmp_path: Path) -> None:
    events: list[Event] = [ring(), told(1), sip(1.3), note(2)]
    rule = "precede: [invite, told]"
    assert verdicts(judge(tmp_path / "idle", rule, events)) == {"fail"}
    assert verdicts(judge(tmp_path / "little", rule, [*events, note(3, "slack", seconds=0.2)])) == {"fail"}
    assert verdicts(judge(tmp_path / "crowded", rule, [*events, note(3, "slack", seconds=0.4)])) == {"pass"}


def test_what_follows_a_request_of_the_harness_needs_no_margin(tmp_path: Path) -> None:
    findings = judge(tmp_path, "absent: invite, after: ring, control: invite", [ring(), sip(0.01), note(2)])
    assert verdicts(findings) == {"fail"}


OTHERS = [
    ("in order", "order: [ring, told, [busy, invite]]", [told(1), sip(2), sip(2.5, "SIP/2.0 486 X")], {"pass"}),
    ("in any order within a group", "order: [ring, told, [busy, invite]]", [told(1), sip(2, "SIP/2.0 486 X"), sip(2.5)],
     {"pass"}),
    ("out of order", "order: [ring, told, invite]", [sip(1), told(2)], {"fail"}),
    ("out of order by what observers disagree about", "order: [ring, told, invite]", [sip(1), told(1.04)], {"pass"}),
    ("order of one only", "order: [told, invite]", [told(1)], set()),
    ("order that only the harness kept", "order: [told, stop]", [told(1), note(2, "stop")], set()),
    ("preceded", "precede: [invite, told]", [sip(1), told(2), told(3)], {"pass"}),
    ("not preceded", "precede: [invite, told]", [told(1), sip(2)], {"fail"}),
    ("never preceded", "precede: [invite, told]", [told(1)], {"fail"}),
    ("nothing to precede", "precede: [invite, told]", [sip(1)], set()),
    ("agreeing", "agree: request.body.word, of: told, value: [x, '7']", [told(1, word=7), told(2, word="x")], {"pass"}),
    ("disagreeing", "agree: request.body.word, of: told, value: x", [told(1, word="x"), told(2, word="y")],
     {"pass", "fail"}),
    ("nothing to agree", "agree: request.body.word, of: told, value: x", [told(1), told(2, word=None)], set()),
    ("agreeing with itself only", "agree: request.body.word, of: told, with: word", [told(1, word="x")], set()),
    ("agreeing with another", "agree: request.body.word, of: any, with: word", [told(1, word="x"), told(2, word="x")],
     {"pass"}),
    ("unique", "unique: request.body.word, of: any", [told(1, word="x"), told(2, "b", word="y")], {"pass"}),
    ("not unique", "unique: request.body.word, of: any", [told(1, word="x"), told(2, "b", word="x")], {"fail"}),
    ("sent again because it was not taken", "unique: request.body.word, of: any",
     [told(1, status=500, word="x"), told(2, word="x")], set()),
    ("sent again though it was taken", "unique: request.body.word, of: any", [told(1, word="x"), told(2, word="x")],
     {"fail"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "events", "expected"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS]
)
def test_order_agreement_and_uniqueness(tmp_path: Path, rule: str, events: list[Event], expected: set[str]) -> None:
    assert verdicts(judge(tmp_path, rule, [ring(), *events])) == expected


def test_an_instance_ends_where_the_next_begins(tmp_path: Path) -> None:
    events = [ring(), told(1), ring(10, "b"), told(11, "b"), told(12, "a"), note(20)]
    findings = judge(tmp_path, "expect: told, exactly: 1", events, until="again")
    assert verdicts(findings) == {"pass"}
    assert verdicts(judge(tmp_path / "2", "expect: told, exactly: 1", events)) == {"pass", "fail"}


def test_an_instance_ends_with_the_event_that_closes_it(tmp_path: Path) -> None:
    events = [ring(), told(1), note(2, "stop"), told(3)]
    assert verdicts(judge(tmp_path, "expect: told, exactly: 1", events, until="stop")) == {"pass"}


def test_nothing_is_owed_for_what_comes_at_once_after_an_instance_was_closed(tmp_path: Path) -> None:
    """A call just after a subscription was deleted shares its user, and is pushed to nobody."""
    rule = "expect: heard, exactly: 1, each: told"
    assert (
        verdicts(judge(tmp_path / "after", rule, [ring(), note(2, "stop"), told(2.03), note(9)], until="stop")) == set()
    )
    assert verdicts(judge(tmp_path / "before", rule, [ring(), told(1), note(2, "stop"), note(9)], until="stop")) == {
        "fail"
    }


def test_what_comes_at_once_after_the_next_start_belongs_to_that_where_both_share_what_it_has(tmp_path: Path) -> None:
    """As when the same phone is called twice; and an answer to the first call may not be the second one's."""
    events = [ring(), told(0.5), ring(2, took=0.01), told(2.03), note(9)]
    assert verdicts(judge(tmp_path / "same", "expect: told, exactly: 1", events, until="again")) == {"pass"}
    assert verdicts(judge(tmp_path / "order", "precede: [ring, told]", events, until="again")) == {"pass"}
    events = [ring(), told(0.5), ring(2, "b", took=0.01), told(2.03), told(2.2, "b"), note(9)]
    assert verdicts(judge(tmp_path / "other", "expect: told, exactly: 1", events, until="again")) == {"fail", "pass"}


def test_a_window_that_closes_before_the_deadline_decides_nothing(tmp_path: Path) -> None:
    events = [ring(), note(0.5, "stop"), note(9)]
    assert verdicts(judge(tmp_path, WITHIN, events, until="stop")) == {"inconc"}


def test_a_scenario_cut_short_is_not_blamed_for_what_had_no_deadline(tmp_path: Path) -> None:
    assert verdicts(judge(tmp_path, "expect: told", [ring(), note(9)], complete=False)) == {"inconc"}
    assert verdicts(judge(tmp_path / "2", "expect: told", [ring(), note(9)])) == {"fail"}


def test_what_nobody_watched_for_is_not_missed(tmp_path: Path) -> None:
    assert judge(tmp_path, "expect: invite, after: ring, within: 1", [ring(), note(9)], observed=None) == []
    assert judge(tmp_path / "2", f"{WITHIN}, unless: invite", [ring(), told(5), note(9)], observed=None) == []


def test_an_instance_that_is_decided_speaks_for_one_that_is_not(tmp_path: Path) -> None:
    events = [ring(), told(1), ring(10, "b"), note(10.2)]
    assert verdicts(judge(tmp_path, WITHIN, events, until="again")) == {"pass"}


def test_other_calls_at_the_same_time_are_not_mixed_up(tmp_path: Path) -> None:
    events = [ring(), ring(0.01, "b"), told(0.5, "b"), told(0.6, "a"), note(9)]
    assert verdicts(judge(tmp_path, "expect: told, exactly: 1, after: ring, within: callback", events)) == {"pass"}


def test_what_two_instances_share_need_agree_with_one_of_them_only(tmp_path: Path) -> None:
    """As where two subscriptions name the same URL, and each push names its own."""
    rule = "agree: request.body.word, of: told, with: word-of"
    flow = FLOW.replace("keep: {{id: response.body.id}}", "keep: {{id: response.body.id, word-of: response.body.word}}")

    def rung(at: float, word: str) -> HttpExchange:
        answer = HttpResponse(201, (), json.dumps({"id": "a", "word": word}).encode())
        return replace(ring(at), response=answer)

    events = [rung(0, "x"), rung(1, "y"), told(2, word="y"), told(2.5, word="x"), note(9)]
    assert verdicts(judge(tmp_path / "shared", rule, events, template=flow)) == {"pass"}
    assert verdicts(judge(tmp_path / "wrong", rule, [*events, told(3, word="z"), note(10)], template=flow)) == {
        "pass",
        "fail",
    }


def test_where_calls_overlap_what_is_too_much_may_belong_to_another(tmp_path: Path) -> None:
    events = [ring(), sip(1, call="1"), ring(0.5, "b"), sip(1.5, call="2"), note(9)]
    assert "fail" not in verdicts(judge(tmp_path, "expect: invite, exactly: 1", events))
    assert verdicts(judge(tmp_path / "2", "expect: invite, exactly: 1", [e for e in events if e.at != 0.5])) == {"fail"}


def test_a_finding_names_its_events_and_says_what_was_expected(tmp_path: Path) -> None:
    (finding,) = judge(tmp_path, WITHIN, [ring(), told(1.3), note(9)])
    assert finding.verdict is Verdict.FAIL
    assert finding.at == (0, 1)
    assert finding.message == "told comes too late after ring"
    assert (finding.expected, finding.seen) == ("at least 1 within 1 s", "0, and 1.2 s after")
    assert finding.subject == "A ring"
