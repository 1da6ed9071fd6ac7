"""A timeline as call flows see it: events in the order of their times, with the fields that `harness.sequences` names.

Made once per system for `harness.checks.flows.judging`, which judges; here nothing is judged. Retransmitted SIP messages are
one event. Each body and each SIP message is read once.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from harness.checks.callbacks import Webhooks
from harness.checks.flows.values import normal_url, text_of
from harness.checks.http import find_operation
from harness.checks.sip import Address, Message, parse_message
from harness.contract import Contract
from harness.sequences import ORDER_SLACK, Condition, EventPattern
from harness.timeline import Callback, Event, Exchange, HttpExchange, HttpRequest, HttpResponse, MediaReport, Note
from harness.timeline import SipMessage as SipEvent

if TYPE_CHECKING:
    from harness.checks.flows.passive import Passive

_KINDS: Mapping[type[Event], str] = {
    HttpExchange: "http", Callback: "callback", SipEvent: "sip", MediaReport: "media", Note: "note",
}  # fmt: skip
_ADDRESSES = {
    "from": "from", "to": "to", "contact": "contact", "pai": "p-asserted-identity", "rpid": "remote-party-id",
    "diversion": "diversion",
}  # fmt: skip
_NOTHING: tuple[Any, ...] = ()


@dataclass(slots=True, eq=False)
class Seen:
    """One event of the record, or one item of an array in it. `index`: its place in the order of times."""

    index: int
    kind: str
    event: Event
    group: str = ""
    message: Message | None = None
    path_template: str = ""
    item: tuple[Any, ...] = ()
    number: int = 0
    parsed: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> float:
        return self.event.at

    @property
    def ended(self) -> float:
        """When it was over: for an exchange, when its answer was complete."""
        return max(self.at, getattr(self.event, "ended", None) or self.at)

    @property
    def observer(self) -> str:
        """Who saw it: two of the same observer are in their true order, others may be off by `ORDER_SLACK`."""
        return f"sip {self.event.agent}" if isinstance(self.event, SipEvent) else self.kind

    @property
    def by_target(self) -> bool:
        """Whether the implementation made it: a request or an answer of its own, not what the harness did."""
        match self.event:
            case SipEvent():
                return self.event.direction == "in"
            case HttpExchange():
                return self.event.response is not None
            case Callback() | MediaReport():
                return True
            case _:
                return False

    def of_item(self, value: Any, number: int) -> Seen:
        return Seen(
            self.index,
            self.kind,
            self.event,
            self.group,
            self.message,
            self.path_template,
            (value,),
            number,
            self.parsed,
        )


def _slack(events: Iterable[Event]) -> float:
    """Seconds by which observers disagree: as noted by a scenario on a crowded machine, else what is usual."""
    noted = (event.data.get("seconds") for event in events if isinstance(event, Note) and event.topic == "slack")
    return max((float(seconds) for seconds in noted if isinstance(seconds, int | float)), default=ORDER_SLACK)


class Record:
    """The events of one system. `observed`: the kinds of events that could be seen at all (None: those that were).

    `passive`: it is a part of a recording that no scenario was in control of. `slack`: seconds by which observers disagree.
    """

    def __init__(
        self,
        events: Iterable[Event],
        contract: Contract,
        *,
        base: str = "",
        system: str = "",
        observed: Collection[str] | None = None,
        passive: Passive | None = None,
    ) -> None:
        events = tuple(events)
        self.contract = contract
        self.passive = passive
        self.slack = passive.slack if passive else _slack(events)
        self._base = base
        self._system = system
        self._webhooks = Webhooks(events, contract)
        self.seen: list[Seen] = []
        self._groups: dict[tuple[str, str], list[Seen]] = defaultdict(list)
        repeats: set[tuple[str, str, str]] = set()
        for event in sorted(events, key=lambda each: (each.at, each.seq)):
            kind = _KINDS[type(event)]
            if isinstance(event, SipEvent):
                key = (event.agent, event.direction, event.text)
                if key in repeats:
                    continue
                repeats.add(key)
            if isinstance(event, Exchange) and (event.system or system) != contract.system:
                continue
            seen = Seen(len(self.seen), kind, event)
            self._classify(seen)
            self.seen.append(seen)
            self._groups[kind, seen.group].append(seen)
        self.times = [seen.at for seen in self.seen]
        self.end = max((seen.ended for seen in self.seen), default=0.0)
        present = {seen.kind for seen in self.seen} | {"note"}
        self.present = frozenset(present)
        # Where API calls were not recorded, `is_blind` tells what they would have excused.
        watched = set(observed or ()) | ({"http"} if passive else set())
        self.observed = frozenset(present | watched)

    def _classify(self, seen: Seen) -> None:
        """Put an event with its like: by operation, or by SIP method."""
        event = seen.event
        if isinstance(event, SipEvent):
            seen.message = parse_message(event.text)
            seen.group = seen.message.method.upper()
        elif isinstance(event, Callback):
            webhook = self._webhooks.find(event)
            seen.group = webhook.id if webhook else ""
        elif isinstance(event, HttpExchange):
            try:
                operation = find_operation(self.contract, event, self._base)
            except KeyError:
                operation = None
            if operation is not None:
                seen.group, seen.path_template = operation.id, operation.path
        elif isinstance(event, Note):
            seen.group = event.topic

    def matches(self, pattern: EventPattern) -> list[Seen]:
        """All that matches a pattern, its correlation aside, in order; items one by one."""
        names = {"sip": "method", "note": "topic"}.get(pattern.kind, "operation")
        groups = next((rule.values for rule in pattern.match if rule.field == names and rule.values), None)
        if groups is None or any(rule.negated for rule in pattern.match if rule.field == names):
            candidates = [seen for seen in self.seen if seen.kind == pattern.kind]
        else:
            lists = [self._groups.get((pattern.kind, group), []) for group in dict.fromkeys(groups)]
            candidates = lists[0] if len(lists) == 1 else sorted(chain(*lists), key=lambda seen: seen.index)
        any_status = pattern.kind != "sip" or any(
            name == "status" for name in (*(rule.field for rule in pattern.match), *pattern.same)
        )
        found: list[Seen] = []
        for seen in candidates:
            if not any_status and seen.message is not None and not seen.message.is_request:
                continue
            if pattern.items is None:
                if _fits(seen, pattern):
                    found.append(seen)
                continue
            number = 0
            for value in read_field(seen, pattern.items):
                for item in value if isinstance(value, list) else ():
                    one = seen.of_item(item, number)
                    number += 1
                    if _fits(one, pattern):
                        found.append(one)
        return found


def _fits(seen: Seen, pattern: EventPattern) -> bool:
    return all(_holds(seen, rule) for rule in pattern.match) and not (
        pattern.unless and all(_holds(seen, rule) for rule in pattern.unless)
    )


def _holds(seen: Seen, rule: Condition) -> bool:
    values = read_field(seen, rule.field)
    if rule.present is not None:
        return bool(values) is rule.present
    if not values:
        return rule.negated
    texts = [text_of(value) for value in values]
    if rule.pattern is not None:
        return any(rule.pattern.fullmatch(text) for text in texts)
    hit = any(_equals(rule.field, text, wanted) for text in texts for wanted in rule.values)
    return hit is not rule.negated


def _equals(name: str, text: str, wanted: str) -> bool:
    if name == "status" and wanted.endswith("XX"):
        return text[:1] == wanted[0]
    if name == "method":
        return text.upper() == wanted.upper()
    if name == "url":
        return same_url(text) == same_url(wanted)
    return text == wanted


@lru_cache(4096)
def same_url(text: str) -> tuple[Any, ...]:
    """URLs are compared as places: the case of the host and a default port make no difference."""
    return normal_url(text)


def key_of(name: str, value: Any) -> Any:
    """What a value of a field is compared by when events are held together."""
    return same_url(text_of(value)) if name == "url" else text_of(value)


def read_field(seen: Seen, name: str) -> tuple[Any, ...]:
    """All values that a field has; none where it is not there."""
    known: tuple[Any, ...] | None = seen.parsed.get(name) if not name.startswith("item.") else None
    if known is None:
        known = tuple(_read(seen, name))
        if not name.startswith("item."):
            seen.parsed[name] = known
    return known


def _read(seen: Seen, name: str) -> Iterable[Any]:
    first, _, rest = name.partition(".")
    if first == "item":
        return _members(seen.item[0], rest.split(".")) if seen.item else _NOTHING
    match seen.event:
        case SipEvent():
            return _read_sip(seen.event, seen.message or Message(""), name)
        case Exchange():
            return _read_exchange(seen, seen.event, name)
        case MediaReport():
            return (seen.event.agent,) if name == "agent" else _members(seen.event.data, rest.split("."))
        case Note():
            return (seen.event.topic,) if name == "topic" else _members(seen.event.data, rest.split("."))
        case _:
            return _NOTHING


def _read_exchange(seen: Seen, event: Exchange, name: str) -> Iterable[Any]:
    first, _, rest = name.partition(".")
    match first:
        case "operation":
            return (seen.group,) if seen.group else _NOTHING
        case "method":
            return (event.request.method,)
        case "status":
            return (event.response.status,) if event.response else _NOTHING
        case "failure":
            return (event.failure.partition(":")[0].strip(),) if event.failure else _NOTHING
        case "url":
            return (event.request.url,)
        case "path":
            return (_split_path(event.request.url),)
        case "about":
            return (event.about[rest],) if rest in event.about else _NOTHING
    part, _, place = rest.partition(".")
    message: HttpRequest | HttpResponse | None = event.request if first == "request" else event.response
    if message is None:
        return _NOTHING
    match part:
        case "header":
            return [value for key, value in message.headers if key.lower() == place.lower()]
        case "body":
            known = seen.parsed.get(f"{first} body")
            if known is None:
                known = seen.parsed[f"{first} body"] = _body(message)
            return _members(known[0], place.split(".")) if known else _NOTHING
        case "query":
            return _query(event.request.url).get(place, _NOTHING)
        case _:
            return _path_value(seen.path_template, _split_path(event.request.url), place)


def _read_sip(event: SipEvent, message: Message, name: str) -> Iterable[Any]:
    first, _, part = name.partition(".")
    match name:
        case "method":
            return (message.method,) if message.method else _NOTHING
        case "status":
            return (message.status,) if message.status is not None else _NOTHING
        case "direction" | "agent" | "transport" | "local" | "remote":
            return (getattr(event, name),)
        case "call-id":
            return (message.call_id,) if message.call_id else _NOTHING
        case "cseq":
            return (message.cseq,) if message.cseq is not None else _NOTHING
        case "branch":
            return (message.branch,) if message.branch else _NOTHING
        case "body":
            return (message.body,) if message.body else _NOTHING
    if first == "header":
        return message.headers(part)
    if first == "request-uri":
        if message.request_uri is None:
            return _NOTHING
        return [value for value in [_address_part(Address("", message.request_uri), part)] if value]
    found = (_address_part(address, part) for address in message.addresses(_ADDRESSES[first]))
    return [value for value in found if value]


def _address_part(address: Address, part: str) -> str:
    match part:
        case "user":
            return address.uri.user
        case "host":
            return address.uri.host
        case "name":
            return address.name
        case "tag":
            return address.tag or ""
        case _:
            return address.uri.text


def _members(value: Any, path: list[str]) -> list[Any]:
    """The values at a path of member names; `*` crosses an array."""
    found = [value]
    for step in path:
        if step == "*":
            found = [item for each in found if isinstance(each, list | tuple) for item in each]
        else:
            found = [each[step] for each in found if isinstance(each, Mapping) and step in each]
    return found


def _body(message: HttpRequest | HttpResponse) -> tuple[Any, ...]:
    if not message.body:
        return _NOTHING
    form_like = "x-www-form-urlencoded" in (message.header("content-type") or "").lower()
    if form_like and message.body.lstrip()[:1] not in (b"{", b"["):  # JSON under a wrong name is still readable
        form = parse_qs(message.body.decode("utf-8", "replace"), keep_blank_values=True)
        return ({name: values[0] for name, values in form.items()},)
    try:
        return (json.loads(message.body),)
    except (ValueError, RecursionError):
        return _NOTHING


def _split_path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _query(url: str) -> dict[str, list[str]]:
    try:
        return parse_qs(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return {}


def _path_value(template: str, path: str, name: str) -> tuple[str, ...]:
    """What stands in the place of `{name}` at the end of a path below any base."""
    found = _template(template).search(path) if f"{{{name}}}" in template else None
    return (unquote(found[_group(name)]),) if found else _NOTHING


@cache
def _template(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{([^}]+)\}", template)
    places = (f"(?P<{_group(part)}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile("".join(places) + "/?$")


def _group(name: str) -> str:
    return "p_" + re.sub(r"\W", "_", name)
