"""The fault catalogue: single promises that the reference platform can be started to break, each naming its clause.

Read by the command line (names) and by the server, which applies the chosen ones before a system starts. A fault replaces
one named part of the platform; the platform's own code knows nothing of faults.
"""

from __future__ import annotations

from harness.reference.faults.apidaze import MODULES as _APIDAZE
from harness.reference.faults.callable import MODULES as _CALLABLE
from harness.reference.faults.fault import Fault
from harness.reference.faults.mediaservice import MODULES as _MEDIASERVICE
from harness.reference.faults.vtx import MODULES as _VTX

__all__ = ["FAULTS", "MODULES", "Fault"]

MODULES = (*_APIDAZE, *_CALLABLE, *_MEDIASERVICE, *_VTX)

FAULTS: dict[str, Fault] = {fault.id: fault for module in MODULES for fault in module.collect.faults}
