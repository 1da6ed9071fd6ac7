"""A phone: a SIPp agent for the signalling and an RTP probe for the media, which do what a step tells them.

`place_call` gives one that calls, `waiting_phone` one that is called. A phone ends when the scenario's steps are over, at
the latest: what it saw is then in the timeline. Methods that wait say what came and never raise; those that do something
raise `InconclusiveError` where the call is not in the state for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.drivers.rtp import ProbeError, RtpProbe
from harness.drivers.rtp.g711 import PITCH
from harness.drivers.rtp.sdp import AudioMedia, audio_of
from harness.drivers.sipp import SippAgent, SippError, SippResult
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.telephony.agents import (
    final_status,
    is_answer,
    is_success,
    own_address,
    sound,
    start_agent,
)
from harness.timeline import MediaReport, SipMessage
from harness.verdicts import Reason

LIFE = 60.0
"""Seconds after which a phone ends by itself; scenarios are shorter."""
_LEAVE = 2.0
"""Seconds that a call may take to end once it was told to."""


class Phone:
    """One telephone. `caller`: it placed its call; `name`: the user part at which it is called, or that it calls from."""

    def __init__(
        self,
        scenario: Scenario,
        name: str,
        agent: SippAgent,
        probe: RtpProbe,
        *,
        caller: bool,
        rings: bool = False,
        waits: bool = False,
    ) -> None:
        self.name = name
        self.agent = agent
        self.probe = probe
        self.caller = caller
        self._scenario = scenario
        self._rings = rings
        self._waits = waits
        self._result: SippResult | None = None
        scenario.at_end(self.close)

    @property
    def uri(self) -> str:
        """The SIP URI at which the phone is called."""
        return f"sip:{self.name}@{self.agent.address}"

    @property
    def messages(self) -> tuple[SipMessage, ...]:
        return self.agent.messages

    @property
    def invite(self) -> SipMessage | None:
        """The INVITE that opened the call; None while there is none."""
        return next((one for one in self.messages if one.start_line.startswith("INVITE ")), None)

    @property
    def status(self) -> int | None:
        """The final status with which the INVITE was answered, by whichever side; None while it was not."""
        return final_status(self.messages, direction="in" if self.caller else "out")

    @property
    def answered(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def bye(self) -> SipMessage | None:
        """The BYE that the far side sent; None while it did not."""
        return self._seen(lambda one: one.direction == "in" and one.start_line.startswith("BYE "))

    @property
    def media(self) -> AudioMedia | None:
        """Where the far side wants its audio, as the last SDP of its says; None while it said nothing."""
        said = [audio_of(one.text) for one in self.messages if one.direction == "in"]
        return next((one for one in reversed(said) if one is not None), None)

    def wait_called(self, seconds: float | None = None) -> bool:
        """Whether an INVITE came to the phone."""
        return self._wait(lambda one: one.start_line.startswith("INVITE "), seconds)

    def wait_ringing(self, seconds: float | None = None) -> bool:
        """Whether the call rings: a provisional answer above 100."""
        return self._wait(lambda one: one.start_line.startswith("SIP/2.0 18") and is_answer(one, "INVITE"), seconds)

    def wait_answered(self, seconds: float | None = None) -> bool:
        """Whether the call is up: answered, and the answer acknowledged."""
        return self._wait(lambda one: one.start_line.startswith("ACK ") and self.answered, seconds) and self.answered

    def wait_final(self, seconds: float | None = None) -> int | None:
        """The final status of the INVITE, once there is one."""
        side = "in" if self.caller else "out"
        self._wait(lambda one: one.direction == side and final_status([one], direction=side) is not None, seconds)
        return self.status

    def wait_bye(self, seconds: float | None = None) -> SipMessage | None:
        """The BYE of the far side, once it came."""
        self._wait(lambda one: one.direction == "in" and one.start_line.startswith("BYE "), seconds)
        return self.bye

    def wait_cancelled(self, seconds: float | None = None) -> bool:
        """Whether the far side gave the call up."""
        return self._wait(lambda one: one.direction == "in" and one.start_line.startswith("CANCEL "), seconds)

    def ring(self) -> None:
        """Ring now; for a phone that was made silent."""
        self._tell("RING", self._may_decide())
        self._rings = True

    def answer(self) -> None:
        """Answer, and wait until the call is up, if the far side lets it."""
        self._tell("ANSWER", self._may_decide())
        self.wait_answered()

    def refuse(self) -> None:
        """Refuse with the status that the phone was made with."""
        self._tell("REFUSE", self._may_decide())

    def give_up(self) -> None:
        """Cancel a call that rings; a request must have been answered before it may be cancelled (RFC 3261 9.1)."""
        self._tell("GIVEUP", self._wait(lambda one: one.direction == "in" and is_answer(one, "INVITE"), None))

    def hang_up(self) -> None:
        """End the call that is up, and wait until the far side has said so too."""
        self._tell("HANGUP", self.wait_answered() and self.bye is None)
        self._wait(lambda one: is_success(one, "BYE"), _LEAVE)

    def connect_media(self) -> None:
        """Have the probe send where the far side's SDP says; the call must be up."""
        if self.media is None:
            self.wait_answered()  # the phone's own trace may come after what others have heard of its call
        if self.media is None:
            raise InconclusiveError(Reason.PRECONDITION, f"{self.name} was not told where to send media")
        try:
            self.probe.send_to(self.media)
        except ProbeError as error:
            raise InconclusiveError(Reason.PRECONDITION, f"{self.name}: {error}") from error

    def press(self, digits: str, *, milliseconds: int = 60, pause: int = 40) -> None:
        """Press keys, as RFC 4733 events; returns when all were sent."""
        self.connect_media()
        self.probe.send_digits(digits, milliseconds=milliseconds, pause=pause)

    def speak(self, hertz: int = PITCH) -> None:
        """Send a tone from now on."""
        self.connect_media()
        self.probe.stream("tone", hertz)

    def be_silent(self) -> None:
        """Send nothing more."""
        self.probe.stream(None)

    def close(self) -> SippResult:
        """End the call in whatever state it is, and the phone; a second time it gives the same result."""
        if self._result is None:
            try:
                self._leave()
            except InconclusiveError as problem:  # the far side was quicker: whatever it did is in the messages
                self._scenario.timeline.note("phone", str(problem))
            finally:
                self._result = sound(self.agent.stop())
                self.probe.close()
        return self._result

    @property
    def report(self) -> MediaReport:
        """What the phone has heard, now that it is closed."""
        self.close()
        return self.probe.close()

    def _leave(self) -> None:
        """Hang up politely, so that nothing is left at the far side."""
        if self.agent.ended or self.invite is None:
            return
        if not (self.caller or self._waits):
            self.wait_final(_LEAVE)  # it answers or refuses by itself
        if self.answered and self.bye is None and not self._seen(lambda one: one.start_line.startswith("BYE ")):
            self.hang_up()
        elif self.status is None and self.caller and self._seen(lambda one: one.direction == "in"):
            self.give_up()
        elif self.status is None and self._waits and not self.wait_cancelled(0):
            self.refuse()
        self.agent.wait(_LEAVE)

    def _may_decide(self) -> bool:
        """Whether the call is there, unanswered, and the script at the place where it waits: after it rang."""
        ready = self.wait_ringing() if self._rings else self._wait(_is_100, None)
        return ready and self.status is None

    def _seen(self, match: Callable[[SipMessage], bool]) -> SipMessage | None:
        return next((one for one in self.messages if match(one)), None)

    def _wait(self, match: Callable[[SipMessage], bool], seconds: float | None) -> bool:
        # Longer than an answer may take, so that whoever judges its absence sees that the time was up.
        limit = self._scenario.plan.target.timing.answer + 2 * self._scenario.slack if seconds is None else seconds
        return self.agent.wait_for(match, limit) is not None

    def _tell(self, command: str, ready: bool) -> None:
        if not ready:
            last = self.messages[-1].start_line if self.messages else "nothing"
            words = f"{self.name} cannot {command}: its call is not in the state for it; the last message was {last}"
            raise InconclusiveError(Reason.PRECONDITION, words)
        try:
            self.agent.tell(command)
        except SippError as error:
            raise InconclusiveError(Reason.PRECONDITION, str(error)) from error


