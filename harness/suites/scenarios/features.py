"""Binds feature files to tests: which files belong to a run, what their tags mean, and whether they may be run at all.

A tag is a clause's id or `needs-<capability>`; anything else is an error that names file and line, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.scenario import scenario_wrapper_template_registry

from harness.contract import Contract, data_folder
from harness.suites.plan import Plan
from harness.suites.scenarios import apidaze, mediaservice, vtx

NEEDS = "needs-"
STEP_MODULES = tuple(
    name
    for system in (apidaze, mediaservice, vtx)
    for name in (system.__name__, *(f"{system.__name__}.{module}" for module in system.STEPS))
)
_DECIDED = re.compile(r"\[([A-Z]{2,3}-[^\]\s]+)\]\s*$")


class FeatureError(Exception):
    """A feature file says something it may not say; the message names file and line."""


def feature_files(plan: Plan) -> Iterator[tuple[Contract, Path]]:
    """Feature files of the systems of a run: shipped ones, and those of the user's folders, in a stable order."""
    for system, contract in plan.contracts.items():
        for root in (data_folder("features"), *plan.features):
            for path in sorted((root / system).glob("**/*.feature")):
                yield contract, path


def mark(function: Callable[..., Any], contract: Contract) -> None:
    """Give a test made by pytest-bdd the marker that the plugin reads.

    Raises:
        FeatureError: an unknown tag, or a Then step whose clause is not among the scenario's tags.
    """
    template = scenario_wrapper_template_registry[function]
    where = f"{template.feature.filename}:{template.line_number}: scenario {template.name!r}"
    tags = sorted(template.feature.tags | template.tags)
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
    pytest.mark.ringtrue(system=contract.system, clauses=clauses, title=template.name, needs=needs)(function)
