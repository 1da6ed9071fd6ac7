"""Steps on what the parties of connected calls see and hear: answers, tones, hang-ups, and attempts that end.

What the call flows judge too is waited for here, and judged by what the phones saw.
"""

from __future__ import annotations

from harness.checks.sip import parse_message
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.connected.parties import SOUND_MS, Parties
from harness.suites.scenarios.mediaservice.world import members
from harness.suites.scenarios.telephony.agents import statuses
from harness.suites.scenarios.vocabulary import decides
from harness.timeline import Callback, SipMessage
from harness.verdicts import Reason

# How much sooner or later than it was asked for an attempt may end, in seconds: clocks differ, and ringing takes its way.
_SOONER, _LATER = 0.1, 2.0
# What a phone may still hear of a moment that is over, and how far apart two ends of a call see a moment; seconds.
_SLACK = 0.15
# How long a tone for ringing may take to begin, in seconds.
_TONE_SECONDS = 0.5
_BUSY = (486, 600)


@decides("{name} is called")
def called(parties: Parties, name: str, clause: str) -> None:
    """That the caller is answered once the destination is, the call flow judges."""
    kept = parties.phone(name).wait_called()
    words = "the destination of the action call is not called"
    parties.scenario.check(clause, kept, words, expected="INVITE", seen="none")


@decides("{one} and {other} hear each other")
def hear_each_other(parties: Parties, one: str, other: str, clause: str) -> None:
    words = "two parties who are connected do not hear each other"
    parties.scenario.check(clause, parties.hear_each_other(one, other), words, expected="sound at both", seen="silence")


@decides("the caller is connected with {name}")
@decides("{name} is called, answers, and is connected with the caller")
def connected_with(parties: Parties, name: str, clause: str) -> None:
    phone, caller = parties.phone(name), parties.phone("the caller")
    called = phone.wait_called()
    if called and phone.status is None:
        parties.moments[f"{name} answers"] = parties.now()
        phone.answer()
    kept = called and phone.wait_answered() and caller.wait_answered() and caller.bye is None
    if kept and f"{name} is connected" not in parties.moments:
        parties.wait_connected(name)
    seen = (
        "connected" if kept else "not called" if not called else f"caller {caller.status}, destination {phone.status}"
    )
    parties.shows(name, clause, kept, "the caller is not connected with a destination", expected=name, seen=seen)


@decides("{who} gets a BYE")
@decides("what is answered is done with {who}")
def is_hung_up(parties: Parties, who: str, clause: str) -> None:
    bye = parties.phone(who).wait_bye()
    words = "a party that is to be hung up gets no BYE"
    parties.shows(who, clause, bye is not None, words, expected="BYE", seen="none")


@decides("the BYE to {who} has a Reason")
def bye_has_reason(parties: Parties, who: str, clause: str) -> None:
    bye = parties.phone(who).wait_bye()
    if bye is None:
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, "there is no BYE")
        return
    words = "the BYE that drop sends with a dropCode has no Reason"
    reasons = parse_message(bye.text).headers("Reason")
    parties.scenario.check(clause, bool(reasons), words, expected="Reason", seen="none")


@decides("a command is asked for, and the caller's call stays up")
def led_to_ivr(parties: Parties, clause: str) -> None:
    """Judged by the call flow, too."""
    found = parties.ms.wait("getIvrCommand")
    parties.it = members(found) if found else None
    kept = found is not None and parties.phone("the caller").bye is None
    words = "the party that remains is not led to the IVR"
    parties.scenario.check(
        clause, kept, words, expected="getIvrCommand, no BYE", seen="getIvrCommand" if found else "none"
    )


@decides("the caller's call is ended as {code} says")
def ended_as_said(parties: Parties, code: str, clause: str) -> None:
    caller = parties.phone("the caller")
    status = caller.wait_final()
    if status is not None and status < 300:
        ended, seen = caller.wait_bye() is not None, f"{status}, then BYE" if caller.bye else f"{status}, no BYE"
    else:
        ended, seen = status is not None and (code != "busy" or status in _BUSY), str(status or "no final response")
    wanted = "486 or 600" if code == "busy" else "a final response of 400 or more"
    parties.scenario.check(clause, ended, "the caller's call is not ended as it should be", expected=wanted, seen=seen)


