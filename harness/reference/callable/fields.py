"""Which values an address, a trunk, a hook or a device may have, as tables; and reading them out of a request's JSON.

Called by the API before it changes anything. Pure; members that no table names are ignored. The page shows no refusal, so
only what cannot be used is refused. Required are a trunk's address, a hook's app and URL, and a device's type.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import partial

from harness.reference.fetch import url_problem
from harness.reference.web import BadRequestError

Json = dict[str, object]
Read = Callable[[str, object], object]

MAX_TEXT = 255
_MAX_IDS = 100
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_METHODS = ("GET", "POST", "PUT", "PATCH")


def text(name: str, value: object, limit: int = MAX_TEXT) -> str:
    """A string within limits. Raises BadRequestError."""
    if not isinstance(value, str):
        raise BadRequestError(f"{name} must be a string")
    if len(value) > limit:
        raise BadRequestError(f"{name} is longer than {limit} characters")
    if any(ord(character) < 0x20 or 0xD800 <= ord(character) < 0xE000 for character in value):
        raise BadRequestError(f"{name} holds control characters or half of a surrogate pair")
    return value


def number(name: str, value: object, low: int, high: int) -> int:
    """A whole number from `low` to `high`. Raises BadRequestError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadRequestError(f"{name} must be a whole number from {low} to {high}")
    return value


def members(name: str, value: object) -> Json:
    """A JSON object. Raises BadRequestError."""
    if not isinstance(value, dict):
        raise BadRequestError(f"{name} must be a JSON object")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadRequestError(f"{name} must be true or false")
    return value


def _address(name: str, value: object) -> str:
    given = text(name, value)
    try:
        ipaddress.ip_address(given)
    except ValueError:
        raise BadRequestError(f"{name} must be an IP address") from None
    return given


def _url(name: str, value: object) -> str:
    given = text(name, value, 2048)
    problem = url_problem(given)
    if problem:
        raise BadRequestError(f"{name} {problem}")
    return given


def _one_of(choices: tuple[str, ...], name: str, value: object) -> str:
    given = text(name, value)
    if given not in choices:
        raise BadRequestError(f"{name} must be one of {', '.join(choices)}")
    return given


def _id(name: str, value: object) -> str:
    given = text(name, value)
    if not _ID.fullmatch(given):
        raise BadRequestError(f"{name} must be an id or an action such as HANGUP")
    return given


def _ids(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > _MAX_IDS:
        raise BadRequestError(f"{name} must be a list of at most {_MAX_IDS} ids")
    return [_id(name, item) for item in value]


def _group(table: Mapping[str, Read], name: str, value: object) -> Json:
    return read_values(table, members(name, value), f"{name}.")


ADDRESS: Mapping[str, Read] = dict.fromkeys(("line1", "line2", "level1", "level2", "postalCode", "country"), text)
TRUNK: Mapping[str, Read] = {
    "ip": _address,
    "port": partial(number, low=1, high=65535),
    "vendor": text,
    "callerFormat": text,
    "calledFormat": text,
    "description": text,
    "zone": text,
    "countryCode": text,
}
HOOK: Mapping[str, Read] = {
    "app": partial(_one_of, ("flow.generic", "event.generic")),
    "url": _url,
    "authType": text,
    "method": partial(_one_of, _METHODS),
    "priority": partial(number, low=-1_000_000, high=1_000_000),
}
GATEWAY: Mapping[str, Read] = {
    "ringTime": partial(number, low=0, high=86_400),
    "maxCallTime": partial(number, low=0, high=86_400),
    "record": _flag,
    "trunks": _ids,
    "present": text,
    "countryCode": text,
    "onComplete": _id,
    "onFail": _id,
    "onNoAnswer": _id,
    "onBusy": _id,
}
ROUTE_START: Mapping[str, Read] = {"ddis": _ids, "connectTo": _id}
DEVICE: Mapping[str, Read] = {
    "type": _id,
    "name": text,
    "extension": text,
    "sipGateway": partial(_group, GATEWAY),
    "startRoute": partial(_group, ROUTE_START),
}

KINDS: Mapping[str, Mapping[str, Read]] = {"trunk": TRUNK, "hook": HOOK, "device": DEVICE}
_REQUIRED = {"trunk": ("ip",), "hook": ("app", "url"), "device": ("type",)}
# What a new thing has where a request says nothing.
_DEFAULTS: Mapping[str, Json] = {
    "trunk": {"port": 5060},
    "hook": {"authType": "DISABLED", "method": "POST"},
    "device": {},
}
# A device has the settings of its own type only; all other members of a thing are always shown.
_SHOWN_WHEN_GIVEN = ("sipGateway", "startRoute")


def read_values(table: Mapping[str, Read], given: Json, prefix: str = "") -> Json:
    """The values that the table names and the request gives; null stands for no value. Raises BadRequestError."""
    return {
        name: None if given[name] is None else read(prefix + name, given[name])
        for name, read in table.items()
        if name in given
    }


class Fields:
    """Reads requests by the tables. Every method raises BadRequestError with words for the caller."""

    def address(self, given: Json) -> Json:
        return read_values(ADDRESS, given)

    def created(self, kind: str, given: Json) -> Json:
        """All values of a new thing of this kind."""
        values = read_values(KINDS[kind], given)
        for name in _REQUIRED[kind]:
            if values.get(name) is None:
                raise BadRequestError(f"{name} is required")
        absent = {name: None for name in KINDS[kind] if name not in _SHOWN_WHEN_GIVEN}
        return absent | _DEFAULTS[kind] | values

    def updated(self, kind: str, given: Json) -> Json:
        """The values that change; the others stay."""
        values = read_values(KINDS[kind], given)
        for name in _REQUIRED[kind]:
            if name in values and values[name] is None:
                raise BadRequestError(f"{name} is required")
        return values
