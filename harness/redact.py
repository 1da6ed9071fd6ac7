"""Keeps secrets out of everything that is written: timelines, reports, logs, curl lines.

Drivers tell a `Redactor` each secret as they learn it; writers pass what they write through `text`, `header`, `data` or
`scrub`. What lies in memory stays whole, because checks need to look into tokens and passwords.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
# One of these is in each of the names below, whatever letters without case may stand for theirs.
_HINTS = ("token", "secret", "passw", "pwd", "key", "assert", "signature")
_NAMES = r"access_token|refresh_token|id_token|client_secret|password|passwd|pwd|secret|secret_?key|api_?key|assertion"
_MEMBER_NAME = re.compile(rf"{_NAMES}|token", re.IGNORECASE)
# A value that was cut short has no closing quote, and still shows most of a secret; a number may be a PIN.
_JSON_MEMBER = re.compile(rf'("(?:{_NAMES}|token)"\s*:\s*")(?:[^"\\]|\\.|\\$)*', re.IGNORECASE)
_JSON_IN_JSON = re.compile(rf'(\\"(?:{_NAMES}|token)\\"\s*:\s*\\")(?:[^"\\]|\\[^"])*', re.IGNORECASE)
_JSON_NUMBER = re.compile(rf'("(?:{_NAMES}|token)"\s*:\s*)-?\d[\d.eE+-]*', re.IGNORECASE)
# A signature (of a pre-signed URL, or in a header) opens the same door for as long as it holds.
_SIGNED = r"(?:x-amz-)?signature|x-amz-security-token"
_FORM_FIELD = re.compile(rf"((?:^|[&?'\"\s])(?:{_NAMES}|{_SIGNED}|token)=)(?:[^&\s'\"]|['\"](?!\s|$))+", re.IGNORECASE)
# What follows the scheme of a challenge (`Basic realm="…"`) is no secret, so a parameter of one does not count.
_PARAMETERS = "realm|error|error_description|error_uri|scope|charset|title|resource_metadata"
_CREDENTIALS = re.compile(rf"\b((?:Bearer|Basic)\s+)(?!(?:{_PARAMETERS})\s*=)[A-Za-z0-9._~+/-]{{4,}}=*")
_DIGEST = re.compile(r'(response\s*=\s*")[0-9a-fA-F]+(")')
_USERINFO = re.compile(r"(\w://[^/\s:@]*:)[^/\s@]+@")
_SECRET_HEADERS = frozenset({"cookie", "set-cookie", "x-api-key", "api-key", "apikey", "x-auth-token"})
_AUTHORIZATION = frozenset({"authorization", "proxy-authorization"})
_CREDENTIAL_HEADERS = _AUTHORIZATION | {"x-c5-application", "x-api-key", "x-auth-token"}
_MOST_LEARNED = 5000
_PUBLIC_SCHEMES = frozenset({"digest", "aws4-hmac-sha256"})


class Redactor:
    """Replaces known secrets, and what stands in places made for secrets, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | None) -> None:
        """Learn a secret; values shorter than four characters are left alone, they would mask ordinary text."""
        if not secret or len(secret) < _SHORTEST or secret in self._secrets:
            return
        self._secrets = self._secrets | _forms(secret)  # a new set: other threads may be reading the old one
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(item) for item in longest_first))

    def learn(self, headers: Iterable[tuple[str, str]]) -> None:
        """Learn the credentials in header fields, so that they are known wherever they turn up again."""
        for name, value in headers:
            if name.lower() in _CREDENTIAL_HEADERS and len(self._secrets) < _MOST_LEARNED:
                self.add(value.partition(" ")[2].strip() or value)

    @property
    def secrets(self) -> frozenset[str]:
        return self._secrets

    def text(self, value: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            value = self._pattern.sub(MASK, value)
        # Most texts are short and hold nothing: a look for what a pattern cannot do without is much cheaper than it.
        if "Bearer" in value or "Basic" in value:
            value = _CREDENTIALS.sub(rf"\1{MASK}", value)
        if "@" in value:
            value = _USERINFO.sub(rf"\1{MASK}@", value)
        if '"' in value:
            value = _DIGEST.sub(rf"\1{MASK}\2", value)
        known = value.casefold() if '"' in value or "=" in value else ""
        if not any(hint in known for hint in _HINTS):
            return value
        if '"' in value:
            value = _JSON_MEMBER.sub(rf"\1{MASK}", value)
            value = _JSON_IN_JSON.sub(rf"\1{MASK}", value)
            value = _JSON_NUMBER.sub(rf'\1"{MASK}"', value)
        return _FORM_FIELD.sub(rf"\1{MASK}", value) if "=" in value else value

    def data(self, value: bytes) -> bytes:
        """The same for bytes, also where they are no text."""
        try:
            return self.text(value.decode("utf-8")).encode("utf-8")
        except UnicodeDecodeError:
            return self.text(value.decode("latin-1")).encode("latin-1")

    def header(self, name: str, value: str) -> str:
        """The value of a header; of credentials only the scheme is left, of a cookie nothing."""
        known = name.lower()
        if known in _SECRET_HEADERS:
            return MASK
        scheme, space, _ = value.partition(" ")
        if known in _AUTHORIZATION and scheme.lower() not in _PUBLIC_SCHEMES:
            return f"{scheme} {MASK}" if space else MASK
        return self.text(value)

    def scrub(self, value: Any) -> Any:
        """The same JSON value with every string in it redacted, member names included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._member(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub(item) for item in value]
        return value

    def _member(self, name: str, value: Any) -> Any:
        if isinstance(value, str | int | float) and value and value is not True and _MEMBER_NAME.fullmatch(name):
            return MASK
        return self.scrub(value)


def _forms(secret: str) -> set[str]:
    """A secret as it may be written: plain, percent-encoded, inside JSON or XML, and as UTF-8 taken for Latin-1."""
    encoded = {quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in encoded}
    inside = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    return {secret, *encoded, *lower, *inside, secret.encode("utf-8", "replace").decode("latin-1")}
