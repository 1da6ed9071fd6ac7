"""What a scenario knows of its callers in the IVR: the prompts they may hear, the commands asked for, when things were.

Prompts are tones of different pitch, so that a caller's RTP probe tells which of them it hears.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.drivers.rtp.stats import SAME_PITCH, Tone
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.world import Call, World, members
from harness.suites.scenarios.vocabulary import member
from harness.timeline import Callback
from harness.verdicts import Reason

SLACK = 0.35
"""Seconds by which what is heard, what is asked and what is pressed may seem to be apart: buffers, and a busy machine."""


@dataclass(frozen=True)
class Prompt:
    """A tone in the prompt storage; `seconds` long."""

    file: str
    hertz: int
    seconds: float


@dataclass
class Ivr:
    """`presses`: how often the caller has pressed keys; `pressed`: the latest keys, `released`: when they ended.

    `each`: the commands that every call gets for itself; `interrupted`: when a command was interrupted.
    """

    ms: World
    prompts: dict[str, Prompt] = field(default_factory=dict)
    presses: int = 0
    pressed: str = ""
    released: float = 0.0
    each: list[Mapping[str, Any]] = field(default_factory=list)
    interrupted: float = 0.0

    def add(self, name: str, hertz: int, seconds: float) -> None:
        """Store a prompt that tables may name in braces."""
        self.prompts[name] = Prompt(self.ms.prompt(hertz, seconds, base=name), hertz, seconds)
        self.ms.meant[name] = self.prompts[name].file

    def tones(self, name: str, call: Call | None = None) -> list[Tone]:
        """The stretches in which a caller has heard a prompt so far."""
        wanted = self.prompts[name].hertz
        phone = (call or self.ms.call).phone
        return [one for one in phone.probe.tones if abs(one.hertz - wanted) <= SAME_PITCH]

    def wait_tone(
        self, name: str, call: Call | None = None, *, count: int = 1, seconds: float | None = None
    ) -> Tone | None:
        """The `count`th time that a caller hears a prompt; None when it does not."""
        limit = self.ms.due if seconds is None else seconds
        phone = (call or self.ms.call).phone
        return phone.probe.wait_tone(self.prompts[name].hertz, count, limit)

    def need_tone(self, name: str, call: Call | None = None) -> Tone:
        """The first time that a caller hears a prompt; inconclusive when it does not."""
        found = self.wait_tone(name, call)
        if found is None:
            raise InconclusiveError(Reason.PRECONDITION, f"the prompt {name} is not heard")
        return found

    def heard(self, name: str) -> float:
        """Seconds for which the caller has heard a prompt so far; where there is only one, all sound counts."""
        of_pitch = sum(one.milliseconds for one in self.tones(name))
        return (max(of_pitch, self.ms.call.phone.probe.sound_ms) if len(self.prompts) == 1 else of_pitch) / 1000

    def wait_command(self, count: int, call: Call | None = None, *, later: float = 0.0) -> Callback | None:
        """The `count`th getIvrCommand of a call; `later`: seconds that it may take beyond the time for a callback."""
        limit = self.ms.due + later
        return self.ms.wait("getIvrCommand", count, call=call or self.ms.call, seconds=limit)

    def need_command(self, count: int, call: Call | None = None, *, later: float = 0.0) -> Callback:
        """The same; inconclusive when it is not asked for."""
        found = self.wait_command(count, call, later=later)
        if found is None:
            raise InconclusiveError(Reason.NO_EVIDENCE, f"getIvrCommand was not asked for the {count}. time")
        return found

    def press(self, keys: str) -> None:
        """Press keys once the command is there that collects them."""
        self.presses += 1
        self.need_command(self.presses)
        self.ms.call.phone.press(keys)
        self.pressed, self.released = keys, self.ms.scenario.timeline.clock.now()

    def report(self) -> tuple[Callback, Mapping[str, Any]]:
        """The getIvrCommand after the latest keys, and its dtmfParams; none where it has none."""
        found = self.need_command(self.presses + 1)
        told = member(members(found), "dtmfParams")
        return found, told if isinstance(told, Mapping) else {}

    def given(self, count: int) -> float:
        """When the answer to the `count`th getIvrCommand was given."""
        found = self.need_command(count)
        return found.at if found.ended is None else found.ended
