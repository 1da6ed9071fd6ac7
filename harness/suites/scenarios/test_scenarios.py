"""The scenario suite: every feature file of the run's systems, bound to tests by pytest-bdd."""

from __future__ import annotations

from pytest_bdd import scenarios

from harness.suites.current import current_plan
from harness.suites.scenarios.features import feature_files, mark

for _contract, _path in feature_files(current_plan()):
    _known = set(globals())
    scenarios(str(_path))
    for _name in set(globals()) - _known:
        if _name.startswith("test_"):
            mark(globals()[_name], _contract)
