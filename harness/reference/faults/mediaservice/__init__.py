"""Promises of Mediaservice that the reference platform can break."""

from __future__ import annotations

from harness.reference.faults.mediaservice import (
    callbacks,
    calls,
    dialling,
    ivr,
    members,
    operations,
    prompts,
    remote,
    sip,
)

MODULES = (callbacks, calls, dialling, ivr, members, operations, prompts, remote, sip)
