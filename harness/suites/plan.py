"""What a run is about, as one value that travels from the controlling process to every worker.

The plugin makes it once; scenarios, contract tests and reporters read it. It opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.clauses import Catalogue
from harness.contract import Contract, load_contracts
from harness.gate.shards import Shard
from harness.target import Target, parse_target
from harness.timeline import Clock
from harness.verdicts import DEFAULT_FLOOR, Scope, Waiver

MAX_EXAMPLES = 10
"""Generated requests to an operation beyond its examples and edge cases."""


@dataclass(frozen=True)
class Plan:
    """A run. `control`: where workers reach the recorder (None: no recorder); `complete` False: the user chose a part.

    `mutant`: the id of the mutant that stands between the target and the harness, if one does. `repeats`: so many times
    tests are run again at most.
    """

    run_dir: Path
    target: Target
    clock: Clock
    seed: int = 1
    workers: int = 1
    strict: bool = False
    complete: bool = True
    floor: float = DEFAULT_FLOOR
    waivers: tuple[Waiver, ...] = ()
    today: date = date.min
    known: frozenset[str] | None = None
    shard: Shard | None = None
    durations: Mapping[str, float] = field(default_factory=dict)
    max_seconds: float | None = None
    control: str | None = None
    max_examples: int = MAX_EXAMPLES
    specs: tuple[Path, ...] = ()
    features: tuple[Path, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    mutant: str = ""
    repeats: int = 0

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        return load_contracts(tuple(self.target.systems), self.specs)

    @cached_property
    def catalogue(self) -> Catalogue:
        result = Catalogue()
        for contract in self.contracts.values():
            result |= contract.catalogue
        return result

    @property
    def scope(self) -> Scope:
        capabilities = {name: frozenset(system.capabilities) for name, system in self.target.systems.items()}
        return Scope(
            capabilities,
            strict=self.strict,
            complete=self.complete,
            floor=self.floor,
            waivers=self.waivers,
            today=self.today,
            known=self.known,
            shard=(self.shard.index, self.shard.of) if self.shard else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a worker's `workerinput`; they hold secrets and are never written to disk."""
        return {
            "run_dir": str(self.run_dir),
            "target": self.target.to_plain(),
            "embedded": self.target.embedded,
            "clock": [self.clock.wall, self.clock.monotonic],
            "seed": self.seed,
            "workers": self.workers,
            "strict": self.strict,
            "complete": self.complete,
            "floor": self.floor,
            "waivers": [waiver.to_json() for waiver in self.waivers],
            "today": self.today.isoformat(),
            "known": None if self.known is None else sorted(self.known),
            "shard": str(self.shard) if self.shard else None,
            "durations": dict(self.durations),
            "max_seconds": self.max_seconds,
            "control": self.control,
            "max_examples": self.max_examples,
            "specs": [str(path) for path in self.specs],
            "features": [str(path) for path in self.features],
            "notes": dict(self.notes),
            "mutant": self.mutant,
            "repeats": self.repeats,
        }

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> Plan:
        values = dict(item)
        specs = tuple(Path(path) for path in values.pop("specs"))
        known = capabilities_of(load_contracts((), specs))
        target = parse_target(values.pop("target"), known, embedded=values.pop("embedded"), environment=False)
        wall, monotonic = values.pop("clock")
        features = tuple(Path(path) for path in values.pop("features"))
        values["waivers"] = tuple(map(Waiver.from_json, values["waivers"]))
        values["shard"] = Shard.parse(values["shard"]) if values["shard"] else None
        values["today"] = date.fromisoformat(values["today"])
        values["known"] = None if values["known"] is None else frozenset(values["known"])
        run_dir = Path(values.pop("run_dir"))
        return cls(run_dir, target, Clock(wall, monotonic), specs=specs, features=features, **values)


def capabilities_of(contracts: Mapping[str, Contract]) -> dict[str, Mapping[str, str]]:
    """What each system's target may declare."""
    return {name: contract.file.capabilities for name, contract in contracts.items()}
