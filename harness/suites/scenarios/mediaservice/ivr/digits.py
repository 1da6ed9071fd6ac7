"""Steps on digits in the IVR: pressed while a command collects them, reported by the next one."""

from __future__ import annotations

from pytest_bdd import when

from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.ivr.sessions import SLACK, Ivr
from harness.suites.scenarios.mediaservice.world import World, members
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.verdicts import Reason

_REASON = "terminationKey"


@when(step_pattern("the caller presses {keys}"))
def press(ivr: Ivr, keys: str) -> None:
    ivr.press(keys)


@decides("the next command request reports digits")
def reports_digits(ms: World, ivr: Ivr, clause: str) -> None:
    event, told = ivr.report()
    digits = told.get("dtmfMatch")
    words = "what the caller pressed is not reported in dtmfParams"
    ms.scenario.check(clause, bool(digits), words, expected=ivr.pressed, seen=digits or "absent", at=event)


@decides("they are those that were pressed")
def are_those_pressed(ms: World, ivr: Ivr, clause: str) -> None:
    digits = _match(ivr)
    event, _ = ivr.report()
    kept = ivr.pressed.startswith(digits)
    words = "the digits that are reported are not those that were pressed"
    ms.scenario.check(clause, kept, words, expected=ivr.pressed, seen=digits, at=event)


@decides("there are {count} of them")
def are_so_many(ms: World, ivr: Ivr, clause: str, count: str) -> None:
    digits = _match(ivr)
    event, _ = ivr.report()
    words = "the collection does not end with the digit that makes maxDigits"
    ms.scenario.check(clause, len(digits) == int(count), words, expected=f"{count} digits", seen=digits, at=event)


@decides("the collection ended because of the termination key")
def ended_by_key(ms: World, ivr: Ivr, clause: str) -> None:
    event, told = ivr.report()
    words = "the collection does not end with the terminationKey, or tells another reason"
    seen = told.get("reason", "absent")
    ms.scenario.check(clause, seen == _REASON, words, expected=_REASON, seen=seen, at=event)


@decides("the key is reported, and not among the digits")
def key_reported(ms: World, ivr: Ivr, clause: str) -> None:
    event, told = ivr.report()
    key, digits = ivr.pressed[-1], ivr.pressed[:-1]
    if told.get("reason") != _REASON:
        raise InconclusiveError(Reason.PRECONDITION, "the key did not end the collection")
    seen = (told.get("matchedTerminationKey"), told.get("dtmfMatch"))
    words = "matchedTerminationKey is not the key that ended the collection, or dtmfMatch has it too"
    ms.scenario.check(clause, seen == (key, digits), words, expected=f"{key} and {digits}", seen=seen, at=event)


@decides("they are reported {seconds} seconds after the last")
def reported_after(ms: World, ivr: Ivr, clause: str, seconds: str) -> None:
    """A platform may count from the beginning of the last key: its length is taken off."""
    found = ivr.wait_command(ivr.presses + 1, later=float(seconds))
    words = "the collection does not end betweenTimeout seconds after a digit"
    if found is None:
        ms.scenario.check(clause, False, words, expected=f"after {seconds} s", seen="not at all")
        return
    _, told = ivr.report()
    digits, waited = told.get("dtmfMatch"), found.at - ivr.released
    kept = digits == ivr.pressed and waited >= float(seconds) - SLACK
    seen = f"{digits or 'no digits'} after {waited:.2f} s"
    ms.scenario.check(clause, kept, words, expected=f"{ivr.pressed} after {seconds} s", seen=seen, at=found)


@decides("the three reasons differ")
def reasons_differ(ms: World, ivr: Ivr, clause: str) -> None:
    found = [ivr.need_command(count) for count in range(2, ivr.presses + 2)]
    reasons = [member(members(one), "dtmfParams.reason") for one in found]
    words = "the reason of a collection does not tell how it ended"
    kept = len(set(map(str, reasons))) == len(reasons) and None not in reasons
    ms.scenario.check(clause, kept, words, expected="three different ones", seen=reasons, at=found[-1])


@decides("the buffer holds {digits}")
def buffer_holds(ms: World, ivr: Ivr, clause: str, digits: str) -> None:
    event, _ = ivr.report()
    seen = members(event).get("dtmfBuffer")
    words = "dtmfBuffer does not hold the digits since it was flushed"
    ms.scenario.check(clause, str(seen) == digits, words, expected=digits, seen=seen or "absent", at=event)


@decides("the prompt {name} is interrupted")
def interrupted(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    """Without the interruption the next command would come after the whole phrase."""
    whole = ivr.prompts[name].seconds
    began = ivr.need_tone(name).begin
    found = ivr.wait_command(2, later=whole)
    words = "a digit does not interrupt a phrase with bargeIn"
    heard = ivr.heard(name)
    kept = found is not None and found.at < began + whole - SLACK and heard < whole - SLACK
    ms.scenario.check(clause, kept, words, expected=f"less than {whole:g} s of it", seen=f"{heard:.2f} s", at=found)


@decides("the prompt {name} is heard to its end")
def heard_to_end(ms: World, ivr: Ivr, clause: str, name: str) -> None:
    whole = ivr.prompts[name].seconds
    found = ivr.need_command(2, later=whole)
    heard = ivr.heard(name)
    words = "a digit interrupts a phrase without bargeIn"
    kept = heard >= whole - SLACK
    ms.scenario.check(clause, kept, words, expected=f"{whole:g} s of it", seen=f"{heard:.2f} s", at=found)


def _match(ivr: Ivr) -> str:
    """The digits that were reported; inconclusive when there are none."""
    _, told = ivr.report()
    digits = told.get("dtmfMatch")
    if not isinstance(digits, str) or not digits:
        raise InconclusiveError(Reason.NO_EVIDENCE, "no digits are reported")
    return digits
