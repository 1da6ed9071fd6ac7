"""What belongs together, judged only where the record tells what does. Whole calls: test_sequence_cases.py."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness.checks.correlation import check_correlation
from harness.checks.flows.record import Record
from harness.contract import load_contracts
from harness.timeline import event_from_json
from harness.verdicts import Finding, Verdict
from tests.checks.data.broken import change, named, operation, without
from tests.checks.data.scenes import Scene, call_log, connected_call, ivr_call, reference_scene, remote_call


def judge(scene: Scene) -> list[Finding]:
    events = [event_from_json(line) for line in sorted(scene.lines, key=lambda line: line["at"])]
    return list(check_correlation(Record(events, load_contracts((scene.system,))[scene.system], system=scene.system)))


def failed(scene: Scene) -> set[str]:
    return {finding.clause for finding in judge(scene) if finding.verdict is Verdict.FAIL}


def passed(scene: Scene) -> set[str]:
    return {finding.clause for finding in judge(scene) if finding.verdict is Verdict.PASS}


def several(scene: Scene) -> Scene:
    scene.note(0.3, "several-calls")
    return scene


@pytest.mark.parametrize("make", [ivr_call, connected_call, reference_scene, remote_call, call_log])
def test_nothing_is_wrong_with_honest_calls(make: Callable[[], Scene]) -> None:
    assert failed(make()) == set()


def test_another_system_is_not_judged() -> None:
    assert judge(call_log()) == []


def test_another_session_is_wrong_only_where_there_is_one_call() -> None:
    assert failed(change(connected_call(), "callEvent", sessionId="s-9")) == {"MS-sessionId-constant"}
    assert "MS-sessionId-constant" not in failed(several(change(connected_call(), "callEvent", sessionId="s-9")))


def test_a_call_that_was_led_on_may_have_several_sessions_and_traces() -> None:
    scene = change(connected_call(), "sessionCompleted", sessionId="s-9", traceId="trace-9")
    named(scene, "callEvent")[0]["response"]["body"] = '{"action": "call", "destAddr": "sip:x@h"}'
    assert failed(scene) == set()


def test_the_trace_of_call_answered_belongs_to_the_call() -> None:
    assert failed(change(connected_call(), "callAnswered", traceId="trace-9")) == {"MS-traceId-constant"}
    assert "MS-traceId-constant" in passed(connected_call())


def test_what_a_flow_compares_is_not_counted_twice() -> None:
    assert failed(change(connected_call(), "sessionCompleted", traceId="trace-9")) == set()


def test_a_domain_is_the_same_in_other_letters_and_unknown_without_operations() -> None:
    assert failed(change(remote_call(), "sessionCompleted", domain="CUSTOMER.example.org")) == set()
    assert failed(change(remote_call(), "sessionCompleted", domain="other")) == {"MS-domain-tenant"}
    assert "MS-domain-tenant" not in passed(change(ivr_call(), "sessionCompleted", domain="other"))


def test_an_alarm_has_a_clause_of_its_own_for_its_domain() -> None:
    scene = remote_call()
    scene.callback(1.0, "alarm", {"type": "callError", "domain": "other", "sessionId": "s-4", "error": "invalidSdp"})
    assert failed(scene) == {"MS-alarm-domain"}


def test_a_refused_reply_id_is_wrong_only_where_success_was_due() -> None:
    scene = reference_scene()
    operation(scene, "hangupParticipant")["response"]["body"] = '{"success": false}'
    assert failed(scene) == {"MS-replyId-accepted"}
    del operation(scene, "hangupParticipant")["about"]["expect"]
    assert failed(scene) == set()


def test_reply_ids_of_remote_calls_are_shown_by_the_operations_that_took_them() -> None:
    assert "MS-newRemoteCall-replyId-accepted" in passed(remote_call())
    assert "MS-newRemoteCall-replyId-accepted" not in passed(change(remote_call(), "newRemoteCall", replyId="r-0"))


def test_a_reference_may_be_null_in_some_callbacks_but_not_in_all() -> None:
    assert failed(change(reference_scene(), "getIvrCommand", sessionReferenceId=None)) == set()
    scene = reference_scene()
    for name in ("callAnswered", "getIvrCommand", "sessionCompleted"):
        change(scene, name, sessionReferenceId=None)
    assert failed(scene) == {"MS-placeivrcall-sessionReferenceId"}


def test_the_last_reference_that_was_given_is_the_one_that_comes_back() -> None:
    scene = ivr_call()
    first, last = named(scene, "getIvrCommand")
    first["response"]["body"] = json.dumps({"sessionId": "s-1", "replyId": "r-1", "sessionReferenceId": "new"})
    assert failed(scene) == {"MS-getIvrCommand-sessionReferenceId"}
    body = json.loads(last["request"]["body"])
    last["request"]["body"] = json.dumps({**body, "sessionReferenceId": "new"})
    change(scene, "sessionCompleted", sessionReferenceId="new")
    assert failed(scene) == set()
    assert "MS-getIvrCommand-sessionReferenceId" in passed(scene)


@pytest.mark.parametrize("moment", [0.02, 0.3])
def test_an_operation_may_overtake_the_answer_that_was_given_a_moment_before_it(moment: float) -> None:
    scene = change(remote_call(), "sessionCompleted", sessionReferenceId="ref-3")
    (announced,) = named(scene, "newRemoteCall")
    announced["response"]["body"] = json.dumps({"sessionReferenceId": "ref-3"})
    announced["ended"] = operation(scene, "answerRemoteCall")["at"] - moment
    clause = "MS-answerremotecall-sessionReferenceId"
    assert (clause in failed(scene)) == (moment > 0.05)
    assert clause not in passed(scene)


def test_an_answer_that_the_platform_could_not_take_gives_no_reference() -> None:
    scene = ivr_call()
    first = named(scene, "getIvrCommand")[0]
    first["response"]["body"] = json.dumps({"sessionReferenceId": "new"})
    first["response"]["status"] = 500
    assert "MS-getIvrCommand-sessionReferenceId" not in failed(scene)


def test_a_lost_reference_is_seen_where_no_value_is_left_to_compare() -> None:
    scene = change(ivr_call(), "getIvrCommand", sessionReferenceId={})
    assert failed(change(scene, "sessionCompleted", sessionReferenceId="")) == {"MS-newCall-sessionReferenceId"}
    assert failed(without(ivr_call(), "getIvrCommand", "sessionCompleted")) == set()


def test_empty_references_are_no_inventions() -> None:
    scene = change(connected_call(), "sessionCompleted", sessionReferenceId={})
    assert failed(scene) == set()
    assert "MS-sessionReferenceId-not-invented" in passed(scene)
    assert failed(change(connected_call(), "callEvent", sessionReferenceId=7)) == {"MS-sessionReferenceId-not-invented"}


def test_traces_of_calls_that_the_harness_began_differ() -> None:
    scene, other = ivr_call("s-1", "1-1@a", "ivr-a"), ivr_call("s-2", "2-1@a", "ivr-b")
    scene.lines += [{**line, "at": line["at"] + 0.5} for line in other.lines]
    assert failed(several(scene)) == {"MS-traceId-distinct"}
    foreign = _without_invites(ivr_call("s-1", "1-1@a", "ivr-a"))
    foreign.lines += [{**line, "at": line["at"] + 0.5} for line in _without_invites(other).lines]
    assert failed(several(foreign)) == set()


def _without_invites(scene: Scene) -> Scene:
    scene.lines = [line for line in scene.lines if not line.get("text", "").startswith("INVITE ")]
    return scene
