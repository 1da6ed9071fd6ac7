"""SIPp agents as scenario steps use them: started at the target's SIP side, and what their messages say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.drivers.sipp import SippAgent, SippError, SippResult
from harness.drivers.sipp.process import local_host
from harness.suites.scenario import InconclusiveError, Scenario
from harness.target import SipTarget
from harness.timeline import SipMessage
from harness.verdicts import Reason

_STATUS = re.compile(r"SIP/2\.0 (\d{3})")
_SEQUENCE = re.compile(r"(?im)^cseq\s*:\s*\d+\s+(\w+)")


def sip_side(scenario: Scenario) -> SipTarget:
    """Where the target takes SIP requests; inconclusive where its file does not say."""
    if scenario.target.sip is None:
        raise InconclusiveError(Reason.PRECONDITION, f"the target file has no [{scenario.system}.sip]")
    return scenario.target.sip


def own_address(scenario: Scenario) -> str:
    """The address of this machine at which the target reaches a phone of ours."""
    try:
        return local_host(sip_side(scenario).address)
    except SippError as error:
        raise InconclusiveError(Reason.PRECONDITION, str(error)) from error


def start_agent(
    scenario: Scenario,
    script: str,
    agent: str,
    *,
    user: str | None = None,
    password: str | None = None,
    domain: str | None = None,
    host: str | None = None,
    port: int | None = None,
    variables: Mapping[str, str | int] | None = None,
    timeout: float | None = None,
) -> SippAgent:
    """Start a SIPp script whose remote is the target's SIP side; see `SippRunner.start`.

    `domain` is that of the target file where it names one, else the one given, else the remote host. `timeout` is in
    seconds, by default the target's time for answers.

    Raises:
        InconclusiveError: SIPp is missing or cannot be started like this.
    """
    sip = sip_side(scenario)
    domain = sip.domain or domain
    scenario.worker.redactor.add(password)
    try:
        return scenario.sipp.start(
            script,
            agent_name(agent),
            remote=sip.address,
            transport=sip.transport,
            user=user,
            password=password,
            variables={**({"domain": domain} if domain else {}), **(variables or {})},
            local_ip=host,
            port=port,
            timeout=scenario.plan.target.timing.answer if timeout is None else timeout,
        )
    except SippError as error:
        raise InconclusiveError(Reason.PRECONDITION, str(error)) from error


def run_agent(
    scenario: Scenario,
    script: str,
    agent: str,
    *,
    user: str | None = None,
    password: str | None = None,
    domain: str | None = None,
    variables: Mapping[str, str | int] | None = None,
) -> SippResult:
    """Run a script to its end, whatever becomes of it; the arguments are those of `start_agent`."""
    started = start_agent(
        scenario, script, agent, user=user, password=password, domain=domain, variables=variables
    )  # fmt: skip
    with started as running:
        return sound(running.wait())


def sound(result: SippResult) -> SippResult:
    """The result, where it says something of the far side; raises RuntimeError where SIPp or its script is to blame."""
    if result.outcome == "broken":
        raise RuntimeError(f"SIPp could not run its script: {result.detail}")
    return result


def expect_done(result: SippResult) -> None:
    """Raises InconclusiveError for a call that did not go as the scenario wanted it."""
    if sound(result).outcome == "done":
        return
    reason = Reason.PRECONDITION if any(one.direction == "in" for one in result.messages) else Reason.TIMEOUT
    raise InconclusiveError(reason, f"the call did not go as it should: {result.detail}")


def is_answer(message: SipMessage, method: str) -> bool:
    """Whether a message is a response to a request of that method."""
    sequence = _SEQUENCE.search(message.text)
    return message.start_line.startswith("SIP/2.0 ") and sequence is not None and sequence[1].upper() == method


def is_success(message: SipMessage, method: str) -> bool:
    """Whether a message is the success that answers a request of that method."""
    return message.start_line.startswith("SIP/2.0 2") and is_answer(message, method)


def statuses(messages: Iterable[SipMessage], method: str, *, direction: str = "in") -> list[int]:
    """Status codes of the answers to a method, in order; those received, unless told otherwise."""
    found = []
    for message in messages:
        status = _STATUS.match(message.start_line)
        if status and message.direction == direction and is_answer(message, method):
            found.append(int(status[1]))
    return found


def final_status(messages: Iterable[SipMessage], method: str = "INVITE", *, direction: str = "in") -> int | None:
    """The last final status with which a method was answered; None while there is none."""
    return next(
        (code for code in reversed(statuses(messages, method, direction=direction)) if code >= 200), None
    )  # fmt: skip


def agent_name(name: str) -> str:
    """A name of SIP (a user, an address) as agents may be called: it names a folder."""
    return re.sub(r"[^\w.+-]", "-", name)
