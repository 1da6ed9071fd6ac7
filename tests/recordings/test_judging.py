"""What a recording is worth: honest traffic is never said to deviate, however little of it was recorded; a deviation that
the recorded part shows without doubt is found.

The calls are those of tests/checks/data, taken as somebody records them: without what only a scenario knows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from harness.contract import load_contracts
from harness.recordings.judging import Case, Judged, judge_recording, write_timeline
from harness.recordings.sip_capture import CapturedSip
from harness.redact import Redactor
from harness.timeline import Exchange
from harness.verdicts import Verdict
from tests.recordings.build import Item, another, names, scene, sorted_pile, wrong

# What a recording cannot show: it needs a scenario that knows what it provoked or placed, that saw every leg, or that was
# the only caller.
ONLY_IN_A_SCENARIO = {
    "alarm-in-a-faultless-call", "api-valid-request-refused", "monitoring-leg-not-told", "no-monitoring-leg",
    "another-destination-invited", "another-response-code-told", "another-session-id",
    "answered-told-too-early", "call-pushed-twice", "callback-cut-short", "new-call-with-another-call-id", "no-new-call",
    "no-push", "no-push-for-the-second-call", "no-ringing-told", "push-while-call-is-up", "reply-id-refused",
    "session-completed-late", "session-completed-while-call-is-up", "two-calls-with-one-trace", "wrong-direction",
}  # fmt: skip
_LISTENED_ON = 30.0

Recorded = TypeVar("Recorded", Exchange, CapturedSip)


def judge(folder: Path, items: Sequence[Item], system: str, *, listened_on: float = 0.0) -> Judged:
    contract = load_contracts((system,))[system]
    pile, ordered = sorted_pile(items, contract, listened_on)
    events, timeline = write_timeline(ordered, folder, Redactor())
    return judge_recording(Case(contract, folder, "a recording", time.time()), pile, events, timeline)


def deviating(judged: Judged) -> set[str]:
    return {
        item.clause.id for item in judged.record.verdict.clauses if item.verdict in (Verdict.FAIL, Verdict.WARN)
    }  # fmt: skip


@pytest.mark.parametrize("name", names("honest"))
def test_an_honest_call_shows_what_it_can_and_never_deviates(name: str, tmp_path: Path) -> None:
    header, items = scene("honest", name)
    judged = judge(tmp_path, items, header["system"], listened_on=_LISTENED_ON)
    assert deviating(judged) == set()
    passed = {item.clause.id for item in judged.record.verdict.clauses if item.verdict is Verdict.PASS}
    if header["system"] == "mediaservice":  # pushes of VTX are promised for calls that only a scenario knows of
        assert set(header["passes"]) <= passed


@pytest.mark.parametrize("name", names("broken"))
def test_a_broken_call_fails_what_it_breaks_or_nothing(name: str, tmp_path: Path) -> None:
    header, items = scene("broken", name)
    found = deviating(judge(tmp_path, items, header["system"], listened_on=_LISTENED_ON))
    expected = set(header["fails"])
    if name == "record-ends-before-the-deadline":  # here somebody did go on listening
        expected = set(header["undecided"])
    assert found <= expected
    assert bool(found) is (name not in ONLY_IN_A_SCENARIO and bool(expected))


def test_any_stretch_of_an_honest_call_is_honest() -> None:
    for name in ("ivr-call-retransmissions", "connected-call", "remote-call", "placed-ivr-call", "call-log"):
        header, items = scene("honest", name)
        for kind in ((Exchange,), (Exchange, CapturedSip)):
            kept = [item for item in items if isinstance(item, kind)]
            for start in range(0, len(kept), 2):
                for end in range(start + 1, len(kept) + 1, 3):
                    assert wrong(kept[start:end], header["system"]) == [], (name, start, end)


def test_calls_that_overlap_with_planes_cut_shifted_and_half_captured_are_honest() -> None:
    dice = random.Random(5)
    calls = [name for name in names("honest") if scene("honest", name)[0]["system"] == "mediaservice"]
    scenes = {name: scene("honest", name)[1] for name in calls}
    for number in range(150):
        chosen = [dice.choice(calls) for _ in range(dice.choice([1, 2, 2, 3]))]
        items = [
            item
            for place, name in enumerate(chosen)
            for item in another(scenes[name], f"q{place}-", dice.uniform(0, 4))
        ]
        http = stretch([item for item in items if isinstance(item, Exchange)], dice)
        skew = dice.uniform(-0.8, 0.8)
        sip = stretch([replace(item, at=item.at + skew) for item in items if isinstance(item, CapturedSip)], dice)
        if dice.random() < 0.3:
            lost = dice.choice([(item.source, item.target) for item in sip] or [("", "")])
            sip = [item for item in sip if (item.source, item.target) != lost]
        kept: list[Item] = [*http, *sip]
        if kept:
            assert wrong(kept, "mediaservice") == [], (number, chosen)


def stretch(items: Sequence[Recorded], dice: random.Random) -> list[Recorded]:
    ordered = sorted(items, key=lambda item: item.at)
    if dice.random() < 0.4 or not ordered:
        return ordered
    start = dice.randrange(len(ordered))
    return ordered[start : dice.randrange(start, len(ordered) + 1)]


@pytest.mark.parametrize("wrong_by", [-3600.0, -12.0, 1.5, 61.0])
def test_where_a_clock_was_wrong_sip_is_not_judged_and_that_is_said(wrong_by: float, tmp_path: Path) -> None:
    contract = load_contracts(("mediaservice",))["mediaservice"]
    _, items = scene("honest", "ivr-call")
    shifted = [replace(item, at=item.at + wrong_by) if isinstance(item, CapturedSip) else item for item in items]
    pile, ordered = sorted_pile(shifted, contract)
    events, timeline = write_timeline(ordered, tmp_path, Redactor())
    judged = judge_recording(Case(contract, tmp_path, "a recording", time.time()), pile, events, timeline)
    assert deviating(judged) == set()
    assert f"disagree: SIP is {abs(wrong_by):.1f} s {'ahead' if wrong_by > 0 else 'behind'}" in pile.notes[0]
    verdicts = {item.clause.id: item.verdict for item in judged.record.verdict.clauses}
    assert verdicts["MS-newCall-sipCallId"] is Verdict.NONE
    assert verdicts["MS-newCall.body"] is Verdict.PASS


def test_a_call_that_raised_an_alarm_may_go_wrong_for_anybodys_fault(tmp_path: Path) -> None:
    """A caller's session description without sense, say: the platform cannot answer, and nobody recorded why."""
    _, items = scene("broken", "alarm-in-a-faultless-call")
    refused = [
        item for item in items if not (isinstance(item, CapturedSip) and "200 OK" in item.text.partition("\r\n")[0])
    ]
    gone = [item for item in refused if not (isinstance(item, Exchange) and "getIvrCommand" in item.request.url)]
    assert deviating(judge(tmp_path, gone, "mediaservice", listened_on=_LISTENED_ON)) == set()
    silent = [item for item in gone if not (isinstance(item, Exchange) and item.request.url.endswith("alarm"))]
    assert "MS-newCall-action-ivr" in deviating(judge(tmp_path, silent, "mediaservice", listened_on=_LISTENED_ON))


