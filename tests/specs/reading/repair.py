"""Reads the JSON samples of the documents, some of which were broken on the way to the page.

What is repaired, and nothing else: the `- ` that a page's fold marks left behind; `{ ... }` and `[ ... ]`, which stand for
something left out; a comma missing between two lines or standing before a closing bracket; a string whose closing quote is
missing at the end of its line; and quotes inside a string that is alone on its line.
"""

from __future__ import annotations

import json
import re
from typing import Any

_FOLD = re.compile(r"(^|(?<=[{\[]))\s*- (?=[\"{}\[\]])")
_LEFT_OUT = re.compile(r"([{\[])\s*\.\.\.\s*([}\]])")
_STRING_MEMBER = re.compile(r'(\s*"[^"]+"\s*:\s*)"(.*?)"?(,?)\s*$')
_ENDS_VALUE = re.compile(r'(["}\]]|\b(true|false|null)|\d)\s*$')
_STARTS_MEMBER = re.compile(r'\s*"[^"]+"\s*:')


def parse_sample(text: str) -> tuple[Any, bool]:
    """The value of a sample, and whether something in it was left out.

    Raises:
        ValueError: it cannot be read even so.
    """
    folded = "\n".join(_unfold(line) for line in text.splitlines())
    whole, elided = _LEFT_OUT.subn(r"\1\2", folded)
    try:
        return json.loads(whole), bool(elided)
    except json.JSONDecodeError:
        return json.loads(_mend(whole)), bool(elided)


def _unfold(line: str) -> str:
    line = _FOLD.sub("", line)
    return re.sub(r"([}\]],) - ", r"\1 ", line)


def _mend(text: str) -> str:
    lines = [_mend_string(line) for line in text.splitlines() if line.strip()]
    for index, line in enumerate(lines[:-1]):
        if _ENDS_VALUE.search(line) and _STARTS_MEMBER.match(lines[index + 1]):
            lines[index] = line.rstrip() + ","
    return re.sub(r",(\s*[}\]])", r"\1", "\n".join(lines))


def _mend_string(line: str) -> str:
    try:
        json.loads("{" + line.strip().rstrip(",") + "}")
    except json.JSONDecodeError:
        found = _STRING_MEMBER.match(line)
        if found and not re.search(r'["}\]]\s*[}\]]+\s*,?\s*$', line):
            start, value, comma = found.groups()
            if value.endswith(","):
                value, comma = value[:-1], ","
            return f"{start}{json.dumps(value)}{comma}"
    return line


def take_block(lines: list[str], start: int) -> tuple[str, int]:
    """The lines from `start` on until its brackets are closed, and the index after them."""
    depth = 0
    for index in range(start, len(lines)):
        depth += sum(map(lines[index].count, "{[")) - sum(map(lines[index].count, "}]"))
        if depth <= 0:
            return "\n".join(lines[start : index + 1]), index + 1
    raise ValueError(f"line {start + 1}: brackets are never closed")
