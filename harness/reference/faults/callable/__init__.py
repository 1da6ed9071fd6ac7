"""Promises of Callable that the reference platform can break."""

from __future__ import annotations

from harness.reference.faults.callable import access, flow, members, operations, resources, verbs, voice

MODULES = (members, operations, access, resources, voice, verbs, flow)
