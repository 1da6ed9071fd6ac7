"""Promises of Apidaze that the reference platform can break."""

from __future__ import annotations

from harness.reference.faults.apidaze import access, members, operations, resources, sip

MODULES = (resources, operations, members, access, sip)
