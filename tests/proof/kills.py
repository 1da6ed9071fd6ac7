"""Kills for the tests of the matrix, its record and its page."""

from __future__ import annotations

from harness.clauses import Clause, Level, Surface
from harness.proof.matrix import Kill, Outcome
from harness.reference.faults import Fault


def kill(
    name: str, outcome: Outcome = Outcome.CAUGHT, *, clause: str = "TS-kept", level: Level = Level.DOCUMENTED
) -> Kill:
    """A fault called toy-`name` in a clause of that level, and what became of it."""
    promise = Clause(
        id=clause, system="toy", area="Things", text="A promise", source="TS Things", level=level, surface=Surface.HTTP
    )
    fault = Fault(f"toy-{name}", "toy", clause, f"breaks it by {name}", lambda system: None)
    tests = ("a.py::test_dear", "a.py::test_cheap") if outcome is Outcome.CAUGHT else ()
    return Kill(fault, promise, outcome, "fail" if tests else "pass", tests, "it is <broken>" if tests else "")
