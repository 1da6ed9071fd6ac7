"""The Apidaze faults: each breaks one promise of the Apidaze documents.

Part of the fault catalogue. The functions here patch a system that is made but not started.
"""

from __future__ import annotations

from harness.reference.faults.fault import Fault

APIDAZE_FAULTS: tuple[Fault, ...] = ()
