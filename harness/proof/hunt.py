"""Runs trials until it is known what became of each fault, with as few tests as will tell.

A fault is first tried with the test that caught it the last time, then with the cheapest tests about its clause, with all
tests about it, and at last with all tests of its system. Each system's tests are run on the healthy platform as well: what
deviates there catches nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from harness.clauses import Clause
from harness.proof.matrix import Kill, Outcome, Seeded, weigh
from harness.proof.trial import Result, Trial
from harness.suites.mutants import Mutant

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
TARGET_SECONDS = 3600.0
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
    """What the tests of a system say about the healthy platform; `complete`: all of them ran.

    `patience`: a mutant that so many seconds of tests have not shown is missed, though more tests could be tried.
    """

    result: Result
    complete: bool
    patience: float = math.inf

    def about(self, fault: Seeded) -> list[str]:
        """Tests that may see it, the cheapest first: they decided the clause; for a mutant it is enough that they met it."""
        deciding = self.result.decided.get(fault.clause, ())
        if not isinstance(fault, Mutant):
            return sorted(deciding, key=lambda test: self.seconds([test]))
        met = self.result.sight.get(fault.id, ())
        found = sorted(met, key=lambda test: (test not in deciding, self.seconds([test])))
        spent = list(accumulate(self.seconds([test]) for test in found))
        return [test for test, until in zip(found, spent, strict=True) if until <= self.patience or test == found[0]]

    def meets(self, fault: Seeded) -> bool:
        """Whether it would change anything; of a fault that is not known before."""
        return not isinstance(fault, Mutant) or bool(self.result.sight.get(fault.id))

    def others(self, fault: Seeded) -> list[str]:
        """The other tests, where they may see it too. Which tests met a mutant is known."""
        if isinstance(fault, Mutant):
            return []
        about = set(self.about(fault))
        return [test for test in self.result.times if test not in about]

    def seconds(self, tests: Iterable[str]) -> float:
        return sum(self.result.times.get(test, 0.5) for test in tests)

    def deadline(self, tests: Collection[str]) -> float:
        return _LEAST_SECONDS + _PATIENCE * self.seconds(tests) + _VAIN_SECONDS * len(tests)


Stage = Generator[list[Trial], list[Result], Kill]


@dataclass(frozen=True)
class Ground:
    """What trials are run on: a reference platform for each, or a target. `trial`: what all trials have in common.

    A target is what it is: clauses of it that deviate show a mutant only by what is new. It gets one run at a time.
    """

    trial: Trial = field(default_factory=lambda: Trial(""))
    patience: float = math.inf

    @property
    def is_target(self) -> bool:
        return bool(self.trial.target)

    def with_options(self, keyword: str | None, keep: Path) -> Ground:
        """The same, by tests that match an expression only; `keep`: where ledgers of what is left at a target go."""
        return replace(self, trial=replace(self.trial, keyword=keyword, keep=str(keep)))

    def made(self, fault: Seeded, tests: Sequence[str], control: Control) -> Trial:
        """A trial of a fault or a mutant; it ends with the first test that sees the clause broken, if that is news."""
        until = None if fault.clause in control.result.prints else fault.clause
        plain = replace(self.trial, keyword=None, sight=False)  # the control has narrowed the tests already
        seconds = control.deadline(tests)
        common = replace(plain, system=fault.system, tests=tuple(tests), seconds=seconds, until=until)
        return replace(common, mutant=fault.id) if isinstance(fault, Mutant) else replace(common, faults=(fault.id,))


REFERENCE = Ground()


def controls(
    pool: Trials, wanted: Mapping[str, Sequence[str]], told: Callable[[str], None], ground: Ground = REFERENCE
) -> dict[str, Control]:
    """Run tests without a fault: all of a system, or those that are named for it.

    Raises:
        ControlError: a run broke, or a clause of the reference platform deviates.
    """
    keyword = ground.trial.keyword  # it narrows both, and a part of few tests may have none
    parts = 1 if ground.is_target or keyword else CONTROL_PARTS
    where = "the target" if ground.is_target else "the healthy platform"
    for system, tests in wanted.items():
        told(f"{system}: {len(tests) or 'all'} tests on {where}")
        for number in range(parts):
            part = tuple(tests[number::parts])
            if part or not tests:
                shard = None if tests or parts == 1 else f"{number + 1}/{parts}"
                seconds = TARGET_SECONDS if ground.is_target else CONTROL_SECONDS
                pool.submit(system, replace(ground.trial, system=system, tests=part, shard=shard, seconds=seconds))
    found: dict[str, Result] = {}
    while pool.busy:
        key, result = pool.wait()
        system = str(key)
        if result.problem:
            raise ControlError(f"{system}: {where} could not be judged: {result.problem}")
        if (wrong := result.deviations) and not ground.is_target:
            named = ", ".join(f"{clause} ({result.messages.get(clause, '')})" for clause in sorted(wrong)[:5])
            raise ControlError(f"{system}: the healthy platform is found to deviate: {named}. Mend that first")
        found[system] = _joined(found.get(system, Result()), result)
    return {
        system: Control(result, complete=not wanted[system], patience=ground.patience)
        for system, result in found.items()
    }


def _joined(one: Result, other: Result) -> Result:
    """What two parts of a control run say together."""
    return Result(
        verdicts={**one.verdicts, **other.verdicts},
        decided=_together(one.decided, other.decided),
        prints=_together(one.prints, other.prints),
        sight=_together(one.sight, other.sight),
        left=one.left or other.left,
        times={**one.times, **other.times},
    )


def _together(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: [*one.get(name, ()), *other.get(name, ())] for name in {**one, **other}}


def quick(fault: Seeded, clause: Clause, tests: Sequence[str], control: Control, ground: Ground = REFERENCE) -> Stage:
    """Try a fault with the tests that caught it before."""
    results = yield [ground.made(fault, tests, control)]
    return _kill(fault, clause, results, control, whole=False)


def thorough(fault: Seeded, clause: Clause, control: Control, ground: Ground = REFERENCE, *, before: str = "") -> Stage:
    """Try a fault with ever more tests, until it is caught or none is left. The control must be complete.

    `before`: the test that caught it before. It comes first, once more: what a machine was too busy for once is not hunted
    through all tests.
    """
    about = control.about(fault)
    if before in control.result.times:
        about = [before, *(test for test in about if test != before)]
    few = _cheapest(about, control)
    spent = 0.0
    results: list[Result] = []
    for tests in dict.fromkeys((tuple(few), tuple(about))):
        if not tests:
            continue
        results = yield [ground.made(fault, part, control) for part in _parts(tests, control)]
        spent += sum(result.seconds for result in results)
        found = _kill(fault, clause, results, control, whole=False)
        if found.outcome is Outcome.CAUGHT or (found.outcome is Outcome.BROKE and tests == tuple(about)):
            return replace(found, seconds=spent)
    if rest := control.others(fault):
        more = yield [ground.made(fault, part, control) for part in _parts(rest, control)]
        spent += sum(result.seconds for result in more)
        results += more
    return replace(_kill(fault, clause, results, control, whole=True), seconds=spent)


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


def unexercised(mutant: Seeded, clause: Clause) -> Kill:
    """Of a mutant that would have had nothing to change."""
    return Kill(mutant, clause, Outcome.UNEXERCISED)


def _kill(fault: Seeded, clause: Clause, seen: Sequence[Result], control: Control, *, whole: bool) -> Kill:
    results = [result.beyond(control.result.prints) for result in seen]
    outcome, verdict = weigh(fault.clause, results)
    if isinstance(fault, Mutant) and not any(result.changed or result.problem for result in results):
        outcome, verdict = Outcome.UNEXERCISED, ""
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
        left=next((result.left for result in results if result.left), ""),
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
