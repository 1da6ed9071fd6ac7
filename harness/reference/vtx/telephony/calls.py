"""Runs the calls: connects each by its route, knows who is on the phone, and hands a record to the call logs at the end.

Called by the SIP side with calls whose caller is known. Nothing here outlives its call.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from harness.reference.sip import IncomingCall, NameAddr, Refused, SipEndpoint
from harness.reference.vtx.model import CallRecord, User, utc_now
from harness.reference.vtx.telephony import numbers
from harness.reference.vtx.telephony.bridge import Bridge, Leg
from harness.reference.vtx.telephony.routes import Route

MAX_CALLS = 2000
_log = logging.getLogger("ringtrue.vtx")


class Calls:
    """The calls of now. `on_record` gets each call that is over."""

    def __init__(self, on_record: Callable[[CallRecord], None], domain: str) -> None:
        self.on_record = on_record
        self.domain = domain
        self._busy: Counter[int] = Counter()
        self._running = 0

    def is_busy(self, user_id: int) -> bool:
        """Whether the user takes part in a call, answered or not."""
        return self._busy[user_id] > 0

    async def run(self, endpoint: SipEndpoint, call: IncomingCall, caller: User | None, route: Route) -> None:
        """Connect the call by its route, until it is over. Raises Refused(503) when there are too many."""
        if self._running >= MAX_CALLS:
            raise Refused(503, headers=[("Retry-After", "5")])
        self._running += 1
        start = utc_now()
        users = {user.id for user in (caller, route.callee) if user}
        self._busy.update(users)
        bridge = Bridge(endpoint, call)
        try:
            await self.connect(bridge, call, caller, route)
        except Refused as refused:
            call.reject(refused.code, refused.reason, refused.headers)
        finally:
            self._running -= 1
            self._busy.subtract(users)
            self._busy += Counter()
            call.hangup()
            self.on_record(self.record(call, bridge, caller, route, start))

    async def connect(self, bridge: Bridge, call: IncomingCall, caller: User | None, route: Route) -> None:
        if route.uri is None:
            raise Refused(route.refusal)
        number = self.caller_number(call, caller)
        identity = f"sip:{number}@{self.domain}"
        shown = NameAddr(identity, call.request.from_.display)
        _log.info("call %s: %s calls %s at %s", call.call_id, number, route.dialled, route.uri)
        await bridge.run(Leg(route.uri, str(shown), (("P-Asserted-Identity", f"<{identity}>"),)))

    def caller_number(self, call: IncomingCall, caller: User | None) -> str:
        """The number of our user, or the one that the outside world gives."""
        if caller is not None:
            return caller.number
        user = call.request.from_.user
        return numbers.international(user) if numbers.is_number(user) else "anonymous"

    def record(
        self, call: IncomingCall, bridge: Bridge, caller: User | None, route: Route, start: datetime
    ) -> CallRecord:
        final = call.end.code if call.end and call.answered_at is None else 200
        seconds = bridge.answered_seconds
        _log.info("call %s is over: %d after %.1f s", call.call_id, final, seconds)
        return CallRecord(
            caller=caller,
            callee=route.callee,
            caller_number=self.caller_number(call, caller),
            callee_number=route.number,
            dialled=route.dialled,
            start=start,
            ended=utc_now(),
            seconds=seconds,
            final=final,
        )
