"""What a scenario answers to callbacks: replies as data, used up in turn, and made whole as the tables ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.drivers.recorder import Answer

Plain = Answer | Mapping[str, Any] | bytes | int | None
Reply = Plain | Callable[[Mapping[str, Any]], Plain]
"""An object for a JSON answer, bytes for a body as it is, a number for a status, an `Answer` for anything else; or a
function of the callback's members that gives one of these. None: what a good application would say."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "newCall": {"action": "ivr"},
    "getIvrCommand": {"hangup": True},
    "callEvent": {"action": "drop", "dropCode": "dropNoMsg"},
}
SILENCE = Answer(drop=True)
"""No answer: the connection is closed."""
_ECHOED = {"getIvrCommand": ("sessionId", "replyId")}
_REFERRED = ("newCall", "newRemoteCall")


class Answers:
    """Replies by the name of their callback. A list is used up one by one; its last item repeats."""

    def __init__(self, given: Mapping[str, Reply | list[Reply]] | None = None) -> None:
        self._replies: dict[str, list[Reply]] = {}
        for name, replies in (given or {}).items():
            self.set(name, replies)

    def set(self, name: str, replies: Reply | list[Reply]) -> None:
        """Answer like this from the next callback of that name on."""
        self._replies[name] = list(replies) if isinstance(replies, list) else [replies]

    def add(self, name: str, reply: Reply) -> None:
        """Answer like this after what is there already."""
        self._replies.setdefault(name, []).append(reply)

    def has(self, name: str) -> bool:
        return bool(self._replies.get(name))

    def next(self, name: str) -> Reply:
        """The reply whose turn it is."""
        replies = self._replies[name]
        return replies.pop(0) if len(replies) > 1 else replies[0]


def rendered(name: str, reply: Reply, body: Mapping[str, Any], reference: str | None) -> Answer:
    """A reply to a callback as an HTTP answer: a JSON one echoes what its table says, and gives the reference."""
    plain: Plain = reply(body) if callable(reply) else reply
    if isinstance(plain, Answer):
        return plain
    if isinstance(plain, bytes):
        return Answer(body=plain)
    if isinstance(plain, int):
        return Answer(plain)
    made = dict(DEFAULTS.get(name, {}) if plain is None else plain)
    for echoed in _ECHOED.get(name, ()):
        if body.get(echoed) is not None:
            made.setdefault(echoed, body[echoed])
    if reference is not None and name in _REFERRED:
        made.setdefault("sessionReferenceId", reference)
    return Answer(json=made)
