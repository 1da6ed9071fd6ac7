"""Callable faults of created voice calls: what is accepted, who is dialled and as whom, and when verbs run.

Part of the fault catalogue. Each function patches a Callable system that is made but not started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse

from harness.reference.callable.api import ApiError
from harness.reference.callable.calling.routing import Route, UnroutableError
from harness.reference.callable.verbs import Dial, Hangup
from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.sip import CallFailed, parse_uri

collect = Collector("callable")

Ask = Callable[..., Any]
_TIME_TO_DIAL = 1.0
# So that what comes too late does so for every observer.
_TIME_TO_HANG_UP = 0.1


@collect("call-not-dialled", "CA-voice-target-dialled", "a voice call is accepted and nobody is dialled")
def _not_dialled(system: Any) -> None:
    put(system.voice_calls, "start", lambda *_order: None)


@collect("call-dialled-twice", "CA-voice-dialled-once", "the target of a voice call is dialled twice at once")
def _dialled_twice(system: Any) -> None:
    def start(really_start: Ask, account: Any, live: Any, order: Any) -> None:
        really_start(account, live, order)
        really_start(account, replace(live), order)

    wrap(system.voice_calls, "start", start)


for _member in ("target", "verbs"):

    def _accepted_without(system: Any, member: str = _member) -> None:
        _voice_without(system, member, lambda _asked: JSONResponse({"id": "none"}, 201))

    def _fails_without(system: Any, member: str = _member) -> None:
        def fail(_asked: Any) -> Any:
            raise ApiError(500, f"{member} is missing")

        _voice_without(system, member, fail)

    collect.add(
        f"call-without-{_member}-accepted",
        f"CA-voice-{_member}-required",
        f"a voice call without {_member} is accepted",
        _accepted_without,
    )
    collect.add(
        f"call-without-{_member}-500",
        f"CA-voice-{_member}-required-status",
        f"a voice call without {_member} is answered 500",
        _fails_without,
    )


@collect(
    "refused-call-dialled",
    "CA-voice-refused-not-dialled",
    "a voice call without verbs is refused, and dials all the same",
)
def _refused_dialled(system: Any) -> None:
    async def create(run: Ask, asked: Any) -> Any:
        if "target" in asked.json and "verbs" not in asked.json:
            await run(replace(asked, json=asked.json | {"verbs": []}))
        return await run(asked)

    _around(system, "createVoiceCall", create)


@collect("call-needs-options", "CA-voice-optional-values", "a voice call without callerId or tag is refused")
def _needs_options(system: Any) -> None:
    async def create(run: Ask, asked: Any) -> Any:
        if not {"callerId", "tag"} <= set(asked.json):
            raise ApiError(400, "callerId and tag are required")
        return await run(asked)

    _around(system, "createVoiceCall", create)


@collect(
    "caller-id-ignored", "CA-voice-caller-presented", "the main billing number is presented whatever callerId says"
)
def _caller_ignored(system: Any) -> None:
    put(system.voice_calls, "caller_of", lambda account, _order: account.mbn)


@collect("blank-caller-id-anonymous", "CA-voice-caller-default", "a voice call without callerId presents nobody")
def _caller_anonymous(system: Any) -> None:
    put(system.voice_calls, "caller_of", lambda _account, order: order.caller_id)


@collect(
    "default-caller-other",
    "CA-voice-caller-default-mbn",
    "a voice call without callerId presents another number than mbn",
)
def _caller_other(system: Any) -> None:
    put(system.voice_calls, "caller_of", lambda account, order: order.caller_id or account.ddis[-1].name)


@collect("tagged-call-not-dialled", "CA-voice-tags-taken", "a voice call with tags is accepted and nobody is dialled")
def _tagged_not_dialled(system: Any) -> None:
    wrap(system.voice_calls, "start", lambda start, *order: None if order[2].tags else start(*order))


@collect("number-not-dialled", "CA-target-phone-number", "a voice call to a phone number dials nobody")
def _number_not_dialled(system: Any) -> None:
    _no_route(system, "phoneNumber")


@collect(
    "number-altered", "CA-target-phone-number-carrier", "the last digit of a phone number is changed on the way out"
)
def _number_altered(system: Any) -> None:
    wrap(system.routing, "carrier_uri", lambda make, number: make(number[:-1] + str((int(number[-1]) + 1) % 10)))


@collect("extension-not-dialled", "CA-target-extension", "a voice call to an extension dials nobody")
def _extension_not_dialled(system: Any) -> None:
    _no_route(system, "extension")


@collect(
    "extension-at-carrier", "CA-target-extension-gateway", "an extension is dialled at the carrier, not at its trunk"
)
def _extension_at_carrier(system: Any) -> None:
    def route(find: Ask, account: Any, target: Any) -> Any:
        if target.kind == "extension":
            return Route((system.routing.carrier_uri(target.override or target.value),))
        return find(account, target)

    wrap(system.routing, "route", route)


@collect("override-ignored", "CA-target-override-to", "overrideTo is ignored")
def _override_ignored(system: Any) -> None:
    wrap(system.routing, "route", lambda find, account, target: find(account, replace(target, override="")))


@collect("sip-uri-at-carrier", "CA-target-sip-uri", "a SIP URI is called at the carrier")
def _sip_uri_elsewhere(system: Any) -> None:
    def route(find: Ask, account: Any, target: Any) -> Any:
        found = find(account, target)
        if target.kind == "sipUri":
            return Route((system.routing.carrier_uri(parse_uri(target.value).user or "nobody"),))
        return found

    wrap(system.routing, "route", route)


@collect("device-target-not-dialled", "CA-target-device", "a voice call to a device dials nobody")
def _device_not_dialled(system: Any) -> None:
    _no_route(system, "device")


@collect("verbs-not-run", "CA-verbs-run-on-answer", "no verb runs; the call stands until the target hangs up")
def _verbs_not_run(system: Any) -> None:
    async def run(live: Any, _verbs: object) -> None:
        await live.leg.ended()

    put(system.runner, "run", run)


@collect(
    "verbs-while-ringing",
    "CA-verbs-not-before-answer",
    "a dial verb calls its targets while the target is still ringing",
)
def _verbs_while_ringing(system: Any) -> None:
    def on_ringing(_nothing: Ask, live: Any, order: Any) -> None:
        system.endpoint.run(_dial_in_vain, system, live, order)

    wrap(system.voice_calls, "on_ringing", on_ringing)


@collect("verbs-unanswered", "CA-verbs-not-unanswered", "a dial verb calls its targets when the target has refused")
def _verbs_unanswered(system: Any) -> None:
    async def dial(really_dial: Ask, account: Any, live: Any, order: Any) -> Any:
        try:
            return await really_dial(account, live, order)
        except CallFailed:
            await _dial_in_vain(system, live, order)
            raise

    wrap(system.voice_calls, "dial", dial)


@collect("verbs-backwards", "CA-verbs-in-order", "verbs run from the last to the first, a hangup before anything else")
def _verbs_backwards(system: Any) -> None:
    async def talk(really_talk: Ask, live: Any, order: Any) -> None:
        if any(isinstance(verb, Hangup) for verb in order.verbs):
            live.leg.hangup()
            await _dial_in_vain(system, live, order)
        else:
            await really_talk(live, replace(order, verbs=order.verbs[::-1]))

    wrap(system.voice_calls, "talk", talk)


@collect(
    "verbs-after-hang-up", "CA-verbs-stop-with-call", "a dial verb calls its targets although the target has hung up"
)
def _verbs_after_hangup(system: Any) -> None:
    async def talk(really_talk: Ask, live: Any, order: Any) -> None:
        await really_talk(live, order)
        if live.leg.call.end is not None and live.leg.call.end.by == "remote":
            await asyncio.sleep(_TIME_TO_HANG_UP)
            await _dial_in_vain(system, live, order)

    wrap(system.voice_calls, "talk", talk)


def _around(system: Any, operation: str, around: Ask) -> None:
    run = system.api.operations[operation]

    async def replacement(asked: Any) -> Any:
        return await around(run, asked)

    system.api.operations[operation] = replacement


def _voice_without(system: Any, member: str, answer: Callable[[Any], Any]) -> None:
    async def create(run: Ask, asked: Any) -> Any:
        return answer(asked) if member not in asked.json else await run(asked)

    _around(system, "createVoiceCall", create)


def _no_route(system: Any, kind: str) -> None:
    def route(find: Ask, account: Any, target: Any) -> Any:
        if target.kind == kind:
            raise UnroutableError(404, "lost on the way")
        return find(account, target)

    wrap(system.routing, "route", route)


async def _dial_in_vain(system: Any, live: Any, order: Any) -> None:
    """Call the targets of the first dial verb for a moment, and give them up."""
    account = system.store.account(live.account)
    for verb in order.verbs:
        if isinstance(verb, Dial):
            dialling = system.dialler.first_of(account, verb.targets, live.caller, _TIME_TO_DIAL, lambda: None)
            try:
                leg = await dialling
            except CallFailed:
                return
            leg.close()
            return
