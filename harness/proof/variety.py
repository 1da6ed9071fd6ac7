"""`ringtrue faults --variants`: runs every conforming variant of the platform; a fail or a warn there is a false alarm.

Called through `harness.proof.command`; gives the exit code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.proof.pool import Pool
from harness.proof.trial import Result, Trial
from harness.reference.systems import SYSTEM_NAMES
from harness.reference.variants import VARIANTS
from harness.verdicts import Exit

_SECONDS = 600.0
# Each part of a run starts anew, which takes longer than the tests of a small system.
_PARTS = {"mediaservice": 4, "callable": 2}


def run_variants(names: Sequence[str], systems: Sequence[str], times: int, jobs: int) -> int:
    """Run each variant of each system so many times and print what was raised; 0 when nothing was, else 1."""
    counts: dict[tuple[str, str], list[Result]] = {}
    owed: Counter[str] = Counter()
    try:
        with Pool(jobs) as pool:
            for name in names or VARIANTS:
                for turn in range(times):
                    for system in systems or SYSTEM_NAMES:
                        parts = _PARTS.get(system, 1)
                        for part in range(parts):
                            shard = f"{part + 1}/{parts}"
                            trial = Trial(system, variants=(name,), shard=shard, seconds=_SECONDS, seed=turn + 1)
                            pool.submit((name, system), trial)
                            owed[name] += 1
            while pool.busy:
                key, result = pool.wait()
                assert isinstance(key, tuple)
                counts.setdefault(key, []).append(result)
                for clause, verdict in result.deviations.items():
                    print(f"{verdict:6} {key[0]}  {clause}: {result.messages.get(clause, '')}", flush=True)
                if result.problem:
                    print(f"broke  {key[0]}  {key[1]}: {result.problem}", flush=True)
                owed[key[0]] -= 1
                if not owed[key[0]]:
                    print(f"{key[0]}: {times} times done", flush=True)
    except KeyboardInterrupt:
        print("interrupted")
        return int(Exit.INTERRUPTED)
    alarms = sum(len(result.deviations) for results in counts.values() for result in results)
    broke = sum(bool(result.problem) for results in counts.values() for result in results)
    undecided = sorted(
        {
            f"{clause} ({key[0]})"
            for key, results in counts.items()
            for result in results
            for clause, verdict in result.verdicts.items()
            if verdict in ("inconc", "error")
        }
    )
    for one in undecided:
        print(f"undecided  {one}")
    words = f"{len(names or VARIANTS)} variants, {times} times: {alarms} fails and warns, {broke} runs broke"
    if alarms or broke:
        print(f"\nnot proven: {words} (exit code 1)")
        return int(Exit.DEVIATES)
    print(f"\nproven: {words} (exit code 0)")
    return int(Exit.CONFORMS)
