"""Callable faults of incoming calls, trunks and hooks.

Part of the fault catalogue. Each function patches a Callable system that is made but not started.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.reference.callable.calling.routing import HANGUP, Route, UnroutableError
from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.sip import Refused, parse_uri

collect = Collector("callable")

Ask = Callable[..., Any]


@collect("ddi-not-routed", "CA-ddi-enters-route", "calls to DDIs are refused whatever their route start says")
def _ddi_not_routed(system: Any) -> None:
    put(system.store, "route_start", lambda _account, _ddi: None)


@collect("ddi-not-connected", "CA-ddi-connected", "a caller to a DDI and the trunk do not hear each other")
def _ddi_not_connected(system: Any) -> None:
    def join(really_join: Ask, leg: Any, other: Any) -> Any:
        relay = really_join(leg, other)
        if leg.call.direction == "in":
            relay.stop()
        return relay

    wrap(system.runner, "join", join)


@collect("ddi-hangup-answered", "CA-ddi-hangup", "a call whose route start connects to HANGUP is answered")
def _ddi_hangup_answered(system: Any) -> None:
    async def step(really_step: Ask, live: Any, account: Any, device: Any) -> str:
        onward: str = await really_step(live, account, device)
        if onward == HANGUP and device.text("type") == "ROUTE_START":
            await live.leg.answer()
            await live.leg.ended()
        return onward

    wrap(system.incoming, "step", step)


@collect("ddi-stale-route", "CA-ddi-current-route", "a call to a DDI goes where its route start connected to at first")
def _ddi_stale(system: Any) -> None:
    first: dict[str, str] = {}

    def connected_to(really: Ask, device: Any) -> str:
        return first.get(device.id) or str(really(device))

    def keep(really_keep: Ask, account: Any, kind: str, record: Any) -> None:
        really_keep(account, kind, record)
        onward = record.group("startRoute").get("connectTo")
        if isinstance(onward, str):
            first.setdefault(record.id, onward)

    wrap(system.routing, "connected_to", connected_to)
    wrap(system.store, "keep", keep)


@collect("ddi-unlisted-answered", "CA-ddi-unlisted", "a call to a number that no route start lists is answered")
def _ddi_unlisted(system: Any) -> None:
    async def take(really_take: Ask, call: Any) -> None:
        try:
            await really_take(call)
        except Refused as refused:
            if refused.code != 404:
                raise
            call.answer(b"")
            await call.ended()

    wrap(system.incoming, "take_call", take)


@collect(
    "trunk-port-checked", "CA-trunk-whitelisted-served", "a call from a trunk is taken only from the port of the trunk"
)
def _trunk_port(system: Any) -> None:
    def trunk_of(find: Ask, source: Any) -> Any:
        trunk = find(source)
        return trunk if trunk is not None and trunk.values.get("port") == source.port else None

    wrap(system.incoming, "trunk_of", trunk_of)
    put(system.incoming, "from_carrier", lambda _host: False)


@collect("strangers-served", "CA-trunk-others-refused", "calls from any address are taken as those of some trunk")
def _strangers_served(system: Any) -> None:
    def trunk_of(find: Ask, source: Any) -> Any:
        accounts = system.store.accounts.values()
        trunks = [trunk for account in accounts for trunk in account.records["trunk"].values()]
        return find(source) or (trunks[-1] if trunks else None)

    wrap(system.incoming, "trunk_of", trunk_of)
    put(system.incoming, "from_carrier", lambda _host: True)


@collect(
    "trunk-call-kept-in", "CA-trunk-call-goes-out", "calls from a trunk to outside numbers are answered and go nowhere"
)
def _trunk_kept_in(system: Any) -> None:
    async def connect(really_connect: Ask, live: Any, route: Any) -> None:
        carrier = system.routing.carrier.reachable()
        if any(_at(uri, carrier) for uri in route.uris):
            await live.leg.answer()
            await live.leg.ended()
            return
        await really_connect(live, route)

    wrap(system.incoming, "connect", connect)


@collect("gateway-rings-nobody", "CA-device-gateway-rings-trunk", "a gateway rings none of its trunks")
def _gateway_silent(system: Any) -> None:
    def gateway_route(*_gateway: object) -> Route:
        raise UnroutableError(480, "no trunk")

    put(system.routing, "gateway_route", gateway_route)


@collect(
    "gateway-other-port",
    "CA-device-gateway-trunk-address",
    "the trunk of a gateway is rung at port 5060, whatever its port",
)
def _gateway_port(system: Any) -> None:
    put(system.routing, "trunk_address", lambda trunk: f"{trunk.text('ip')}:5060")


@collect("event-hooks-silent", "CA-event-hook-called", "event hooks are told nothing")
def _events_silent(system: Any) -> None:
    put(system.hooks, "tell", lambda *_event, **_more: None)


@collect("event-hook-by-get", "CA-event-hook-method", "event hooks are called with GET")
def _event_get(system: Any) -> None:
    put(system.hooks, "method_of", lambda _hook: "GET")


@collect("event-hook-no-query", "CA-event-hook-method", "the query of an event hook's URL is left out")
def _event_query(system: Any) -> None:
    wrap(system.hooks, "url_of", lambda find, hook: find(hook).partition("?")[0])


@collect("event-hook-stale", "CA-event-hook-current", "events go to the URL that a hook had at first")
def _event_stale(system: Any) -> None:
    first = _first_urls(system)
    wrap(system.hooks, "url_of", lambda find, hook: first.get(hook.id) or find(hook))


@collect("event-hook-both", "CA-event-hook-current", "events go to the URL that a hook had at first as well")
def _event_both(system: Any) -> None:
    first, old = _first_urls(system), [False]

    def twice(really_queue: Ask, hook: Any, body: bytes) -> None:
        really_queue(hook, body)
        if first.get(hook.id) != hook.text("url"):
            old[0] = True
            really_queue(hook, body)
            old[0] = False

    wrap(system.hooks, "url_of", lambda find, hook: first[hook.id] if old[0] else find(hook))
    wrap(system.hooks, "_enqueue", twice)


def _first_urls(system: Any) -> dict[str, str]:
    """The URL that each hook had at first, by its id."""
    first: dict[str, str] = {}

    def keep(really_keep: Ask, account: Any, kind: str, record: Any) -> None:
        really_keep(account, kind, record)
        if kind == "hook":
            first.setdefault(record.id, record.text("url"))

    wrap(system.store, "keep", keep)
    return first


@collect("event-is-text", "CA-communicationEvent.body", "an event is a JSON string")
def _event_text(system: Any) -> None:
    put(system.hooks, "event", lambda _live, event, _more: event)


@collect("flow-hook-not-asked", "CA-flow-hook-called", "a call that reaches a flow hook is refused without asking it")
def _flow_not_asked(system: Any) -> None:
    async def steer(live: Any, _hook: object) -> None:
        system.runner.end(live)

    put(system.incoming, "steer", steer)


@collect("flow-hook-other-action", "CA-flow-hook-called", "the first question to a flow hook has not the action start")
def _flow_action(system: Any) -> None:
    wrap(system.hooks, "question", lambda make, live, _action: make(live, "continue"))


@collect(
    "flow-hook-verbs-backwards", "CA-flow-hook-verbs-run", "the verbs of a flow hook run from the last to the first"
)
def _flow_backwards(system: Any) -> None:
    async def ask(really_ask: Ask, live: Any, *question: Any) -> Any:
        return tuple(reversed(await really_ask(live, *question)))

    wrap(system.hooks, "ask", ask)


@collect("flow-question-list", "CA-flowControl.body", "the question to a flow hook is a list")
def _flow_list(system: Any) -> None:
    wrap(system.hooks, "question", lambda make, *call: [make(*call)])


def _flow_member(member: str, system: Any) -> None:
    wrap(system.hooks, "question", lambda make, *call: make(*call) | {member: 17})


for _member in ("callId", "from", "to", "digits", "speech", "action"):
    collect.add(
        f"flow-question-{_member.lower()}-type",
        f"CA-FlowRequest.{_member}",
        f"{_member} of the question to a flow hook is the number 17",
        partial(_flow_member, _member),
    )


def _at(uri: str, address: Any) -> bool:
    parsed = parse_uri(uri)
    return (parsed.host, parsed.port) == (address.host, address.port)
