"""The words of steps: placeholders and clauses are found in a step's text, tables and members are read."""

from __future__ import annotations

from typing import Any

import pytest

from harness.suites.scenarios.vocabulary import member, step_pattern, table


@pytest.mark.parametrize(
    ("pattern", "clause", "text", "found"),
    [
        ("it rings", False, "it rings", {}),
        ("{name} rings {n} times", False, "a b rings 3 times", {"name": "a b", "n": "3"}),
        ("what? (a.b)", False, "what? (a.b)", {}),
        ("it rings", True, "it rings [TY-ring.status:enum]", {"clause": "TY-ring.status:enum"}),
        ('{who} says "{what}"', True, 'she says "[x]"  [TY-a]', {"who": "she", "what": "[x]", "clause": "TY-a"}),
    ],
)
def test_a_step_is_recognised_with_its_values(pattern: str, clause: bool, text: str, found: dict[str, str]) -> None:
    parser = step_pattern(pattern, clause=clause)
    assert parser.is_matching(text)
    assert parser.parse_arguments(text) == found


@pytest.mark.parametrize(
    ("pattern", "clause", "text"),
    [
        ("it rings", True, "it rings"),
        ("it rings", False, "it rings [TY-a]"),
        ("it rings", False, "it rings again"),
        ("what? (a.b)", False, "wha (axb)"),
        ("it rings", True, "it rings [lower-case]"),
    ],
)
def test_another_text_is_another_step(pattern: str, clause: bool, text: str) -> None:
    assert not step_pattern(pattern, clause=clause).is_matching(text)


def test_a_table_of_two_columns_is_a_mapping() -> None:
    assert table([["a", "1"], ["b", ""]]) == {"a": "1", "b": ""}


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": {"b": None}}, "a.b", None),
        ({"a": 1}, "a.b", None),
        ([1], "a", None),
        (None, "a", None),
        ({"a": 0}, "a", 0),
    ],
)
def test_a_member_is_found_by_its_path(value: Any, path: str, found: Any) -> None:
    assert member(value, path) == found
