"""Signed tokens: JSON Web Tokens (RFC 7519) with HMAC SHA-256 (RFC 7515), no other algorithm.

Called by `access`. Pure functions over bytes and text; what the claims mean is not decided here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

Claims = dict[str, object]

_HEADER = {"alg": "HS256", "typ": "JWT"}
_MAX_TOKEN = 8192


def sign(claims: Claims, key: bytes) -> str:
    """The token: header, claims and signature, each base64url without padding."""
    text = f"{_encode(_json(_HEADER))}.{_encode(_json(claims))}"
    return f"{text}.{_encode(_mac(text, key))}"


def verify(token: str, key: bytes) -> Claims | None:
    """The claims of a token that this key signed, else None; it never raises for what is in the text."""
    if len(token) > _MAX_TOKEN or not token.isascii():
        return None
    text, _, signature = token.rpartition(".")
    head, point, body = text.partition(".")
    if not point:
        return None
    try:
        given = _decode(signature)
        if not hmac.compare_digest(given, _mac(text, key)):
            return None
        header, claims = json.loads(_decode(head)), json.loads(_decode(body))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or header.get("alg") != "HS256" or not isinstance(claims, dict):
        return None
    return claims


def _mac(text: str, key: bytes) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
