"""Mediaservice faults in calling destinations: ringing, greeting, answer, recording, monitoring, and giving up.

Part of the fault catalogue. Each function patches one step of a system that is made but not started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.mediaservice.model import Connection

collect = Collector("mediaservice")


def _uri(origin: str, system: Any) -> None:
    def outgoing(really: Callable[..., Any], uri: str, asked: Any, inbound: Any, where: str) -> Any:
        invite = really(uri, asked, inbound, where)
        return replace(invite, uri=uri.replace("sip:", "sip:not-", 1)) if where == origin else invite

    wrap(system.parts.mapping, "outgoing", outgoing)


for _origin, _prefix in (
    ("newCall", "newCall-call"),
    ("callEvent", "callEvent-call"),
    ("placeivrcall", "placeivrcall"),
):
    collect.add(
        f"{_prefix}-destAddr-other",
        f"MS-{_prefix}-destAddr",
        f"after {_origin} somebody else is invited",
        partial(_uri, _origin),
    )


def _dialled(origin: str, change: Callable[[dict[str, Any]], dict[str, Any]], system: Any) -> None:
    """Change what an answer asks of a call before it is dialled."""

    async def dial(really: Callable[..., Any], caller: Any, asked: Any, where: str) -> None:
        await really(caller, change(dict(asked)) if where == origin else asked, where)

    wrap(system.control.dialler, "dial", dial)


def _less(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asked.items() if key != name}


def _with(name: str, value: object, asked: dict[str, Any]) -> dict[str, Any]:
    return asked | ({name: value} if name in asked else {})


def _first_ring(asked: dict[str, Any]) -> dict[str, Any]:
    listed = asked.get("destAddr")
    if isinstance(listed, list):
        asked = asked | {"destAddr": [_less("maxRingTime", one) for one in listed]}
    return asked


def _first_only(asked: dict[str, Any]) -> dict[str, Any]:
    listed = asked.get("destAddr")
    return asked | {"destAddr": listed[:1]} if isinstance(listed, list) else asked


_ASKED: tuple[tuple[str, str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    ("maxRingTime", "an attempt rings longer than maxRingTime", partial(_with, "maxRingTime", 60)),
    ("ringbackTone-default", "a caller hears silence for the tone", partial(_with, "ringbackTone", "silent")),
    ("ringbackTone-silent", "a caller hears a tone for silence", partial(_with, "ringbackTone", "default")),
    ("ringbackTone-remoteGenerated", "a caller gets media for ringing", partial(_with, "ringbackTone", "default")),
    ("greeting", "parties are connected without a greeting", partial(_less, "greeting")),
    ("callRecording", "callRecording is not heeded", partial(_less, "callRecording")),
    ("recordingFileName", "recordingFileName is not heeded", partial(_less, "recordingFileName")),
    ("monitorDestAddr", "monitorDestAddr is not heeded", partial(_less, "monitorDestAddr")),
    ("destAddr-list-tried", "of a list only the first destination is called", _first_only),
    ("destAddr-list-maxRingTime", "the maxRingTime of a destination is not heeded", _first_ring),
)
for _origin in ("newCall", "callEvent"):
    for _clause, _words, _change in _ASKED:
        _end = f"{_origin}-call-{_clause}"
        collect.add(f"{_end}-ignored", f"MS-{_end}", _words, partial(_dialled, _origin, _change))


@collect("greeting-caller-only-callee", "MS-greeting-caller", "the caller does not hear its greeting")
def _greeting_caller(system: Any) -> None:
    _greeting(system, "caller")


@collect("greeting-callee-only-caller", "MS-greeting-callee", "the called party does not hear its greeting")
def _greeting_callee(system: Any) -> None:
    _greeting(system, "callee")


def _greeting(system: Any, who: str) -> None:
    async def connected(really: Callable[..., Any], connection: Any, asked: Any, origin: str) -> None:
        if isinstance(asked.get("greeting"), dict):
            asked = dict(asked) | {"greeting": _less(who, asked["greeting"])}
        await really(connection, asked, origin)

    wrap(system.control.dialler, "connected", connected)


@collect("greeting-callerFirst", "MS-greeting-playMode", "the caller's greeting comes first whatever playMode says")
def _greeting_order(system: Any) -> None:
    async def connected(really: Callable[..., Any], connection: Any, asked: Any, origin: str) -> None:
        if isinstance(asked.get("greeting"), dict):
            asked = dict(asked) | {"greeting": asked["greeting"] | {"playMode": "callerFirst"}}
        await really(connection, asked, origin)

    wrap(system.control.dialler, "connected", connected)


@collect("callAnswered-while-ringing", "MS-callAnswered-on-answer", "callAnswered comes when the destination rings")
def _answered_early(system: Any) -> None:
    def rings(really: Callable[..., None], callee: Any, other: Any) -> None:
        really(callee, other)
        connection = Connection(other.session, other, callee)
        system.parts.tell_answered(connection, callee)

    wrap(system.control.dialler, "rings", rings)


@collect("callAnswered-on-refusal", "MS-callAnswered-never-on-refusal", "a refusal gives a callAnswered")
def _answered_refused(system: Any) -> None:
    def ask_event(really: Callable[..., None], one: Any, connection: Any, event: str, *more: Any) -> None:
        if event == "calledPartyFailure":
            system.parts.tell_answered(connection, connection.callee)
        really(one, connection, event, *more)

    wrap(system.control, "ask_event", ask_event)


@collect("ringing-invented", "MS-callNotify-ringing-only", "callNotify ringing comes although nothing rings")
def _ringing_invented(system: Any) -> None:
    async def attempt(really: Callable[..., Any], callee: Any, other: Any, *more: Any) -> None:
        system.parts.notify("ringing", callee, other)
        await really(callee, other, *more)

    wrap(system.control.dialler, "attempt", attempt)


@collect("ringing-untold", "MS-callNotify-ringing", "a ringing response gives no callNotify")
def _ringing_untold(system: Any) -> None:
    put(system.control.dialler, "rings", lambda _callee, _other: None)


def _no_media(origin: str, system: Any) -> None:
    async def dial(really: Callable[..., Any], caller: Any, asked: Any, where: str) -> None:
        if where == origin:
            caller.session.silent = True
        await really(caller, asked, where)

    def connect(really: Callable[..., None], connection: Any) -> None:
        really(connection)
        if getattr(connection.session, "silent", False) and connection.stop_media:
            connection.stop_media()

    wrap(system.control.dialler, "dial", dial)
    wrap(system.control, "connect", connect)


for _origin in ("newCall", "callEvent"):
    _words = f"parties that {_origin} connected do not hear each other"
    collect.add(f"{_origin}-call-no-media", f"MS-{_origin}-call-media", _words, partial(_no_media, _origin))


def _told_address(origin: str, system: Any) -> None:
    """A destination of a recorded call is told the caller's own media address."""
    theirs: list[bytes] = []

    async def attempt(
        really: Callable[..., Any], callee: Any, other: Any, destination: Any, asked: Any, where: str
    ) -> None:
        theirs.clear()
        if where == origin and asked.get("callRecording") is True and other.leg.call.remote_sdp:
            theirs.append(other.leg.call.remote_sdp)
        await really(callee, other, destination, asked, where)

    async def invite(
        really: Callable[..., Any], uri: Any, caller: Any, callee: Any, sdp: Any, *more: Any, **how: Any
    ) -> Any:
        return await really(uri, caller, callee, theirs.pop() if theirs else sdp, *more, **how)

    wrap(system.control.dialler, "attempt", attempt)
    wrap(system.parts.endpoint, "invite", invite)


