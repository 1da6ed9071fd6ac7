"""Steps on calls that come in: to inbound numbers along their flow, and from trunks and strangers.

What the call flows of `specs/callable/sequences.yaml` judge is judged from the timeline when the scenario is over.
"""

from __future__ import annotations

import ipaddress

from pytest_bdd import given, when

from harness.drivers.sipp.process import split_address
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.callable.calls import DESK, OUTSIDE, Calls
from harness.suites.scenarios.callable.kinds import HANGUP, TRUNK
from harness.suites.scenarios.callable.verbs import hear_each_other
from harness.suites.scenarios.telephony import sip_side
from harness.suites.scenarios.vocabulary import decides
from harness.verdicts import Reason

# Sources of calls: that of a PBX, and one that no trunk has.
_STRANGER = "127.0.0.2"


@given("an inbound number that leads to the desk")
def leads_to_desk(calls: Calls) -> None:
    calls.enter(calls.lines[DESK].gateway.id)
    calls.route = {"route": "device"}


@given("an inbound number that leads to HANGUP")
def leads_to_hangup(calls: Calls) -> None:
    calls.enter(HANGUP)
    calls.route = {"route": "hangup"}


@given("an inbound number that has rung the desk")
def given_rung(calls: Calls) -> None:
    """The positive control of what must not ring."""
    calls.wait_at(DESK, then="refuse")
    leads_to_desk(calls)
    call_in(calls)
    if not calls.called(calls.desk):
        raise InconclusiveError(Reason.NO_CONTROL, "the desk does not ring for a number that leads to it either")
    calls.phone("caller").wait_final()
    calls.wait_at(DESK)


@when("the inbound number is called")
def call_in(calls: Calls) -> None:
    trunk = calls.desk.name if DESK in calls.phones else "nobody"
    calls.dial_in("caller", str(calls.ddi["name"]), "ddi-call", trunk=trunk, **calls.route)


@when("the route start is updated to lead to the desk, and the number is called again")
def updated_and_called(calls: Calls) -> None:
    calls.enter(calls.lines[DESK].gateway.id)
    calls.route = {"route": "device", "updated": True}
    call_in(calls)


@when("no route start lists the number any more, and it is called again")
def unlisted_and_called(calls: Calls) -> None:
    calls.enter(HANGUP, listed=False)
    calls.route = {"route": "unlisted"}
    call_in(calls)


@decides("the desk rings for the inbound number")
@decides("the call takes the new way")
def desk_rings(calls: Calls, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    calls.called(calls.desk)


@decides("caller and desk hear each other")
def hear(calls: Calls, clause: str) -> None:
    caller = calls.phone("caller")
    if not calls.desk.wait_answered():
        raise InconclusiveError(Reason.PRECONDITION, "the desk was not called")
    if not caller.wait_answered():
        words = "the caller to an inbound number is not answered when the desk has answered"
        calls.scenario.check(clause, False, words, expected="200", seen=caller.status)
        return
    hear_each_other(calls, clause, (caller, calls.desk))


@decides("that call is refused, and the desk does not ring")
def refused(calls: Calls, clause: str) -> None:
    """Judged by the call flow, but for an answer that takes the call: after that no refusal needs to be waited for."""
    caller = calls.phone("caller")
    caller.wait_final()
    if caller.answered:
        words = "a call that leads nowhere is answered"
        calls.scenario.check(clause, False, words, expected="a refusal", seen=caller.status)
    calls.desk.wait_called(calls.quiet + 0.1)


@given("a trunk with the address of a PBX and another port")
def trunk_of_pbx(calls: Calls) -> None:
    """The port is that of a phone of ours, which the PBX does not call from."""
    calls.wait_at(DESK)
    calls.pbx = split_address(calls.desk.agent.address)[0]
    calls.desk.close()
    trunk = calls.lines[DESK].trunk
    if trunk.kind is not TRUNK or trunk.sent["ip"] != calls.pbx:
        raise InconclusiveError(Reason.PRECONDITION, "no trunk has the address of the PBX")


@when("the PBX calls the outside number")
def pbx_calls(calls: Calls) -> None:
    carrier = calls.phone(OUTSIDE).name
    calls.dial_in("pbx", calls.pstn.numbers[0], "trunk-call", host=calls.pbx, listed=True, carrier=carrier)


@given("an outside number that the PBX has called")
def pbx_has_called(calls: Calls) -> None:
    calls.wait_at(OUTSIDE)
    pbx_calls(calls)
    if not calls.phone("pbx").wait_ringing() and not calls.phone("pbx").answered:
        raise InconclusiveError(Reason.NO_CONTROL, "a call from the address of a trunk is not taken either")
    calls.phone("pbx").close()
    calls.wait_at(OUTSIDE)


@when("a stranger calls the outside number")
def stranger_calls(calls: Calls) -> None:
    host, _ = split_address(sip_side(calls.scenario).address)
    listed = {one.get("ip") for one in calls.site.listed(TRUNK).values()}
    if not _is_loopback(host) or _STRANGER in listed:
        raise InconclusiveError(Reason.PRECONDITION, f"{_STRANGER} is no address from which a stranger can call {host}")
    carrier = calls.phone(OUTSIDE).name
    calls.dial_in("stranger", calls.pstn.numbers[0], "trunk-call", host=_STRANGER, listed=False, carrier=carrier)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network("127.0.0.0/8")
    except ValueError:
        return host == "localhost"


@decides("its call is taken")
@decides("it comes out on the carrier side")
def taken(calls: Calls, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    calls.phone("pbx").wait_answered()
    calls.called(calls.phone(OUTSIDE))


@decides("the stranger is refused")
def stranger_refused(calls: Calls, clause: str) -> None:
    """That the call is not taken is judged by the call flow; an answer that refuses it is needed here."""
    stranger = calls.phone("stranger")
    final = stranger.wait_final(calls.quiet + calls.scenario.plan.target.timing.connect)
    words = "a call from an address that no trunk has is taken"
    calls.scenario.check(clause, not stranger.answered, words, expected="a refusal", seen=final or "no answer")
