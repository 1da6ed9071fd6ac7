"""The things that an application sets up in an account: SIP trunks, hooks, gateways, route starts.

Each kind says which operations manage it, which members its samples show, with which values it is made (all of them, as
the samples do), and with which it harms nobody: there is no operation that takes one away again. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

# An address and a host that nobody has (RFC 5737, RFC 2606).
NOBODY, NOWHERE = "192.0.2.1", "https://ringtrue.invalid/"
HANGUP = "HANGUP"


@dataclass(frozen=True, eq=False)
class Kind:
    """`words`: as features call it; `noun`: as operations do; `mark`: the member that tells one thing from all others."""

    words: str
    noun: str
    mark: str
    sample: Mapping[str, Any]
    harmless: Mapping[str, Any]

    @property
    def path(self) -> str:
        return self.noun.lower()

    def values(self, **changes: Any) -> Json:
        """All values that a sample shows, some of them changed."""
        return merged(self.sample, changes)


_TRUNK: Json = {
    "ip": "192.0.2.10",
    "port": 5060,
    "vendor": "generic",
    "callerFormat": "national",
    "calledFormat": "national",
    "description": "Head office",
    "zone": "eu-west-1",
    "countryCode": "GB",
}
_HOOK: Json = {"app": "flow.generic", "url": NOWHERE, "authType": "DISABLED", "method": "POST", "priority": 10}
_GATEWAY: Json = {
    "type": "SIP_GATEWAY",
    "name": "Gateway",
    "extension": "800",
    "sipGateway": {
        **dict.fromkeys(("onBusy", "onNoAnswer", "onFail", "onComplete"), HANGUP),
        "countryCode": "GB",
        "trunks": [],
        "present": "pass-through",
        "record": False,
        "ringTime": 60,
        "maxCallTime": 3600,
    },
}
_ROUTE_START: Json = {
    "type": "ROUTE_START",
    "name": "Entry",
    "extension": "800",
    "startRoute": {"ddis": [], "connectTo": HANGUP},
}

TRUNK = Kind("SIP trunk", "Trunk", "description", _TRUNK, {"ip": NOBODY, "description": "left by ringtrue"})
HOOK = Kind("hook", "Hook", "url", _HOOK, {"app": "flow.generic", "url": NOWHERE})
GATEWAY = Kind("gateway", "Device", "name", _GATEWAY, {"name": "left by ringtrue", "sipGateway": {"trunks": []}})
ROUTE_START = Kind(
    "route start",
    "Device",
    "name",
    _ROUTE_START,
    {"name": "left by ringtrue", "startRoute": _ROUTE_START["startRoute"]},
)
KINDS = {kind.words: kind for kind in (TRUNK, HOOK, GATEWAY, ROUTE_START)}


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> Json:
    """A copy with some members replaced, those of objects inside it too."""
    made = dict(values)
    for name, value in changes.items():
        inner = made.get(name)
        made[name] = merged(inner, value) if isinstance(value, Mapping) and isinstance(inner, Mapping) else value
    return made


def with_member(values: Mapping[str, Any], path: str, value: Any) -> Json:
    """A copy with the member at a dotted path replaced."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return merged(values, value)
