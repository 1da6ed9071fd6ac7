"""The plan of this process, for test modules that must know it while pytest imports them."""

from __future__ import annotations

from harness.suites.plan import Plan

plan: Plan | None = None


def current_plan() -> Plan:
    """Raises RuntimeError outside a run."""
    if plan is None:
        raise RuntimeError("no run is going on: use `ringtrue run`, or pytest with --ringtrue-target")
    return plan
