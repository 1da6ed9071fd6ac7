"""Binds feature files to tests: which files belong to a run, what their tags mean, and whether they may be run at all.

A tag is a clause's id or `needs-<capability>`; anything else is an error that names file and line, before anything is sent.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.fixtures import FixtureFunctionDefinition
from pytest_bdd.feature import get_features
from pytest_bdd.parser import ScenarioTemplate
from pytest_bdd.scenario import get_python_name_generator, scenario, scenario_wrapper_template_registry

from harness.contract import Contract, data_folder
from harness.suites.current import current_plan
from harness.suites.plan import Plan
from harness.suites.scenarios import apidaze, mediaservice, vtx
from harness.suites.scenarios import callable as callable_

NEEDS = "needs-"
CONTRACT = "contract"
"""The tag of scenarios that show the values of operations which only a call gives a use: `-k contract` finds them too."""
STEPS: dict[str, ModuleType] = {"apidaze": apidaze, "callable": callable_, "mediaservice": mediaservice, "vtx": vtx}
# Names of tests are those of timelines, whatever system they belong to.
_taken: set[str] = set()
_DECIDED = re.compile(r"\[([A-Z]{2,3}-[^\]\s]+)\]\s*$")


class FeatureError(Exception):
    """A feature file says something it may not say; the message names file and line."""


def feature_files(plan: Plan) -> Iterator[tuple[Contract, Path]]:
    """Feature files of the systems of a run: shipped ones, and those of the user's folders, in a stable order."""
    for system, contract in plan.contracts.items():
        for root in (data_folder("features"), *plan.features):
            for path in sorted((root / system).glob("**/*.feature")):
                yield contract, path


def bind(namespace: dict[str, Any], *systems: str) -> None:
    """Make tests of the feature files of these systems in a test module, and have it know their steps.

    Steps of other systems are not known there, so that each system may say the same in the same words.
    """
    for system in systems:
        namespace.update(steps_of(system))
    for contract, path in feature_files(current_plan()):
        if contract.system in systems:
            for feature in get_features([str(path)]):
                for title in feature.scenarios:
                    test = scenario(feature.filename, title, features_base_dir=str(path.parent))(lambda: None)
                    mark(test, contract)
                    name = next(name for name in get_python_name_generator(title) if name not in _taken)
                    _taken.add(name)
                    namespace[name] = test


def steps_of(system: str) -> dict[str, FixtureFunctionDefinition]:
    """The steps and fixtures of a system, by the names under which pytest finds them; none for one that it does not know."""
    if system not in STEPS:
        return {}
    package = STEPS[system]
    found: dict[str, FixtureFunctionDefinition] = {}
    for name in (package.__name__, *(f"{package.__name__}.{module}" for module in package.STEPS)):
        for key, value in vars(importlib.import_module(name)).items():
            if isinstance(value, FixtureFunctionDefinition):
                # The same words may be a Given in one module and a When in another; a step's own name does not matter.
                found[key if found.get(key, value) is value else f"{key} of {name}"] = value
    return found


def mark(function: Callable[..., Any], contract: Contract) -> None:
    """Give a test made by pytest-bdd the marker that the plugin reads.

    Raises:
        FeatureError: an unknown tag, or a Then step whose clause is not among the scenario's tags.
    """
    template = scenario_wrapper_template_registry[function]
    clauses, needs = read_tags(template, contract)
    about = [CONTRACT] if CONTRACT in template.feature.tags | template.tags else []
    pytest.mark.judges(system=contract.system, clauses=clauses, title=template.name, needs=needs, keywords=about)(
        function
    )


def read_tags(template: ScenarioTemplate, contract: Contract) -> tuple[list[str], list[str]]:
    """The clauses that a scenario decides, and the capabilities that it needs.

    Raises:
        FeatureError: an unknown tag, or a Then step whose clause is not among the scenario's tags.
    """
    where = f"{template.feature.filename}:{template.line_number}: scenario {template.name!r}"
    tags = sorted((template.feature.tags | template.tags) - {CONTRACT})
    needs = [tag.removeprefix(NEEDS) for tag in tags if tag.startswith(NEEDS)]
    clauses = [tag for tag in tags if not tag.startswith(NEEDS)]
    for capability in needs:
        if capability not in contract.file.capabilities:
            known = ", ".join(contract.file.capabilities)
            raise FeatureError(f"{where}: unknown capability {capability!r}: expected one of {known}")
    for clause in clauses:
        if clause not in contract.catalogue:
            raise FeatureError(f"{where}: unknown clause {clause!r}: `ringtrue clauses` lists them")
    decided = {found[1] for step in template.steps if (found := _DECIDED.search(step.name))}
    for clause in sorted(decided.symmetric_difference(clauses)):
        problem = "decided by a step but no tag" if clause in decided else "a tag but decided by no step"
        raise FeatureError(f"{where}: clause {clause} is {problem}")
    return clauses, needs
