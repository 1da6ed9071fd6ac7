"""Whether verdicts depend on anything but the target: whole runs of the embedded platform, again and again.

Run by hand, one of: `python -m tests.benchmarks.steadiness repeat [--times 20]`, the same run so many times; `… shuffled`,
each time in another order; `… slower`, against a platform whose answers come 300 ms and callbacks 1 s later; `… alone`, each
scenario by itself, without any other before or beside it. Prints what differs from a first run; ends with 1 when a verdict
does, or when a run did not conform.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SECONDS = 600
_SLOWER = ("--variant", "http-slow", "--variant", "callback-slow")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=("repeat", "shuffled", "slower", "alone"))
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--system", action="append", default=[])
    given = parser.parse_args()
    systems = [part for system in given.system for part in ("--system", system)]
    folder = Path(tempfile.mkdtemp(prefix="steadiness-"))
    if given.way == "alone":
        return _alone(folder, given.system)
    first = _run(folder / "first", systems)
    different = _told("first", {}, first) if first["exit_code"] else 0
    seconds = [first["seconds"]]
    for number in range(1, 2 if given.way == "slower" else given.times):
        more = {"repeat": (), "slower": _SLOWER, "shuffled": ("--random-order", "--seed", str(number))}[given.way]
        again = _run(folder / str(number), [*systems, *more])
        seconds.append(again["seconds"])
        different += _told(str(number), _verdicts(first), again)
    words = f"median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s"
    print(f"{given.way}: {len(seconds)} runs, {different} verdicts differ, {words}; {folder}")
    return bool(different)


def _run(folder: Path, more: list[str]) -> Mapping[str, Any]:
    """The `verdicts.json` of a run."""
    command = [str(Path(sys.executable).with_name("ringtrue")), "run", "--quiet", "--run-dir", str(folder), *more]
    subprocess.run(command, stdout=subprocess.DEVNULL, timeout=_SECONDS, check=False)
    found: Mapping[str, Any] = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    return found


def _verdicts(run: Mapping[str, Any]) -> dict[str, str]:
    return {clause["id"]: clause["verdict"] for clause in run["clauses"]}


def _told(name: str, before: Mapping[str, str], run: Mapping[str, Any]) -> int:
    """Prints what is not as before (without one: what is not as it should be); gives how many clauses that is."""
    wrong = {
        clause["id"]: clause for clause in run["clauses"] if clause["verdict"] in ("fail", "warn", "error", "inconc")
    }
    seen = _verdicts(run)
    changed = [clause for clause in before or wrong if seen.get(clause) != before.get(clause)]
    for clause in changed:
        findings = wrong.get(clause, {}).get("findings", [])[:1]
        print(f"{name}: {clause} {before.get(clause, '')} -> {seen.get(clause)} {findings}", flush=True)
    return len(changed)


def _alone(folder: Path, systems: list[str]) -> int:
    """Every scenario in a run of its own: what it says about its clauses is what it says among others."""
    from harness.gate.options import default_jobs
    from harness.proof.pool import Pool
    from harness.proof.trial import Trial

    first = _run(folder / "first", [part for system in systems for part in ("--system", system)])
    scenarios = [
        test["id"] for test in first["tests"] if test["id"].startswith("scenarios/") and test["outcome"] == "passed"
    ]
    wrong = 0
    with Pool(default_jobs()) as pool:
        for test in scenarios:
            system = test.partition("/test_")[2].partition(".")[0]
            pool.submit(test, Trial(system, tests=(test.partition("::")[2].partition("@")[0],)))
        while pool.busy:
            test, result = pool.wait()
            verdicts = {clause: verdict for clause, verdict in result.verdicts.items() if verdict != "pass"}
            bad = {clause: f"{verdict} {result.messages.get(clause, '')}" for clause, verdict in verdicts.items()}
            if bad or result.problem or not result.verdicts:
                wrong += 1
                print(f"{test}: {result.problem or bad or 'nothing was judged'}", flush=True)
    print(f"alone: {len(scenarios)} scenarios, {wrong} say something else than among others; {folder}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
