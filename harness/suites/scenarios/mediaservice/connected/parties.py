"""The parties of connected calls, by the names that features give them, and steps on what they do; nothing is decided here.

`the caller` is who placed the latest call, `the first caller` and `the second caller` where there are two; any other name
is that of a phone that the platform calls: a destination or a monitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_bdd import given, parsers, when

from harness.checks.sip import Message, parse_message
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.mediaservice.answers import Reply
from harness.suites.scenarios.mediaservice.world import Call, World
from harness.suites.scenarios.telephony import Phone, hear_each_other
from harness.suites.scenarios.vocabulary import step_pattern
from harness.verdicts import Reason

SOUND_MS = 100
"""Milliseconds of sound that are heard at least where somebody speaks."""
SOUND_SECONDS = 3.0
"""Seconds until somebody who speaks must be heard."""
SILENT_SECONDS = 0.5
"""Seconds without sound that show that nobody speaks."""
CALLERS = ("the first caller", "the second caller")
_VOICES = (400, 1300)
_KEPT_SECONDS = 30
_WAITING: Mapping[str, Any] = {"ring": None, "then": "wait"}
_REASON = r'for the reason "(?P<reason>[^"]*)"'


@dataclass
class Parties:
    """Who takes part in a scenario. `it`: the members of the callback that the feature speaks of; None: it did not come.

    `moments`: when something happened, by its words, in seconds since the epoch;
    `hung_up`: for whom a hang-up was asked last; `untouched`: whether the wrong replyId left a connection as it was.
    """

    ms: World
    it: Mapping[str, Any] | None = None
    moments: dict[str, float] = field(default_factory=dict)
    hung_up: str = ""
    untouched: bool = False

    @property
    def scenario(self) -> Scenario:
        return self.ms.scenario

    def phone(self, who: str) -> Phone:
        """The phone of a party."""
        if who == "the caller":
            return self.ms.call.phone
        return self.ms.calls[CALLERS.index(who)].phone if who in CALLERS else self.ms.phones[who]

    def call(self, who: str) -> Call:
        """The call of a caller, or the one in which a phone is called."""
        if who in CALLERS:
            return self.ms.calls[CALLERS.index(who)]
        return self.ms.calls[list(self.ms.phones).index(who)] if len(self.ms.calls) > 1 else self.ms.call

    def voice(self, name: str) -> int:
        """The pitch in hertz at which a phone speaks: of the first ones, each has its own."""
        return _VOICES[list(self.ms.phones).index(name) % len(_VOICES)]

    def number(self, who: str) -> str:
        """The user part of a party: from which it calls, or at which it is called."""
        return self.phone(who).name

    def invite(self, who: str) -> Message:
        """The INVITE that reached a party. Raises InconclusiveError where none did."""
        phone = self.phone(who)
        if not phone.wait_called() or phone.invite is None:
            raise InconclusiveError(Reason.PRECONDITION, f"{who} was not called")
        return parse_message(phone.invite.text)

    def wait_connected(self, who: str) -> None:
        """Wait until callAnswered has told that this phone is connected, beside those that were before."""
        self.moments[f"{who} is connected"] = self.now()
        self.ms.wait("callAnswered", len(self.when("is connected")))

    def when(self, happened: str) -> list[float]:
        """The moments at which this happened to anyone: `rings`, `answers`, `is connected`."""
        return [at for name, at in self.moments.items() if name.endswith(f" {happened}")]

    def now(self) -> float:
        return self.scenario.timeline.clock.now()

    def shows(self, who: str, clause: str, kept: bool, words: str, *, expected: object, seen: object) -> None:
        """Judge by what a phone has seen: one that ended for a reason of its own has seen nothing that came later."""
        phone = self.phone(who)
        if not kept and phone.agent.ended and phone.bye is None and not phone.wait_cancelled(0):
            self.scenario.undecided(
                clause, Reason.NO_EVIDENCE, f"the phone of {who} was over before it could show that"
            )
            return
        self.scenario.check(clause, kept, words, expected=expected, seen=seen)

    def hears(self, who: str, seconds: float = SOUND_SECONDS) -> bool:
        """Whether a party hears something from now on."""
        probe = self.phone(who).probe
        return probe.wait_sound(probe.sound_ms + SOUND_MS, seconds)

    def hear_each_other(self, one: str, other: str) -> bool:
        """Whether each of two hears the other speak; afterwards both are silent again."""
        return hear_each_other(self.phone(one), self.phone(other), seconds=SOUND_SECONDS, milliseconds=SOUND_MS)


@pytest.fixture
def parties(ms: World) -> Parties:
    """Who takes part in the scenario."""
    return Parties(ms)


@given(step_pattern("a phone {name} that waits"))
def phone_that_waits(ms: World, name: str) -> None:
    """It does nothing until a step says what."""
    ms.phone(name, **_WAITING)


@given(parsers.re(rf"a phone (?P<name>\w+) that answers, and will leave {_REASON}"))
def phone_that_leaves(ms: World, name: str, reason: str) -> None:
    ms.phone(name, parting=f"Reason: {reason}")


@given(parsers.re(rf"a phone (?P<name>\w+) that refuses at once with (?P<refusal>\d{{3}} [^,]+)(?:, {_REASON})?"))
def phone_that_refuses_at_once(ms: World, name: str, refusal: str, reason: str | None) -> None:
    """Without ringing."""
    parting = f"Reason: {reason}" if reason else None
    ms.phone(name, ring=None, then="refuse", refusal=refusal, parting=parting)


@given(step_pattern("newCall is answered with call to {name}"))
def new_call_calls(ms: World, name: str) -> None:
    ms.answers.set("newCall", {"action": "call", "destAddr": ms.phones[name].uri})


@given(parsers.re(r"(?P<following>the next )?callEvent is answered with drop(?: and dropCode (?P<code>\w+))?"))
def call_event_drops(ms: World, following: str | None, code: str | None) -> None:
    reply: Reply = {"action": "drop", **({"dropCode": code} if code else {})}
    (ms.answers.add if following else ms.answers.set)("callEvent", reply)


@given("the IVR keeps whoever is led to it")
def ivr_keeps(ms: World) -> None:
    """Until the scenario is over: a call that ends was not ended by a command."""
    ms.answers.set("getIvrCommand", {"getIVRCommandAfter": _KEPT_SECONDS})


@given(parsers.re(r"a (?:first|second) caller who is connected with (?P<name>\w+)"))
def connected_apart(ms: World, name: str) -> None:
    """A call with answers of its own, beside others."""
    phone = ms.phone(name)
    call = ms.dial(answers={"newCall": {"action": "call", "destAddr": phone.uri}})
    if not phone.wait_answered() or not call.phone.wait_answered():
        raise InconclusiveError(Reason.PRECONDITION, f"the caller and {name} were not connected")
    ms.need("callAnswered", call=call)


@when(parsers.re(rf"a caller calls the IVR, who will leave {_REASON}"))
def call_and_leave(ms: World, reason: str) -> None:
    ms.dial(parting=f"Reason: {reason}")


@when(parsers.re(r"(?P<name>\w+) rings(?P<long> for half a second)?"))
def rings(parties: Parties, name: str, long: str | None) -> None:
    parties.phone(name).ring()
    parties.moments[f"{name} rings"] = parties.now()
    if long:
        parties.scenario.timeline.wait_for(lambda _: False, SILENT_SECONDS)  # nothing tells that there will be no sound


@when(step_pattern("{name} answers and speaks"))
def answers_and_speaks(parties: Parties, name: str) -> None:
    parties.moments[f"{name} answers"] = parties.now()
    parties.phone(name).answer()
    parties.phone(name).speak(parties.voice(name))


@when(step_pattern("{name} is connected"))
def is_connected(parties: Parties, name: str) -> None:
    """With the caller, or as a monitor, and it was told so."""
    if not parties.phone(name).wait_answered():
        raise InconclusiveError(Reason.PRECONDITION, f"{name} was not connected")
    parties.wait_connected(name)
    for call in parties.ms.calls:  # the platform may tell of it before the caller's own phone knows
        call.phone.wait_answered()


@when(step_pattern("{one} and {other} speak with each other"))
def speak_with_each_other(parties: Parties, one: str, other: str) -> None:
    """They go on speaking."""
    for speaker, listener in ((one, other), (other, one)):
        parties.phone(speaker).speak()
        if not parties.hears(listener):
            raise InconclusiveError(Reason.NO_CONTROL, f"{listener} does not hear {speaker}")
