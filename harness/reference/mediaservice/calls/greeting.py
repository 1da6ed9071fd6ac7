"""Greetings: phrases that the parties hear before they are connected with each other (MS /newCall, /callEvent).

Called by dialling between answer and connection. A phrase that cannot be played raises an alarm and is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from harness.reference.mediaservice.ivr.sounds import MAX_PHRASES, PhraseError
from harness.reference.mediaservice.model import Connection, Participant
from harness.reference.mediaservice.parts import Parts


async def greet(parts: Parts, connection: Connection, greeting: Mapping[str, Any]) -> None:
    """Play each party's phrases: one after the other with playMode calleeFirst or callerFirst, else at once."""
    caller = _Greeting(parts, connection.caller, greeting.get("caller"))
    callee = _Greeting(parts, connection.callee, greeting.get("callee"))
    mode = greeting.get("playMode")
    if mode in ("calleeFirst", "callerFirst"):
        for one in (callee, caller) if mode == "calleeFirst" else (caller, callee):
            await one.play()
    else:
        async with asyncio.TaskGroup() as group:
            for one in (caller, callee):
                group.create_task(one.play())


class _Greeting:
    def __init__(self, parts: Parts, participant: Participant, part: object) -> None:
        self._parts = parts
        self._participant = participant
        phrases = part.get("phrases") if isinstance(part, Mapping) else None
        self._phrases = phrases[:MAX_PHRASES] if isinstance(phrases, list) else []

    async def play(self) -> None:
        leg = self._participant.leg
        for phrase in self._phrases:
            try:
                pcm = await self._parts.sounds.phrase(phrase)
            except PhraseError as error:
                session = self._participant.session
                self._parts.alarm(session, "ivrCommandError", "phraseError", problem=str(error))
                continue
            if leg is not None and leg.media is not None and leg.alive:
                await leg.media.play(pcm)
