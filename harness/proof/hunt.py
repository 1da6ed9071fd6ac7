"""Runs trials until it is known what became of each fault, with as few tests as will tell.

A fault is first tried with the test that caught it the last time, then with the cheapest tests about its clause, with all
tests about it, and at last with all tests of its system. Each system's tests are run on the healthy platform as well: what
deviates there catches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from harness.clauses import Clause
from harness.proof.matrix import Kill, Outcome, weigh
from harness.proof.trial import Result, Trial
from harness.reference.faults import Fault

# Seconds of tests (as measured on the healthy platform) in a first try, and in each part of a whole run.
_FEW_SECONDS = 3.0
_PART_SECONDS = 30.0
_FEW_TESTS = 8
# A trial may take this long, and this many times what its tests took on the healthy platform; and each test may wait
# once, until its time is over, for something that never comes.
_LEAST_SECONDS = 60.0
_PATIENCE = 5.0
_VAIN_SECONDS = 15.0
CONTROL_SECONDS = 600.0
# A system is run on the healthy platform in so many parts side by side.
CONTROL_PARTS = 4


class ControlError(Exception):
    """The healthy platform was not judged, or was found to deviate: no catch would mean anything."""


class Trials(Protocol):
    """Where trials are run: `harness.proof.pool.Pool`."""

    @property
    def busy(self) -> bool: ...
    def submit(self, key: Hashable, trial: Trial) -> None: ...
    def wait(self) -> tuple[Hashable, Result]: ...


@dataclass(frozen=True)
class Control:
    """What the tests of a system say about the healthy platform; `complete`: all of them ran."""

    result: Result
    complete: bool

    def about(self, clause: str) -> list[str]:
        """Tests that decided the clause, the cheapest first."""
        return sorted(self.result.decided.get(clause, ()), key=lambda test: self.seconds([test]))

    def seconds(self, tests: Iterable[str]) -> float:
        return sum(self.result.times.get(test, 0.5) for test in tests)

    def deadline(self, tests: Collection[str]) -> float:
        return _LEAST_SECONDS + _PATIENCE * self.seconds(tests) + _VAIN_SECONDS * len(tests)


Stage = Generator[list[Trial], list[Result], Kill]


def controls(
    pool: Trials, wanted: Mapping[str, Sequence[str]], told: Callable[[str], None], keyword: str | None = None
) -> dict[str, Control]:
    """Run tests on the healthy platform: all of a system, or those that are named for it; `keyword` narrows both.

    Raises:
        ControlError: a run broke, or a clause deviates.
    """
    for system, tests in wanted.items():
        told(f"{system}: {len(tests) or 'all'} tests on the healthy platform")
        for number in range(1 if keyword else CONTROL_PARTS):  # a part of few tests may have none
            part = tuple(tests) if keyword else tuple(tests[number::CONTROL_PARTS])
            if part or not tests:
                shard = None if tests or keyword else f"{number + 1}/{CONTROL_PARTS}"
                pool.submit(system, Trial(system, (), part, CONTROL_SECONDS, keyword, shard))
    found: dict[str, Result] = {}
    while pool.busy:
        key, result = pool.wait()
        system = str(key)
        if result.problem:
            raise ControlError(f"{system}: the healthy platform could not be judged: {result.problem}")
        if wrong := result.deviations:
            named = ", ".join(f"{clause} ({result.messages.get(clause, '')})" for clause in sorted(wrong)[:5])
            raise ControlError(f"{system}: the healthy platform is found to deviate: {named}. Mend that first")
        found[system] = _joined(found.get(system, Result()), result)
    return {system: Control(result, complete=not wanted[system]) for system, result in found.items()}


def _joined(one: Result, other: Result) -> Result:
    """What two parts of a control run say together."""
    decided = {clause: list(tests) for clause, tests in one.decided.items()}
    for clause, tests in other.decided.items():
        decided.setdefault(clause, []).extend(tests)
    return Result(decided=decided, times={**one.times, **other.times})


def quick(fault: Fault, clause: Clause, tests: Sequence[str], control: Control) -> Stage:
    """Try a fault with the tests that caught it before."""
    chosen = tuple(tests)
    results = yield [_trial(fault, chosen, control)]
    return _kill(fault, clause, results, whole=False)


def thorough(fault: Fault, clause: Clause, control: Control) -> Stage:
    """Try a fault with ever more tests, until it is caught or none is left. The control must be complete."""
    about = control.about(fault.clause)
    few = _cheapest(about, control)
    spent = 0.0
    results: list[Result] = []
    for tests in dict.fromkeys((tuple(few), tuple(about))):
        if not tests:
            continue
        results = yield [_trial(fault, part, control) for part in _parts(tests, control)]
        spent += sum(result.seconds for result in results)
        found = _kill(fault, clause, results, whole=False)
        if found.outcome is Outcome.CAUGHT or (found.outcome is Outcome.BROKE and tests == tuple(about)):
            return replace(found, seconds=spent)
    rest = [test for test in control.result.times if test not in set(about)]
    results += yield [_trial(fault, part, control) for part in _parts(rest, control)]
    spent += sum(result.seconds for result in results)
    return replace(_kill(fault, clause, results, whole=True), seconds=spent)


def drive(pool: Trials, hunts: Iterable[Stage]) -> Iterator[Kill]:
    """Carry on all hunts side by side; gives each fault's end as it comes."""
    going: dict[int, tuple[Stage, dict[int, Result], int]] = {}

    def submit(number: int, stage: Stage, trials: list[Trial]) -> None:
        going[number] = (stage, {}, len(trials))
        for place, trial in enumerate(trials):
            pool.submit((number, place), trial)

    for number, stage in enumerate(hunts):
        submit(number, stage, next(stage))
    while pool.busy:
        key, result = pool.wait()
        assert isinstance(key, tuple)
        number, place = key
        stage, results, expected = going[number]
        results[place] = result
        if len(results) < expected:
            continue
        try:
            submit(number, stage, stage.send([results[index] for index in range(expected)]))
        except StopIteration as end:
            del going[number]
            yield end.value


