"""Incoming calls: who may call, and where a call goes: DDIs along their flow, trunks to extensions and to outside numbers.

Called by the SIP endpoint with every new call (CA Inbound Numbers, SIP Trunking, Flow Devices). A call may come from the
address of a trunk or from the carrier's, whatever the port.
"""

from __future__ import annotations

import asyncio
import logging

from harness.reference.callable.calling.dialler import DEFAULT_RING, Dialler
from harness.reference.callable.calling.hooks import Hooks
from harness.reference.callable.calling.legs import take
from harness.reference.callable.calling.live import LiveCall
from harness.reference.callable.calling.routing import HANGUP, Route, Routing, UnroutableError
from harness.reference.callable.calling.runner import Runner
from harness.reference.callable.numbers import is_number
from harness.reference.callable.store import Account, Record, Store
from harness.reference.sip import Address as Peer
from harness.reference.sip import AddressError, CallFailed, IncomingCall, Refused, parse_name_addr, parse_uri
from harness.reference.sip.waiting import until_over

MAX_CALLS = 500
_MAX_STEPS = 10
_MAX_CALL_SECONDS = 14_400.0
_DECLINE = 603
_log = logging.getLogger("ringtrue.callable")


class Incoming:
    """Takes calls."""

    def __init__(self, store: Store, routing: Routing, dialler: Dialler, runner: Runner, hooks: Hooks) -> None:
        self.store = store
        self.routing = routing
        self.dialler = dialler
        self.runner = runner
        self.hooks = hooks
        self._running = 0

    async def take_call(self, call: IncomingCall) -> None:
        """Serve a call until it is over. Raises Refused: 403 unknown source, 404 nobody there, 503 too many calls."""
        trunk = self.trunk_of(call.source)
        if trunk is None and not self.from_carrier(call.source.host):
            _log.info("call %s from %s is refused: no trunk has this address", call.call_id, call.source.host)
            raise Refused(403)
        number = _user(call.request.uri)
        found = self.store.ddi(number)
        if found is not None:
            account, ddi = found
            entry = self.store.route_start(account, ddi)
            if entry is None:
                raise Refused(404)
            await self._serve(call, account, entry, None)
        elif trunk is not None:
            account = self.store.accounts[trunk.account]
            device = self.store.device_at(account, number)
            if device is None and not is_number(number):
                raise Refused(404)
            await self._serve(call, account, device, None if device else number)
        else:
            raise Refused(404)

    def trunk_of(self, source: Peer) -> Record | None:
        """The trunk that this call comes from; the carrier's own port tells it from a trunk at the same address."""
        carrier = self.routing.carrier
        if carrier is not None and (source.host, source.port) == (carrier.reachable().host, carrier.port):
            return None
        return self.store.trunk_from(source.host)

    def from_carrier(self, host: str) -> bool:
        """Whether calls to DDIs come from this address: that to which calls to outside numbers are sent."""
        carrier = self.routing.carrier
        return carrier is not None and carrier.reachable().host == host

    async def _serve(self, call: IncomingCall, account: Account, device: Record | None, outside: str | None) -> None:
        if self._running >= MAX_CALLS:
            raise Refused(503)
        live = LiveCall(account.id, caller_of(call), _user(call.request.uri), "inbound", failure=_DECLINE)
        self._running += 1
        try:
            live.party = leg = await take(call, self.dialler.endpoint.host.strip("[]"))
            self.hooks.tell(live, "call.received")
            work = self._to_outside(live, outside) if outside else self.follow(live, account, device)
            async with asyncio.timeout(_MAX_CALL_SECONDS):
                await until_over(leg, work)
        except Refused as refused:
            call.reject(refused.code)
        except TimeoutError:
            _log.info("call %s: ended after %.0f seconds", live.id, _MAX_CALL_SECONDS)
        finally:
            self._running -= 1
            if live.party is not None:
                live.party.close()
            self.hooks.tell(live, "call.ended", code=call.end.code if call.end else 200)
            _log.info("call %s from %s to %s is over", live.id, live.caller, live.called)

    async def _to_outside(self, live: LiveCall, number: str) -> None:
        try:
            await self.connect(live, Route((self.routing.carrier_uri(number),)))
        except CallFailed as failure:
            live.failure = failure.code
        except UnroutableError as error:
            live.failure = error.code
        self.runner.end(live)

    async def follow(self, live: LiveCall, account: Account, device: Record | None) -> None:
        """Go from device to device until the flow says HANGUP, or a flow hook takes over."""
        for _ in range(_MAX_STEPS):
            if device is None or live.leg.over:
                break
            step = await self.step(live, account, device)
            hook = self.store.record(account, "hook", step)
            if hook is not None and hook.values.get("app") == "flow.generic":
                await self.steer(live, hook)
                return
            if step != HANGUP:
                live.failure = 480
            device = self.store.record(account, "device", step)
        self.runner.end(live)

    async def step(self, live: LiveCall, account: Account, device: Record) -> str:
        """What comes after this device: the id of a device or of a flow hook, or HANGUP."""
        if device.text("type") == "ROUTE_START":
            return self.routing.connected_to(device)
        if device.text("type") != "SIP_GATEWAY":
            live.failure = 480
            return HANGUP
        settings = device.group("sipGateway")
        onward = settings.get(await self.ring_gateway(live, account, device))
        return onward if isinstance(onward, str) else HANGUP

    async def ring_gateway(self, live: LiveCall, account: Account, gateway: Record) -> str:
        """Connect the caller to a trunk of the gateway; gives the setting that says where the flow goes next."""
        try:
            await self.connect(live, self.routing.gateway_route(account, gateway, live.called))
        except UnroutableError as error:
            live.failure = error.code
            return "onFail"
        except CallFailed as failure:
            live.failure = failure.code
            if failure.code in (486, 600):
                return "onBusy"
            return "onNoAnswer" if failure.code in (408, 480, 487) else "onFail"
        return "onComplete"

    async def connect(self, live: LiveCall, route: Route) -> None:
        """Dial and connect until one of the two hangs up. Raises CallFailed."""
        other = await self.dialler.reach(route, live.caller, DEFAULT_RING, live.leg.ringing)
        await self.runner.bridge(live, other, None)

    async def steer(self, live: LiveCall, hook: Record) -> None:
        """Do what the flow hook says."""
        live.hook = hook
        live.failure = 480
        await self.runner.run(live, await self.runner.ask(live, "start"))


def caller_of(call: IncomingCall) -> str:
    """The caller's number: that of P-Asserted-Identity where there is one (RFC 3325), else of From."""
    for row in call.request.headers.values("P-Asserted-Identity"):
        try:
            user = parse_name_addr(row).user
        except AddressError:
            continue
        if user:
            return user
    return call.request.from_.user


def _user(uri: str) -> str:
    try:
        return parse_uri(uri).user or ""
    except AddressError:
        return ""