for _origin in ("newCall", "callEvent"):
    collect.add(
        f"{_origin}-call-callRecording-media-told",
        f"MS-{_origin}-call-callRecording-media",
        f"a destination that {_origin} asks to record is told the caller's media address",
        partial(_told_address, _origin),
    )


def _cancel_lost(origin: str, system: Any) -> None:
    """No CANCEL leaves the platform for legs that this origin made."""
    made: set[str] = set()

    async def attempt(really: Callable[..., Any], callee: Any, *more: Any) -> None:
        if more[-1] == origin:
            made.add(callee.user)
        await really(callee, *more)

    def send(message: Any, _address: Any) -> Any:
        cancelling = getattr(message, "method", "") == "CANCEL"
        return None if cancelling and message.to.user in made else message

    wrap(system.control.dialler, "attempt", attempt)
    put(system.lines.endpoint, "on_send", send)


for _origin, _prefix in (
    ("newCall", "newCall-call"),
    ("callEvent", "callEvent-call"),
    ("placeivrcall", "placeivrcall"),
):
    for _clause in ("maxRingTime-cancel", *(("caller-cancels",) if _origin != "placeivrcall" else ())):
        collect.add(
            f"{_prefix}-{_clause}-lost",
            f"MS-{_prefix}-{_clause}",
            f"an attempt after {_origin} ends without CANCEL",
            partial(_cancel_lost, _origin),
        )


@collect("refused-placed-call-in-ivr", "MS-placeivrcall-refused", "a placed call that is refused gives a callAnswered")
def _refused_answered(system: Any) -> None:
    def complete(really: Callable[..., None], session: Any) -> None:
        for one in session.participants:
            if one.leg is None and one.connection is None:
                connection = Connection(session, one, session.participants[-1])
                members = system.messages.call_answered(connection, connection.callee, "none")
                session.told = asyncio.ensure_future(_told(system, session, members))
                break
        really(session)

    wrap(system.parts, "complete", complete)


async def _told(system: Any, session: Any, members: dict[str, Any]) -> None:
    await system.callbacks.post(session, "callAnswered", members)
