"""Tells which side of a recorded conversation is the platform's: API call or callback, sent or received.

A recording holds requests and messages; checks need to know who made them. What belongs to no operation and no callback of
the system is counted and left out. Nothing here judges.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harness.checks.callbacks import Webhooks
from harness.checks.flows.values import normal_url
from harness.checks.sip import parse_message
from harness.contract import Contract
from harness.drivers.recorder.flows import WHOLE_HEADERS
from harness.recordings.clocks import announced
from harness.recordings.errors import RecordingError
from harness.recordings.reading import Pile
from harness.recordings.sip_capture import CapturedSip
from harness.spec import Operation
from harness.timeline import Callback, Event, Exchange, HttpExchange, HttpRequest, SipMessage

# Where the URLs stand at which a system is told to call: members of a request body, or query parameters.
_URL_MEMBERS = {"apidaze": ("url",), "vtx": ("notificationUrl",)}
# Members by which a push is known whose URL nobody said.
_TELLING_MEMBERS = {"vtx": ("callLogEvents", "subscriptionId")}
_MOST_NAMED = 5


@dataclass(slots=True)
class Sorted:
    """`events` in no order yet; `foreign`: what was left out, by what it is; `platform`: SIP addresses of the platform."""

    events: list[Event] = field(default_factory=list)
    foreign: Counter[str] = field(default_factory=Counter)
    platform: tuple[str, ...] = ()

    @property
    def foreign_words(self) -> str:
        listed = [f"{what} ({count})" for what, count in self.foreign.most_common(_MOST_NAMED)]
        more = len(self.foreign) - len(listed)
        return ", ".join(listed) + (f" and {more} more" if more else "")


def choose_system(pile: Pile, contracts: Mapping[str, Contract]) -> Contract:
    """The system that the recording is about, when nobody said it.

    Raises:
        RecordingError: none of them, or several fit equally well.
    """
    exchanges = [*pile.exchanges, *(event for event in pile.events if isinstance(event, Exchange))]
    named = {event.system for event in exchanges if event.system in contracts}
    named |= {event.system for _, one in pile.scenarios for event in one.of(HttpExchange) if event.system in contracts}
    if len(named) == 1:
        return contracts[named.pop()]
    counts = {name: len(_known(exchanges, contract)) for name, contract in contracts.items()}
    best = max(counts.values(), default=0)
    fitting = [name for name, count in counts.items() if count == best]
    if not best or len(fitting) > 1:
        found = "more than one system fits" if best else "nothing in it tells which system it is of"
        raise RecordingError(f"{found}: say --system {'|'.join(fitting if best else contracts)}")
    return contracts[fitting[0]]


def sort_out(pile: Pile, contract: Contract, addresses: Sequence[str] = ()) -> Sorted:
    """Say of each exchange and message which side made it. `addresses`: the platform's, for SIP: `host:port` or `host`.

    Raises:
        RecordingError: nothing tells which side of the SIP messages is the platform's.
    """
    found = Sorted()
    raw = [*pile.exchanges, *(event for event in pile.events if isinstance(event, Exchange))]
    known = _known(raw, contract)
    applications: dict[str, str] = {}
    for number, exchange in enumerate(raw):
        if number in known:
            found.events.append(_finished(known[number], contract, applications))
        else:
            found.foreign[f"{exchange.request.method} {urlsplit(exchange.request.url).path[:80]}"] += 1
    found.events += (event for event in pile.events if not isinstance(event, Exchange))
    if pile.messages:
        found.platform = tuple(addresses) or _platform_of(pile.messages, found.events)
        directed: list[SipMessage] = []
        for message in pile.messages:
            event = _directed(message, found.platform)
            if event is None:
                found.foreign[f"SIP between {message.source} and {message.target}"] += 1
            else:
                directed.append(event)
        names = _names(directed)
        found.events += (replace(event, agent=names.get(event.agent, event.agent)) for event in directed)
    return found


def _names(messages: Iterable[SipMessage]) -> dict[str, str]:
    """Peers by address that are one user, and the only ones who are: they are called by that name."""
    users: dict[str, set[str]] = defaultdict(set)
    for event in messages:
        message = parse_message(event.text)
        if message.starts_dialog and message.method in ("INVITE", "REGISTER"):
            user = message.from_user if event.direction == "out" else message.request_uri and message.request_uri.user
            users[event.agent].add(user or "")
    single = {agent: next(iter(found)) for agent, found in users.items() if len(found) == 1 and "" not in found}
    shared = Counter(single.values())
    return {agent: user for agent, user in single.items() if shared[user] == 1}


def _known(exchanges: Sequence[Exchange], contract: Contract) -> dict[int, Callback | HttpExchange]:
    """By place: exchanges that are API calls or callbacks of the system, as such."""
    known: dict[int, Callback | HttpExchange] = {}
    for number, exchange in enumerate(exchanges):
        if isinstance(exchange, Callback):
            continue
        operation = _operation(contract, exchange.request, exchange.request.method)
        if operation is not None:
            known[number] = _as(HttpExchange, exchange, contract, operation.id)
        elif (asked := _preflighted(exchange.request)) and _operation(contract, exchange.request, asked):
            known[number] = _as(HttpExchange, exchange, contract, "")
    webhooks = Webhooks(known.values(), contract)
    urls = frozenset(_urls(known.values(), contract))
    for number, exchange in enumerate(exchanges):
        if number in known or isinstance(exchange, HttpExchange):
            continue
        callback = _as(Callback, exchange, contract, "")
        assert isinstance(callback, Callback)
        hook = _webhook(callback, contract, webhooks, urls)
        if hook is not None:
            known[number] = replace(callback, about={**callback.about, "operation": hook.id})
        elif webhooks.misspelt(callback) is not None:
            known[number] = callback
    return known


def _preflighted(request: HttpRequest) -> str:
    """The method that a pre-flight request asks about; '' where it is none."""
    return (request.header("access-control-request-method") or "") if request.method == "OPTIONS" else ""


def _operation(contract: Contract, request: HttpRequest, method: str) -> Operation | None:
    """The operation for a URL, whatever stands before its path."""
    segments = _path(request.url).strip("/").split("/")
    for start in range(len(segments)):
        found = contract.spec.match(method, "/" + "/".join(segments[start:]))
        if found is not None:
            return found
    return None


def _webhook(callback: Callback, contract: Contract, webhooks: Webhooks, urls: frozenset[Any]) -> Operation | None:
    only = contract.spec.webhooks[0] if len(contract.spec.webhooks) == 1 else None
    if only is None:
        return webhooks.find(callback)
    if _place(callback.request.url) in urls:
        return only
    telling = _TELLING_MEMBERS.get(contract.system, ())
    return only if telling and any(name in _members(callback.request) for name in telling) else None


def _urls(exchanges: Iterable[Exchange], contract: Contract) -> Iterator[Any]:
    for exchange in exchanges:
        for name in _URL_MEMBERS.get(contract.system, ()):
            values = [_members(exchange.request).get(name), *_query(exchange.request.url).get(name, ())]
            yield from (_place(value) for value in values if isinstance(value, str))


def _place(url: str) -> tuple[Any, ...]:
    """Host and path of a URL: a proxy in front may change scheme and port."""
    return normal_url(url)[1::2]


def _members(request: HttpRequest) -> Mapping[str, Any]:
    if "x-www-form-urlencoded" in (request.header("content-type") or "").lower():
        return {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    try:
        value = json.loads(request.body) if request.body else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, Mapping) else {}


def _query(url: str) -> Mapping[str, list[str]]:
    try:
        return parse_qs(urlsplit(url).query)
    except ValueError:
        return {}


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _as(
    kind: type[Callback] | type[HttpExchange], exchange: Exchange, contract: Contract, operation: str
) -> Callback | HttpExchange:
    about = {**exchange.about, **({"operation": operation} if operation else {})}
    response = exchange.response
    if kind is Callback and exchange.failure and not exchange.failure.startswith("too-large"):
        response = None  # an answer that the platform did not wait for is none
    return kind(
        exchange.at, system=contract.system, request=exchange.request, response=response, ended=exchange.ended,
        failure=exchange.failure, about=about, seq=exchange.seq,
    )  # fmt: skip


def _finished(event: Callback | HttpExchange, contract: Contract, applications: dict[str, str]) -> Event:
    """An API call with what can be told of its credentials: an answer that succeeded was given to valid ones."""
    if isinstance(event, Callback) or event.response is None or "auth" in event.about:
        return event
    about = dict(event.about)
    succeeded = 200 <= event.response.status < 300
    credentials = event.request.header("authorization")
    if credentials and "application" not in about:
        about["application"] = applications.setdefault(credentials, str(len(applications) + 1))
    if event.request.method == "OPTIONS":
        about["case"] = (
            "preflight" if event.request.header("access-control-request-method") and succeeded else "options"
        )
    elif succeeded and about.get("headers") == WHOLE_HEADERS and contract.spec.operation(about["operation"]).secured:
        about["auth"] = "valid"
    return replace(event, about=about)


def _platform_of(messages: Sequence[CapturedSip], events: Iterable[Event]) -> tuple[str, ...]:
    """Who is the platform: it got the INVITEs that its callbacks announce, or it takes part in every call."""
    told = announced(events)
    invites = {
        message.target
        for message in messages
        if message.text.startswith("INVITE ") and told and parse_message(message.text).call_id in told
    }
    if invites:
        return tuple(sorted(invites))
    pairs = {frozenset((message.source, message.target)) for message in messages}
    common = frozenset.intersection(*pairs)
    if len(common) == 1:
        return tuple(common)
    hosts = {frozenset(_host(end) for end in pair) for pair in pairs}
    common_hosts = frozenset.intersection(*hosts)
    if len(common_hosts) == 1 and all(len(pair) == 2 for pair in hosts):
        return tuple(common_hosts)
    seen = Counter(end for message in messages for end in (message.source, message.target))
    listed = ", ".join(end for end, _ in seen.most_common(_MOST_NAMED))
    raise RecordingError(
        f"nothing tells which side of the SIP messages is the platform: say --sip HOST:PORT, one of {listed}"
    )


def _directed(message: CapturedSip, platform: Sequence[str]) -> SipMessage | None:
    """The message as the platform's peer saw it; None where not exactly one side is the platform's."""
    from_platform, to_platform = _is_of(message.source, message.target, platform), _is_of(
        message.target, message.source, platform
    )  # fmt: skip
    if from_platform == to_platform:
        return None
    peer, own = (message.target, message.source) if from_platform else (message.source, message.target)
    # A client's port of a TCP connection says nothing, and would be another agent with each connection.
    agent = _host(peer) if message.transport == "tcp" else peer
    return SipMessage(
        message.at, agent, "in" if from_platform else "out", peer, own, message.text, transport=message.transport
    )


def _is_of(address: str, other: str, platform: Sequence[str]) -> bool:
    """By address; a platform calls from other ports too, so its host is enough where the other side is elsewhere."""
    if address in platform:
        return True
    host = _host(address)
    return host != _host(other) and any(host in (known, _host(known)) for known in platform)


def _host(address: str) -> str:
    host, colon, port = address.rpartition(":")
    return host if colon and port.isdigit() and (":" not in host or host.endswith("]")) else address
