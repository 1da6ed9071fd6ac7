"""Keeps secrets out of everything that is written: timelines, reports, logs, curl lines.

Drivers tell a `Redactor` each secret as they learn it; writers pass what they write through `scrub`. What lies in
memory stays whole, because checks need to look into tokens and passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
_NAMES = r"access_token|refresh_token|client_secret|password|passwd|secret|api_?key|assertion"
_JSON_MEMBER = re.compile(rf'("(?:{_NAMES})"\s*:\s*")(?:[^"\\]|\\.)*(")', re.IGNORECASE)
_FORM_FIELD = re.compile(rf"((?:^|[&?])(?:{_NAMES}|token)=)[^&\s]+", re.IGNORECASE)
_CREDENTIALS = re.compile(r"\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{4,}")
_DIGEST = re.compile(r'(response=")[0-9a-fA-F]+(")')


class Redactor:
    """Replaces known secrets, and what stands in places made for secrets, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | None) -> None:
        """Learn a secret; values shorter than four characters are left alone, they would mask ordinary text."""
        if not secret or len(secret) < _SHORTEST or secret in self._secrets:
            return
        self._secrets |= {secret, quote(secret, safe=""), quote_plus(secret)}
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(item) for item in longest_first))

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(self._secrets)

    def text(self, value: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            value = self._pattern.sub(MASK, value)
        value = _CREDENTIALS.sub(rf"\1{MASK}", value)
        value = _DIGEST.sub(rf"\1{MASK}\2", value)
        value = _JSON_MEMBER.sub(rf"\1{MASK}\2", value)
        return _FORM_FIELD.sub(rf"\1{MASK}", value)

    def scrub(self, value: Any) -> Any:
        """The same JSON value with every string in it redacted, member names included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.scrub(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub(item) for item in value]
        return value
