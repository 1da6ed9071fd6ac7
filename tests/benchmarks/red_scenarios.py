"""Whether every scenario can fail: each is run against faults that break its clauses, until one of them turns it red.

Run by hand: `python -m tests.benchmarks.red_scenarios [--system S]`. The faults that `expected.json` knows a scenario to
catch come first. Prints the scenarios that no fault turned red; ends with 1 when there are some.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence

from harness.gate.options import default_jobs
from harness.proof.expected import read_expected
from harness.proof.hunt import Control, controls
from harness.proof.pool import Pool
from harness.proof.trial import Trial
from harness.reference.faults import FAULTS
from harness.reference.systems import SYSTEM_NAMES

_TRIES = 12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", action="append", default=[], choices=SYSTEM_NAMES)
    systems = parser.parse_args().system or list(SYSTEM_NAMES)
    left = 0
    with Pool(default_jobs()) as pool:
        for system, control in controls(pool, {system: [] for system in systems}, print).items():
            scenarios = [test for test in control.result.times if not test.startswith(_CONTRACT)]
            green = _green(pool, system, control, scenarios)
            left += len(green)
            print(f"{system}: {len(scenarios) - len(green)} of {len(scenarios)} scenarios turned red by a fault")
            for test in green:
                print(f"  never red: {test}")
    return bool(left)


_CONTRACT = (
    "test_generated_requests", "test_linked_operations", "test_valid_request", "test_credentials",
    "test_repeated_request", "test_cross_origin", "test_other_method",
)  # fmt: skip


def _green(pool: Pool, system: str, control: Control, scenarios: Sequence[str]) -> list[str]:
    """The scenarios that stayed green whatever was tried."""
    waiting = {test: _faults(system, control, test) for test in scenarios}

    def next_try(test: str) -> None:
        if waiting[test]:
            fault = waiting[test].pop(0)
            until = FAULTS[fault].clause
            pool.submit((test, until), Trial(system, (fault,), (test,), control.deadline([test]), until=until))

    red: set[str] = set()
    for test in scenarios:
        next_try(test)
    while pool.busy:
        key, result = pool.wait()
        assert isinstance(key, tuple)
        test, _ = key
        if result.deviations and not result.problem:
            red.add(test)
        else:
            next_try(test)
    return [test for test in scenarios if test not in red]


def _faults(system: str, control: Control, test: str) -> list[str]:
    """What to try: faults that this scenario has caught, then one and one of each clause that it decides."""
    caught = [name for name, known in read_expected().items() if known.test == test and FAULTS[name].system == system]
    clauses = {clause for clause, tests in control.result.decided.items() if test in tests}
    by_clause = defaultdict(list)
    for name, fault in FAULTS.items():
        if fault.clause in clauses:
            by_clause[fault.clause].append(name)
    # Clauses that few scenarios decide say most about this one.
    rare = sorted(by_clause, key=lambda clause: len(control.result.decided[clause]))
    others = [name for place in range(3) for clause in rare for name in by_clause[clause][place : place + 1]]
    return list(dict.fromkeys([*caught[:1], *others]))[:_TRIES]


if __name__ == "__main__":
    sys.exit(main())
