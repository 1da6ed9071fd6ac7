"""Callable faults of single verbs: say, play, gather, dial, hangup, reject, redirect.

Part of the fault catalogue. Each function patches a Callable system that is made but not started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.reference.faults.fault import Collector, put, wrap

collect = Collector("callable")

Ask = Callable[..., Any]
_SAYING_SECONDS = 0.5


@collect("say-silent", "CA-say-heard", "a say verb takes its time and nothing is heard")
def _say_silent(system: Any) -> None:
    async def say(live: Any, _verb: object) -> None:
        await live.leg.answer()
        await asyncio.sleep(_SAYING_SECONDS)

    put(system.runner, "say", say)


@collect("say-elsewhere", "CA-say-rtp", "what a say verb says is sent two ports beside the one that the answer names")
def _say_elsewhere(system: Any) -> None:
    async def say(really_say: Ask, live: Any, verb: Any) -> None:
        session = live.leg.session
        agreed = session.agreement
        if agreed is not None and agreed.remote is not None:
            session.apply(replace(agreed, remote=(agreed.remote[0], agreed.remote[1] + 2)))
        await really_say(live, verb)
        if agreed is not None:
            session.apply(agreed)

    wrap(system.runner, "say", say)


@collect("play-silent", "CA-verb-play", "a play verb is left out")
def _play_silent(system: Any) -> None:
    _left_out(system, "play")


@collect("gather-does-not-wait", "CA-verb-gather", "a gather verb takes no digits and the next verb runs at once")
def _gather_skipped(system: Any) -> None:
    _left_out(system, "gather")


@collect("dial-left-out", "CA-dial-targets", "a dial verb calls nobody")
def _dial_left_out(system: Any) -> None:
    _left_out(system, "dial")


@collect(
    "dial-not-connected", "CA-dial-connects", "the party of a dial verb and the first target do not hear each other"
)
def _dial_not_connected(system: Any) -> None:
    def join(really_join: Ask, leg: Any, other: Any) -> Any:
        relay = really_join(leg, other)
        relay.stop()
        return relay

    wrap(system.runner, "join", join)


@collect("dial-caller-id-ignored", "CA-dial-caller-id", "the callerId of a dial verb is ignored")
def _dial_caller(system: Any) -> None:
    wrap(system.runner, "dial", lambda dial, live, verb: dial(live, replace(verb, caller_id="")))


@collect("dial-timeout-ignored", "CA-dial-timeout", "a dial verb rings for a minute whatever its timeout says")
def _dial_timeout(system: Any) -> None:
    wrap(system.runner, "dial", lambda dial, live, verb: dial(live, replace(verb, timeout=60)))


@collect("dial-time-limit-ignored", "CA-dial-time-limit", "a connection of a dial verb lasts as long as it likes")
def _dial_limit(system: Any) -> None:
    wrap(system.runner, "dial", lambda dial, live, verb: dial(live, replace(verb, time_limit=14_400)))


@collect("dial-hang-up-kept", "CA-dial-hangup-passed-on", "when the dialled party hangs up, the target is left alone")
def _dial_hangup(system: Any) -> None:
    async def bridge(really_bridge: Ask, live: Any, other: Any, limit: float | None) -> None:
        await really_bridge(live, other, limit)
        await live.leg.ended()

    wrap(system.runner, "bridge", bridge)


@collect("hangup-ignored", "CA-hangup-ends-call", "a hangup verb does nothing, and the call stands")
def _hangup_ignored(system: Any) -> None:
    put(system.runner, "hangup", lambda _live: None)
    _ends_by_the_other_side(system)


@collect("reject-ignored", "CA-verb-reject", "a reject verb does nothing: the call is answered, or stands")
def _reject_ignored(system: Any) -> None:
    put(system.runner, "reject", lambda _live, _verb: None)
    _ends_by_the_other_side(system)


@collect("redirect-ignored", "CA-verb-redirect", "a redirect verb asks nobody, and the call ends")
def _redirect_ignored(system: Any) -> None:
    async def redirect(_live: object, _verb: object) -> tuple[()]:
        return ()

    put(system.runner, "redirect", redirect)


def _left_out(system: Any, verb: str) -> None:
    async def nothing(*_call: object) -> None:
        return

    put(system.runner, verb, nothing)


def _ends_by_the_other_side(system: Any) -> None:
    """After the last verb the call stands until the party hangs up."""

    async def run(really_run: Ask, live: Any, verbs: Any) -> None:
        await really_run(live, verbs)
        await live.leg.answer()
        await live.leg.ended()

    put(system.runner, "end", lambda _live: None)
    wrap(system.runner, "run", run)