def _trial(fault: Fault, tests: tuple[str, ...], control: Control) -> Trial:
    """The trial ends with the first test that sees the fault's clause broken."""
    return Trial(fault.system, (fault.id,), tests, control.deadline(tests), until=fault.clause)


def _kill(fault: Fault, clause: Clause, results: Sequence[Result], *, whole: bool) -> Kill:
    outcome, verdict = weigh(fault.clause, results)
    shown = [test for result in results for test in result.shown.get(fault.clause, ())]
    messages = [result.messages[fault.clause] for result in results if fault.clause in result.messages]
    others = dict.fromkeys(clause for result in results for clause in result.deviations if clause != fault.clause)
    return Kill(
        fault,
        clause,
        outcome,
        verdict=verdict,
        tests=tuple(shown) if outcome is Outcome.CAUGHT else (),
        message=messages[0] if messages else "",
        others=tuple(others),
        problem=next((result.problem for result in results if result.problem), ""),
        whole=whole,
        seconds=sum(result.seconds for result in results),
    )


def _cheapest(about: Sequence[str], control: Control) -> list[str]:
    few: list[str] = []
    for test in about[:_FEW_TESTS]:
        if few and control.seconds([*few, test]) > _FEW_SECONDS:
            break
        few.append(test)
    return few


def _parts(tests: Sequence[str], control: Control) -> list[tuple[str, ...]]:
    """Tests in parts that can run side by side, each with a platform of its own."""
    parts: list[list[str]] = [[]]
    for test in tests:
        if parts[-1] and control.seconds([*parts[-1], test]) > _PART_SECONDS:
            parts.append([])
        parts[-1].append(test)
    return [tuple(part) for part in parts if part]
