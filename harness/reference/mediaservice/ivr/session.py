"""The IVR of one participant: asks for commands, plays their phrases, collects digits, waits, and hangs up.

Started by the call control, which ends it by cancelling `run`. Each command runs as a task of its own, so that an
operation can interrupt it and nothing else (MS /getIvrCommand, /{domain}/interruptivrcommand).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harness.reference.media import RtpSession
from harness.reference.mediaservice.callbacks import Callbacks
from harness.reference.mediaservice.ivr.digits import Collection, Digits, Match, collection_of, report, seconds
from harness.reference.mediaservice.ivr.sounds import MAX_PHRASES, PhraseError, Sounds
from harness.reference.mediaservice.messages import Messages
from harness.reference.mediaservice.model import Participant, Registry, Reply

_MAX_COMMANDS = 2000
_SHORTEST_COMMAND = 0.2
ALARM = "ivrCommandError"
_log = logging.getLogger("ringtrue.mediaservice")


class Parts(Protocol):
    """What an IVR session uses."""

    callbacks: Callbacks
    messages: Messages
    registry: Registry
    sounds: Sounds


@dataclass(frozen=True)
class Ended:
    """How a command ended: with `hangup` the session is over."""

    match: Match | None = None
    hangup: bool = False


class IvrSession:
    """One participant's time in the IVR."""

    def __init__(self, parts: Parts, participant: Participant, media: RtpSession) -> None:
        self.parts = parts
        self.participant = participant
        self.session = participant.session
        self.media = media
        self.digits = Digits()
        self._pressed = asyncio.Event()
        self._number = 0
        self._command: asyncio.Task[Ended] | None = None
        self._background = b""
        self._playing_background = False
        self._encryption: object = None

    async def run(self) -> None:
        """Ask and obey until a command says hangup, an answer cannot be used, or the task is cancelled."""
        self.media.on_digit = self._press
        try:
            ended = Ended()
            for _ in range(_MAX_COMMANDS):
                command = await self.next_command(ended.match)
                if command is None:
                    return
                ended = await self._run(command)
                if ended.hangup:
                    return
        finally:
            self.media.on_digit = None
            self.media.stop_playing()

    def interrupt(self, number: int | None) -> bool:
        """Break off the command that runs, if it is that one (None: whichever)."""
        running = self._command
        if running is None or running.done() or number not in (None, self._number):
            return False
        running.cancel()
        return True

    async def next_command(self, match: Match | None) -> Mapping[str, Any] | None:
        """Ask for a command; None, with an alarm, when the answer is none."""
        self._number += 1
        reply = Reply(self.session, participant=self.participant, command=self._number)
        reply_id = self.parts.registry.reply_id(reply)
        digits = report(self.digits.tell(), match, self._encryption)
        members = self.parts.messages.get_ivr_command(self.session, reply_id, digits)
        answer = await self.parts.callbacks.ask(self.session, "getIvrCommand", members)
        error = None
        if answer.failed:
            error = "getIvrCommand request error"
        elif answer.empty:
            error = "Empty body in getIvrCommand response"
        elif answer.members is None:
            error = "IVR command failed"
        if error is not None:
            self.parts.callbacks.alarm(
                self.session, ALARM, error, **({"problem": answer.problem} if answer.problem else {})
            )
            return None
        self.session.take_reference(answer.members or {})
        return answer.members

    async def _run(self, command: Mapping[str, Any]) -> Ended:
        """Perform one command in a task of its own; an interrupted one ended without a match."""
        began = asyncio.get_running_loop().time()
        self._command = task = asyncio.ensure_future(self.perform(command))
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        if task.cancelled():
            self._stop_phrase()
            return Ended()
        ended = task.result()
        rest = began + _SHORTEST_COMMAND - asyncio.get_running_loop().time()
        if rest > 0 and ended.match is None and not ended.hangup:
            await asyncio.sleep(rest)
        return ended

    async def perform(self, command: Mapping[str, Any]) -> Ended:
        """One command, from its first phrase to the moment at which the next may be asked for."""
        dtmf, after = command.get("dtmf"), seconds(command.get("getIVRCommandAfter"))
        if isinstance(dtmf, dict):
            self._encryption = dtmf.get("encryption")
            if dtmf.get("flush") is True:
                self.digits.flush()
        wanted = collection_of(dtmf, limited_otherwise=after is not None)
        match = await self.play_phrases(command, wanted)
        prompted = asyncio.get_running_loop().time()
        if command.get("hangup") is True:
            return Ended(hangup=True)
        await self.take_background(command.get("backgroundPrompt"))
        if match is None and wanted is not None:
            match = await self.collect(wanted, prompted, after)
        if match is None or match.reason.endswith("Timeout"):
            await self.wait_until(prompted + (after or 0.0))
        return Ended(match)

    async def play_phrases(self, command: Mapping[str, Any], wanted: Collection | None) -> Match | None:
        """Play the phrases in order; the match that bargeIn let interrupt them, if any."""
        phrases, barge_in = command.get("phrases"), barges_in(command.get("bargeIn"))
        match: Match | None = None
        for phrase in (phrases if isinstance(phrases, list) else [])[:MAX_PHRASES]:
            try:
                pcm = await self.parts.sounds.phrase(phrase)
            except PhraseError as error:
                self.parts.callbacks.alarm(self.session, ALARM, "phraseError", problem=str(error))
                continue
            self._playing_background = False
            playback = self.media.start(pcm)
            if not barge_in or wanted is None or match is not None:
                await playback.done()
                continue
            match = await self.heard_whole(playback.done(), wanted)
            if match is not None:
                playback.stop()
                if command.get("bargeIn") != "current":
                    break
        return match

    async def heard_whole(self, done: Any, wanted: Collection) -> Match | None:
        """Wait for the end of a phrase, or for the match that interrupts it."""
        whole = asyncio.ensure_future(done)
        try:
            while True:
                match = self.digits.match(wanted)
                if match is not None or whole.done():
                    return match
                self._pressed.clear()
                pressed = asyncio.ensure_future(self._pressed.wait())
                await asyncio.wait({whole, pressed}, return_when=asyncio.FIRST_COMPLETED)
                pressed.cancel()
        finally:
            whole.cancel()

    async def collect(self, wanted: Collection, prompted: float, after: float | None) -> Match | None:
        """Wait for digits until they match or time is up; None when the next request is due first."""
        loop = asyncio.get_running_loop()
        last = prompted
        while True:
            match = self.digits.match(wanted)
            if match is not None:
                return match
            limit = wanted.between if self.digits.pending else wanted.first
            due = None if limit is None else last + limit
            if after is not None and not self.digits.pending:
                due = prompted + after if due is None else min(due, prompted + after)
            self._pressed.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._pressed.wait()
                last = loop.time()
            except TimeoutError:
                if limit is not None and loop.time() >= last + limit - 0.005:
                    return self.digits.time_out()
                return None

    async def wait_until(self, when: float) -> None:
        rest = when - asyncio.get_running_loop().time()
        if rest > 0:
            await asyncio.sleep(rest)

    async def take_background(self, prompt: object) -> None:
        """Set, end, or go on with the prompt that fills the time between phrases."""
        if isinstance(prompt, Mapping):
            if prompt.get("stop") is True:
                self._background = b""
                if self._playing_background:
                    self.media.stop_playing()
            else:
                try:
                    self._background = await self.parts.sounds.background(prompt)
                    self._playing_background = False
                except PhraseError as error:
                    self.parts.callbacks.alarm(self.session, ALARM, "phraseError", problem=str(error))
        if self._background and not self._playing_background:
            self.media.start(self._background, loop=True)
        self._playing_background = bool(self._background)

    def _stop_phrase(self) -> None:
        if not self._playing_background:
            self.media.stop_playing()

    def _press(self, digit: str) -> None:
        self.digits.add(digit)
        self._pressed.set()


def barges_in(value: object) -> bool:
    """Whether bargeIn lets digits interrupt; the list of its values is cut off in the document."""
    return value is True or (
        isinstance(value, str) and value.lower() not in ("", "none", "no", "off", "false", "never")
    )
