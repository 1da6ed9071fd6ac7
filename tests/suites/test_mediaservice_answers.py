"""What scenarios of Mediaservice answer to callbacks, and which of several calls a callback is of."""

from __future__ import annotations

from harness.drivers.recorder import Answer
from harness.suites.scenarios.mediaservice.answers import SILENCE, Answers, rendered
from harness.suites.scenarios.mediaservice.world import Call


def test_answers_are_used_up_in_turn_and_the_last_repeats() -> None:
    answers = Answers({"newCall": {"action": "drop"}})
    answers.set("getIvrCommand", [{"hangup": False}, b""])
    answers.add("getIvrCommand", 500)
    assert [answers.next("getIvrCommand") for _ in range(4)] == [{"hangup": False}, b"", 500, 500]
    assert answers.has("newCall")
    assert not answers.has("callEvent")


def test_what_is_not_said_is_answered_as_a_good_application_would() -> None:
    asked = {"sessionId": "s", "replyId": "r"}
    assert rendered("newCall", None, asked, "ref").json == {"action": "ivr", "sessionReferenceId": "ref"}
    assert rendered("getIvrCommand", None, asked, "ref").json == {"hangup": True, "sessionId": "s", "replyId": "r"}
    assert rendered("callEvent", None, asked, None).json == {"action": "drop", "dropCode": "dropNoMsg"}
    assert rendered("sessionCompleted", None, asked, None).json == {}


def test_a_reply_may_be_an_object_bytes_a_status_an_answer_or_a_function() -> None:
    assert rendered("newCall", {"action": "drop", "sessionReferenceId": 7}, {}, "ref").json["sessionReferenceId"] == 7
    assert rendered("newCall", b"x", {}, "ref") == Answer(body=b"x")
    assert rendered("newCall", 503, {}, None) == Answer(503)
    assert rendered("newCall", SILENCE, {}, None).drop
    made = rendered(
        "callEvent",
        lambda body: {"action": "connect", "participantId": body["participantId"]},
        {"participantId": "p"},
        None,
    )
    assert made.json == {"action": "connect", "participantId": "p"}


def test_a_callback_is_of_the_call_whose_names_or_ids_it_has() -> None:
    first, second = Call("alice1", "ivr1-77", "ref1"), Call("alice2", "ivr2-77", None)
    assert first.owns({"calledParty": "ivr1-77"})
    assert not second.owns({"calledParty": "ivr1-77"})
    assert first.owns({"sessionReferenceId": "ref1", "sessionId": "other"})
    second.ids.add(("participantId", "p"))
    assert second.owns({"calleeParticipantId": "p"})
    assert not second.owns({"connectionId": "p"})
    assert not second.owns({})
