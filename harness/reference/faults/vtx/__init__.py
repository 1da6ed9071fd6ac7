"""Promises of VTX that the reference platform can break."""

from __future__ import annotations

from harness.reference.faults.vtx import members, operations, pushes, subscriptions

MODULES = (members, operations, pushes, subscriptions)
