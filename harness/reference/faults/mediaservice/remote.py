"""Mediaservice faults in calls of the cloud SIP user agent: announced, rung, answered, placed and hung up otherwise.

Part of the fault catalogue. Each function patches one step of a system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.mediaservice.calls.remote_sdp import read_media

collect = Collector("mediaservice")


@collect("remote-answered-at-once", "MS-newRemoteCall-waits", "a remote call is answered before anybody asks")
def _remote_at_once(system: Any) -> None:
    async def new_call(really: Callable[..., Any], caller: Any, call: Any) -> None:
        call.answer(read_media(call.remote_sdp).sdp())
        await really(caller, call)

    wrap(system.remote, "new_call", new_call)


def _ring_all(system: Any) -> None:
    def ring(really: Callable[..., Any], _caller: Any) -> None:
        for session in system.parts.registry.sessions.values():
            for one in session.participants:
                really(one)

    wrap(system.remote, "ring", ring)


collect.add(
    "ringback-all",
    "MS-sendremotecallringback-replyId",
    "sendremotecallringback makes all waiting calls ring",
    _ring_all,
)


def _twin_nothing(operation: str, system: Any) -> None:
    def run(really: Callable[..., Any], name: str, body: bytes) -> Any:
        return system.api.done(200, {"success": True}) if name == operation else really(name, body)

    wrap(system.api, "run", run)


for _name, _clause in (
    ("sendremotecallringback", "sendremotecallringback-rings"),
    ("sendremotecallringbackjwt", "sendremotecallringbackjwt-same"),
    ("answerremotecall", "answerremotecall-answers"),
    ("answerremotecalljwt", "answerremotecalljwt-same"),
    ("hangupcall", "hangupcall-after-answer"),
    ("hangupcall", "hangupcall-outgoing"),
    ("hangupcall", "hangupcall-before-answer"),
    ("hangupcalljwt", "hangupcalljwt-same"),
    ("placeremotecall", "placeremotecall-destinationUri"),
    ("placeremotecalljwt", "placeremotecalljwt-same"),
    ("placeivrcall", "placeivrcall-destAddr"),
):
    _words = f"{_name} says success and does nothing"
    collect.add(f"{_clause}-nothing", f"MS-{_clause}", _words, partial(_twin_nothing, _name))


@collect("ringback-182", "MS-sendremotecallringback-status", "sendremotecallringback sends 182")
def _ring_182(system: Any) -> None:
    def ring(caller: Any) -> None:
        caller.leg.call.progress(182)

    put(system.remote, "ring", ring)


@collect("hangupcall-480", "MS-hangupcall-before-answer-status", "hangupcall refuses with 480")
def _hang_480(system: Any) -> None:
    def reject(really: Callable[..., None], participant: Any, status: int, *more: Any) -> None:
        really(participant, 480 if status == 486 else status, *more)

    wrap(system.control, "reject", reject)


def _device(operation: str, members: dict[str, Any], system: Any) -> None:
    """The device's media are told otherwise than asked."""

    def run(really: Callable[..., Any], name: str, asked: Any) -> Any:
        return really(name, dict(asked) | members if name == operation else asked)

    wrap(system.operations, "run", run)


def _codec_ignored(operation: str, codec: str, system: Any) -> None:
    def run(really: Callable[..., Any], name: str, asked: Any) -> Any:
        if name == operation and asked.get("codec") == codec:
            asked = dict(asked) | {"codec": "PCMA" if codec == "PCMU" else "PCMU"}
        return really(name, asked)

    wrap(system.operations, "run", run)


for _operation in ("placeremotecall", "answerremotecall"):
    for _member, _value in (
        ("receiveIp", "192.0.2.77"),
        ("receivePort", 9),
        ("telephoneEventPayloadType", 127),
        ("crypto", []),
        *((("sourceUser", "somebody"),) if _operation == "placeremotecall" else ()),
    ):
        _words = f"{_member} of {_operation} is not heeded"
        _apply = partial(_device, _operation, {_member: _value})
        collect.add(f"{_operation}-{_member}-ignored", f"MS-{_operation}-{_member}", _words, _apply)
    _codecs = ("PCMA", "PCMU", "GSM") if _operation == "placeremotecall" else ("PCMA", "PCMU")
    for _codec in _codecs:
        _words = f"codec {_codec} of {_operation} is not heeded"
        _apply = partial(_codec_ignored, _operation, _codec)
        collect.add(f"{_operation}-codec-{_codec}-ignored", f"MS-{_operation}-codec-{_codec}", _words, _apply)
for _operation in ("placeivrcall", "placeremotecall", "answerremotecall"):
    collect.add(
        f"{_operation}-reference-lost",
        f"MS-{_operation}-sessionReferenceId",
        f"the sessionReferenceId of {_operation} does not come back",
        partial(_device, _operation, {"sessionReferenceId": None}),
    )


@collect("placed-answered-untold", "MS-placeremotecall-callAnswered", "a placed remote call gives no callAnswered")
def _placed_untold(system: Any) -> None:
    def tell(really: Callable[..., None], connection: Any, *more: Any) -> None:
        if connection.caller.leg is not None:
            really(connection, *more)

    wrap(system.parts, "tell_answered", tell)


@collect("answerremotecall-all", "MS-answerremotecall-replyId", "answerremotecall answers all waiting calls")
def _answer_all(system: Any) -> None:
    def answer(really: Callable[..., Any], caller: Any, asked: Any) -> Any:
        done = really(caller, asked)
        for session in system.parts.registry.sessions.values():
            for one in list(session.participants):
                if one.leg is not None and one.leg.unanswered:
                    really(one, asked)
        return done

    wrap(system.remote, "answer", answer)
