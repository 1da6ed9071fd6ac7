"""Steps on session timers (RFC 4028): what the phones ask for and agree to, and what callAnswered tells of it.

Where a leg has no timer in the end there is nothing to tell, and nothing is decided.
"""

from __future__ import annotations

import re

from pytest_bdd import given, parsers

from harness.checks.sip import parse_message
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.world import World
from harness.suites.scenarios.telephony import Phone, is_success
from harness.suites.scenarios.vocabulary import decides
from harness.verdicts import Reason


@given(parsers.re(r"a phone (?P<name>bob) that answers with a session timer of (?P<seconds>\d+) seconds"))
def phone_with_timer(ms: World, name: str, seconds: str) -> None:
    """The phone refreshes, so that it may set a timer of its own accord (RFC 4028 9)."""
    ms.phone(name, answering=f"Supported: timer\nSession-Expires: {seconds};refresher=uas")


@given(parsers.re(r"a caller with a session timer of (?P<seconds>\d+) seconds who is connected with (?P<name>bob)"))
def connected_with_timer(ms: World, seconds: str, name: str) -> None:
    ms.answers.set("newCall", {"action": "call", "destAddr": ms.phones[name].uri})
    ms.dial(headers=f"Supported: timer\nSession-Expires: {seconds};refresher=uac")
    if not ms.call.phone.wait_answered():
        words = f"the call was not answered: {ms.call.phone.status or 'no answer'}"
        raise InconclusiveError(Reason.PRECONDITION, words)


@decides("callingPartyExpires is what the answer to the caller says")
def tells_caller(ms: World, clause: str) -> None:
    _tells(ms, clause, "callingPartyExpires", _expires(ms.call.phone, "in"))


@decides("calledPartyExpires is what bob's answer says")
def tells_called(ms: World, clause: str) -> None:
    _tells(ms, clause, "calledPartyExpires", _expires(ms.phones["bob"], "out"))


def _tells(ms: World, clause: str, member: str, expected: int | None) -> None:
    seen = ms.need("callAnswered").get(member)
    if expected is None:
        return
    words = f"{member} is not the session expiration of that leg"
    ms.scenario.check(clause, str(seen) == str(expected), words, expected=expected, seen=seen)


def _expires(phone: Phone, direction: str) -> int | None:
    """The session expiration in the answer to an INVITE, in seconds."""
    answers = [one for one in phone.messages if one.direction == direction and is_success(one, "INVITE")]
    named = parse_message(answers[0].text).header("session-expires") if answers else None
    found = re.match(r"\s*(\d+)", named or "")
    return int(found[1]) if found else None
