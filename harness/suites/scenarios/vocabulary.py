"""What all steps share: how a Then step names its clause, and words for numbers.

A Then step ends with the clause that it decides in square brackets, so that a deviation is held against the promise that
was broken and not against its whole scenario.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from pytest_bdd import parsers, then

from harness.suites.scenario import InconclusiveError
from harness.timeline import HttpExchange, HttpResponse
from harness.verdicts import Reason

P = ParamSpec("P")
T = TypeVar("T")
CLAUSE = r"\s*\[(?P<clause>[A-Z]{2,3}-[^\]\s]+)\]"
_PLACEHOLDER = re.compile(r"\{(\w+)(?:\|([^{}]*))?\}")


class StepPattern(parsers.re):
    """Step text with `{name}` placeholders; `clause`: it ends with a clause in brackets. `words`: as people write it.

    `{name|one|two words}` takes only these, so that steps that begin or end alike can be told apart.
    """

    def __init__(self, text: str, *, clause: bool = False) -> None:
        pattern, last = "", 0
        for found in _PLACEHOLDER.finditer(text):
            choices = "|".join(map(re.escape, found[2].split("|"))) if found[2] else ".*?"
            pattern += f"{re.escape(text[last : found.start()])}(?P<{found[1]}>{choices})"
            last = found.end()
        super().__init__(pattern + re.escape(text[last:]) + (CLAUSE if clause else ""))
        self.words = text + (" [CLAUSE]" if clause else "")


def step_pattern(text: str, *, clause: bool = False) -> StepPattern:
    """A parser for step text; see `StepPattern`."""
    return StepPattern(text, clause=clause)


def decides(text: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Registers a Then step that decides a clause; the function gets the clause's id as `clause`."""
    return then(step_pattern(text, clause=True))


def table(datatable: list[list[str]]) -> dict[str, str]:
    """A two-column data table as a mapping."""
    return {row[0]: row[1] for row in datatable}


def member(value: Any, path: str) -> Any:
    """The member at a dotted path; None where there is none."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def answered(exchange: HttpExchange | None) -> HttpResponse:
    """The answer of an exchange that a step before has made. Raises InconclusiveError when nobody answered."""
    assert exchange is not None, "no request was sent yet"
    if exchange.response is None:
        raise InconclusiveError(Reason.UNREACHABLE, exchange.failure or "no answer")
    return exchange.response


class LastAnswer:
    """What a scenario works with has sent requests, and steps speak of the last one."""

    last: HttpExchange | None = None

    def answer(self) -> HttpExchange:
        """The last exchange; inconclusive when nobody answered."""
        answered(self.last)
        assert self.last is not None
        return self.last

    @property
    def status(self) -> int:
        return answered(self.last).status
