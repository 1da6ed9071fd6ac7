"""The steps of a system share one vocabulary: no step of its features may be understood by two of them, or by none."""

from __future__ import annotations

import pytest
from pytest_bdd.feature import get_feature
from pytest_bdd.steps import step_function_context_registry

from harness.contract import data_folder
from harness.suites.scenarios.features import STEPS, steps_of


@pytest.mark.parametrize("system", STEPS)
def test_each_step_of_the_features_has_one_meaning(system: str) -> None:
    steps_of(system)  # imports the modules
    package = STEPS[system].__name__
    known = [
        one for one in step_function_context_registry.values() if one.step_func.__module__.startswith(f"{package}.")
    ]
    steps = {
        (step.type, step.name)
        for path in (data_folder("features") / system).glob("**/*.feature")
        for scenario in get_feature(str(path.parent), path.name).scenarios.values()
        for step in scenario.steps
        if "<" not in step.name  # filled in by an outline's examples
    }
    assert known
    assert steps
    problems = []
    for kind, name in sorted(steps):
        meant = {one.step_func for one in known if one.type in (kind, None) and one.parser.is_matching(name)}
        if len(meant) != 1:
            where = [f"{one.__module__}.{one.__name__}" for one in meant]
            problems.append(f"{kind} {name!r}: {' and '.join(sorted(where)) or 'no step'}")
    assert not problems, "\n".join(problems)
