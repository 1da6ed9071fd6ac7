"""What the members of an operation's body may be: types by name, and the check of a body against them.

Used by the operations. Pure. Members that no table lists are passed over.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

Kind = Callable[[object], bool]


def text(value: object) -> bool:
    """Some text, without control characters."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable() and len(value) <= 2048


def user(value: object) -> bool:
    """A number or a user part."""
    return text(value) and not any(character in ' "<>;:@,?&' for character in str(value))


def boolean(value: object) -> bool:
    return isinstance(value, bool)


def seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 3600


def anything(value: object) -> bool:
    """For the application's own reference, whose type differs from table to table."""
    return value is not None


def port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def payload_type(value: object) -> bool:
    """A dynamic RTP payload type (RFC 3551)."""
    return isinstance(value, int) and not isinstance(value, bool) and 96 <= value <= 127


def address(value: object) -> bool:
    """An IP address."""
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def codec(*names: str) -> Kind:
    """One of these codecs."""
    return lambda value: isinstance(value, str) and value in names


def parameters(value: object) -> bool:
    """An object of names and values."""
    return isinstance(value, dict) and all(
        user(name) and "=" not in name and isinstance(one, str) and one.isprintable() for name, one in value.items()
    )


def headers(prefix: str) -> Kind:
    """An object of headers that begin with the prefix: a value, or a list of them."""

    def check(value: object) -> bool:
        return isinstance(value, dict) and all(_header(name, one, prefix) for name, one in value.items())

    return check


def _header(name: str, value: object, prefix: str) -> bool:
    if not name.lower().startswith(prefix) or not name.isascii() or not name.replace("-", "").isalnum():
        return False
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(one, str) and one.isprintable() for one in values)


def cryptos(value: object) -> bool:
    """A list of security descriptions: id, suite, config."""
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("id", 1), int)
        and not isinstance(one.get("id"), bool)
        and one.get("id", 1) >= 0
        and all(text(one.get(name, "x")) for name in ("suite", "config"))
        for one in value
    )


def problem(body: Mapping[str, Any], table: Mapping[str, Kind], required: tuple[str, ...] = ()) -> str | None:
    """What is wrong with a body, in words; None when nothing is."""
    for name in required:
        if name not in body:
            return f"{name} is missing"
    for name, kind in table.items():
        if name in body and not kind(body[name]):
            return f"{name} is not what it should be"
    return None
