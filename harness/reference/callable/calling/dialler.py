"""Dials: one way with its alternatives, or several targets at once of which the first to answer is connected.

Called by the modules that run calls. Whoever is dialled in vain is cancelled or hung up at once, also when the caller
of a method stops waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from harness.reference.callable.calling.legs import Leg, place
from harness.reference.callable.calling.routing import Route, Routing, UnroutableError
from harness.reference.callable.numbers import international
from harness.reference.callable.store import Account
from harness.reference.callable.verbs import Target
from harness.reference.sip import CallFailed, NameAddr, SipEndpoint, SipUri

DEFAULT_RING = 60.0
_log = logging.getLogger("ringtrue.callable")


def caller_at(host: str, number: str) -> NameAddr:
    """What From says: the number in international form, at the platform's host."""
    return NameAddr(str(SipUri("sip", international(number) or "anonymous", host)))


class Dialler:
    """Places calls through one endpoint."""

    def __init__(self, routing: Routing, endpoint: SipEndpoint) -> None:
        self.routing = routing
        self.endpoint = endpoint

    def caller(self, number: str) -> NameAddr:
        """The caller as it is presented to whoever is dialled."""
        return caller_at(self.endpoint.host, number)

    async def reach(self, route: Route, number: str, ring_seconds: float, on_ringing: Callable[[], None]) -> Leg:
        """Dial until someone answers; the next address is tried only when one cannot be reached. Raises CallFailed."""
        ring = min(ring_seconds, route.ring_seconds or ring_seconds)
        failure = CallFailed(480, "nobody to dial", "refused")
        for uri in route.uris:
            try:
                leg = await place(self.endpoint, uri, self.caller(number), ring, on_ringing)
            except CallFailed as error:
                _log.info("dialled %s: %s", uri, error)
                failure = error
                if error.response is not None and error.code != 503:
                    break
            else:
                self.limit(leg, route)
                return leg
        raise failure

    def limit(self, leg: Leg, route: Route) -> None:
        """End the call of a gateway after its longest time."""
        if route.limit_seconds:
            timer = asyncio.get_running_loop().call_later(route.limit_seconds, leg.hangup)
            leg.call.on_end = lambda _end: timer.cancel()

    async def first_of(
        self,
        account: Account,
        targets: Sequence[Target],
        number: str,
        ring_seconds: float,
        on_ringing: Callable[[], None],
    ) -> Leg:
        """Dial all targets at once; the first to answer, the others given up. Raises CallFailed when nobody answers."""
        attempts = [
            asyncio.ensure_future(self._attempt(account, target, number, ring_seconds, on_ringing))
            for target in targets
        ]
        chosen: Leg | None = None
        failure = CallFailed(480, "nobody to dial", "refused")
        try:
            pending = set(attempts)
            while pending and chosen is None:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for attempt in done:
                    outcome = attempt.result()
                    if isinstance(outcome, CallFailed):
                        failure = outcome
                    elif chosen is None:
                        chosen = outcome
        finally:
            # Nothing is awaited from here on: whoever is cancelled in between would leave the chosen one hanging.
            for attempt in attempts:
                attempt.cancel()
                attempt.add_done_callback(lambda done: _give_up(done, chosen))
        if chosen is None:
            raise failure
        return chosen

    async def _attempt(
        self,
        account: Account,
        target: Target,
        number: str,
        ring_seconds: float,
        on_ringing: Callable[[], None],
    ) -> Leg | CallFailed:
        try:
            return await self.reach(self.routing.route(account, target), number, ring_seconds, on_ringing)
        except UnroutableError as error:
            _log.info("%s %s: %s", target.kind, target.value, error)
            return CallFailed(error.code, str(error), "refused")
        except CallFailed as failure:
            return failure


def _give_up(attempt: asyncio.Future[Leg | CallFailed], chosen: Leg | None) -> None:
    """Hang up whom an attempt has reached, unless it is the chosen one."""
    if attempt.cancelled() or attempt.exception() is not None:
        return
    reached = attempt.result()
    if isinstance(reached, Leg) and reached is not chosen:
        reached.close()
