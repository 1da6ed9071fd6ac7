"""Progress: one line that rewrites itself on a terminal, a few lines elsewhere, nothing without a stream."""

from __future__ import annotations

import io

from harness.report.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def play(stream: io.StringIO | None, outcomes: list[str]) -> None:
    with Progress(stream) as progress:
        progress.expect(len(outcomes))
        progress.expect(len(outcomes))
        for number, outcome in enumerate(outcomes):
            progress.finished(f"tests/x.py::test_{number}@group", outcome)


def test_a_pipe_gets_a_few_lines_and_each_deviation() -> None:
    stream = io.StringIO()
    play(stream, ["passed"] * 50 + ["failed"] + ["skipped"] * 48 + ["error"])
    lines = stream.getvalue().splitlines()
    assert "deviated: test_50" in lines
    assert len(lines) == 5
    assert "\r" not in stream.getvalue()
    assert lines[-1].startswith("100/100 tests, ")
    assert lines[-1].endswith(": 50 passed, 1 deviated, 48 undecided, 1 broke")


def test_a_terminal_gets_one_line_that_is_wiped_at_the_end() -> None:
    stream = Terminal()
    play(stream, ["passed"] * 5)
    text = stream.getvalue()
    assert "\n" not in text
    assert "5/5 tests" in text
    assert text.endswith(" \r")
    shown = text.split("\r")
    assert all(len(line) <= 118 for line in shown)
    assert shown[-2].strip() == ""


def test_without_a_stream_nothing_happens() -> None:
    play(None, ["passed", "failed"])


def test_tests_that_nobody_announced_are_counted_all_the_same() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress.finished("x::test_a", "failed")
        progress.finished("x::test_b", "passed")
    assert stream.getvalue() == "deviated: test_a\n"
