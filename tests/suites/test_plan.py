"""A plan: the same for every worker that gets it, and its scope is what the target declares."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from harness.suites.plan import Plan, capabilities_of
from harness.verdicts import Waiver
from tests.suites.world import make_plan


def test_a_plan_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    made = make_plan(
        tmp_path, seed=5, workers=3, strict=True, complete=False, floor=0.5, control="127.0.0.1:1", notes={"a": "b"},
        features=(tmp_path / "f",), waivers=(Waiver("TY-x", "0123456789ab", "known", "anna", date(2027, 1, 31)),),
        today=date(2027, 1, 30), known=frozenset({"0123456789ab"}),
    )  # fmt: skip
    again = Plan.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.clock.now() - made.clock.now() < 1


def test_the_scope_is_what_the_target_declares_and_the_user_chose(tmp_path: Path) -> None:
    scope = make_plan(tmp_path, strict=True, complete=False, floor=0.5).scope
    assert scope.capabilities == {"toy": frozenset()}
    assert (scope.strict, scope.complete, scope.floor) == (True, False, 0.5)


def test_the_catalogue_holds_the_systems_of_the_target_only(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    assert plan.catalogue.systems == ("toy",)
    assert list(capabilities_of(plan.contracts)) == ["toy"]
