"""Whether the clocks of several recordings agree: told by calls that both planes show.

A capture and a proxy may run on two machines, and one of their clocks may be wrong by a minute or an hour. Then the order of
callbacks and SIP says nothing. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from statistics import median

from harness.checks.sip import parse_message
from harness.timeline import Callback, Event, SipMessage

# Callbacks that announce a call to the platform, and the member that is the Call-ID of its INVITE.
CALL_IDS = {"newCall": "sipCallId", "newRemoteCall": "callId"}
# A call is announced after it came, and soon; seconds.
_SOON = 10.0


def announced(events: Iterable[Event]) -> dict[str, float]:
    """When calls were announced, by the Call-ID of their INVITEs."""
    found: dict[str, float] = {}
    for event in events:
        name = CALL_IDS.get(event.about.get("operation", "")) if isinstance(event, Callback) else None
        if name is None or not isinstance(event, Callback):
            continue
        try:
            told = json.loads(event.request.body)
        except (ValueError, RecursionError):
            continue
        call_id = told.get(name) if isinstance(told, dict) else None
        if isinstance(call_id, str) and call_id:
            found.setdefault(call_id, event.at)
    return found


def disagreement(events: Sequence[Event], slack: float) -> float | None:
    """Seconds by which SIP is ahead of the callbacks that belong to it; None where the clocks may well agree."""
    told = announced(events)
    invites: dict[str, float] = {}
    for event in events:
        if told and isinstance(event, SipMessage) and event.text.startswith("INVITE "):
            invites.setdefault(parse_message(event.text).call_id, event.at)
    gaps = [invites[call_id] - at for call_id, at in told.items() if call_id in invites]
    if not gaps or -_SOON <= median(gaps) <= slack:
        return None
    return median(gaps)
