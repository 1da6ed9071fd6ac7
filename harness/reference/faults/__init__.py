"""The fault catalogue: single promises that the reference platform can be started to break, each naming its clause.

Read by the command line (names) and by the server, which applies the chosen ones before a system starts. A fault replaces
one named part of the platform; the platform's own code knows nothing of faults.
"""

from __future__ import annotations

from harness.reference.faults import (
    apidaze_access,
    apidaze_members,
    apidaze_operations,
    apidaze_resources,
    apidaze_sip,
    callable_access,
    callable_flow,
    callable_members,
    callable_operations,
    callable_resources,
    callable_verbs,
    callable_voice,
    mediaservice_callbacks,
    mediaservice_calls,
    mediaservice_dialling,
    mediaservice_ivr,
    mediaservice_members,
    mediaservice_operations,
    mediaservice_prompts,
    mediaservice_remote,
    mediaservice_sip,
    vtx_members,
    vtx_operations,
    vtx_pushes,
    vtx_subscriptions,
)
from harness.reference.faults.fault import Fault

__all__ = ["FAULTS", "MODULES", "Fault"]

_APIDAZE = (apidaze_resources, apidaze_operations, apidaze_members, apidaze_access, apidaze_sip)
_CALLABLE = (
    callable_members,
    callable_operations,
    callable_access,
    callable_resources,
    callable_voice,
    callable_verbs,
    callable_flow,
)
_MEDIASERVICE = (
    mediaservice_callbacks,
    mediaservice_calls,
    mediaservice_dialling,
    mediaservice_ivr,
    mediaservice_members,
    mediaservice_operations,
    mediaservice_prompts,
    mediaservice_remote,
    mediaservice_sip,
)
_VTX = (vtx_members, vtx_operations, vtx_pushes, vtx_subscriptions)
MODULES = (*_APIDAZE, *_CALLABLE, *_MEDIASERVICE, *_VTX)

FAULTS: dict[str, Fault] = {fault.id: fault for module in MODULES for fault in module.collect.faults}
