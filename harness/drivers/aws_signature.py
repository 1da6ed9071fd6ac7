"""AWS Signature Version 4, as its public description has it: a request is signed with a secret key that never travels.

Used by `auth` for platforms behind an AWS API gateway. Pure, but for the clock.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit

SERVICE = "execute-api"
_SAFE = "-_.~"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Signer:
    """Signs requests to a service of a region with one pair of keys."""

    access_key: str
    secret_key: str
    region: str
    service: str = SERVICE

    def headers(
        self, method: str, url: str, body: bytes, *, secret: str | None = None, now: datetime | None = None
    ) -> dict[str, str]:
        """The headers to add to a request; `secret`: sign with another secret key than the right one."""
        stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        signed = {"host": _host(url), "x-amz-date": stamp}
        canonical = "\n".join(
            [
                method.upper(),
                quote(urlsplit(url).path or "/", safe=f"/{_SAFE}"),
                _canonical_query(urlsplit(url).query),
                *(f"{name}:{value}" for name, value in signed.items()),
                "",
                ";".join(signed),
                hashlib.sha256(body).hexdigest(),
            ]
        )
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{secret or self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self.access_key}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
        return {"X-Amz-Date": stamp, "Authorization": f"AWS4-HMAC-SHA256 {credential}"}


def _host(url: str) -> str:
    """The Host header that goes with a URL: without the port where that is the usual one."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else str(parts.hostname)
    return host if parts.port in (None, _PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def _canonical_query(query: str) -> str:
    pairs = (part.partition("=") for part in query.split("&") if part)
    encoded = ((quote(unquote(name), safe=_SAFE), quote(unquote(value), safe=_SAFE)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))
