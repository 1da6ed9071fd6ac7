"""Arranges collected tests: which were asked for, which are not judged at this target, and which must not run side by side.

Called by the plugin in every process that collects. It decides nothing about clauses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable

import pytest

from harness.clauses import Clause, Surface
from harness.gate.shards import Unit, digest, split
from harness.suites import current
from harness.suites.plan import Plan

NOT_JUDGED = "not judged: "
_SERIAL = "-serial"
_GROUP = re.compile(rf"@[^@\]\s]*{_SERIAL}$")
_NOTHING_TO_ASK = "[NOTSET]"


def choose(items: list[pytest.Item], wanted: Collection[str]) -> list[pytest.Item]:
    """Leave only tests with these names in `items`; gives the others."""
    names = frozenset(wanted)
    others = [item for item in items if item.name not in names]
    items[:] = [item for item in items if item.name in names]
    return others


def arrange(items: list[pytest.Item], plan: Plan, *, shuffled: bool = False) -> None:
    """Mark tests that need a capability which the target does not declare, and tests that belong to one worker.

    Scenarios come first: they wait more than they compute, so what computes fills the end of a run evenly. `shuffled`: in
    an order that the plan's seed gives. `-k` finds a test by its system and its clauses too, and by `contract` all that
    decides a documented clause about HTTP: the contract suite, and scenarios for what takes several requests or a call.
    """
    # pytest's stand-in for a question that no operation of these systems is asked.
    items[:] = [item for item in items if not item.name.endswith(_NOTHING_TO_ASK)]
    items.sort(key=lambda item: not item.nodeid.startswith("scenarios/"))
    if shuffled:
        random.Random(plan.seed).shuffle(items)
    for item in items:
        marker = item.get_closest_marker("judges")
        if marker is None:
            continue
        system = marker.kwargs["system"]
        clauses = marker.kwargs.get("clauses", ())
        item.extra_keyword_matches.update((system, *clauses, *marker.kwargs.get("keywords", ())))
        if any(_is_contract(plan.catalogue[clause]) for clause in clauses):
            item.extra_keyword_matches.add("contract")
        declared = plan.target.systems[system].capabilities
        missing = [need for need in marker.kwargs.get("needs", ()) if need not in declared]
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"{NOT_JUDGED}the target does not declare {', '.join(missing)}"))
        if _is_serial(clauses, marker.kwargs.get("asked"), system, plan):
            item.add_marker(pytest.mark.xdist_group(f"{system}{_SERIAL}"))


def keep_shard(config: pytest.Config, items: list[pytest.Item], plan: Plan) -> None:
    """Leave the tests of this run's shard, and say how all of them were split."""
    assert plan.shard is not None
    units = [Unit(plain_id(item.nodeid), _group(item)) for item in items]
    shards = split(units, plan.shard.of, plan.durations)
    own = shards[plan.shard.index - 1]
    others = [item for item in items if plain_id(item.nodeid) not in own]
    told = {"tests": len(items), "digest": digest(shards)}
    current.split = told
    if hasattr(config, "workeroutput"):
        config.workeroutput["ringtrue-split"] = told
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if plain_id(item.nodeid) in own]


def plain_id(test: str) -> str:
    """A test's id without the group that xdist adds to it, which depends on the number of workers."""
    return _GROUP.sub("", test)


def _group(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else None


def _is_contract(clause: Clause) -> bool:
    return clause.documented and clause.surface is Surface.HTTP


def _is_serial(clauses: Iterable[str], asked: str | None, system: str, plan: Plan) -> bool:
    """Tests about a serial area, those that ask its operations something else, and those that may touch anything.

    The last are about no clause in particular. `asked`: the clause of the one operation that a test is made for.
    """
    serial = plan.contracts[system].file.serial
    areas = {plan.catalogue[clause].area for clause in clauses}
    touched = areas | ({plan.catalogue[asked].area} if asked else set())
    return bool(serial) and (not areas or bool(touched & serial))
