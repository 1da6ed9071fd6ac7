"""The run of this process, for test modules that must know its plan while pytest imports them, and for the command line.

`plan` is set in every process that runs tests, and `split` where its shard was cut; a `RunEnd` only in the controlling one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.report.results import RunRecord
    from harness.suites.plan import Plan

plan: Plan | None = None
split: dict[str, Any] | None = None


@dataclass
class RunEnd:
    """How the latest run of this process ended: with a record, or refused before it began.

    `interrupted`: whether it was told to end.
    `platform_failure`: how the embedded platform ended, where it was not stopped as it should be.
    """

    record: RunRecord | None = None
    refusal: str | None = None
    interrupted: bool = False
    platform_failure: str | None = None


end = RunEnd()


def current_plan() -> Plan:
    """Raises RuntimeError outside a run."""
    if plan is None:
        raise RuntimeError("no run is going on: use `ringtrue run`, or pytest with --ringtrue-target")
    return plan
