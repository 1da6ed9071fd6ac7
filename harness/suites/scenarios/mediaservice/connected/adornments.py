"""Steps on what goes along with a connection: greetings before it, monitoring legs beside it.

Greetings are tones of another pitch than the one with which phones speak, so that a probe tells them apart.
"""

from __future__ import annotations

from harness.checks.flows.values import same_phone
from harness.drivers.rtp.stats import Tone
from harness.suites.scenarios.mediaservice.connected.parties import Parties
from harness.suites.scenarios.mediaservice.ivr.sessions import SLACK, Ivr
from harness.suites.scenarios.mediaservice.world import members, name_of
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import Callback
from harness.verdicts import Reason

# How much of a greeting must have been heard before the parties are connected.
_MOST = 0.6


@decides("{who} is greeted with {name}")
def is_greeted(parties: Parties, ivr: Ivr, who: str, name: str, clause: str) -> None:
    heard = _wait(parties, who, ivr.prompts[name].hertz)
    seen = [round(one.hertz) for one in parties.phone(who).probe.tones]
    words = "a party does not hear its greeting"
    parties.scenario.check(
        clause, heard is not None, words, expected=f"{ivr.prompts[name].hertz} Hz", seen=f"{seen} Hz"
    )


@decides("{first} comes before {second}")
def comes_before(parties: Parties, ivr: Ivr, first: str, second: str, clause: str) -> None:
    """The called party hears the first one, the caller the second."""
    one = _wait(parties, "bob", ivr.prompts[first].hertz, seconds=0)
    other = _wait(parties, "the caller", ivr.prompts[second].hertz, seconds=0)
    if one is None or other is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "not both greetings are heard")
        return
    words = "the called party's greeting does not come first"
    seen = f"{one.begin - other.begin:.2f} s later"
    parties.scenario.check(clause, one.begin < other.begin, words, expected="earlier than the caller's", seen=seen)


@decides("the caller hears {who} once {pronoun} has heard {name}")
def connected_after_greeting(parties: Parties, ivr: Ivr, who: str, pronoun: str, name: str, clause: str) -> None:
    del pronoun
    prompt = ivr.prompts[name]
    greeting = _wait(parties, who, prompt.hertz)
    speech = _wait(parties, "the caller", parties.voice(who))
    if speech is None and greeting is not None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, f"the caller never hears {who}")
        return
    kept = (
        greeting is not None and speech is not None and speech.begin >= greeting.begin + _MOST * prompt.seconds - SLACK
    )
    seen = (
        "no greeting" if greeting is None else f"{speech.begin - greeting.begin:.2f} s after it began" if speech else ""
    )
    words = "the parties are connected without a greeting, or before it is over"
    parties.scenario.check(clause, kept, words, expected=f"{prompt.seconds} s after it began", seen=seen)


@decides("callbacks say that {who}'s leg is a monitoring one")
def told_monitoring(parties: Parties, who: str, clause: str) -> None:
    """Judged by the call flow, as far as any callback says so; here each that names the monitor."""
    ms, number = parties.ms, parties.number(who)
    ms.wait_until(lambda: any(_names(one, number) for one in ms.callbacks("callAnswered")))
    named = [one for name in ("callNotify", "callAnswered") for one in ms.callbacks(name) if _names(one, number)]
    wrong = [name_of(one) for one in named if members(one).get("monitoringParticipant") is not True]
    if named:
        words = "a callback of a monitoring leg does not say that it is one"
        parties.scenario.check(clause, not wrong, words, expected="monitoringParticipant true", seen=f"not in {wrong}")


def _names(callback: Callback, number: str) -> bool:
    """Whether a callback is about the leg to this number."""
    body = members(callback)
    return any(same_phone(body[name], number) for name in ("user", "remotePartyNumber") if name in body)


def _wait(parties: Parties, who: str, hertz: int, *, seconds: float | None = None) -> Tone | None:
    limit = parties.scenario.plan.target.timing.callback if seconds is None else seconds
    return parties.phone(who).probe.wait_tone(hertz, timeout=limit)
