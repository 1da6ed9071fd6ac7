"""Finds strings that look like host names in a JSON value; pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+(:\d+)?")


def likely_hosts(value: Any) -> list[str]:
    """All different strings below `value` that are a dotted host name or an IP address (a port may follow)."""
    return list(dict.fromkeys(text for text in _strings(value) if _is_host(text)))


def _is_host(text: str) -> bool:
    if not _HOST.fullmatch(text):
        return False
    last = text.partition(":")[0].rpartition(".")[2]
    if not last.isdigit():
        return True
    try:
        ipaddress.ip_address(text.partition(":")[0])
    except ValueError:
        return False
    return True


def _strings(value: Any) -> Iterator[str]:
    """In the order in which they are written; without recursion, because a hostile value may be nested deeply."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
