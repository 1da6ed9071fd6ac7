"""What a Callable scenario has made and seen so far, and how it sets up things in the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.checks.evidence import json_body, parse_json, seen_answer, succeeded
from harness.drivers.http import Body, fill_path
from harness.drivers.recorder import Route
from harness.suites.contract.blame import blame_by_leaving_out
from harness.suites.contract.resources import Workbench
from harness.suites.contract.values import unique
from harness.suites.scenario import InconclusiveError, Scenario
from harness.suites.scenarios.callable.kinds import GATEWAY, HOOK, KINDS, NOWHERE, ROUTE_START, Json, Kind, merged
from harness.suites.scenarios.callable.shelf import PLACES, Place, Shelf
from harness.suites.scenarios.sameness import leaf_members, same_value
from harness.suites.scenarios.vocabulary import LastAnswer, member
from harness.timeline import HttpExchange
from harness.verdicts import Reason

# Short numbers of what scenarios set up, by place on the shelf; generated requests keep away from them.
_NUMBERED = {GATEWAY: 800, ROUTE_START: 800 + PLACES}


@dataclass
class Thing:
    """Something set up for a scenario: what it was given last, and how the list showed it then."""

    kind: Kind
    id: str
    sent: Json
    item: Json


@dataclass
class World(LastAnswer):
    """What a scenario has made and seen so far."""

    scenario: Scenario
    bench: Workbench
    things: list[Thing] = field(default_factory=list)
    chosen: int = 0
    last: HttpExchange | None = None
    sent: Json = field(default_factory=dict)
    tokens: Json = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    ddi: Json | None = None
    route: Route | None = None

    @property
    def thing(self) -> Thing:
        """The one that the scenario speaks of; inconclusive when it could not be made."""
        if self.chosen >= len(self.things):
            raise InconclusiveError(Reason.PRECONDITION, "what was created is not in the list")
        return self.things[self.chosen]

    @property
    def others(self) -> list[Thing]:
        return [one for index, one in enumerate(self.things) if index != self.chosen]

    @cached_property
    def account(self) -> str:
        """The account to work on: the target's, or else the first one listed."""
        found = self.bench.existing(self.scenario.contract.spec.operation("getAccount")).get("account")
        if found is None:
            raise InconclusiveError(Reason.PRECONDITION, "the target names no account, and none is listed")
        return found

    @cached_property
    def shelf(self) -> Shelf:
        made = Shelf(self.scenario.plan.run_dir)
        self.scenario.cleanup(made.release)
        return made

    def send(
        self, operation_id: str, body: Any = None, about: Mapping[str, str] | None = None, **parameters: str
    ) -> HttpExchange:
        """A request for an operation, below the account unless `parameters` name another one.

        `about` says what is expected of it: by default that it succeeds.
        """
        operation = self.scenario.contract.spec.operation(operation_id)
        if "{account}" in operation.path and "account" not in parameters:
            parameters["account"] = self.account
        path = fill_path(operation.path, **parameters)
        known = {"operation": operation_id, **({"expect": "success"} if about is None else about)}
        content = None if body is None else Body.json(body)
        self.last = exchange = self.scenario.api.request(operation.method, path, body=content, about=known)
        if about is None and body is not None and not succeeded(exchange):
            blame_by_leaving_out(self.scenario, operation, exchange, self._adopt)
        return exchange

    def needed(self, operation_id: str, *, account: str | None = None) -> Any:
        """The JSON that a read answers; inconclusive when it cannot be had."""
        exchange = self.send(operation_id, None, None, **({"account": account} if account else {}))
        value = json_body(self.answer())
        if not succeeded(exchange) or value is None:
            raise InconclusiveError(Reason.PRECONDITION, f"{operation_id} cannot be used: {seen_answer(exchange)}")
        return value

    def listed(self, kind: Kind) -> dict[str, Json]:
        """The list of the account as it is now, by id."""
        found = self.needed(f"list{kind.noun}s")
        return {str(one.get("id")): dict(one) for one in found if isinstance(one, Mapping)}

    def read(self, thing: Thing) -> Any:
        """A thing as reading it by its id shows it now; None where that fails."""
        self.send(f"get{thing.kind.noun}", None, None, **{thing.kind.path: thing.id})
        return json_body(self.answer()) if self.status == 200 else None

    def create(self, kind: Kind, values: Json, about: Mapping[str, str] | None = None) -> Thing | None:
        """Send a creation; the thing as it is listed then, None when it is not there.

        The answer is not said to name what was made: where it does not, the list is searched for the values.
        """
        known = self.listed(kind)
        self.sent = values
        operation = self.scenario.contract.spec.operation(f"create{kind.noun}")
        self.bench.announce(operation, [str(values[kind.mark])], {"account": self.account})
        created = self.send(f"create{kind.noun}", values, about)
        if not succeeded(created):
            return None
        listed = self.listed(kind)
        self.last = created
        named = member(json_body(created), "id")
        ours = [
            name
            for name, one in listed.items()
            if name not in known and same_value(values[kind.mark], one.get(kind.mark))
        ]
        found = str(named) if named is not None else ours[0] if len(ours) == 1 else None
        if found is None:
            return None
        self._own(kind, found, values)
        return Thing(kind, found, values, listed[found]) if found in listed else None

    def make(self, kind: Kind, changes: Json, about: Mapping[str, str] | None = None) -> Thing | None:
        """Something new, whatever there is already: as `create`, with a short number of its own; others may use it later."""
        place, fresh = self._place(kind, empty=True)
        thing = self.create(kind, merged(kind.values(**fresh), changes), about)
        if thing is not None:
            place.keep(thing.id)
        return thing

    def take(self, kind: Kind, **changes: Any) -> Thing:
        """A thing with these values for this scenario: an earlier one, updated, or a new one; harmless at the end.

        Raises:
            InconclusiveError: there is none, and none can be made.
        """
        place, fresh = self._place(kind)
        values = kind.values(**{**fresh, **changes})
        thing = self._updated(kind, place.id, values) if place.id else self.create(kind, values)
        if thing is None and place.id:
            thing = self.make(kind, changes)
        if thing is None:
            words = f"no {kind.words} could be made: {seen_answer(self.answer())}"
            raise InconclusiveError(Reason.PRECONDITION, words)
        if not place.id:
            place.keep(thing.id)
        self.things.append(thing)
        return thing

    def take_beside(self, kind: Kind, **changes: Any) -> Thing:
        """As `take`, for what is needed without being what the scenario is about."""
        thing = self.take(kind, **changes)
        self.things.remove(thing)
        return thing

    def _place(self, kind: Kind, *, empty: bool = False) -> tuple[Place, Json]:
        """A place on the shelf, and values that nothing else has; short numbers stay with their places."""
        fresh = {kind.mark: f"{NOWHERE}{unique()}" if kind is HOOK else unique()}
        taken: set[str] | None = None
        while place := self.shelf.place(kind.words.replace(" ", "-"), empty=empty):
            if kind not in _NUMBERED:
                return place, fresh
            if taken is None:
                taken = {str(one.get("extension")) for one in self.listed(kind).values()}
            fresh["extension"] = f"{_NUMBERED[kind] + place.number}"
            if place.id or fresh["extension"] not in taken:
                return place, fresh
        raise InconclusiveError(Reason.PRECONDITION, f"there is no room for another {kind.words}")

    def free_ddis(self) -> list[str]:
        """The id of an inbound number that no route start lists, as a list; empty when there is none, or it was given.

        A scenario gets one at most, so that there are enough for all that run side by side.
        """
        if self.ddi is not None:
            return []
        known = [one for one in self.needed("listDdis") if isinstance(member(one, "id"), str)]
        while (place := self.shelf.lease.take_free("callable-ddi", len(known))) is not None:
            listed = (member(one, "startRoute.ddis") for one in self.listed(ROUTE_START).values())
            if not any(known[place]["id"] in ddis for ddis in listed if isinstance(ddis, list)):
                self.ddi = known[place]
                return [known[place]["id"]]
        return []

    def _updated(self, kind: Kind, item_id: str, values: Json) -> Thing | None:
        """An earlier thing with new values; None when it cannot be given them."""
        thing = Thing(kind, item_id, values, {})
        if not succeeded(self.update(thing, values)):
            return None
        thing.item = self.listed(kind).get(item_id, {})
        if not all(same_value(value, member(thing.item, path)) for path, value in leaf_members(values).items()):
            return None
        self._harmless_at_the_end(kind, item_id, values)
        return thing

    def update(self, thing: Thing, values: Json, about: Mapping[str, str] | None = None) -> HttpExchange:
        """Send an update as the sample does: all values, and the id of the path."""
        thing.sent = values
        return self.send(f"update{thing.kind.noun}", {"id": thing.id, **values}, about, **{thing.kind.path: thing.id})

    def last_update(self) -> HttpExchange:
        """The latest update that succeeded."""
        done = (
            one for one in self.scenario.timeline.of(HttpExchange) if one.request.method == "PUT" and succeeded(one)
        )
        *_, last = done
        return last

    def _adopt(self, exchange: HttpExchange) -> None:
        """Take over what a request has made that was sent to find a fault."""
        made = member(json_body(exchange), "id")
        for kind in KINDS.values():
            if made is not None and exchange.about["operation"] == f"create{kind.noun}":
                values = parse_json(exchange.request.body)
                if kind.mark in values and (kind.path != "device" or values.get("type") == kind.sample["type"]):
                    self._own(kind, str(made), values)

    def _own(self, kind: Kind, item_id: str, values: Json) -> None:
        create = self.scenario.contract.spec.operation(f"create{kind.noun}")
        self.bench.remember(create, {"account": self.account, kind.path: item_id})
        self._harmless_at_the_end(kind, item_id, values)

    def _harmless_at_the_end(self, kind: Kind, item_id: str, values: Json) -> None:
        """Nothing can be deleted, so what was made gets values with which it does nothing."""
        left = Thing(kind, item_id, values, {})
        self.scenario.cleanup(lambda: self.update(left, merged(values, kind.harmless), {"case": "cleanup"}))
