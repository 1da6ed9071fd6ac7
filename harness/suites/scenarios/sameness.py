"""Whether two things that an API shows are the same, and how a finding shows them; for steps of any system. Pure."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from harness.checks.flows.values import normal_url


def overlap_equal(one: Any, other: Any) -> bool:
    """Equal in every member that both have, and of the same id."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        shared = one.keys() & other.keys()
        return one.get("id") == other.get("id") and all(overlap_equal(one[name], other[name]) for name in shared)
    return bool(one == other)


def same_value(given: Any, shown: Any) -> bool:
    """Whether a value came back as given: lists without order, figures as number or text, URLs in any spelling."""
    if isinstance(given, list) and isinstance(shown, list):
        return len(given) == len(shown) and all(any(same_value(one, other) for other in shown) for one in given)
    if isinstance(given, bool) or isinstance(shown, bool) or shown is None or isinstance(shown, Mapping | list):
        return bool(given == shown)
    one, other = (unicodedata.normalize("NFC", str(value)) for value in (given, shown))
    return one == other or (one.startswith("http") and normal_url(one) == normal_url(other))


def leaf_members(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The members of an object by dotted path, down to those that hold no further object."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= leaf_members(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def as_text(value: Any) -> str:
    """A value as findings show it."""
    return json.dumps(value, ensure_ascii=False)
