"""Compares what a field holds with what was promised: the wire form of values, and equality in meaning.

Used by the evaluation of call flows and by checks that hold one plane against another. Equal means equal in meaning: a
number against its digits, a phone number in another form, an instant in another zone, a URI with another spelling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.checks.sip import parse_address, parse_uri

_PORTS = {"http": 80, "https": 443}
# E.164: a country code has one to three digits, and no number more than fifteen.
_COUNTRY_CODE = 3
_SHORTEST_NATIONAL = 5


def text_of(value: Any) -> str:
    """A value as JSON or the wire writes it: `true`, `null`, `7` (also for 7.0), text as it is, the rest as JSON."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() | float():
            return str(value)
        case _:
            return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def agree(compare: str, seen: Any, promised: Any) -> bool:
    """Whether two values are equal as `text`, `number`, `phone`, `instant` or `uri` (`harness.sequences.COMPARISONS`)."""
    return _COMPARISONS[compare](seen, promised)


def comparable(compare: str, value: Any) -> bool:
    """Whether a remembered value can be compared this way at all: an object or a list has no phone number."""
    return value is not None and (compare == "text" or not isinstance(value, Mapping | list))


def same_text(first: Any, second: Any) -> bool:
    """Equal as text; an object also equals the JSON text of itself, since documents give one member both types."""
    if text_of(first) == text_of(second):
        return True
    if isinstance(first, str) == isinstance(second, str):
        return False
    text, other = (first, second) if isinstance(first, str) else (second, first)
    if not isinstance(other, Mapping | list):
        return False
    try:
        return text_of(json.loads(text)) == text_of(other)
    except (ValueError, RecursionError):
        return False


def same_number(first: Any, second: Any) -> bool:
    one, two = _decimal(first), _decimal(second)
    return one == two if one is not None and two is not None else text_of(first) == text_of(second)


def same_phone(first: Any, second: Any) -> bool:
    """Equal after `+`, `00` and separators are gone; a national form (one leading 0, or none) equals the whole number."""
    one, two = _phone(first), _phone(second)
    if one is None or two is None:
        return text_of(first).strip() == text_of(second).strip()
    return one == two or _is_national_form(one, two) or _is_national_form(two, one)


def same_instant(first: Any, second: Any) -> bool:
    """Equal to the millisecond, whatever the zone; a number counts seconds, or milliseconds, since the epoch."""
    one, two = instant(first), instant(second)
    if one is None or two is None:
        return text_of(first) == text_of(second)
    return abs(one - two) < 0.001


def same_uri(first: Any, second: Any) -> bool:
    """The same place: SIP URIs by scheme, user, host and port, since parameters may be added on the way; URLs in full."""
    return normal_uri(text_of(first)) == normal_uri(text_of(second))


def normal_uri(text: str) -> tuple[Any, ...]:
    """What makes a URI equal to another spelling of itself."""
    text = text.strip()
    if "<" in text:
        text = parse_address(text).uri.text
    if re.match(r"(?i)https?://", text):
        return normal_url(text)
    uri = parse_uri(text)
    if uri.scheme == "tel":
        return "tel", re.sub(r"[-.() ]", "", uri.user)
    return uri.destination if uri.scheme else (text,)


def normal_url(text: str) -> tuple[Any, ...]:
    """An HTTP URL by scheme, host, port, path and query (percent-encoding aside)."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return (text,)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname or "", port or _PORTS.get(scheme), unquote(parts.path) or "/", unquote(parts.query)


def instant(value: Any) -> float | None:
    """Seconds since the epoch of an ISO 8601 date and time with a zone, or of a number; None where it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    number = _decimal(value)
    if number is not None:
        if abs(number) > 10**14:
            return None
        return float(number) / 1000 if abs(number) >= 10**11 else float(number)
    text = text_of(value).strip()
    found = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s*(?:([Zz])|([+-]\d\d):?(\d\d)?)", text
    )
    if found is None:
        return None
    try:
        base = datetime.strptime(f"{found[1]} {found[2]}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    hours = int(found[5] or 0)
    minutes = int(found[6] or 0) * (-1 if (found[5] or "").startswith("-") else 1)
    return base - hours * 3600 - minutes * 60 + (float(f"0.{found[3]}") if found[3] else 0.0)


def _decimal(value: Any) -> Decimal | None:
    text = text_of(value).strip()
    if len(text) > 40 or not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _phone(value: Any) -> str | None:
    """The digits of a number, with `+` where it is said to be international; None where it is no number."""
    text = re.sub(r"(?i)^(tel|sips?):", "", text_of(value).strip()).partition("@")[0].partition(";")[0]
    text = re.sub(r"[-.() /]", "", text)
    if text.startswith("00"):
        text = "+" + text[2:]
    return text if re.fullmatch(r"\+?[0-9*#]{1,40}", text) else None


def _is_national_form(short: str, whole: str) -> bool:
    """`short`: with a leading 0, or bare digits; `whole`: the number with its country code, with or without +."""
    digits = whole.lstrip("+")
    if short.startswith("+"):
        return short[1:] == whole
    if short == digits:
        return True
    national = short.removeprefix("0")
    if short == national and not whole.startswith("+"):
        return False
    return (
        len(national) >= _SHORTEST_NATIONAL
        and digits.endswith(national)
        and 1 <= len(digits) - len(national) <= _COUNTRY_CODE
        and not digits.startswith("0")
    )


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "text": same_text,
    "number": same_number,
    "phone": same_phone,
    "instant": same_instant,
    "uri": same_uri,
}
