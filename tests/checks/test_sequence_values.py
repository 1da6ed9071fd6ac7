"""Equal means equal in meaning."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks.flows.values import agree, comparable, instant, text_of


@pytest.mark.parametrize(
    ("compare", "seen", "promised"),
    [
        ("text", 7, "7"),
        ("text", 7.0, "7"),
        ("text", True, "true"),
        ("text", '{"b": 1, "a": [2]}', {"a": [2], "b": 1}),
        ("number", "7.50", 7.5),
        ("number", "0486", 486),
        ("phone", "0041215550199", "+41215550199"),
        ("phone", "0215550199", "+41215550199"),
        ("phone", "+41 (21) 555-01.99", "41215550199"),
        ("phone", "sip:+1555010@h;user=phone", "tel:+1-555-010"),
        ("phone", "alice", "alice"),
        ("instant", "2025-01-31T11:30:31.5+01:00", "2025-01-31T10:30:31.500Z"),
        ("instant", "2025-01-31T10:30:31.500000+0000", "2025-01-31T11:30:31.5+01"),
        ("instant", "2025-01-31T10:30:31Z", 1738319431000),
        ("uri", "<sip:Bob@EXAMPLE.org:5060;user=phone>;tag=1", "sip:Bob@example.org"),
        ("uri", "tel:+1-555", "tel:+1555"),
        ("uri", "HTTP://Host:80/a%20b?x=1", "http://host/a b?x=1"),
    ],
)
def test_the_same_in_other_words(compare: str, seen: Any, promised: Any) -> None:
    assert agree(compare, seen, promised)
    assert agree(compare, promised, seen)


@pytest.mark.parametrize(
    ("compare", "seen", "promised"),
    [
        ("text", "7", "07"),
        ("text", "[", {}),
        ("number", "7", "8"),
        ("number", "x", "7"),
        ("phone", "+41215550199", "+41215550198"),
        ("phone", "+41215550199", "+49215550199"),
        ("phone", "0199", "+41215550199"),
        ("phone", "5550199", "+41215550199"),
        ("phone", "Alice", "alice"),
        ("instant", "2025-01-31T11:30:31+01:00", "2025-01-31T11:30:31Z"),
        ("instant", "2025-13-31T11:30:31Z", "2025-01-31T11:30:31Z"),
        ("uri", "sip:bob@h:5061", "sip:bob@h"),
        ("uri", "sip:Bob@h", "sip:bob@h"),
        ("uri", "sips:bob@h", "sip:bob@h"),
        ("uri", "http://h/a?x=1", "http://h/a?x=2"),
        ("uri", "http://[h/a", "http://h/a"),
    ],
)
def test_what_differs_in_meaning(compare: str, seen: Any, promised: Any) -> None:
    assert not agree(compare, seen, promised)
    assert not agree(compare, promised, seen)


def test_only_text_compares_objects() -> None:
    assert comparable("text", {})
    assert not comparable("uri", [{"destAddr": "sip:x@h"}])
    assert not comparable("text", None)


def test_odd_values_are_no_instants() -> None:
    odd: tuple[Any, ...] = (True, None, "soon", "2025-01-31T11:30:31", 10**20, {})
    assert [instant(value) for value in odd] == [None] * 6


def test_values_are_written_as_json_writes_them() -> None:
    assert [text_of(v) for v in (None, False, 3, 1.5, 1e300, [1], "x")] == [
        "null",
        "false",
        "3",
        "1.5",
        "1e+300",
        "[1]",
        "x",
    ]
