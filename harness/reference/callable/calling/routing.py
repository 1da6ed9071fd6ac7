"""Where a target is reached: from phone numbers, extensions, devices and SIP URIs to addresses that can be dialled.

Called before anything is dialled. It reads the store and the carrier's address, and sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.reference.callable.numbers import international
from harness.reference.callable.store import Account, Record, Store
from harness.reference.callable.verbs import Target
from harness.reference.settings import Address
from harness.reference.sip import SipUri

_MAX_HOPS = 10
HANGUP = "HANGUP"


class UnroutableError(Exception):
    """There is no way to this target; `code` is the SIP status that says so."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True)
class Route:
    """Addresses that are tried one after the other when one cannot be reached; seconds, 0 without limit of its own."""

    uris: tuple[str, ...]
    ring_seconds: float = 0
    limit_seconds: float = 0


class Routing:
    """Finds ways. `carrier` is where calls to outside numbers go."""

    def __init__(self, store: Store, carrier: Address | None) -> None:
        self.store = store
        self.carrier = carrier

    def route(self, account: Account, target: Target) -> Route:
        """The way to a target of a voice call or of a dial verb. Raises UnroutableError."""
        match target.kind:
            case "phoneNumber":
                return Route((self.carrier_uri(target.value),))
            case "extension":
                device = self.store.device_at(account, target.value)
                if device is None:
                    raise UnroutableError(404, f"no device has the extension {target.value}")
                return self.device_route(account, device, target.override or target.value)
            case "device":
                device = self.store.record(account, "device", target.value)
                if device is None:
                    raise UnroutableError(404, f"no device has the id {target.value}")
                return self.device_route(account, device, device.text("extension") or "anonymous")
            case "sipUri":
                return Route((target.value,))
            case _:
                raise UnroutableError(404, f"targets of type {target.kind} are not known")

    def carrier_uri(self, number: str) -> str:
        """An outside number at the carrier, in international form."""
        if self.carrier is None:
            raise UnroutableError(503, "no carrier is set")
        return _uri(international(number), str(self.carrier.reachable()))

    def device_route(self, account: Account, device: Record, user: str) -> Route:
        """The way to a gateway; a route start leads on to where it connects."""
        for _ in range(_MAX_HOPS):
            if device.text("type") == "SIP_GATEWAY":
                return self.gateway_route(account, device, user)
            onward = self.store.record(account, "device", self.connected_to(device))
            if onward is None:
                break
            device = onward
        raise UnroutableError(480, f"device {device.id} leads to nobody")

    def connected_to(self, device: Record) -> str:
        """What a ROUTE_START connects to: the id of a device or of a flow hook, or an action such as HANGUP."""
        onward = device.group("startRoute").get("connectTo")
        return onward if isinstance(onward, str) else HANGUP

    def gateway_route(self, account: Account, gateway: Record, user: str) -> Route:
        """The trunks that a gateway maps, at ip and port, in their order."""
        settings = gateway.group("sipGateway")
        listed = settings.get("trunks")
        trunks = [self.store.record(account, "trunk", trunk) for trunk in (listed if isinstance(listed, list) else [])]
        uris = tuple(_uri(user, self.trunk_address(trunk)) for trunk in trunks if trunk is not None)
        if not uris:
            raise UnroutableError(480, f"gateway {gateway.id} maps no trunk")
        return Route(uris, _seconds(settings.get("ringTime")), _seconds(settings.get("maxCallTime")))

    def trunk_address(self, trunk: Record) -> str:
        port = trunk.values.get("port")
        return str(Address(trunk.text("ip"), port if isinstance(port, int) else 5060))


def _uri(user: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    return str(SipUri("sip", user, host, int(port)))


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int) else 0.0
