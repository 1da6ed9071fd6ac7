"""Makes things at the target so that operations on them can be tried, and takes them away again.

How an id is found is read from the spec's links: in the answer of the operation that creates, or else in the list, by a
value that was made unique. What was created stands in the run's ledger until it is deleted; nothing else is changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.checks.evidence import json_body
from harness.drivers.http import Body, fill_path
from harness.spec import Operation
from harness.suites.contract.links import GIVEN, Links, path_parameters, pick
from harness.suites.contract.values import Values, unique
from harness.suites.safety.ledger import Ledger, Made
from harness.suites.scenario import InconclusiveError, Scenario
from harness.target import ApidazeTarget
from harness.timeline import HttpExchange
from harness.verdicts import Reason

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_WAV_FORMAT = b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data"


def wav(samples: bytes) -> bytes:
    """Samples (8 kHz, 16 bit, mono) as a WAV file."""
    size = len(samples)
    return b"RIFF" + (36 + size).to_bytes(4, "little") + _WAV_FORMAT + size.to_bytes(4, "little") + samples


# A quarter of a second, for operations that take audio.
SILENCE = wav(bytes(4000))
_SCRIPT = "<document><work><hangup/></work></document>"


class Workbench:
    """Valid requests of one scenario's system, with whatever they need made first.

    `created`: what was made, as pairs of the creating operation's id and the path parameters that name the thing.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.spec = scenario.contract.spec
        self.links = Links(self.spec)
        makers = {"recorder-url": self._recorder_url, "trunk-id": lambda: self._id_of("createTrunk", "getTrunk")}
        self.values = Values(self.links, scenario.target, makers)
        self.ledger = Ledger(scenario.plan.run_dir, scenario.system, scenario.target.base_url)
        self.created: list[tuple[str, dict[str, str]]] = []

    def _recorder_url(self) -> str:
        from harness.drivers.recorder import Answer

        recorder = self.scenario.recorder
        script = Answer(headers={"Content-Type": "application/xml"}, body=_SCRIPT)
        return recorder.route(recorder.unique("contract"), script).url

    def _id_of(self, create: str, read: str) -> str:
        """The id of something made for this test, for bodies that refer to it."""
        known = [parameters for made_by, parameters in self.created if made_by == create]
        found = known[0] if known else self.parameters(self.spec.operation(read))
        return list(found.values())[-1]

    @property
    def media_type(self) -> str:
        """How bodies are encoded where an operation allows several."""
        target = self.scenario.target
        return FORM if isinstance(target, ApidazeTarget) and target.body_encoding == "form" else JSON

    def send(
        self,
        operation: Operation,
        parameters: Mapping[str, str] | None = None,
        *,
        members: Collection[str] | None = None,
        **options: Any,
    ) -> HttpExchange:
        """Send a valid request; `parameters` are its path parameters (made, when they are not given).

        `members`: those of the example body that are sent (all, when they are not given).
        """
        if parameters is None:
            parameters = self.own_parameters(operation)
        about = {"operation": operation.id, **options.pop("about", {"expect": "success", "case": "example"})}
        known = len(self.values.made)
        body = self.body(operation, members)
        marks = self.values.made[known:]
        self.announce(operation, marks, parameters)
        exchange = None
        try:
            exchange = self.scenario.api.request(
                operation.method,
                fill_path(operation.path, **parameters),
                params=self.values.query(operation) or None,
                body=body,
                about=about,
                **options,
            )
        finally:
            # Interrupted, or without an answer: it may have been made all the same.
            if exchange is None or (exchange.response is None and not (exchange.failure or "").startswith("connect")):
                self.scenario.cleanup(lambda: self._find(operation, marks, parameters))
        self.keep(operation, exchange)
        return exchange

    def _find(self, create: Operation, marks: Sequence[str], parameters: Mapping[str, str]) -> None:
        """Have what a request has made, whose answer never came, deleted too."""
        link = self.links.creates(create)
        if link is not None and self.links.deleter(create) is not None:
            all_marks = [*marks, *self._names(create, parameters)]
            for found in self.with_marks(self.spec.operation(link.target), all_marks, parameters):
                self.remember(create, found)

    def own_parameters(self, operation: Operation) -> dict[str, str]:
        """Path parameters for a first request: new names where the operation makes something, else things that exist."""
        if self.links.creates(operation) is None:
            return self.parameters(operation)
        return {**self.existing(operation), **self._fresh(operation)}

    def _fresh(self, operation: Operation) -> dict[str, str]:
        return {name: unique() for name, mark in self.links.path_marks(operation).items() if mark == "unique"}

    def body(self, operation: Operation, members: Collection[str] | None = None) -> Body | None:
        """The example body of an operation, or these members of it, encoded as the target takes it."""
        schemas = operation.request.schemas
        if not schemas:
            return None
        media_type = self.media_type if self.media_type in schemas else next(iter(schemas))
        value = self.values.body(operation, media_type)
        if members is not None:
            value = {name: item for name, item in value.items() if name in members}
        if media_type == FORM:
            return Body.form(value)
        return Body.json(value) if media_type.endswith("json") else Body(SILENCE, media_type)

    def existing(self, operation: Operation) -> dict[str, str]:
        """Path parameters that name what the target has anyhow: its domain, an account of the user.

        The target file may name it; else the first one is taken that a plain list shows.
        """
        found: dict[str, str] = {}
        for name, mark in self.links.path_marks(operation).items():
            if mark == "user-id":
                found[name] = str(self.values.user_id(""))
            elif known := self.given(name, mark):
                found[name] = known[0]
        return found

    def given(self, name: str, mark: str) -> list[str]:
        """What the target has anyhow that a path parameter of that name and mark may name; empty where nobody knows."""
        if mark == "user-id":
            return self.values.user_ids(number=False)
        value = (getattr(self.scenario.target, mark, None) or self._first_listed(name)) if mark in GIVEN else None
        return [value] if isinstance(value, str) else []

    def _first_listed(self, name: str) -> str | None:
        for read in self.spec.operations:
            for link in self.links.all:
                if link.source == read.id and read.method == "GET" and "{" not in read.path and name in link.parameters:
                    about = {"operation": read.id, "expect": "success", "case": "example"}
                    value = json_body(self.scenario.api.request("GET", read.path, about=about))
                    found = pick(value, {name: link.parameters[name]}, {})
                    return found[name] if found else None
        return None

    def parameters(self, operation: Operation) -> dict[str, str]:
        """Path parameters that name something which exists because it was made for this test.

        Raises:
            InconclusiveError: nothing could be made.
        """
        given = self.existing(operation)
        if set(given) == set(self.links.path_marks(operation)):
            return given
        maker = self.links.maker(operation)
        if maker is None and operation.method == "OPTIONS":
            # What a browser may send does not depend on what is there.
            return {**given, **self._fresh(operation)}
        if maker is None:
            raise InconclusiveError(Reason.PRECONDITION, f"the spec has no link that leads to {operation.id}")
        made = len(self.created)
        exchange = self.send(maker)
        if exchange.response is None or not 200 <= exchange.response.status < 300:
            status = exchange.response.status if exchange.response else exchange.failure
            raise InconclusiveError(
                Reason.PRECONDITION, f"{maker.id} was answered {status}, so there is nothing to try"
            )
        if len(self.created) == made:
            words = f"what {maker.id} made can be told neither from its answer nor from the list"
            raise InconclusiveError(Reason.PRECONDITION, words)
        return self.created[-1][1]

    def keep(self, operation: Operation, exchange: HttpExchange) -> dict[str, str] | None:
        """If the exchange created something, find out what, and have it deleted at the end; its path parameters.

        What cannot be found for certain is not touched: it may be somebody else's.
        """
        link = self.links.creates(operation)
        if link is None or exchange.response is None or not 200 <= exchange.response.status < 300:
            return None
        sent = path_parameters(operation, exchange.request.url)
        found = pick(json_body(exchange), link.parameters, sent)
        if found is None:
            own = self._own(self.spec.operation(link.target), sent)
            found = own[0] if len(own) == 1 else None
        if found is not None:
            self.remember(operation, found)
        return found

    def announce(self, create: Operation, marks: Sequence[str], parameters: Mapping[str, str]) -> None:
        """Enter into the ledger that something is about to be created; `marks`: values of it that nothing else has."""
        if self.links.creates(create) is not None and (all_marks := [*marks, *self._names(create, parameters)]):
            self.ledger.making(create.id, all_marks, parameters)

    def _names(self, create: Operation, parameters: Mapping[str, str]) -> list[str]:
        return [parameters[name] for name, mark in self.links.path_marks(create).items() if mark == "unique"]

    def remember(self, create: Operation, parameters: dict[str, str]) -> None:
        """Enter something that was created into the ledger and have it deleted at the end."""
        delete = self.links.deleter(create)
        self.ledger.made(Made(create.id, delete.id if delete else None, parameters))
        self.created.append((create.id, parameters))
        if delete is not None:
            self.scenario.cleanup(lambda: self.delete(delete, parameters))

    def delete(self, delete: Operation, parameters: Mapping[str, str]) -> HttpExchange:
        """Take something away; that it is gone already is as good."""
        path = fill_path(delete.path, **parameters)
        exchange = self.scenario.api.request("DELETE", path, about={"operation": delete.id, "case": "cleanup"})
        if is_gone(exchange):
            self.ledger.deleted(path, delete.id, parameters)
        return exchange

    def _own(self, operation: Operation, sent: Mapping[str, str]) -> list[dict[str, str]]:
        """Path parameters of listed things that carry the last value which was made unique for this run."""
        return self.with_marks(operation, self.values.made[-1:], sent)

    def with_marks(self, operation: Operation, marks: Sequence[str], sent: Mapping[str, str]) -> list[dict[str, str]]:
        """Path parameters, for `operation`, of listed things that carry any of these values; `sent`: those of the list."""
        for link, read in self.links.lists(operation):
            if marks:
                about = {"operation": read.id, "expect": "success", "case": "example"}
                value = json_body(self.scenario.api.request("GET", fill_path(read.path, **sent), about=about))
                items = [(item, json.dumps(item)) for item in (value if isinstance(value, list) else [])]
                ours = (item for item, text in items if any(mark in text for mark in marks))
                picked = (pick([item], link.parameters, sent) for item in ours)
                return [one for one in picked if one is not None]
        return []


def is_gone(exchange: HttpExchange) -> bool:
    """Whether a deletion's answer says that the thing is no longer there."""
    response = exchange.response
    return response is not None and (response.status < 300 or response.status in (404, 410))