def hear_each_other(one: Phone, other: Phone, *, seconds: float = 3.0, milliseconds: int = 100) -> bool:
    """Whether each of two phones hears the other speak for so many milliseconds; afterwards both are silent again."""
    heard = []
    for listener, speaker in ((one, other), (other, one)):
        speaker.speak()
        heard.append(listener.probe.wait_sound(listener.probe.sound_ms + milliseconds, seconds))
        speaker.be_silent()
    return all(heard)


def place_call(
    scenario: Scenario,
    name: str,
    dialled: str,
    *,
    user: str | None = None,
    variables: Mapping[str, str | int] | None = None,
    host: str | None = None,
    port: int | None = None,
) -> Phone:
    """A phone that calls `dialled` at the target now; `variables`: from, headers, parting, body of `uac_caller.xml`."""
    given = {"service": dialled, "user": user or name, **(variables or {})}
    return _phone(scenario, "uac_caller.xml", name, given, caller=True, host=host, port=port)


def waiting_phone(
    scenario: Scenario,
    name: str,
    *,
    ring: int | None = 180,
    then: str = "answer",
    refusal: str = "486 Busy Here",
    parting: str | None = None,
    answering: str | None = None,
    host: str | None = None,
    port: int | None = None,
) -> Phone:
    """A phone that waits for one call. `ring`: 180, 183 (with media) or None; `then`: answer, refuse, or wait for a step.

    `parting`: header lines of its BYE and of its refusal; `answering`: of its 200.
    """
    given: dict[str, str | int] = {"ring": ring or "none", "then": then, "refusal": refusal}
    given |= {name: lines for name, lines in (("parting", parting), ("answering", answering)) if lines}
    return _phone(
        scenario,
        "uas_phone.xml",
        name,
        given,
        caller=False,
        rings=ring is not None,
        waits=then == "wait",
        host=host,
        port=port,
    )


def _phone(
    scenario: Scenario,
    script: str,
    name: str,
    variables: Mapping[str, str | int],
    *,
    caller: bool,
    rings: bool = False,
    waits: bool = False,
    host: str | None = None,
    port: int | None = None,
) -> Phone:
    host = host or own_address(scenario)
    probe = RtpProbe(name, scenario.timeline, host=host)
    try:
        agent = start_agent(
            scenario, script, name, host=host, port=port, variables={**probe.variables, **variables}, timeout=LIFE
        )  # fmt: skip
    except BaseException:
        probe.close()
        raise
    return Phone(scenario, name, agent, probe, caller=caller, rings=rings, waits=waits)


def _is_100(message: SipMessage) -> bool:
    """Whether a phone says that it has the INVITE; its script then waits for what it is told."""
    return message.direction == "out" and message.start_line.startswith("SIP/2.0 100")
