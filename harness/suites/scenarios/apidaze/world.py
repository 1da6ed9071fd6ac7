"""What an Apidaze scenario has made and seen so far, and how it makes and sees things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.evidence import json_body, seen_answer
from harness.checks.hosts import likely_hosts
from harness.drivers.http import Body, fill_path
from harness.drivers.recorder import Answer, Route
from harness.drivers.sipp import SippResult
from harness.suites.contract.resources import FORM, Workbench
from harness.suites.contract.values import unique
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.vocabulary import LastAnswer, member
from harness.target import ApidazeTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

SCRIPT = "<document><work><answer/><speak>ringtrue</speak><hangup/></work></document>"


@dataclass
class Kind:
    """A kind of thing that the API manages, and the operations on it."""

    name: str
    plural: str
    path: str
    required: str


ACCOUNT = Kind("account", "SipAccount", "/sipaccounts", "username")
SCRIPTS = Kind("script", "ExternalScript", "/externalscripts", "url")


@dataclass
class World(LastAnswer):
    """What a scenario has made and seen so far."""

    scenario: Scenario
    bench: Workbench
    kind: Kind = field(default_factory=lambda: ACCOUNT)
    items: list[dict[str, Any]] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    chosen: int = 0
    before: list[dict[str, Any]] = field(default_factory=list)
    last: HttpExchange | None = None
    route: Route | None = None
    url: str = ""
    results: list[SippResult] = field(default_factory=list)
    sip_domain: str | None = None
    script: dict[str, Any] | None = None
    old_route: Route | None = None

    @property
    def item(self) -> dict[str, Any]:
        return self.items[self.chosen]

    @property
    def others(self) -> list[dict[str, Any]]:
        return [one for index, one in enumerate(self.items) if index != self.chosen]

    def listed(self) -> list[dict[str, Any]]:
        """The list as it is now."""
        about = {"operation": f"list{self.kind.plural}s", "expect": "success"}
        self.last = self.scenario.api.request("GET", self.kind.path, about=about)
        value = json_body(self.answer())
        if self.status != 200 or not isinstance(value, list):
            raise InconclusiveError(Reason.PRECONDITION, f"the list cannot be read: {seen_answer(self.last)}")
        return [one for one in value if isinstance(one, Mapping)]  # type: ignore[misc]

    def body(self, values: Mapping[str, str]) -> Body:
        return Body.form(values) if self.bench.media_type == FORM else Body.json(values)

    def create(self, values: Mapping[str, str], *, case: str = "example") -> dict[str, Any] | None:
        """Send a creation; the item as the list shows it afterwards, None when it is not there.

        The answer of a creation is not documented, so what was made is found by comparing the list before and after.
        """
        self.before = self.listed()
        self.sent = dict(values)
        about = {"operation": f"create{self.kind.plural}", "case": case}
        if case == "example":
            about["expect"] = "success"
        operation = self.scenario.contract.spec.operation(f"create{self.kind.plural}")
        self.bench.announce(operation, [value for value in map(values.get, ("username", "url")) if value], {})
        self.last = created = self.scenario.api.request("POST", self.kind.path, body=self.body(values), about=about)
        known = {member(one, "id") for one in self.before}
        fresh = [one for one in self.listed() if member(one, "id") not in known and self._is_ours(one, values)]
        self.last = created
        if len(fresh) != 1:
            return None
        self.bench.remember(operation, {"id": str(member(fresh[0], "id"))})
        return fresh[0]

    def _is_ours(self, item: Mapping[str, Any], values: Mapping[str, str]) -> bool:
        """Other people create things at the same time; ours has the value that was made unique for it."""
        if self.kind is SCRIPTS and "url" in values:
            return bool(member(item, "url") == values["url"])
        if self.kind is ACCOUNT and "username" in values:
            # Without case: a user name that comes back otherwise spelt is still ours, and another clause says so.
            return values["username"].casefold() in str(member(item, "sip.username")).casefold()
        return bool(member(item, "name") == values["name"])

    def precondition(self, values: Mapping[str, str]) -> None:
        item = self.create(values)
        if item is None:
            assert self.last is not None
            raise InconclusiveError(Reason.PRECONDITION, f"no {self.kind.name} could be made: {seen_answer(self.last)}")
        self.items.append(item)

    def new_values(self, **values: str) -> dict[str, str]:
        if self.kind is SCRIPTS:
            return {"url": self.recorder_url(), **values}
        return {"username": unique(), **values}

    def recorder_url(self, query: str = "") -> str:
        """A URL of the run's recorder that serves a script."""
        recorder = self.scenario.recorder
        answer = Answer(headers={"Content-Type": "application/xml"}, body=SCRIPT)
        self.route = recorder.route(recorder.unique("scripts"), answer)
        self.url = self.route.url + (f"?{query}" if query else "")
        return self.url

    def act(self, operation_id: str, item_id: str, body: Body | None = None, *, expect: bool = True) -> HttpExchange:
        """An operation on one item."""
        operation = self.scenario.contract.spec.operation(operation_id)
        about = {"operation": operation_id}
        if expect:
            about["expect"] = "success"
        path = fill_path(operation.path, id=item_id)
        self.last = self.scenario.api.request(operation.method, path, body=body, about=about)
        return self.last


def sip_domain(world: World, exchange: HttpExchange) -> str | None:
    """The domain in a status answer: the member that the target names, else the one string that looks like a host."""
    target = world.scenario.target
    status = one_item(json_body(exchange))
    if isinstance(target, ApidazeTarget) and target.status_domain_member:
        value = member(status, target.status_domain_member)
        return value if isinstance(value, str) and value else None
    hosts = likely_hosts(status)
    return hosts[0] if len(hosts) == 1 else None


def one_item(value: Any) -> Any:
    """An item, bare or as a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
