"""The fault catalogue: single promises that the reference platform can be started to break, each naming its clause.

Read by the command line (names) and by the server, which applies the chosen ones before a system starts. A fault replaces
one named part of the platform; the platform's own code knows nothing of faults.
"""

from __future__ import annotations

from harness.reference.faults import apidaze_access, apidaze_resources, apidaze_sip
from harness.reference.faults.fault import Fault

__all__ = ["FAULTS", "Fault"]

_COLLECTIONS = (apidaze_resources.collect, apidaze_access.collect, apidaze_sip.collect)

FAULTS: dict[str, Fault] = {fault.id: fault for collection in _COLLECTIONS for fault in collection.faults}
