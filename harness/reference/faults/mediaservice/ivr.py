"""Mediaservice faults in the IVR and in recordings: what is played, collected, waited for, and kept.

Part of the fault catalogue. Sessions of the IVR are made per call, so the class's methods are replaced by those of a
subclass that the system is given before it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.media import tone
from harness.reference.mediaservice.ivr.digits import Match
from harness.reference.mediaservice.ivr.session import Ended

collect = Collector("mediaservice")

Command = Mapping[str, Any]


def _commands(change: Callable[[dict[str, Any]], dict[str, Any]], system: Any) -> None:
    """Change each command before it is performed."""

    class Changed(system.control.ivr_class):  # type: ignore[misc]
        async def perform(self, command: Command) -> Ended:
            ended: Ended = await super().perform(change(dict(command)))
            return ended

    put(system.control, "ivr_class", Changed)


def _less(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda command: {name: value for name, value in command.items() if name not in names}


def _dtmf(name: str, value: object = None) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(command: dict[str, Any]) -> dict[str, Any]:
        dtmf = command.get("dtmf")
        if not isinstance(dtmf, dict) or name not in dtmf:
            return command
        return command | {"dtmf": dtmf | ({name: value} if value is not None else {name: None})}

    return change


def _background(**members: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(command: dict[str, Any]) -> dict[str, Any]:
        prompt = command.get("backgroundPrompt")
        given = {name: value for name, value in members.items() if isinstance(prompt, dict) and name in prompt}
        return command | ({"backgroundPrompt": {**prompt, **given}} if isinstance(prompt, dict) and given else {})

    return change


def _reversed(command: dict[str, Any]) -> dict[str, Any]:
    phrases = command.get("phrases")
    return command | ({"phrases": phrases[::-1]} if isinstance(phrases, list) else {})


def _texts(command: dict[str, Any]) -> dict[str, Any]:
    phrases = command.get("phrases")
    return command | ({"phrases": [{"text": "x"} for _ in phrases]} if isinstance(phrases, list) else {})


def _sooner(command: dict[str, Any]) -> dict[str, Any]:
    after = command.get("getIVRCommandAfter")
    return command | ({"getIVRCommandAfter": after / 4} if isinstance(after, int | float) else {})


def _no_prompt_on_hangup(command: dict[str, Any]) -> dict[str, Any]:
    return _less("phrases")(command) if command.get("hangup") is True else command


def _always(command: dict[str, Any]) -> dict[str, Any]:
    return {"bargeIn": "all"} | command


_CHANGED: tuple[tuple[str, str, str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    ("phrases-silent", "phrases-played", "phrases are not played", _less("phrases")),
    ("phrases-reversed", "phrases-in-order", "phrases are played in reverse order", _reversed),
    ("phrase-file-ignored", "phrase-fileName", "a tone is played in place of a file", _texts),
    ("bargeIn-ignored", "bargeIn", "digits never interrupt a phrase", _less("bargeIn")),
    ("bargeIn-always", "bargeIn-absent", "digits interrupt phrases always", _always),
    ("maxDigits-ignored", "dtmf-maxDigits", "maxDigits is not heeded", _dtmf("maxDigits", 50)),
    ("terminationKey-ignored", "dtmf-terminationKey", "terminationKey is not heeded", _dtmf("terminationKey", "")),
    ("firstTimeout-ignored", "dtmf-firstTimeout", "firstTimeout is a minute", _dtmf("firstTimeout", 60)),
    ("betweenTimeout-ignored", "dtmf-betweenTimeout", "betweenTimeout is a minute", _dtmf("betweenTimeout", 60)),
    ("flush-ignored", "dtmf-flush", "flush does not empty the buffer", _dtmf("flush", False)),
    ("background-silent", "backgroundPrompt-played", "the background prompt is not heard", _less("backgroundPrompt")),
    ("background-wait-silent", "getIVRCommandAfter-background", "the wait is silent", _less("backgroundPrompt")),
    ("background-no-pause", "backgroundPrompt-repeatPause", "there is no repeatPause", _background(repeatPause=0)),
    ("background-goes-on", "backgroundPrompt-stop", "stop does not end the background prompt", _background(stop=False)),
    ("background-url-ignored", "backgroundPrompt-url", "the url is not fetched", _background(url="")),
    ("hangup-ignored", "hangup", "hangup true does not hang up", _less("hangup")),
    ("hangup-at-once", "hangup-after-phrases", "hangup true comes before the phrases", _no_prompt_on_hangup),
    ("next-command-early", "getIVRCommandAfter", "the next command is asked for too early", _sooner),
)
for _id, _clause, _words, _change in _CHANGED:
    collect.add(_id, f"MS-{_clause}", _words, partial(_commands, _change))


def _pressed(change: Callable[[str], str], system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        def _press(self, digit: str) -> None:
            for one in change(digit):
                super()._press(one)

    put(system.control, "ivr_class", Changed)


collect.add("digits-doubled", "MS-dtmf-exact", "each digit is taken twice", partial(_pressed, lambda digit: digit * 2))


@collect("wait-not-silent", "MS-getIVRCommandAfter-silence", "a tone is heard in the wait for the next command")
def _not_silent(system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        async def take_background(self, prompt: object) -> None:
            await super().take_background(prompt)
            if prompt is None and not self._playing_background:
                self.media.start(tone("noise"), loop=True)

    put(system.control, "ivr_class", Changed)


@collect("interrupt-nothing", "MS-interruptivrcommand-new-command", "interruptivrcommand changes nothing")
def _interrupt_nothing(system: Any) -> None:
    put(system.operations, "interruptivrcommand", lambda _asked: None)


@collect("interrupt-plays-on", "MS-interruptivrcommand-stops", "an interrupted phrase plays on")
def _plays_on(system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        def _stop_phrase(self) -> None:
            return

    put(system.control, "ivr_class", Changed)


@collect("interrupt-all-by-reply", "MS-interruptivrcommand-replyId", "interruptivrcommand interrupts all commands")
def _interrupt_all(system: Any) -> None:
    _all_interrupted(system)


@collect("interrupt-all-by-session", "MS-interruptivrcommand-sessionId", "interruptivrcommand interrupts all sessions")
def _interrupt_sessions(system: Any) -> None:
    _all_interrupted(system)


def _all_interrupted(system: Any) -> None:
    def interrupt(_asked: Any) -> None:
        for session in system.parts.registry.sessions.values():
            for one in session.participants:
                if one.ivr is not None:
                    one.ivr.interrupt(None)

    put(system.operations, "interruptivrcommand", interrupt)


@collect("commands-overlap", "MS-ivr-one-command-at-a-time", "the next command is asked for while phrases still play")
def _overlap(system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        async def play_phrases(self, command: Command, wanted: Any) -> Match | None:
            playing = asyncio.ensure_future(super().play_phrases(command, wanted))
            self.session.start(_swallow(playing))
            await asyncio.sleep(0.05)
            return None

    put(system.control, "ivr_class", Changed)


async def _swallow(task: asyncio.Future[Any]) -> None:
    await asyncio.wait([task])


@collect("command-after-hangup", "MS-hangup-no-more-commands", "after hangup true another command is asked for")
def _after_hangup(system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        async def run(self) -> None:
            await super().run()
            await self.next_command(None)

    put(system.control, "ivr_class", Changed)


@collect("no-next-command", "MS-ivr-next-command", "after the first command no other is asked for")
def _no_next(system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        async def next_command(self, match: Match | None) -> Command | None:
            if self._number:
                await asyncio.sleep(3600)
            command: Command | None = await super().next_command(match)
            return command

    put(system.control, "ivr_class", Changed)


@collect("command-after-caller-left", "MS-ivr-caller-hangs-up", "a command is asked for although the caller hung up")
def _after_caller(system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        async def run(self) -> None:
            try:
                await super().run()
            except asyncio.CancelledError:
                self.session.start(self.next_command(None))
                raise

    put(system.control, "ivr_class", Changed)


@collect("ivr-before-answer", "MS-placeivrcall-not-before-answer", "getIvrCommand comes while the destination rings")
def _before_answer(system: Any) -> None:
    def rings(really: Callable[..., None], callee: Any, other: Any) -> None:
        really(callee, other)
        members = system.messages.get_ivr_command(callee.session, "early", {})
        callee.session.start(system.callbacks.ask(callee.session, "getIvrCommand", members))

    wrap(system.control.dialler, "rings", rings)


@collect("placeivrcall-answered-untold", "MS-placeivrcall-callAnswered", "a placed call gives no callAnswered")
def _place_untold(system: Any) -> None:
    def tell(really: Callable[..., None], connection: Any, *more: Any) -> None:
        if connection.caller.leg is not None:
            really(connection, *more)

    wrap(system.parts, "tell_answered", tell)


@collect(
    "placeivrcall-not-in-ivr", "MS-placeivrcall-getIvrCommand", "a placed call that is answered is not led to the IVR"
)
def _placed_not_in_ivr(system: Any) -> None:
    async def ivr(really: Callable[..., Any], participant: Any) -> None:
        if participant.session.invite is not None:
            await really(participant)

    wrap(system.control, "ivr", ivr)


@collect("placeivrcall-rings-on", "MS-placeivrcall-maxRingTime", "a placed call rings longer than maxRingTime")
def _place_rings(system: Any) -> None:
    wrap(system.operations, "placeivrcall", lambda really, asked: really(dict(asked) | {"maxRingTime": 60}))


@collect("recording-not-stored", "MS-recording-stored", "a recording is told and not stored")
def _not_stored(system: Any) -> None:
    put(system.parts.recordings, "storage", _Nowhere())


class _Nowhere:
    """A storage that keeps nothing."""

    def put(self, _name: str, _data: bytes) -> None:
        return


@collect(
    "recording-only-stopped", "MS-recording-call-end", "a recording that nobody stopped is lost when the call ends"
)
def _only_stopped(system: Any) -> None:
    def dissolve(really: Callable[..., None], connection: Any) -> None:
        connection.recording = None
        really(connection)

    wrap(system.control, "dissolve", dissolve)


@collect("recording-empty", "MS-recording-not-empty", "a recording has no sound in it")
def _empty(system: Any) -> None:
    async def finish(really: Callable[..., Any], connection: Any, name: str, _pcm: Any) -> None:
        await really(connection, name, [b""])

    wrap(system.parts.recordings, "_finish", finish)


def _any_connection(operation: str, member: str, system: Any) -> None:
    """An operation on recordings does not heed one of the members that name the connection."""

    def run(really: Callable[..., Any], asked: Any) -> Any:
        heeded = {name: value for name, value in asked.items() if name != member}
        return really(heeded)

    wrap(system.operations, operation, run)


for _operation in ("startrecording", "stoprecording"):
    for _member in ("replyId", "connectionId"):
        _words = f"{_member} of {_operation} is not heeded"
        _apply = partial(_any_connection, _operation, _member)
        collect.add(f"{_operation}-{_member}-ignored", f"MS-{_operation}-{_member}", _words, _apply)


@collect(
    "background-after-hangup", "MS-backgroundPrompt-ends", "the background prompt goes on when the session is over"
)
def _background_on(system: Any) -> None:
    class Changed(system.control.ivr_class):  # type: ignore[misc]
        async def run(self) -> None:
            await super().run()
            if self._background:
                self.media.start(self._background, loop=True)
                await asyncio.sleep(1.5)

    put(system.control, "ivr_class", Changed)


@collect("dtmf-encryption-type", "MS-GetIvrCommand.dtmfParams.encryption", "encryption of dtmfParams is a text")
def _encryption(system: Any) -> None:
    def tell(really: Callable[..., Any], session: Any, reply_id: str, digits: dict[str, Any]) -> Any:
        params = digits.get("dtmfParams")
        told = digits | ({"dtmfParams": params | {"encryption": "md5"}} if params else {})
        return really(session, reply_id, told)

    wrap(system.messages, "get_ivr_command", tell)


@collect("ivr-codec-unoffered", "MS-ivr-codec", "the IVR answers with GSM, which nobody offered")
def _codec(system: Any) -> None:
    def send(message: Any, _address: Any) -> Any:
        if getattr(message, "status", 0) == 200 and b"m=audio" in message.body:
            lines = message.body.split(b"\r\n")
            kept = [line for line in lines if not line.startswith((b"a=rtpmap", b"a=fmtp"))]
            audio = next(line for line in kept if line.startswith(b"m=audio"))
            changed = b" ".join([*audio.split(b" ")[:3], b"3"])
            message.body = b"\r\n".join(changed if line is audio else line for line in kept)
        return message

    put(system.lines.endpoint, "on_send", send)
