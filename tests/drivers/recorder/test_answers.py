"""Answers as data: rendered, and carried over the control socket without loss."""

from __future__ import annotations

import json

import pytest

from harness.drivers.recorder.answers import MISSING, Answer, Match
from harness.drivers.recorder.errors import RecorderError


def test_json_answers_say_so_unless_a_header_says_otherwise() -> None:
    assert Answer(json={"a": None}).render(MISSING) == (
        200,
        (("Content-Type", "application/json"),),
        b'{"a": null}',
    )
    assert Answer(json=[], headers={"content-type": "text/plain"}).render(MISSING)[1] == (
        ("content-type", "text/plain"),
    )


def test_a_template_echoes_members_and_leaves_out_what_the_request_lacks() -> None:
    template = {"sessionId": "$.sessionId", "first": "$.list.0", "no": "$.nothing", "action": "drop", "l": ["$.n", 1]}
    _, _, body = Answer(template=template).render({"sessionId": 5, "list": ["x"], "n": None})
    assert json.loads(body) == {"sessionId": 5, "first": "x", "action": "drop", "l": [None, 1]}


def test_a_template_for_a_request_without_json_echoes_nothing() -> None:
    assert json.loads(Answer(template={"a": "$.a", "b": 1}).render(MISSING)[2]) == {"b": 1}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        Answer(503, headers={"Retry-After": "1"}, body="späť", delay=0.5),
        Answer(body=b"\xff\x00", drop=True),
        Answer(json=None),
        Answer(template={"a": "$.a"}),
    ],
)
def test_answers_survive_the_control_socket(answer: Answer) -> None:
    there = Answer.from_json(json.loads(json.dumps(answer.to_json())))
    request = {"a": [1]}
    assert there.render(request) == answer.render(request)
    assert (there.delay, there.drop) == (answer.delay, answer.drop)


@pytest.mark.parametrize("status", [99, 100, 600])
def test_a_status_that_http_does_not_have_is_refused(status: int) -> None:
    with pytest.raises(RecorderError, match="200 to 599"):
        Answer.from_json(Answer(status).to_json())


def test_matches_survive_the_control_socket() -> None:
    match = Match(headers={"A": "b"}, query={"c": "d"}, json={"e": [1, None]}, known="f")
    assert Match.from_json(json.loads(json.dumps(match.to_json()))) == match
    assert match.weight == 5