def test_a_caller_who_gives_up_is_not_answered(tmp_path: Path) -> None:
    _, items = scene("honest", "ivr-call")
    invite = next(item for item in items if isinstance(item, CapturedSip))
    kept = [item for item in items if isinstance(item, Exchange) and "getIvrCommand" not in item.request.url]
    cancel = replace(invite, at=invite.at + 0.3, text=invite.text.replace("INVITE", "CANCEL"))
    answers = [
        replace(
            invite,
            at=invite.at + 0.31,
            source=invite.target,
            target=invite.source,
            text=invite.text.replace(start, line, 1),
        )
        for start in [invite.text.partition("\r\n")[0]]
        for line in ("SIP/2.0 100 Trying", "SIP/2.0 487 Request Terminated")
    ]
    judged = judge(tmp_path, [*kept, invite, cancel, *answers], "mediaservice", listened_on=_LISTENED_ON)
    assert "MS-newCall-action-ivr" not in deviating(judged)


def test_what_the_application_did_not_take_may_come_again(tmp_path: Path) -> None:
    _, items = scene("honest", "ivr-call")
    last = max((item for item in items if isinstance(item, Exchange)), key=lambda item: item.at)
    assert last.response is not None
    untaken = replace(last, at=last.at - 0.2, ended=last.at - 0.1, response=replace(last.response, status=503))
    assert deviating(judge(tmp_path, [*items, untaken], "mediaservice")) == set()
    twice = replace(last, at=last.at + 0.2, ended=last.at + 0.3)
    assert "MS-session-completed-once" in deviating(judge(tmp_path, [*items, twice], "mediaservice"))


def test_numbers_of_a_real_platform_tell_by_their_callback_what_kind_of_call_it_is(tmp_path: Path) -> None:
    _, items = scene("honest", "ivr-call")
    dialled = [
        replace(item, text=item.text.replace("ivr-menu", "+15550199"))
        if isinstance(item, CapturedSip)
        else replace(item, request=replace(item.request, body=item.request.body.replace(b"ivr-menu", b"+15550199")))
        for item in items
    ]
    judged = judge(tmp_path, dialled, "mediaservice")
    passed = {item.clause.id for item in judged.record.verdict.clauses if item.verdict is Verdict.PASS}
    assert {"MS-newCall", "MS-newCall-sipCallId", "MS-newCall-fromUser", "MS-newCall-action-ivr"} <= passed


def test_a_recording_with_nothing_of_the_system_says_nothing(tmp_path: Path) -> None:
    _, items = scene("honest", "ivr-call")
    verdict = judge(tmp_path, [item for item in items if isinstance(item, CapturedSip)], "mediaservice").record.verdict
    assert verdict.exit_code == 3
    assert "record these too" in verdict.conclusion
