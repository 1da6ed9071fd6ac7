"""Telephones around a Callable platform, and the calls that a scenario has made with them.

A desk or a colleague is a phone behind a trunk and a gateway of its own; the outside number is a phone on the carrier side.
A phone takes one call: for each further one there is a new phone in the same role. What happens is noted in the timeline
as the call flows of `specs/callable/sequences.yaml` ask for. Nothing here decides a clause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checks.evidence import parse_json, seen_answer, succeeded
from harness.drivers.http import Body
from harness.drivers.sipp.process import split_address
from harness.sequences import ORDER_SLACK
from harness.suites.contract.blame import blame, blame_by_leaving_out, members
from harness.suites.contract.links import Links
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.callable.kinds import GATEWAY, ROUTE_START, TRUNK, Json, merged
from harness.suites.scenarios.callable.world import Thing, World
from harness.suites.scenarios.telephony import Phone, place_call, waiting_phone
from harness.suites.scenarios.vocabulary import member
from harness.target import PstnTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

DESK, COLLEAGUE, OUTSIDE = "desk", "colleague", "outside number"


@dataclass
class Line:
    """What a desk is reached through."""

    trunk: Thing
    gateway: Thing

    @property
    def extension(self) -> str:
        return str(self.gateway.sent["extension"])


@dataclass
class Calls:
    """The phones of a scenario by role, the latest one each."""

    site: World
    phones: dict[str, Phone] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    entry: Thing | None = None
    asked: HttpExchange | None = None
    route: dict[str, Any] = field(default_factory=dict)
    flow_hook: Thing | None = None
    pbx: str = ""
    _silent: list[Phone] = field(default_factory=list)
    _has_carrier: bool = False
    _begun: bool = False

    @property
    def scenario(self) -> Scenario:
        return self.site.scenario

    @property
    def quiet(self) -> float:
        """Seconds after which it is believed that nothing comes."""
        return self.scenario.plan.target.timing.quiet

    @property
    def pstn(self) -> PstnTarget:
        found = self.scenario.target.pstn
        if found is None or not found.numbers:
            words = "the target file names no outside number that may be called"
            raise InconclusiveError(Reason.PRECONDITION, words)
        return found

    @property
    def desk(self) -> Phone:
        return self.phone(DESK)

    def phone(self, role: str) -> Phone:
        """The phone that has this role now."""
        if role not in self.phones:
            raise RuntimeError(f"the scenario has no {role}: it must begin with the phones that it needs")
        return self.phones[role]

    def called(self, phone: Phone) -> bool:
        """Whether a phone is called; a phone that was waited for in vain is not waited for again."""
        if phone in self._silent:
            return phone.wait_called(0)
        if not phone.wait_called():
            self._silent.append(phone)
            return False
        return True

    @property
    def party(self) -> str:
        """Whom a dial verb calls: the colleague, or else the outside number."""
        return COLLEAGUE if COLLEAGUE in self.phones else OUTSIDE

    # Phones

    def wait_at(self, role: str, **how: Any) -> Phone:
        """A new phone in a role, which waits for a call; `how`: as `waiting_phone`.

        Raises:
            InconclusiveError: the way to it cannot be set up.
        """
        if role == OUTSIDE:
            host, port = self._carrier()
            return self._new(role, waiting_phone(self.scenario, _agent(role), host=host, port=port, **how))
        phone = self._new(role, waiting_phone(self.scenario, _agent(role), **how))
        host, port = split_address(phone.agent.address)
        address = {"ip": host, "port": port}
        if role not in self.lines:
            trunk = self.site.take_beside(TRUNK, **address)
            gateway = self.site.take_beside(GATEWAY, sipGateway={"trunks": [trunk.id]})
            self.lines[role] = Line(trunk, gateway)
        elif not succeeded(self.site.update(self.lines[role].trunk, merged(self.lines[role].trunk.sent, address))):
            words = f"the trunk cannot be moved to another phone: {seen_answer(self.site.answer())}"
            raise InconclusiveError(Reason.PRECONDITION, words)
        return phone

    def dial_in(self, role: str, dialled: str, topic: str, *, host: str | None = None, **about: Any) -> Phone:
        """A phone that calls the platform now: a `caller` from the carrier side, a `pbx` from `host` and whatever port.

        `topic` and `about` are those of the note that the call flows expect before the call.
        """
        port: int | None = None
        if role == "caller":
            host, port = self._carrier()
        name, user = _agent(role), self.pstn.numbers[0]
        self._note(topic, f"{name} calls {dialled}", agent=name, **about)
        return self._new(role, place_call(self.scenario, name, dialled, user=user, host=host, port=port))

    def _carrier(self) -> tuple[str, int]:
        """The address of the carrier side. It is one: scenarios have it one after the other, and phones in a scenario."""
        if not self._has_carrier:
            self.site.shelf.lease.take("callable-carrier")
            self._has_carrier = True
        for role in (OUTSIDE, "caller"):
            if role in self.phones:
                self.phones[role].close()
        return split_address(self.pstn.listen)

    def _new(self, role: str, phone: Phone) -> Phone:
        self.phones[role] = phone
        return phone

    def pass_time(self, seconds: float) -> None:
        """Let time pass: until silence is believed, or until what comes next is later for every observer."""
        self.scenario.timeline.wait_for(lambda _: False, seconds)  # nothing on the wire tells that the time has come

    # Voice calls

    def target(self, role: str, **more: str) -> Json:
        """How a voice call names a phone: by its extension, or the outside number."""
        if role == OUTSIDE:
            return {"phoneNumber": {"number": self.pstn.numbers[0]}}
        return {"extension": {"extension": self.lines[role].extension, **more}}

    def note(self, to: str, *, party: str | None = None, cut_short: bool = False) -> None:
        """Say which phones the voice call that is asked for next must ring."""
        about: dict[str, Any] = {"target": self.phone(to).name}
        if party is not None:
            about["party"] = self.phone(party).name
        if cut_short:
            about["cut-short"] = True
        self._note("voice-call", f"a call to {about['target']} is asked for", **about)

    def _note(self, topic: str, words: str, **about: Any) -> None:
        """Begin another call, some time after the one before, so that nothing of one seems part of the other."""
        if self._begun:
            self.pass_time(2 * ORDER_SLACK)
        self.scenario.timeline.note(topic, words, **about)
        if self._begun:
            self.pass_time(2 * ORDER_SLACK)
        self._begun = True

    def ask(self, body: Json, about: dict[str, str] | None = None) -> HttpExchange:
        """Ask for a voice call, whatever becomes of it; `about`: as `World.send`."""
        self.asked = self.site.send("createVoiceCall", body, about)
        return self.asked

    def order(self, target: Json, verbs: Sequence[Json], *, to: str, cut_short: bool = False, **more: Any) -> None:
        """Ask for a voice call that must be accepted.

        Raises:
            InconclusiveError: it was not; findings say because of which member, where that can be told.
        """
        dials = any("dial" in verb for verb in verbs)
        self.note(to, party=self.party if dials else None, cut_short=cut_short)
        asked = self.ask({**more, "target": target, "verbs": list(verbs)}, {"expect": "success"})
        if not succeeded(asked):
            operation = self.scenario.contract.spec.operation("createVoiceCall")
            self._note("voice-call", "the call is tried without each member", target="nobody")
            if not blame_by_leaving_out(self.scenario, operation, asked) and not self._blame_want(asked):
                self._blame_target(asked, verbs)
            raise InconclusiveError(Reason.PRECONDITION, f"the voice call was refused: {seen_answer(asked)}")

    def _blame_want(self, refused: HttpExchange) -> bool:
        """Whether the call is accepted with the members that need not be given."""
        sent = parse_json(refused.request.body)
        self._note("voice-call", "the same call is tried with all options", target="nobody")
        whole = {"callerId": self.own_number(), "tag": {"data": {"order": "17"}}, **sent}
        exchange = self.site.send("createVoiceCall", whole, {"case": "blame"})
        if not succeeded(exchange):
            return False
        words = "a voice call with nothing but target and verbs is refused"
        seen = seen_answer(refused)
        return not self.scenario.check("CA-voice-optional-values", False, words, expected="2xx", seen=seen, at=refused)

    def own_number(self) -> str:
        """An inbound number of the account in international form, and not its main billing number."""
        main = str(member(self.site.needed("getAccount"), "mbn")).lstrip("+")
        names = [str(member(one, "name")).lstrip("+") for one in self.site.needed("listDdis")]
        for name in names:
            if name.isdigit() and not name.startswith("0") and name != main:
                return f"+{name}"
        raise InconclusiveError(Reason.PRECONDITION, "the account has no inbound number beside its main billing number")

    def _blame_target(self, refused: HttpExchange, verbs: Sequence[Json]) -> None:
        """A target cannot be left out; where another kind of target is accepted, the members of this one are to blame."""
        sent = parse_json(refused.request.body)
        own = next(iter(self.lines.values())).gateway if self.lines else self.site.take_beside(GATEWAY)
        others: list[Json] = [{"extension": {"extension": own.sent["extension"]}}]
        if self.scenario.target.pstn is not None:
            others.append(self.target(OUTSIDE))
        operation = self.scenario.contract.spec.operation("createVoiceCall")
        for other in others:
            if other.keys() == sent["target"].keys():
                continue
            self._note("voice-call", "another kind of target is tried", target="nobody")
            body = Body.json({"target": other, "verbs": list(verbs)})
            about = {"operation": operation.id, "case": "blame"}
            if succeeded(self.scenario.api.request("POST", refused.request.url, body=body, about=about)):
                found = members(Links(self.scenario.contract.spec), operation.request.schemas["application/json"], sent)
                blame(self.scenario, refused, [one for one in found if one.path[0] == "target" and len(one.path) > 1])
                return

    # Calls to inbound numbers

    def enter(self, connect_to: str, *, listed: bool = True) -> None:
        """Have calls to a free inbound number enter at a route start, and go on to `connect_to`."""
        ddi = self.ddi["id"]
        settings = {"ddis": [ddi] if listed else [], "connectTo": connect_to}
        if self.entry is None:
            self.entry = self.site.take_beside(ROUTE_START, startRoute=settings)
        elif not succeeded(self.site.update(self.entry, merged(self.entry.sent, {"startRoute": settings}))):
            words = f"the route start cannot be updated: {seen_answer(self.site.answer())}"
            raise InconclusiveError(Reason.PRECONDITION, words)

    @property
    def ddi(self) -> Json:
        """An inbound number of the account that no other route start lists."""
        self.site.free_ddis()
        if self.site.ddi is None:
            raise InconclusiveError(Reason.PRECONDITION, "the account has no inbound number that is free to be used")
        return self.site.ddi


def _agent(role: str) -> str:
    """The name of the agents in a role: the call flows know them by it, so that one call can be the control of another."""
    return role.partition(" ")[0]
