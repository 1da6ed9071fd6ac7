"""Created voice calls: the target is dialled, and once it has answered the verbs run (CA Create a Voice call).

Called by the API, which answers at once; each call runs by itself until it is over and then leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging

from harness.reference.callable.calling.dialler import DEFAULT_RING, Dialler
from harness.reference.callable.calling.hooks import Hooks
from harness.reference.callable.calling.legs import Leg
from harness.reference.callable.calling.live import LiveCall
from harness.reference.callable.calling.routing import UnroutableError
from harness.reference.callable.calling.runner import Runner
from harness.reference.callable.store import Account
from harness.reference.callable.verbs import VoiceCall
from harness.reference.sip import CallFailed
from harness.reference.sip.waiting import until_over

MAX_CALLS = 500
_MAX_CALL_SECONDS = 14_400.0
_log = logging.getLogger("ringtrue.callable")


class TooManyCallsError(Exception):
    """The platform makes as many calls as it can."""


class VoiceCalls:
    """The created calls that are under way."""

    def __init__(self, dialler: Dialler, runner: Runner, hooks: Hooks) -> None:
        self.dialler = dialler
        self.runner = runner
        self.hooks = hooks
        self._running = 0

    def create(self, account: Account, order: VoiceCall) -> LiveCall:
        """Start a call and return at once. Raises TooManyCallsError."""
        if self._running >= MAX_CALLS:
            raise TooManyCallsError(f"{MAX_CALLS} calls are under way, and there is no room for more")
        live = LiveCall(account.id, self.caller_of(account, order), order.target.value, "outbound", order.tags)
        self._running += 1
        self.start(account, live, order)
        return live

    def caller_of(self, account: Account, order: VoiceCall) -> str:
        """The number to present: a blank callerId stands for the main billing number."""
        return order.caller_id or account.mbn

    def start(self, account: Account, live: LiveCall, order: VoiceCall) -> None:
        self.dialler.endpoint.run(self.run, account, live, order)

    async def run(self, account: Account, live: LiveCall, order: VoiceCall) -> None:
        code = 200
        try:
            live.party = await self.dial(account, live, order)
            self.hooks.tell(live, "call.answered")
            async with asyncio.timeout(_MAX_CALL_SECONDS):
                await self.talk(live, order)
        except UnroutableError as error:
            _log.info("call %s: %s", live.id, error)
            code = error.code
        except CallFailed as failure:
            code = failure.code
        except TimeoutError:
            _log.info("call %s: ended after %.0f seconds", live.id, _MAX_CALL_SECONDS)
        finally:
            self._running -= 1
            if live.party is not None:
                live.party.close()
            self.hooks.tell(live, "call.ended", code=code)
            _log.info("call %s to %s is over (%d)", live.id, live.called, code)

    async def dial(self, account: Account, live: LiveCall, order: VoiceCall) -> Leg:
        """Dial the target. Raises UnroutableError or CallFailed."""
        route = self.dialler.routing.route(account, order.target)
        self.hooks.tell(live, "call.dialled")

        def ringing() -> None:
            self.hooks.tell(live, "call.ringing")
            self.on_ringing(live, order)

        return await self.dialler.reach(route, live.caller, DEFAULT_RING, ringing)

    async def talk(self, live: LiveCall, order: VoiceCall) -> None:
        """Run the verbs, for as long as the target is there."""
        await until_over(live.leg, self.runner.run(live, order.verbs))

    def on_ringing(self, live: LiveCall, order: VoiceCall) -> None:
        """The target rings; nothing is done until it answers."""
