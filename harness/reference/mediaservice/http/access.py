"""Who may use the API: nothing, Basic, a bearer token, or AWS Signature Version 4, as the platform was started.

Asked by the API before each operation. The jwt twins take a bearer token whatever the others take; with `none` everything
is open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, unquote_plus

Scheme = Literal["none", "basic", "bearer", "sigv4"]
REGION = "eu-north-1"
SERVICE = "execute-api"
_MAX_AGE = 900.0
_FIELDS = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")


class Access:
    """The one set of credentials, made anew for each run of the platform."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.username = "ringtrue"
        self.password = secrets.token_urlsafe(16)
        self.token = _token()
        self.access_key = f"AKIA{secrets.token_hex(8).upper()}"
        self.secret_key = secrets.token_urlsafe(30)

    def target(self) -> dict[str, str]:
        """What a target file says of them."""
        match self.scheme:
            case "basic":
                own = {"username": self.username, "password": self.password, "token": self.token}
            case "bearer":
                own = {"token": self.token}
            case "sigv4":
                own = {
                    "access_key": self.access_key,
                    "secret_key": self.secret_key,
                    "region": REGION,
                    "token": self.token,
                }
            case _:
                own = {}
        return {"auth": self.scheme} | own

    def admits(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, jwt: bool) -> bool:
        """Whether a request may be carried out; `jwt`: it is one of the twins. Header names are in lower case."""
        if self.scheme == "none":
            return True
        given = headers.get("authorization", "")
        if jwt or self.scheme == "bearer":
            return self._same(given, f"Bearer {self.token}")
        if self.scheme == "basic":
            return self._basic(given)
        return self._signed(method, path, query, headers, body)

    def _basic(self, given: str) -> bool:
        kind, _, encoded = given.partition(" ")
        try:
            shown = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            return False
        return kind.lower() == "basic" and self._same(shown, f"{self.username}:{self.password}")

    def _signed(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> bool:
        """AWS Signature Version 4 over method, path, query, the signed headers and the body."""
        given = headers.get("authorization", "")
        fields = dict(_FIELDS.findall(given))
        scope, names = fields.get("Credential", ""), fields.get("SignedHeaders", "").split(";")
        key, _, rest = scope.partition("/")
        stamp = headers.get("x-amz-date", "")
        if (
            not given.startswith("AWS4-HMAC-SHA256")
            or key != self.access_key
            or not _recent(stamp)
            or "host" not in names
        ):
            return False
        lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names]
        canonical = "\n".join(
            [
                method,
                quote(path, safe="/-_.~"),
                _canonical_query(query),
                "".join(lines),
                ";".join(names),
                hashlib.sha256(body).hexdigest(),
            ]
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signed = f"AWS4-HMAC-SHA256\n{stamp}\n{rest}\n{digest}"
        secret = f"AWS4{self.secret_key}".encode()
        for part in rest.split("/"):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        expected = hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()
        return rest.endswith("/aws4_request") and self._same(fields.get("Signature", ""), expected)

    @staticmethod
    def _same(given: str, right: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _recent(stamp: str) -> bool:
    try:
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs((datetime.now(UTC) - signed).total_seconds()) <= _MAX_AGE


def _canonical_query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&") if part]
    decoded = sorted((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in decoded)


def _token() -> str:
    """A bearer token in the form of a JWT."""
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"ringtrue"}', secrets.token_bytes(32))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
