"""`ringtrue faults --null`: judges null targets in place of every system; nothing good may be said of any of them.

Called by the command line through `harness.proof.command`; gives the exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.contract import Contract, load_contracts
from harness.proof.null import HTTP_KINDS, KINDS, SIP_KINDS
from harness.proof.pool import Pool
from harness.proof.trial import Result, Trial
from harness.verdicts import Exit

_SECONDS = 240.0
_TELEPHONY = ("sip", "media")
# Clauses whose tests are run in one trial.
_AT_ONCE = 25
# What a run may end with when nothing can be said, and when what was said is a deviation.
_HONEST = (Exit.NOTHING_SAID, Exit.DEVIATES)


@dataclass(frozen=True)
class Tried:
    """A null target in place of a system: the clauses that `passed`, and how the run ended."""

    system: str
    kind: str
    passed: tuple[str, ...]
    exit_codes: tuple[int, ...]
    problem: str
    seconds: float

    @property
    def kept(self) -> bool:
        """Whether the harness said nothing good of it."""
        return not self.passed and not self.problem and all(code in _HONEST for code in self.exit_codes)


def run_null(kinds: Sequence[str], systems: Sequence[str], jobs: int) -> int:
    """Try each kind in place of each system, print what came of it; 0 when nothing passed and no run ended 0, else 1."""
    contracts = load_contracts(systems)
    rows: dict[tuple[str, str], list[Result]] = {}
    try:
        with Pool(jobs) as pool:
            for kind in kinds or KINDS:
                for contract in contracts.values():
                    for trial in _trials(kind, contract):
                        pool.submit((contract.system, kind), trial)
            while pool.busy:
                key, result = pool.wait()
                assert isinstance(key, tuple)
                rows.setdefault(key, []).append(result)
    except KeyboardInterrupt:
        print("interrupted")
        return int(Exit.INTERRUPTED)
    tried = [_tried(contracts[system], kind, results) for (system, kind), results in rows.items()]
    order = list(KINDS)
    tried.sort(key=lambda one: (order.index(one.kind), one.system))
    print(f"{'null target':16}{'system':14}{'clauses passed':>14}  exit  seconds")
    for one in tried:
        codes = ",".join(str(code) for code in sorted(set(one.exit_codes)))
        print(f"{one.kind:16}{one.system:14}{len(one.passed):14}  {codes:>4}  {one.seconds:7.1f}")
        for clause in one.passed[:10]:
            print(f"{'':16}passed: {clause}")
        if one.problem:
            print(f"{'':16}{one.problem}")
    wrong = [one for one in tried if not one.kept]
    if wrong:
        print(f"\nnot proven: {len(wrong)} of {len(tried)} null targets were taken for something (exit code 1)")
        return int(Exit.DEVIATES)
    print(f"\nproven: nothing passed against {len(tried)} null targets, and no run ended 0 (exit code 0)")
    return int(Exit.CONFORMS)


def _trials(kind: str, contract: Contract) -> list[Trial]:
    """The whole system where its API is null; where only its telephony is, the tests about telephony, in parts."""
    if kind in HTTP_KINDS:
        return [Trial(contract.system, null=kind, seconds=_SECONDS)]
    clauses = telephony(contract)
    return [
        Trial(contract.system, null=kind, keyword=" or ".join(clauses[at : at + _AT_ONCE]), seconds=_SECONDS)
        for at in range(0, len(clauses), _AT_ONCE)
    ]


def telephony(contract: Contract) -> list[str]:
    """The system's clauses of which only SIP or media can tell."""
    return [clause.id for clause in contract.catalogue if clause.surface.value in _TELEPHONY and not clause.untestable]


def _tried(contract: Contract, kind: str, results: Sequence[Result]) -> Tried:
    judged = set(telephony(contract)) if kind in SIP_KINDS else {clause.id for clause in contract.catalogue}
    passed = {clause for result in results for clause, verdict in result.verdicts.items() if verdict == "pass"} & judged
    return Tried(
        contract.system,
        kind,
        tuple(sorted(passed)),
        tuple(-1 if result.exit_code is None else result.exit_code for result in results),
        next((result.problem for result in results if result.exit_code is None), ""),
        max(result.seconds for result in results),
    )
