"""Mediaservice faults in what is done with calls: actions, drops, dialling, splitting, hanging up.

Part of the fault catalogue. Each function patches one step of a system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.mediaservice.calls import control

collect = Collector("mediaservice")


def _action(origin: str, action: str, system: Any) -> None:
    """An action of an answer is taken for another one."""

    async def apply(really: Callable[..., Any], participant: Any, asked: Any, where: str) -> None:
        if where == origin and asked["action"] == action:
            instead = {"action": "drop"} if action != "drop" else {"action": "ivr"}
            asked = dict(asked) | instead
        await really(participant, asked, where)

    wrap(system.control, "apply", apply)


for _origin, _action_name, _also in (
    ("newCall", "drop", ""),
    ("newCall", "call", ""),
    ("newCall", "connect", "newCall-connect-participantId"),
    ("newCall", "ivr", ""),
    ("callEvent", "drop", "callEvent-action"),
    ("callEvent", "call", ""),
    ("callEvent", "connect", "callEvent-connect-participantId"),
    ("callEvent", "ivr", ""),
    ("callEvent", "httpcall", ""),
):
    _clauses = [f"{_origin}-action-{_action_name}", *([_also] if _also else [])]
    for _clause in _clauses:
        collect.add(
            f"{_clause}-ignored",
            f"MS-{_clause}",
            f"the action {_action_name} answered to {_origin} does something else",
            partial(_action, _origin, _action_name),
        )


def _status(code: str, status: int, system: Any) -> None:
    def reject(really: Callable[..., None], participant: Any, given: int, reason: str | None = None) -> None:
        really(participant, status if given == control.STATUS[code] else given, reason)

    wrap(system.control, "reject", reject)


for _id, _code, _instead, _clause in (
    ("busy-not-busy", "busy", 480, "newCall-dropCode-busy-status"),
    ("numberNotFound-not-404", "numberNotFound", 500, "newCall-dropCode-numberNotFound-status"),
    ("unavailable-not-480", "temporarilyUnavailable", 500, "newCall-dropCode-temporarilyUnavailable-status"),
    ("drop-setup-busy", "busy", 503, "callEvent-dropCode-setup"),
):
    _words = f"dropCode {_code} is sent as {_instead}"
    collect.add(_id, f"MS-{_clause}", _words, partial(_status, _code, _instead))


@collect("dropCodes-alike", "MS-newCall-dropCode", "every dropCode is sent as 486")
def _codes_alike(system: Any) -> None:
    def drop(really: Callable[..., None], participant: Any, _code: object) -> None:
        really(participant, "busy")

    wrap(system.control, "drop", drop)


def _answered_when(code: str, system: Any) -> None:
    """A dropCode leads to the IVR instead of a refusal."""

    def drop(really: Callable[..., None], participant: Any, given: object) -> None:
        if given == code and participant.leg.unanswered:
            system.control.engage(participant, system.control.ivr(participant))
        else:
            really(participant, given)

    wrap(system.control, "drop", drop)


for _code in ("busy", "error", "numberNotFound", "numberNotActive", "dropNoMsg", "temporarilyUnavailable"):
    collect.add(
        f"dropCode-{_code}-answered",
        f"MS-newCall-dropCode-{_code}",
        f"a call dropped with {_code} is answered",
        partial(_answered_when, _code),
    )


@collect("bye-without-reason", "MS-callEvent-dropCode", "the BYE of a drop has no Reason")
def _no_reason(system: Any) -> None:
    put(system.control, "reason", lambda _code: None)


@collect("reasons-alike", "MS-callEvent-dropCode-reasons-differ", "the Reason is the same for each dropCode")
def _same_reason(system: Any) -> None:
    put(system.control, "reason", lambda code: "Q.850;cause=16" if code else None)


@collect("unusable-answer-hangs", "MS-newCall-unusable-answer-ends", "a call without a usable answer is left hanging")
def _hangs(system: Any) -> None:
    async def new_call(really: Callable[..., Any], caller: Any, call: Any) -> None:
        wrap_drop = system.control.drop
        system.control.drop = lambda one, code: None if code == "temporarilyUnavailable" else wrap_drop(one, code)
        await really(caller, call)

    wrap(system.control, "new_call", new_call)


@collect("cancel-answered-with-480", "MS-newCall-cancelled", "a cancelled call ends with 480")
def _cancelled(system: Any) -> None:
    def send(message: Any, _address: Any) -> Any:
        if getattr(message, "status", 0) == 487:
            message.status, message.reason = 480, "Temporarily Unavailable"
        return message

    put(system.lines.endpoint, "on_send", send)


@collect("callEvent-empty-silent", "MS-alarm-callEvent-empty", "an empty answer to callEvent gives no alarm")
def _empty_silent(system: Any) -> None:
    def usable(really: Callable[..., Any], session: Any, name: str, answer: Any) -> Any:
        return None if name == "callEvent" and answer.empty else really(session, name, answer)

    wrap(system.control, "usable", usable)


@collect("split-keeps-media", "MS-split-disconnects-media", "split parties still hear each other")
def _split_media(system: Any) -> None:
    def split(really: Callable[..., None], connection: Any) -> None:
        connection.stop_media = None
        really(connection)

    wrap(system.control, "split", split)


@collect("split-hangs-up", "MS-split-keeps-calls", "a split hangs up both parties")
def _split_bye(system: Any) -> None:
    def split(really: Callable[..., None], connection: Any) -> None:
        really(connection)
        for one in (connection.caller, connection.callee):
            system.control.reject(one, 480)

    wrap(system.control, "split", split)


@collect("split-events-twice", "MS-split-one-event-each", "a split gives two callEvents per participant")
def _split_twice(system: Any) -> None:
    def ask_event(really: Callable[..., None], one: Any, connection: Any, event: str, *more: Any) -> None:
        for _ in range(2 if event.endswith("Split") else 1):
            really(one, connection, event, *more)

    wrap(system.control, "ask_event", ask_event)


@collect(
    "split-action-on-other", "MS-split-action-applies", "the action answered to a split is applied to the other party"
)
def _split_other(system: Any) -> None:
    def ask_event(really: Callable[..., None], one: Any, connection: Any, event: str, *more: Any) -> None:
        really(connection.other(one) if event.endswith("Split") else one, connection, event, *more)

    wrap(system.control, "ask_event", ask_event)


@collect("split-any-replyId", "MS-splitconnection-replyId", "splitconnection takes apart whatever connectionId names")
def _any_reply(system: Any) -> None:
    def split(really: Callable[..., Any], asked: Any) -> Any:
        return really({name: value for name, value in asked.items() if name != "replyId"})

    wrap(system.operations, "splitconnection", split)


def _hang_up_other(system: Any) -> None:
    wrap(system.operations, "participant", _other_of)


def _other_of(really: Callable[..., Any], asked: Any) -> Any:
    found = really(asked)
    return found.connection.other(found) if found is not None and found.connection is not None else found


for _id, _clause in (
    ("hangupparticipant-other", "hangupparticipant-participantId"),
    ("hangupremoteparticipant-other", "hangupremoteparticipant-participantId"),
):
    collect.add(_id, f"MS-{_clause}", "the party at the other side is hung up", _hang_up_other)


@collect("hangupparticipant-nothing", "MS-hangupparticipant-hangs-up", "hangupparticipant hangs nobody up")
def _hang_nobody(system: Any) -> None:
    put(system.operations, "hangupparticipant", lambda _asked: None)


@collect(
    "hangupremoteparticipant-nothing", "MS-hangupremoteparticipant-hangs-up", "hangupremoteparticipant hangs nobody up"
)
def _hang_no_remote(system: Any) -> None:
    put(system.operations, "hangupremoteparticipant", lambda _asked: None)


@collect("hangupparticipant-no-session", "MS-hangupparticipant-sessionId", "hangupparticipant does not know sessionId")
def _no_session(system: Any) -> None:
    def hang_up(really: Callable[..., Any], asked: Any) -> Any:
        return None if "sessionId" in asked and "participantId" not in asked else really(asked)

    wrap(system.operations, "hangupparticipant", hang_up)


def _everybody(operation: str, system: Any) -> None:
    """An operation ends all calls, not only its own."""

    def run(really: Callable[..., Any], asked: Any) -> Any:
        done = really(asked)
        for session in list(system.parts.registry.sessions.values()):
            for one in list(session.participants):
                one.release()
                system.control.reject(one, 486)
        return done

    wrap(system.operations, operation, run)


for _operation in ("hangupparticipant", "hangupremoteparticipant", "hangupcall"):
    _words = f"{_operation} ends all calls"
    collect.add(f"{_operation}-all", f"MS-{_operation}-replyId", _words, partial(_everybody, _operation))


def _httpcall(change: dict[str, Any], system: Any) -> None:
    async def connect(really: Callable[..., Any], participant: Any, asked: Any) -> None:
        await really(participant, dict(asked) | change)

    wrap(system.control.httpcalls, "connect", connect)


for _member, _other in (("codec", "GSM"), ("receiveIp", "192.0.2.77"), ("receivePort", "9")):
    _words = f"{_member} of httpcall is not heeded"
    collect.add(
        f"httpcall-{_member}", f"MS-callEvent-httpcall-{_member}", _words, partial(_httpcall, {_member: _other})
    )


@collect("newCall-action-mixed", "MS-newCall-action", "drop and ivr answered to newCall are taken for each other")
def _mixed(system: Any) -> None:
    async def apply(really: Callable[..., Any], participant: Any, asked: Any, where: str) -> None:
        swapped = {"drop": "ivr", "ivr": "drop"}.get(asked["action"], asked["action"])
        await really(participant, dict(asked) | {"action": swapped} if where == "newCall" else asked, where)

    wrap(system.control, "apply", apply)
