"""What the steps of all systems share about calls: SIPp agents, phones with media, users and lines to themselves, numbers.

- `agents`: a SIPp script run or started for a scenario (`run_agent`, `start_agent`), and what its messages say;
- `phone`: a `Phone` is a SIPp agent and an RTP probe, and does what it is told: `place_call`, `waiting_phone`;
- `lease`: scenarios that run side by side take users, lines and the like for themselves;
- `numbers`: an outside number in the form in which it is dialled.

Nothing here decides a clause: what cannot be set up raises `InconclusiveError`. It knows no system.
"""

from harness.suites.scenarios.telephony.agents import (
    agent_name,
    expect_done,
    final_status,
    is_answer,
    is_success,
    run_agent,
    sip_side,
    start_agent,
    statuses,
)
from harness.suites.scenarios.telephony.lease import Lease
from harness.suites.scenarios.telephony.numbers import as_dialled
from harness.suites.scenarios.telephony.phone import Phone, hear_each_other, place_call, waiting_phone

__all__ = [
    "Lease",
    "Phone",
    "agent_name",
    "as_dialled",
    "expect_done",
    "final_status",
    "hear_each_other",
    "is_answer",
    "is_success",
    "place_call",
    "run_agent",
    "sip_side",
    "start_agent",
    "statuses",
    "waiting_phone",
]
