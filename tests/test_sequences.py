"""Call flows as data, read from `sequences.yaml`. Broken files: tests/specs/test_bad_input.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.contract import load_contract, load_contracts
from harness.sequences import TIMINGS, Absent, Agree, Condition, Expect, Flow, Order, Precede, Rule, Unique
from harness.target import Timing
from tests.specs.toy import write_toy

RULE = "{order: [ring, [invite, told]], clause: TY-told-once}"


def flow_with(folder: Path, rule: str) -> Flow:
    """The toy's flow with its second rule replaced."""
    (flow,) = load_contract(write_toy(folder, {"sequences.yaml": (RULE, rule)})).sequences
    return flow


def second_rule(folder: Path, words: str) -> Rule:
    return flow_with(folder, f"{{{words}, clause: TY-told-once}}\n      - {RULE}").rules[1]


def test_a_flow_has_events_conditions_and_what_to_remember(tmp_path: Path) -> None:
    (flow,) = load_contract(write_toy(tmp_path)).sequences
    assert (flow.name, flow.system, flow.start, flow.until) == ("ring", "toy", "ring", "again")
    assert flow.events["ring"].match == (Condition("operation", ("ring",)), Condition("status", ("2XX",)))
    assert flow.events["ring"].keep == {"id": "response.body.id"}
    assert flow.events["told"].same == {"request.body.id": "id"}
    assert flow.clauses == ("TY-ring-rings", "TY-told-once")


def test_a_rule_knows_its_clause_and_its_line(tmp_path: Path) -> None:
    (flow,) = load_contract(write_toy(tmp_path)).sequences
    expect, order = flow.rules
    assert isinstance(expect, Expect)
    assert (expect.events, expect.at_least, expect.at_most) == (("invite",), 1, 1)
    assert (expect.after, expect.within) == (("ring",), "answer")
    assert expect.location == "sequences.yaml:20"
    assert isinstance(order, Order)
    assert order.groups == (("ring",), ("invite", "told"))
    assert order.names == ("ring", "invite", "told")


@pytest.mark.parametrize(
    ("words", "least", "most"),
    [
        ("expect: told", 1, None),
        ("expect: told, exactly: 2", 2, 2),
        ("expect: told, at_least: 2", 2, None),
        ("expect: told, at_most: 1", 0, 1),
        ("expect: told, at_least: 1, at_most: 3", 1, 3),
    ],
)
def test_counts(tmp_path: Path, words: str, least: int, most: int | None) -> None:
    rule = second_rule(tmp_path, words)
    assert isinstance(rule, Expect)
    assert (rule.at_least, rule.at_most) == (least, most)


def test_rules_may_speak_of_any_of_several_events_and_of_some_instances_only(tmp_path: Path) -> None:
    rule = second_rule(tmp_path, "expect: [invite, told], each: ring, within: 2.5, when: invite, unless: [told]")
    assert isinstance(rule, Expect)
    assert rule.events == ("invite", "told")
    assert (rule.each, rule.within) == (("ring",), 2.5)
    assert (rule.when, rule.unless) == (("invite",), ("told",))
    assert rule.names == ("invite", "told", "invite", "told", "ring")


def test_absence_names_what_shows_that_the_event_could_be_seen(tmp_path: Path) -> None:
    rule = second_rule(tmp_path, "absent: told, control: ring, after: invite")
    assert isinstance(rule, Absent)
    assert (rule.events, rule.control, rule.after, rule.quiet) == (("told",), ("ring",), ("invite",), "quiet")


def test_precedence_agreement_and_uniqueness(tmp_path: Path) -> None:
    precede = second_rule(tmp_path / "1", "precede: [[ring, invite], told]")
    assert isinstance(precede, Precede)
    assert (precede.earlier, precede.later) == (("ring", "invite"), ("told",))
    agree = second_rule(tmp_path / "2", "agree: request.body.phone, of: told, with: id, as: phone")
    assert isinstance(agree, Agree)
    assert (agree.field, agree.remembered, agree.compare) == ("request.body.phone", "id", "phone")
    literal = second_rule(tmp_path / "3", "agree: request.body.again, of: told, value: [true, 2, null]")
    assert isinstance(literal, Agree)
    assert (literal.remembered, literal.values) == (None, ("true", "2", "null"))
    unique = second_rule(tmp_path / "4", "unique: request.body.id, of: [told]")
    assert isinstance(unique, Unique)
    assert unique.events == ("told",)


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ("[INVITE, BYE]", Condition("method", ("INVITE", "BYE"))),
        ("{pattern: 'IN.*'}", None),
        ("{not: BYE}", Condition("method", ("BYE",), negated=True)),
        ("{present: false}", Condition("method", present=False)),
    ],
)
def test_conditions(tmp_path: Path, written: str, condition: Condition | None) -> None:
    folder = write_toy(tmp_path, {"sequences.yaml": ("method: INVITE", f"method: {written}")})
    (flow,) = load_contract(folder).sequences
    found = flow.events["invite"].match[0]
    if condition is None:
        assert found.pattern is not None
        assert found.pattern.fullmatch("INVITE")
    else:
        assert found == condition


def test_items_of_a_batch_are_events_with_members_of_their_own(tmp_path: Path) -> None:
    told = "match: {operation: told}\n        same: {request.body.id: id}"
    batch = "items: request.body.events\n        match: {operation: told}\n        same: {item.id: id}"
    folder = write_toy(tmp_path, {"sequences.yaml": (told, batch)})
    (flow,) = load_contract(folder).sequences
    assert flow.events["told"].items == "request.body.events"
    assert flow.events["told"].same == {"item.id": "id"}


def test_the_named_timings_are_those_of_a_target_file() -> None:
    assert set(TIMINGS) == set(Timing.model_fields)


def test_shipped_flows_have_titles_and_decide_clauses_that_can_be_tested() -> None:
    flows = [(contract, flow) for contract in load_contracts().values() for flow in contract.sequences]
    assert flows
    for contract, flow in flows:
        assert flow.title
        untestable = [clause for clause in flow.clauses if contract.catalogue[clause].untestable]
        assert not untestable, f"{flow.system} {flow.name}"
