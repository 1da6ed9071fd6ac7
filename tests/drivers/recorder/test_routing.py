"""Which route takes a callback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.drivers.recorder.answers import MISSING, Answer, Match
from harness.drivers.recorder.routing import Inquiry, RouteEntry, RouteTable, ancestors


def entry(
    name: str, prefix: str = "/cb", *, owner: int = 1, method: str | None = None, match: Match | None = None,
    learn: tuple[str, ...] = (), answers: tuple[Answer, ...] = (Answer(),),
) -> RouteEntry:  # fmt: skip
    return RouteEntry(name, owner, prefix, answers, method, match or Match(), learn)


def post(target: str = "/cb/newCall", body: Any = None, headers: tuple[tuple[str, str], ...] = ()) -> Inquiry:
    return Inquiry("POST", target, headers, json.dumps(body).encode() if body is not None else b"")


def taken(table: RouteTable, inquiry: Inquiry) -> str | None:
    found = table.find(inquiry)
    return found.id if found else None


def test_longest_path_wins_over_more_conditions() -> None:
    table = RouteTable()
    table.add(entry("base", match=Match(json={"a": 1, "b": 2})))
    table.add(entry("deeper", "/cb/newCall"))
    assert taken(table, post(body={"a": 1, "b": 2})) == "deeper"
    assert taken(table, post("/cb/callEvent", {"a": 1, "b": 2})) == "base"


def test_more_conditions_win_then_the_first_registered() -> None:
    table = RouteTable()
    table.add(entry("any"))
    table.add(entry("first", match=Match(json={"calledParty": "ivr1"})))
    table.add(entry("second", match=Match(json={"calledParty": "ivr1"})))
    table.add(entry("both", match=Match(json={"calledParty": "ivr1", "callingParty": "x"})))
    assert taken(table, post(body={"calledParty": "ivr1"})) == "first"
    assert taken(table, post(body={"calledParty": "ivr1", "callingParty": "x"})) == "both"
    assert taken(table, post(body={"calledParty": "other"})) == "any"


def test_a_prefix_ends_at_a_slash() -> None:
    table = RouteTable()
    table.add(entry("script", "/scripts/abc"))
    assert taken(table, post("/scripts/abc")) == "script"
    assert taken(table, post("/scripts/abc/?x=1")) == "script"
    assert taken(table, post("/scripts/abc/more")) == "script"
    assert taken(table, post("/scripts/abcd")) is None


@pytest.mark.parametrize(
    ("match", "inquiry", "takes"),
    [
        (Match(headers={"x-token": "t"}), post(headers=(("X-Token", "t"),)), True),
        (Match(headers={"x-token": "t"}), post(headers=(("X-Token", "u"),)), False),
        (Match(query={"id": "7"}), post("/cb?id=7&x="), True),
        (Match(query={"id": "7"}), post("/cb?id=8"), False),
        (Match(json={"id": 7}), post(body={"id": "7"}), True),
        (Match(json={"id": ["1", "7"]}), post(body={"id": 7}), True),
        (Match(json={"id": True}), post(body={"id": "True"}), False),
        (Match(json={"a.0.b": "x"}), post(body={"a": [{"b": "x"}]}), True),
        (Match(json={"a.1.b": "x"}), post(body={"a": [{"b": "x"}]}), False),
        (Match(json={"a": None}), post(body={"a": None}), True),
        (Match(json={"a": None}), post(body={}), False),
        (Match(json={"a": 1}), Inquiry("POST", "/cb", (), b"{not json"), False),
    ],
)
def test_conditions(match: Match, inquiry: Inquiry, takes: bool) -> None:
    table = RouteTable()
    table.add(entry("it", match=match))
    assert (taken(table, inquiry) == "it") is takes


def test_method_is_a_condition() -> None:
    table = RouteTable()
    table.add(entry("get", method="GET"))
    assert taken(table, post()) is None
    assert taken(table, Inquiry("GET", "/cb")) == "get"


def test_a_learned_session_leads_later_callbacks_to_the_owner_that_learned_it() -> None:
    table = RouteTable()
    for owner in (1, 2):
        table.add(entry(f"new{owner}", owner=owner, match=Match(json={"to": f"ivr{owner}"}), learn=("sessionId",)))
        table.add(entry(f"later{owner}", owner=owner, match=Match(known="sessionId")))
    assert taken(table, post(body={"sessionId": 5})) is None
    assert taken(table, post(body={"to": "ivr2", "sessionId": 5})) == "new2"
    assert taken(table, post(body={"sessionId": "5"})) == "later2"
    assert taken(table, post(body={"sessionId": "6"})) is None


def test_one_of_several_learned_values_is_enough_under_whatever_member_it_comes() -> None:
    table = RouteTable()
    table.add(entry("new", match=Match(mentions="x7"), learn=("sessionId", "participantId", "other=participantId")))
    table.add(entry("later", match=Match(known=("sessionId", "callee=participantId"))))
    assert taken(table, post(body={"callee": "p2"})) is None
    assert (
        taken(table, post(body={"user": "alice-x7", "sessionId": "s", "participantId": "p1", "other": "p2"})) == "new"
    )
    assert taken(table, post(body={"callee": "p2"})) == "later"
    assert taken(table, post(body={"callee": "s"})) is None
    assert taken(table, post(body={"user": "alice-x7", "sessionId": "s"})) == "later"


def test_an_owner_that_leaves_takes_all_with_it() -> None:
    table = RouteTable()
    table.add(entry("one", owner=1, learn=("sessionId",)))
    table.add(entry("two", "/other", owner=2))
    table.claim(1, "/claimed")
    table.drop_owner(1)
    assert len(table) == 1
    assert taken(table, post()) is None
    assert table.concerned("/claimed/x") == frozenset()
    assert table.concerned("/other/x") == {2}


def test_what_comes_late_for_an_owner_who_is_gone_concerns_nobody_who_lives() -> None:
    table = RouteTable()
    table.add(entry("hook", "/hooks/one", owner=1))
    table.add(entry("any", "/", owner=2, match=Match(json={"subscriptionId": "s"})))
    assert table.concerned("/hooks/two") == {2}
    table.drop_owner(1)
    assert table.concerned("/hooks/one/x") == frozenset()
    assert table.concerned("/hooks/two") == {2}
    table.claim(3, "/hooks/one")
    assert table.concerned("/hooks/one/x") == {3}


def test_only_so_many_paths_of_the_past_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.drivers.recorder.routing.MAX_PAST", 2)
    table = RouteTable()
    table.claim(9, "/")
    for number in range(3):
        table.claim(1, f"/p{number}")
        table.drop_owner(1)
    assert [table.concerned(f"/p{number}") for number in range(3)] == [{9}, frozenset(), frozenset()]


def test_the_most_specific_claim_says_whom_an_unrouted_callback_concerns() -> None:
    table = RouteTable()
    table.claim(1, "/cb")
    table.claim(2, "/cb")
    table.claim(3, "/cb/mine")
    assert table.concerned("/cb/x") == {1, 2}
    assert table.concerned("/cb/mine/x") == {3}
    assert table.concerned("/else") == frozenset()


def test_answers_are_given_in_turn_and_the_last_repeats() -> None:
    route = entry("r", answers=(Answer(500), Answer(200)))
    assert [route.next_answer().status for _ in range(4)] == [500, 200, 200, 200]


def test_json_nested_too_deep_is_no_json() -> None:
    assert Inquiry("POST", "/", (), b"[" * 200_000).json is MISSING


def test_ancestors_end_at_the_root() -> None:
    assert list(ancestors("/a/b")) == ["/a/b", "/a", "/"]
    assert list(ancestors("/")) == ["/"]


def test_what_is_unrouted_under_the_root_or_a_path_of_several_may_be_anyones() -> None:
    table = RouteTable()
    table.claim(1, "/")
    table.claim(1, "/mine")
    table.claim(1, "/ours")
    table.claim(2, "/ours")
    assert table.is_shared("/newCall")
    assert table.is_shared("/ours/x")
    assert not table.is_shared("/mine/x")
