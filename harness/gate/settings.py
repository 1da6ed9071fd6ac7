"""The options of a run that are about the gate, read and checked before anything is sent.

The plugin declares them, the session reads them; what they do stands in `harness.gate` and `harness.verdicts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from harness.contract import Contract
from harness.gate import GateError
from harness.gate.compare import fingerprints
from harness.gate.runs import PastRun, read_run
from harness.gate.shards import Shard
from harness.gate.waive import today
from harness.gate.waivers import load_waivers
from harness.verdicts import Waiver


@dataclass(frozen=True)
class Settings:
    """What the user asked of the gate. `durations`: seconds by test, from an earlier run. `until`: the clause
    that ends the run once it is seen broken.
    """

    floor: float
    waivers: tuple[Waiver, ...] = ()
    today: date = field(default_factory=today)
    baseline: PastRun | None = None
    known: frozenset[str] | None = None
    max_seconds: float | None = None
    fail_fast: bool = False
    until: str | None = None
    shard: Shard | None = None
    durations: Mapping[str, float] = field(default_factory=dict)


def read_settings(option: Any, contracts: Mapping[str, Contract]) -> Settings:
    """From the options of the plugin.

    Raises:
        GateError: a file that cannot be used, or a value that is written wrongly.
    """
    clauses = frozenset(clause.id for contract in contracts.values() for clause in contract.catalogue)
    baseline = read_run(Path(option.ringtrue_baseline)) if option.ringtrue_baseline else None
    if option.ringtrue_new_only and baseline is None:
        raise GateError("--new-only needs a run to compare with: name it with --baseline")
    if option.ringtrue_durations and not option.ringtrue_shard:
        raise GateError("--durations says how to split a run into shards: give --shard too")
    if not 0 <= option.ringtrue_floor <= 1:
        raise GateError(f"--ringtrue-floor {option.ringtrue_floor:g}: expected a share from 0 to 1, such as 0.9")
    durations = read_run(Path(option.ringtrue_durations)).durations if option.ringtrue_durations else {}
    return Settings(
        floor=option.ringtrue_floor,
        waivers=load_waivers(Path(option.ringtrue_waivers), clauses) if option.ringtrue_waivers else (),
        baseline=baseline,
        known=fingerprints(baseline) if baseline and option.ringtrue_new_only else None,
        max_seconds=_seconds(option.ringtrue_max_time) if option.ringtrue_max_time else None,
        fail_fast=option.ringtrue_fail_fast,
        until=option.ringtrue_until,
        shard=Shard.parse(option.ringtrue_shard) if option.ringtrue_shard else None,
        durations=durations,
    )


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?", text.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise GateError(f"--max-time {text!r}: write hours, minutes and seconds with their units: 90s, 10m, 1h30m")
    return float(total)
