"""The order of tests: scenarios first, or as the seed says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from harness.suites.selection import arrange
from tests.suites.world import make_plan

IDS = [f"contract/test_contract.py::test_{n}" for n in range(6)] + [
    f"scenarios/test_toy.py::test_{n}" for n in range(6)
]


def arranged(folder: Path, *, seed: int = 1, shuffled: bool = False) -> list[str]:
    items = [SimpleNamespace(nodeid=name, name=name, get_closest_marker=lambda _name: None) for name in IDS]
    arrange(cast(Any, items), make_plan(folder, seed=seed), shuffled=shuffled)
    return [item.nodeid for item in items]


def test_scenarios_come_first_in_the_order_of_the_features(tmp_path: Path) -> None:
    assert arranged(tmp_path) == [*IDS[6:], *IDS[:6]]


def test_a_random_order_is_that_of_the_seed(tmp_path: Path) -> None:
    one, again, other = (arranged(tmp_path, seed=seed, shuffled=True) for seed in (1, 1, 2))
    assert sorted(one) == sorted(IDS)
    assert one == again
    assert len({tuple(one), tuple(other), tuple(arranged(tmp_path))}) == 3
