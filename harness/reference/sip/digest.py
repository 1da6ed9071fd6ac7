"""Digest authentication, both sides: the challenge and its check, and the answer to one (RFC 7616, RFC 2617, RFC 3261 §22).

The registrar and the systems check with DigestAuthenticator; outgoing requests answer with `authorization`. MD5 only,
as SIP phones speak it; qop "auth" or none. It never stores or logs a password.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .call import Refused
from .message import Request, Response
from .uri import quote_string, split_top, unquote_string

Lookup = Callable[[str, str], str | None]

_MAX_NONCES = 10_000


@dataclass(frozen=True)
class Credentials:
    """What an outgoing request authenticates with."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, ***)"


def parse_digest(value: str) -> dict[str, str] | None:
    """The members of a Digest challenge or credentials, names in lower case; None for another scheme."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    members: dict[str, str] = {}
    for part in split_top(rest, ","):
        name, equals, text = part.partition("=")
        if equals:
            members[name.strip().lower()] = unquote_string(text)
    return members


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def digest_response(
    username: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    qop: str | None = None,
    nc: str = "",
    cnonce: str = "",
) -> str:
    """The `response` member (RFC 7616 §3.4.1); without qop the form of RFC 2069."""
    ha1, ha2 = _md5(f"{username}:{realm}:{password}"), _md5(f"{method}:{uri}")
    return _md5(f"{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}" if qop else f"{ha1}:{nonce}:{ha2}")


def authorization(response: Response, credentials: Credentials, method: str, uri: str) -> list[tuple[str, str]]:
    """The header lines that answer the Digest challenges of a 401 or 407; empty when there is none we can answer."""
    wanted, given = ("Proxy-Authenticate", "Proxy-Authorization")
    if response.status == 401:
        wanted, given = ("WWW-Authenticate", "Authorization")
    answers: list[tuple[str, str]] = []
    for row in response.headers.rows(wanted):
        members = parse_digest(row)
        if members is None or members.get("algorithm", "MD5").upper() != "MD5" or "nonce" not in members:
            continue
        offered = [token.strip().lower() for token in members.get("qop", "").split(",") if token.strip()]
        if offered and "auth" not in offered:
            continue
        realm, nonce = members.get("realm", ""), members["nonce"]
        qop, nc, cnonce = ("auth", "00000001", secrets.token_hex(8)) if offered else (None, "", "")
        digest = digest_response(credentials.username, realm, credentials.password, method, uri, nonce, qop, nc, cnonce)
        value = f"Digest username={quote_string(credentials.username)}, realm={quote_string(realm)}"
        value += (
            f", nonce={quote_string(nonce)}, uri={quote_string(uri)}, response={quote_string(digest)}, algorithm=MD5"
        )
        if qop:
            value += f", qop=auth, nc={nc}, cnonce={quote_string(cnonce)}"
        if "opaque" in members:
            value += f", opaque={quote_string(members['opaque'])}"
        answers.append((given, value))
    return answers


@dataclass(frozen=True)
class Verdict:
    """What checking a request gave: the user when it is authentic; `stale` when only the nonce was too old."""

    username: str | None
    stale: bool = False


class DigestAuthenticator:
    """Challenges and checks requests of one realm.

    `lookup(username, realm)` gives the password, or None for an unknown user. `nonce_lifetime` in seconds. `qop` is
    "auth" or None; clients that answer without qop are accepted, as RFC 2617 has it. `proxy` chooses 407 over 401.
    A nonce count that does not grow is refused as stale, so nothing can be replayed.
    """

    def __init__(
        self,
        realm: str,
        lookup: Lookup,
        nonce_lifetime: float = 300.0,
        qop: str | None = "auth",
        proxy: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.realm = realm
        self.lookup = lookup
        self.nonce_lifetime = nonce_lifetime
        self.qop = qop
        self.proxy = proxy
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._counts: OrderedDict[str, int] = OrderedDict()

    def require(self, request: Request) -> str:
        """The authenticated user name. Raises Refused with a fresh challenge when there is none."""
        verdict = self.check(request)
        if verdict.username is None:
            raise self.challenge(verdict.stale)
        return verdict.username

    def challenge(self, stale: bool = False) -> Refused:
        """The refusal that asks for credentials: 401, or 407 for a proxy."""
        value = f'Digest realm={quote_string(self.realm)}, nonce="{self.new_nonce()}", algorithm=MD5'
        value += f', qop="{self.qop}"' if self.qop else ""
        value += ", stale=true" if stale else ""
        if self.proxy:
            return Refused(407, headers=[("Proxy-Authenticate", value)])
        return Refused(401, headers=[("WWW-Authenticate", value)])

    def check(self, request: Request) -> Verdict:
        """Judge the credentials of a request; no user when they are absent, wrong, replayed or too old."""
        for row in request.headers.rows("Proxy-Authorization" if self.proxy else "Authorization"):
            members = parse_digest(row)
            if members is not None and members.get("realm") == self.realm:
                return self._judge(members, request.method)
        return Verdict(None)

    def _judge(self, members: dict[str, str], method: str) -> Verdict:
        username, nonce = members.get("username", ""), members.get("nonce", "")
        qop = members.get("qop")
        if members.get("algorithm", "MD5").upper() != "MD5" or qop not in (None, "auth"):
            return Verdict(None)
        age = self._age(nonce)
        if age is None:
            return Verdict(None, stale=True)
        password = self.lookup(username, self.realm)
        nc, cnonce = members.get("nc", ""), members.get("cnonce", "")
        uri, secret = members.get("uri", ""), password if password is not None else secrets.token_hex(8)
        expected = digest_response(username, self.realm, secret, method, uri, nonce, qop, nc, cnonce)
        given = members.get("response", "").lower().encode("utf-8", "replace")
        if not hmac.compare_digest(expected.encode(), given) or password is None:
            return Verdict(None)
        if age > self.nonce_lifetime or (qop and not self._count(nonce, nc)):
            return Verdict(None, stale=True)
        return Verdict(username)

    def new_nonce(self) -> str:
        """A nonce that carries its time and proves that it is ours."""
        text = f"{int(self._clock() * 1000):x}-{secrets.token_hex(6)}"
        return f"{text}-{self._seal(text)}"

    def _seal(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]

    def _age(self, nonce: str) -> float | None:
        """Seconds since we gave this nonce; None when we never did."""
        text, _, seal = nonce.rpartition("-")
        if not hmac.compare_digest(self._seal(text).encode(), seal.encode("utf-8", "replace")):
            return None
        return self._clock() - int(text.partition("-")[0], 16) / 1000

    def _count(self, nonce: str, nc: str) -> bool:
        """Whether the nonce count grew; remembers it, for a bounded number of nonces."""
        if not re.fullmatch(r"[0-9a-fA-F]{8}", nc) or int(nc, 16) <= self._counts.get(nonce, 0):
            return False
        self._counts[nonce] = int(nc, 16)
        self._counts.move_to_end(nonce)
        while len(self._counts) > _MAX_NONCES:
            self._counts.popitem(last=False)
        return True
