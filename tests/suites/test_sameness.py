"""What is shown is what was given, though another may write it differently."""

from __future__ import annotations

from typing import Any

import pytest

from harness.suites.scenarios.sameness import leaf_members, overlap_equal, same_value


@pytest.mark.parametrize(
    ("given", "shown", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", None, False),
        ("Ren\u00e9", "Rene\u0301", True),
        (5060, "5060", True),
        (5060, 5061, False),
        (True, True, True),
        (True, "True", False),
        (["a", "b"], ["b", "a"], True),
        (["a"], ["a", "b"], False),
        ([], [], True),
        ([], None, False),
        ("http://h:80/a%20b", "http://H/a b", True),
        ("http://h/a", "http://h/b", False),
        ("a", {"a": 1}, False),
    ],
)
def test_a_value_comes_back(given: Any, shown: Any, same: bool) -> None:
    assert same_value(given, shown) is same


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"id": 1, "a": 1}, {"id": 1, "a": 1, "b": 2}, True),
        ({"id": 1, "a": 1}, {"id": 1, "a": 2}, False),
        ({"id": 1}, {"id": 2}, False),
        ({"id": 1, "a": {"b": 1}}, {"id": 1, "a": {"b": 1, "c": 2}}, True),
        ({"id": 1, "a": {"b": 1}}, {"id": 1, "a": {"b": 2}}, False),
        ({"id": 1, "a": [1]}, {"id": 1, "a": [2]}, False),
    ],
)
def test_two_views_of_a_thing_agree_in_what_both_show(one: Any, other: Any, equal: bool) -> None:
    assert overlap_equal(one, other) is equal


def test_members_are_named_by_their_paths() -> None:
    assert leaf_members({"a": 1, "b": {"c": [2], "d": {"e": None}}}) == {"a": 1, "b.c": [2], "b.d.e": None}
