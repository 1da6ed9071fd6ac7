"""Who may use the API: users with passwords, and the access and refresh tokens that they are granted (CA Authentication).

Called by the API. Tokens carry everything in themselves, so nothing is remembered about them; it knows nothing of HTTP.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping

from harness.reference.callable.jwt import Claims, sign, verify

ACCESS, REFRESH = "Bearer", "Refresh"
ROLES = ("OrganisationAdmin", "VoiceChannel")
# How many times longer than the access token a refresh token lives.
_REFRESH_FACTOR = 10


class Access:
    """Grants tokens and knows whose a token is. `life` of an access token in seconds, `lives` of those of some users."""

    def __init__(self, users: Mapping[str, str], life: int, lives: Mapping[str, int] | None = None) -> None:
        self._passwords = dict(users)
        self._key = secrets.token_bytes(32)
        self._lives = dict(lives or {})
        self.life = life

    def life_of(self, username: str) -> int:
        """How long an access token of this user lives."""
        return min(self.life, self._lives.get(username, self.life))

    def logs_in(self, username: str, password: str) -> bool:
        """Whether there is a user of this name with this password."""
        right = self._passwords.get(username)
        return right is not None and hmac.compare_digest(right.encode(), password.encode())

    def grant(self, username: str) -> dict[str, object]:
        """New tokens of both kinds, with the members of the sampled answer; life times in seconds."""
        now = int(time.time())
        life = self.life_of(username)
        refresh_life = life * _REFRESH_FACTOR
        return {
            "access_token": self.sign(self.claims(username, ACCESS, now, life)),
            "refresh_token": self.sign(self.claims(username, REFRESH, now, refresh_life)),
            "refresh_expires_in": refresh_life,
            "expires_in": life,
        }

    def claims(self, username: str, kind: str, now: int, life: int) -> Claims:
        """What a token says: its kind, whose it is, from when to when it is valid (epoch seconds), and the roles."""
        claims: Claims = {"typ": kind, "sub": username, "iat": now, "exp": now + life, "jti": secrets.token_hex(8)}
        if kind == ACCESS:
            claims["realm_access"] = {"roles": list(ROLES)}
        return claims

    def sign(self, claims: Claims) -> str:
        return sign(claims, self._key)

    def user_of(self, token: str, kind: str = ACCESS) -> str | None:
        """Whose token of this kind this is; None when it is none of ours, of the other kind, or has expired."""
        claims = verify(token, self._key)
        if claims is None or claims.get("typ") != kind or self.expired(claims):
            return None
        user = claims.get("sub")
        return user if isinstance(user, str) and user in self._passwords else None

    def expired(self, claims: Claims) -> bool:
        end = claims.get("exp")
        return not isinstance(end, int) or time.time() >= end
