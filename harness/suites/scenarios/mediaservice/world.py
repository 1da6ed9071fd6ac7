"""What a scenario of Mediaservice works with: its calls, the answers to its callbacks, and what the platform told of them.

The base URL of callbacks is configured once at the platform, so that all scenarios of a run share it. A scenario's own
are those that mention its `token`, which stands in every name that it makes up, and those that carry an id which such a
one has brought (session, trace, reply, participant, connection).
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.callbacks import payload
from harness.checks.evidence import seen_answer
from harness.drivers.http import Body, fill_path
from harness.drivers.recorder import Answer, Match
from harness.suites.contract.resources import Workbench, wav
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.mediaservice.answers import Answers, Reply, rendered
from harness.suites.scenarios.mediaservice.blame import says_success, without_what_is_refused
from harness.suites.scenarios.telephony import Lease, Phone, place_call, waiting_phone
from harness.suites.scenarios.vocabulary import member
from harness.target import MediaserviceTarget
from harness.timeline import Callback, HttpExchange
from harness.verdicts import Reason

IVR, USER_AGENT = "ivr", "ua"
"""How the user parts begin that calls of the IVR, and of the cloud SIP user agent, are dialled at."""
ALARM = "alarm"
_DECIDING = ("drop", "ivr", "connect")
_IDS = (
    "sessionId",
    "traceId",
    "replyId",
    "connectionId",
    "participantId",
    *(f"{who}=participantId" for who in ("remoteParticipantId", "callerParticipantId", "calleeParticipantId")),
)


@dataclass
class Call:
    """A call to the platform: who calls, what is dialled, and answers to its callbacks alone.

    `reference`: the sessionReferenceId that the answer to its first callback gives; None for none. `decided`: the answer
    to newCall was one that refuses or answers the call at once.
    """

    caller: str
    dialled: str
    reference: str | None
    answers: Answers = field(default_factory=Answers)
    ids: set[tuple[str, str]] = field(default_factory=set)
    placed: Phone | None = None
    decided: bool = False

    @property
    def phone(self) -> Phone:
        """The phone that placed it."""
        assert self.placed is not None, "the call was not placed"
        return self.placed

    def owns(self, body: Mapping[str, Any]) -> bool:
        """Whether a callback is of this call, as far as its members tell."""
        texts = [one for one in body.values() if isinstance(one, str)]
        return not self.ids.isdisjoint(_ids(body)) or any(
            self.dialled in text or self.caller in text or text == self.reference for text in texts
        )


class World:
    """One scenario's hold on the platform; `ms` in steps.

    `answers` are those of every call of the scenario, unless a call has its own; see `Answers` for what one may be.
    `phones`: those that wait to be called, by what the feature calls them; `meant`: what else a feature's tables may
    name in braces, such as a prompt file; `since`: when an alarm was provoked.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.token = str(secrets.randbelow(9 * 10**8) + 10**8)
        self.answers = Answers()
        self.calls: list[Call] = []
        self.phones: dict[str, Phone] = {}
        self.meant: dict[str, str] = {}
        self.last: HttpExchange | None = None
        self.bench = Workbench(scenario)
        self.lease = Lease(scenario.plan.run_dir / "leases")
        self.since = 0.0
        self._provoked: set[str] = set()
        self._given_up: set[str] = set()
        scenario.cleanup(self.lease.release)
        recorder = scenario.recorder
        recorder.route("/", self._answer, match=Match(mentions=self.token), learn=_IDS)
        recorder.route("/", self._answer, match=Match(known=_IDS), learn=_IDS)

    # What it does

    @property
    def domain(self) -> str:
        target = self.scenario.target
        assert isinstance(target, MediaserviceTarget)
        return target.domain

    @property
    def call(self) -> Call:
        """The call that the feature speaks of: the latest."""
        if not self.calls:
            raise RuntimeError("the scenario has no call: a step must place one first")
        return self.calls[-1]

    def name(self, base: str) -> str:
        """A user part, file name or the like that no other scenario has."""
        return f"{base}{self.token}"

    def dial(
        self,
        to: str = IVR,
        *,
        caller: str = "alice",
        display: str = "",
        headers: str = "",
        parting: str = "",
        body: str | None = None,
        answers: Mapping[str, Reply | list[Reply]] | None = None,
        reference: str | None = "",
    ) -> Call:
        """Have a new caller call the platform; returns at once.

        `to`: what the user part begins with; `caller`: the user part of From, without the token; `display`: the name in
        From; `headers`: further header lines; `parting`: those of its BYE; `body` in place of the SDP; `answers`: those of
        this call alone, by callback; `reference`: the sessionReferenceId to give ('' makes one up, None gives none).
        """
        number = len(self.calls) + 1
        if self.calls:
            self.scenario.timeline.note("several-calls", "another call begins beside the first")
        dialled, user = self.name(f"{to}{number}"), self.name(caller if number == 1 else f"{caller}{number}")
        variables: dict[str, str | int] = {"headers": headers or "User-Agent: ringtrue"}
        if display:
            variables["from"] = f'"{display}" <sip:{user}@ringtrue.example>'
        if parting:
            variables["parting"] = parting
        if body is not None:
            variables["body"] = body
        given = self.name(f"reference{number}-") if reference == "" else reference
        # Known before the INVITE is sent: its first callback may come before the phone is there.
        made = Call(user, dialled, given, Answers(answers))
        self.calls.append(made)
        made.placed = place_call(self.scenario, user, dialled, variables=variables)
        self.scenario.at_end(self.finish)
        return made

    def phone(self, name: str, **how: Any) -> Phone:
        """A phone that waits for a call, known to the feature as `name`; `how` is that of `waiting_phone`."""
        made = waiting_phone(self.scenario, self.name(name), **how)
        self.phones[name] = made
        self.scenario.at_end(self.finish)
        return made

    def operate(self, operation_id: str, *, expect: bool = True, driver: Any = None, **members: Any) -> HttpExchange:
        """Send an operation by its operationId; `members` are its body, and what its path names.

        `expect` False: it may be refused. Else a member because of which it is refused is blamed, and left out.
        """
        operation = self.scenario.contract.spec.operation(operation_id)
        path = fill_path(operation.path, domain=self.domain)
        api = driver or self.scenario.api

        def send(body: Mapping[str, Any], **about: str) -> HttpExchange:
            named = {"operation": operation_id, **about}
            return api.request(operation.method, path, body=Body.json(body), about=named)

        self.last = send(members, **({"expect": "success", "case": "example"} if expect else {}))
        if expect:
            self.last = without_what_is_refused(self.scenario, operation, members, self.last, send)
        return self.last

    @property
    def done(self) -> bool:
        """Whether the last operation was answered with success true."""
        return says_success(self.last)

    def must(self, operation_id: str, **members: Any) -> HttpExchange:
        """An operation that a scenario builds on. Raises InconclusiveError where it is refused."""
        self.operate(operation_id, **members)
        assert self.last is not None
        if self.last.response is None:
            raise InconclusiveError(Reason.UNREACHABLE, self.last.failure or "no answer")
        if not self.done:
            raise InconclusiveError(Reason.PRECONDITION, f"{operation_id} was refused: {seen_answer(self.last)}")
        return self.last

    def prompt(self, hertz: int = 400, seconds: float = 0.4, *, base: str = "prompt") -> str:
        """Put a file with a tone of that pitch into the prompt storage; its name. `RtpProbe.wait_tone` hears it.

        Raises:
            InconclusiveError: the storage does not take it.
        """
        operation = self.scenario.contract.spec.operation("putPromptFile")
        where = {"domain": self.domain, "filename": self.name(f"{base}-{hertz}-{round(seconds * 1000)}-") + ".wav"}
        about = {"operation": operation.id, "expect": "success"}
        data = Body(wav(tone(hertz, seconds)), "audio/wav")
        self.last = self.scenario.api.request("PUT", fill_path(operation.path, **where), body=data, about=about)
        if not self.done:
            raise InconclusiveError(Reason.PRECONDITION, f"no prompt can be stored: {seen_answer(self.last)}")
        self.bench.remember(operation, where)
        return where["filename"]

    def provoke(self, error: str) -> None:
        """Say that the scenario is about to raise an alarm with that error, and take such alarms to be its own.

        Others that provoke the same error wait meanwhile.
        """
        if error not in self._provoked:
            self.lease.take("alarm-" + re.sub(r"\W", "-", error))
            self.scenario.recorder.route("/", self._answer, match=Match(mentions=error))
            self._provoked.add(error)
        self.since = self.scenario.timeline.clock.now()

    # What it has heard

    def callbacks(self, name: str, *, call: Call | None = None, **having: Any) -> list[Callback]:
        """The callbacks of a name so far, in order; of one call, and with these members, where they are given."""
        return [one for one in self.scenario.timeline.of(Callback) if _is(one, name, call, having)]

    def wait(
        self, name: str, count: int = 1, *, call: Call | None = None, seconds: float | None = None, **having: Any
    ) -> Callback | None:
        """The `count`th of those callbacks, once it has come; None when the target's time for callbacks is up."""
        self.wait_until(lambda: len(self.callbacks(name, call=call, **having)) >= count, seconds)
        found = self.callbacks(name, call=call, **having)
        return found[count - 1] if len(found) >= count else None

    def need(self, name: str, count: int = 1, *, call: Call | None = None, **having: Any) -> Mapping[str, Any]:
        """The members of a callback that the next step builds on. Raises InconclusiveError where it does not come."""
        found = self.wait(name, count, call=call, **having)
        if found is None:
            words = f"{name} did not come{f' with {having}' if having else ''}"
            raise InconclusiveError(Reason.PRECONDITION, words)
        return members(found)

    @property
    def due(self) -> float:
        """Seconds until a callback is late, with a margin for what observers disagree about."""
        return self.scenario.plan.target.timing.callback + 2 * self.scenario.slack

    def wait_until(self, enough: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait for callbacks until there are enough; False when the time is up."""
        timeline = self.scenario.timeline
        limit = self.due if seconds is None else seconds
        deadline = timeline.clock.now() + limit
        while True:
            known = len(timeline) - 1
            if enough():
                return True
            left = deadline - timeline.clock.now()
            if left <= 0:
                return False
            timeline.wait_for(lambda one: isinstance(one, Callback), left, after=known)

    def quiet(self) -> None:
        """Wait until it may be believed that nothing more comes."""
        self.scenario.recorder.quiet(self.scenario.plan.target.timing.quiet)

    def finish(self) -> None:
        """Have every caller leave, and wait for the end of each session; what is over already takes no time."""
        for call in self.calls:
            if call.placed is not None:
                if call.decided:  # to give up while the platform does what the answer says would hide what it does
                    call.placed.wait_final()
                call.placed.close()
        for session in self.open_sessions():
            self.wait("sessionCompleted", sessionId=session)
            self._given_up.add(session)

    def open_sessions(self) -> list[str]:
        """Sessions that have begun and are not completed, as far as was told."""
        told = [one for one in self.scenario.timeline.of(Callback) if member(members(one), "sessionId") is not None]
        over = {str(members(one)["sessionId"]) for one in told if name_of(one) == "sessionCompleted"}
        begun = [str(members(one)["sessionId"]) for one in told if name_of(one) in ("newCall", "newRemoteCall")]
        return [session for session in dict.fromkeys(begun) if session not in over | self._given_up]

    # How it answers

    def _answer(self, callback: Callback) -> Answer:
        body = members(callback)
        name = name_of(callback)
        if name == "newCall" and self._provoked:
            self.scenario.timeline.note("provoked", f"alarms are provoked: {', '.join(sorted(self._provoked))}")
        if name == ALARM:
            url = callback.request.url
            self.scenario.timeline.note("webhook", "alarms come here", operation=ALARM, url=url)
        call = next((one for one in self.calls if one.owns(body)), None)
        if call is not None:
            call.ids.update(_ids(body))
        reply: Reply = None
        for source in self._sources(call):
            if source.has(name):
                reply = source.next(name)
                break
        reference = call.reference if call is not None and name in ("newCall", "newRemoteCall") else None
        answer = rendered(name, reply, body, reference)
        if call is not None and name == "newCall":
            call.decided = member(answer.json, "action") in _DECIDING
        return answer

    def _sources(self, call: Call | None) -> Iterator[Answers]:
        if call is not None:
            yield call.answers
        yield self.answers


def tone(hertz: int, seconds: float) -> bytes:
    """A sine at half of full scale: 8 kHz, 16 bit, mono."""
    return b"".join(
        round(16000 * math.sin(2 * math.pi * hertz * at / 8000)).to_bytes(2, "little", signed=True)
        for at in range(round(8000 * seconds))
    )


def name_of(callback: Callback) -> str:
    """The name of a callback: the end of its path, but for alarms, whose path is configured at the platform."""
    name = callback.request.url.partition("?")[0].rstrip("/").rpartition("/")[2]
    return ALARM if members(callback).keys() >= {"type", "error"} else name


def members(callback: Callback) -> Mapping[str, Any]:
    """The members of a callback; none where its body is no JSON object."""
    body = payload(callback.request)
    return body[0] if body and isinstance(body[0], Mapping) else {}


def _ids(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The ids in a callback, under the names by which they are compared."""
    for text in _IDS:
        path, _, name = text.partition("=")
        if body.get(path) is not None:
            yield name or path, str(body[path])


def _is(one: Callback, name: str, call: Call | None, having: Mapping[str, Any]) -> bool:
    if name_of(one) != name:
        return False
    body = members(one)
    if call is not None and not call.owns(body):
        return False
    return all(str(body.get(key)) == str(value) for key, value in having.items())
