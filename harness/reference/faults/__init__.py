"""The fault catalogue: single promises that the reference platform can be started to break, each naming its clause.

Read by the command line (names) and by the server, which applies the chosen ones before a system starts. A fault replaces
one named part of the platform; the platform's own code knows nothing of faults.
"""

from __future__ import annotations

from harness.reference.faults.apidaze import APIDAZE_FAULTS
from harness.reference.faults.fault import Fault

__all__ = ["FAULTS", "Fault"]

FAULTS: dict[str, Fault] = {fault.id: fault for fault in (*APIDAZE_FAULTS,)}
