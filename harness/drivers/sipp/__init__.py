"""SIP stimuli by SIPp: runs the scripts under `features/sipp/` as agents and turns their traces into SIP events.

Scenario steps use `SippRunner`; what an agent saw lands in the scenario's timeline. Nothing here judges a message:
a result says whether SIPp's script went through, and in SIPp's words why not.
"""

from harness.drivers.sipp.agent import SippAgent
from harness.drivers.sipp.outcome import SippResult
from harness.drivers.sipp.process import SippError, SippMissing
from harness.drivers.sipp.runner import SippRunner

__all__ = ["SippAgent", "SippError", "SippMissing", "SippResult", "SippRunner"]