@decides("the caller hears a tone")
def hears_tone(parties: Parties, clause: str) -> None:
    heard = parties.hears("the caller")
    words = "a caller for whom a tone is to be played hears silence"
    parties.scenario.check(clause, heard, words, expected="sound", seen="silence")


@decides("the caller hears silence until {name} answers")
def hears_silence(parties: Parties, name: str, clause: str) -> None:
    """What the caller hears of whoever has answered shows that it would have heard a tone."""
    begin, end = parties.moments[f"{name} rings"], parties.moments[f"{name} answers"]
    sounds = parties.phone("the caller").probe.sounds
    heard = [sound for sound in sounds if sound[0] < end and sound[1] > begin + _SLACK]
    if not heard and not parties.hears("the caller"):
        words = f"the caller does not hear {name} either"
        parties.scenario.undecided(clause, Reason.NO_CONTROL, words)
        return
    words = "a caller for whom silence is to be played hears something"
    parties.scenario.check(clause, not heard, words, expected="silence", seen="sound" if heard else "silence")


@decides("the caller gets ringing without media")
def gets_plain_ringing(parties: Parties, clause: str) -> None:
    """Of what was heard before it rings, an attempt before this one may be the cause: its tone is its own."""
    caller, begin = parties.phone("the caller"), max(parties.when("rings"))
    caller.agent.wait_for(_is_180, parties.scenario.plan.target.timing.callback)
    caller.probe.wait_sound(caller.probe.sound_ms + SOUND_MS, _TONE_SECONDS)
    heard = any(end > begin + _SLACK for _, end in caller.probe.sounds)
    seen = f"{statuses(caller.messages, 'INVITE')}, {'sound' if heard else 'silence'}"
    words = "a caller that makes its own tone gets no ringing, or media"
    kept = 180 in statuses(caller.messages, "INVITE") and not heard
    parties.scenario.check(clause, kept, words, expected="180, silence", seen=seen)


@decides("the attempt to reach {name} ends after {seconds} second")
def attempt_ends(parties: Parties, name: str, seconds: str, clause: str) -> None:
    """Seen by a CANCEL, or else by the callEvent, or the end of the session, that tells of it."""
    phone, limit = parties.phone(name), float(seconds)
    if phone.invite is None:
        raise InconclusiveError(Reason.PRECONDITION, f"{name} was not called")
    begin, told = phone.invite.at, len(_attempts_told(parties))
    phone.wait_cancelled(limit + _LATER)
    ends = [one.at for one in phone.messages if one.direction == "in" and one.start_line.startswith("CANCEL ")]
    ends += [one.at for one in _attempts_told(parties)[told:]]
    cancelled = phone.wait_cancelled()
    if ends and (cancelled or not phone.agent.ended):
        parties.moments["cancelled"] = float(cancelled)
    lasted = min(ends) - begin if ends else None
    kept = lasted is not None and limit - _SOONER <= lasted <= limit + _LATER
    seen = f"{lasted:.1f} s" if lasted is not None else f"no end within {limit + _LATER:g} s"
    words = "an attempt that nobody answers does not end after maxRingTime"
    if ends:
        parties.scenario.check(clause, kept, words, expected=f"{seconds} s", seen=seen)
    else:
        parties.shows(name, clause, kept, words, expected=f"{seconds} s", seen=seen)


@decides("it ends with CANCEL")
def ends_with_cancel(parties: Parties, clause: str) -> None:
    if "cancelled" not in parties.moments:
        words = "the attempt does not end, or its phone was over before"
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, words)
        return
    kept = bool(parties.moments["cancelled"])
    words = "an attempt that is over is not cancelled"
    parties.scenario.check(clause, kept, words, expected="CANCEL", seen="none")


@decides("{name} is cancelled")
def is_cancelled(parties: Parties, name: str, clause: str) -> None:
    kept = parties.phone(name).wait_cancelled()
    words = "a destination that still rings is not cancelled when the caller has given up"
    parties.shows(name, clause, kept, words, expected="CANCEL", seen="none")


def _attempts_told(parties: Parties) -> list[Callback]:
    """Callbacks that tell that an attempt is over; a session that an operation began ends without callEvent."""
    ms = parties.ms
    told = [*ms.callbacks("callEvent", event="calledPartyFailure"), *ms.callbacks("sessionCompleted")]
    return sorted(told, key=lambda one: one.at)


def _is_180(message: SipMessage) -> bool:
    return message.direction == "in" and message.start_line.startswith("SIP/2.0 180")
