"""Drives schemathesis at one operation, or along the links between them, and writes what it did to the timeline.

schemathesis makes the requests; which of its ideas are sent is decided here: ids that change or delete are those of things
this run created, URLs lead to the run's recorder. What the answers mean is for our own checks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.checks.evidence import parse_json
from harness.drivers.wire import Wire
from harness.spec import Operation
from harness.suites.contract.links import VALUE_KEY
from harness.suites.contract.resources import Workbench
from harness.suites.contract.values import NEW_EXTENSION_PATTERN, UNKNOWN_ID
from harness.timeline import HttpExchange, HttpRequest, HttpResponse
from harness.verdicts import Reason

if TYPE_CHECKING:
    import requests
    from schemathesis import Case
    from schemathesis.core.transport import Response

    from harness.suites.contract.sending import BoundedAdapter

_UNSAFE = ("PUT", "PATCH", "DELETE")
_URL_POOL = 3


class FuzzError(Exception):
    """schemathesis itself broke; the message is its own."""


def fuzz(bench: Workbench, operation: Operation | None, *, seed: int, max_examples: int) -> int:
    """Send generated requests to one operation (None: walk the links between all of them); how many were sent.

    Raises:
        FuzzError: schemathesis could not do its work.
        InconclusiveError: no credentials, or nothing that the operation could be tried on.
    """
    from schemathesis.engine import events

    from harness.suites.contract import engine
    from harness.suites.contract.sending import BoundedAdapter

    target, timing = bench.scenario.target, bench.scenario.plan.target.timing
    wire = Wire(timing, verify_tls=target.verify_tls)
    way = BoundedAdapter(wire, lambda request, body: own_items(bench, request.method or "", request.url or "", body))
    guard = _Guard(bench, operation, way)
    settings = {
        "base-url": target.base_url,
        "headers": _credentials(bench),
        "tls-verify": target.verify_tls,
        "request-timeout": timing.answer,
    }
    schema = engine.load(
        _document(bench, guard, operation), settings, seed=seed, max_examples=max_examples, walk=operation is None
    )
    if operation is not None:
        schema = schema.include(operation_id=operation.id)
    elif outside := [one.id for one in bench.spec.operations if _is_outside(bench, one)]:
        schema = schema.exclude(operation_id=outside)
    with closing(wire), guard.installed():
        for event in engine.run(schema, bench.scenario.worker.probed):
            if isinstance(event, events.Interrupted):
                raise KeyboardInterrupt  # schemathesis ends its work in order, and says nothing else of it
            if isinstance(event, events.FatalError):
                raise FuzzError(str(event.exception)) from event.exception
            if isinstance(event, events.NonFatalError) and not _is_network(event.value):
                raise FuzzError(f"{event.label}: {event.value}") from event.value
    return guard.sent


def _is_outside(bench: Workbench, operation: Operation) -> bool:
    """What a walk leaves alone: what may cause a call, goes elsewhere, or makes what stays where nothing is to stay."""
    leaves = bench.links.leaves_behind(operation) and not bench.scenario.target.scratch
    return bool(operation.target_url) or leaves or bench.links.dials(operation)


class _Guard:
    """Looks at every request before it leaves, and writes every exchange down."""

    def __init__(self, bench: Workbench, operation: Operation | None, way: BoundedAdapter) -> None:
        self._bench = bench
        self._way = way
        self._scenario = bench.scenario
        self._own: list[dict[str, str]] = []
        if operation is not None and "{" in operation.path:
            self._own.append(bench.own_parameters(operation))
        self._given: dict[str, list[str]] = {}
        self.urls: list[str] = []
        self.soon: str = bench.values.safe({"x-value": "soon"}, None)
        self.sent = 0
        self._started = 0.0

    def recorder_urls(self) -> list[str]:
        """A few URLs of the recorder, made when a spec asks for them."""
        while len(self.urls) < _URL_POOL:
            self.urls.append(self._bench.values.safe({"x-value": "recorder-url"}, None))
        return self.urls

    def follow(self, node: Any) -> Mapping[str, Any]:
        """A node of the document, or what it refers to."""
        return self._bench.links.follow(node)

    def user_ids(self, *, number: bool) -> list[Any]:
        """Whom a body may name."""
        return self._bench.values.user_ids(number=number)

    def given(self, name: str, mark: str) -> list[str]:
        """What a path parameter of that mark may name: what the target has anyhow; empty where nobody knows."""
        if mark not in self._given:
            self._given[mark] = self._bench.given(name, mark)
        return self._given[mark]

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Hooked into schemathesis for as long as this lasts; its hooks are global, and so is a worker's only test."""
        from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

        hooks: dict[str, Callable[..., Any]] = {
            "before_call": self._before_call,
            "after_call": self._after_call,
            "after_network_error": self._after_network_error,
        }
        registered = [(GLOBAL_HOOK_DISPATCHER.register_hook_with_name(hook, name)) for name, hook in hooks.items()]
        try:
            with self._way.installed():
                yield
        finally:
            for hook in registered:
                GLOBAL_HOOK_DISPATCHER.unregister(hook)

    def _before_call(self, context: Any, case: Case[Any], kwargs: dict[str, Any]) -> None:
        del context
        kwargs["auth"] = self._sign
        self._scenario.worker.limiter.wait()
        if case.method.upper() in _UNSAFE and case.path_parameters:
            case.path_parameters.update(self._allowed(case))
        if self.urls:
            places: tuple[Any, ...] = (case.query, case.body)
            for place in places:
                for name, value in list(place.items()) if isinstance(place, dict) else ():
                    if _leads_elsewhere(value, self.urls):
                        place[name] = self.urls[self.sent % len(self.urls)]
        sent = case.body
        if isinstance(sent, dict | list):
            self._scenario.dialling.request(case.method, case.operation.path, json.dumps(sent, default=str).encode())
        self.sent += 1
        self._started = self._scenario.timeline.clock.now()

    def _allowed(self, case: Case[Any]) -> Mapping[str, str]:
        """What a request that changes or deletes may name: whatever else it names, known or guessed, is not ours."""
        given = {name: str(value) for name, value in case.path_parameters.items()}
        own = [one for one in self._own + [made for _, made in self._bench.created] if one.keys() == given.keys()]
        if given in own:
            return given
        if own and self.sent % 2 == 0:
            return own[self.sent // 2 % len(own)]
        operation = self._bench.spec.operation(case.operation.definition.raw["operationId"])
        if operation.method != "PUT" or self._bench.links.creates(operation) is None:
            return dict.fromkeys(given, UNKNOWN_ID)
        new = self._bench.own_parameters(operation)
        self._bench.announce(operation, [], new)
        return new

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Called when a request stands as it will leave."""
        credentials = self._scenario.worker.credentials(self._scenario.system)
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        signed: dict[str, str] = {}
        credentials.sign(request.method or "", request.url or "", signed, body, "valid")
        request.headers.update(signed)
        return request

    def _after_call(self, context: Any, case: Case[Any], response: Response) -> None:
        del context
        exchange = self._record(case, response.request, self._way.answer, None)
        self._scenario.worker.taken.learn(exchange)
        if operation_id := exchange.about.get("operation"):
            self._bench.keep(self._bench.spec.operation(operation_id), exchange)

    def _after_network_error(self, context: Any, case: Case[Any], request: requests.PreparedRequest) -> None:
        del context
        self._record(case, request, None, self._way.failure)

    def _record(
        self, case: Case[Any], request: requests.PreparedRequest, answer: HttpResponse | None, failure: str | None
    ) -> HttpExchange:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        timeline = self._scenario.timeline
        about = {"auth": "valid", "case": _mode(case)}
        operation_id = case.operation.definition.raw.get("operationId")
        if operation_id and (request.method or "").upper() == case.operation.method.upper():
            about["operation"] = operation_id
        sent = HttpRequest(
            request.method or "", request.url or "", tuple((str(k), str(v)) for k, v in request.headers.items()), body
        )
        ended = timeline.clock.now()
        exchange = HttpExchange(
            self._started,
            system=self._scenario.system,
            request=sent,
            response=answer,
            ended=ended,
            failure=failure,
            about=about,
        )
        return timeline.add(self._scenario.alter(exchange))


def own_items(bench: Workbench, method: str, url: str, body: bytes) -> bytes:
    """The body of an answer as schemathesis may learn from it: of a list of what can be made, the things of this test.

    What others make meanwhile would lead it elsewhere each time. The record has the answer as it came.
    """
    path = urlsplit(url).path.removeprefix(urlsplit(bench.scenario.target.base_url).path)
    read = bench.spec.match(method, path) if method == "GET" else None
    if read is None or not any(one.path == read.path and bench.links.creates(one) for one in bench.spec.operations):
        return body
    try:
        value = parse_json(body)
    except ValueError:
        return body
    marks = [mark for _, parameters in bench.created for mark in parameters.values()]

    def own(items: Any) -> Any:
        return [item for item in items if any(mark in json.dumps(item) for mark in marks)]

    if isinstance(value, list):
        return json.dumps(own(value)).encode()
    if isinstance(value, dict):
        shown = {name: own(item) if isinstance(item, list) else item for name, item in value.items()}
        return json.dumps(shown).encode()
    return body


def _mode(case: Case[Any]) -> str:
    meta = case.meta
    return meta.generation.mode.value if meta is not None else "positive"


def _leads_elsewhere(value: object, allowed: list[str]) -> bool:
    return isinstance(value, str) and "://" in value and not any(value.startswith(url) for url in allowed)


def _is_network(error: Exception) -> bool:
    import requests

    return isinstance(error, requests.RequestException)


def _credentials(bench: Workbench) -> dict[str, str]:
    from harness.suites.scenario import InconclusiveError

    scenario = bench.scenario
    credentials = scenario.worker.credentials(scenario.system)
    headers = dict(credentials.always)
    problem = credentials.apply(headers, scenario.api, "valid")
    if problem is not None:
        raise InconclusiveError(Reason.PRECONDITION, "no credentials: the token request failed")
    return headers


def _document(bench: Workbench, guard: _Guard, operation: Operation | None) -> dict[str, Any]:
    """The OpenAPI document as schemathesis gets it: this target, one body encoding, safe values, no webhooks.

    Of the paths only that of the operation, if there is one: schemathesis looks at all that it is given, for each operation.
    """
    document = {name: _copied(part) for name, part in bench.spec.document.items() if name not in ("paths", "webhooks")}
    paths = bench.spec.document["paths"].items()
    document["paths"] = {path: _copied(item) for path, item in paths if operation is None or path == operation.path}
    document["servers"] = [{"url": bench.scenario.target.base_url}]
    for item in document["paths"].values():
        for node in item.values():
            if isinstance(node, Mapping) and "requestBody" in node:
                content = node["requestBody"].get("content", {})
                if bench.media_type in content:
                    node["requestBody"]["content"] = {bench.media_type: content[bench.media_type]}
                _name_users(bench, node)
    _pin(document, guard)
    return document


def _copied(node: Any) -> Any:
    """A copy of a document; nothing in one needs the care of `copy.deepcopy`, which takes three times as long."""
    if isinstance(node, Mapping):
        return {name: _copied(item) for name, item in node.items()}
    return [_copied(item) for item in node] if isinstance(node, list) else node


def _name_users(bench: Workbench, node: Mapping[str, Any]) -> None:
    """Have the example of a body name users of the target: a request for anybody else is refused, whatever else it says."""
    operation = bench.spec.operation(node["operationId"])
    if bench.links.carries(operation, {"user-id"}) and bench.values.user_ids(number=False):
        for media_type, content in node["requestBody"]["content"].items():
            if "example" in content:
                content["example"] = bench.values.body(operation, media_type)


def _pin(node: Any, guard: _Guard) -> None:
    """Replace schemas that ask for safe values by lists of such values; examples of theirs go."""
    if isinstance(node, dict):
        if node.get("in") == "path":
            # Which things a request may name there is decided when it leaves, but in what the target has anyhow.
            schema = guard.follow(node.get("schema", {}))
            if known := guard.given(node["name"], schema.get(VALUE_KEY, "")):
                node |= {"schema": {"type": "string", "enum": known}, "example": known[0]}
            return
        if node.get("x-value") == "user-id" and (known := guard.user_ids(number=node.get("type") == "integer")):
            kind = node["type"]
            node.clear()
            node.update({"type": kind, "enum": known})
            return
        if node.get("x-value") == "soon":
            node.clear()
            node.update({"type": "string", "enum": [guard.soon]})
            return
        if node.get("x-value") == "recorder-url":
            node.clear()
            node.update({"type": "string", "enum": guard.recorder_urls()})
            return
        if node.get("x-value") == "new-extension":
            node["pattern"] = NEW_EXTENSION_PATTERN
        for value in node.values():
            _pin(value, guard)
    elif isinstance(node, list):
        for value in node:
            _pin(value, guard)
