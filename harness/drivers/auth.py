"""How requests show who sends them: tokens, Basic, bearer; one small class per scheme. Signatures: `aws_signature`.

The HTTP driver calls `apply` before it makes a request and `sign` when it stands. Token requests go through the same driver,
so they are in the timeline and are judged like any other exchange.
"""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Literal, Protocol

from harness.drivers.aws_signature import Signer
from harness.redact import Redactor
from harness.target import ApidazeTarget, CallableTarget, MediaserviceTarget, SystemTarget, VtxTarget
from harness.timeline import HttpExchange

if TYPE_CHECKING:
    from harness.drivers.http import HttpDriver

Auth = Literal["valid", "none", "wrong", "altered", "other"]
"""What a request shows: valid credentials, none, `wrong` ones of the same kind, the right token with one character
`altered`, or the right secret by an `other` scheme than the one that the documents name."""
TOKEN_OPERATION = "getAccessToken"
WRONG = "ringtrue-no-such-credential"
_EARLY = 30.0
_HOUR = 3600.0


class Credentials(Protocol):
    """Puts credentials on requests.

    `refreshable`: a 401 may mean that they ran out, so a new try is worth it. `always`: headers that the documents ask for
    on every request, whoever sends it. `refusals`: what else than valid ones it can show, for requests to be refused.
    """

    refreshable: bool
    always: Mapping[str, str]
    refusals: tuple[Auth, ...]

    def apply(self, headers: dict[str, str], driver: HttpDriver, auth: Auth) -> HttpExchange | None:
        """Add what is needed to `headers`; on failure return the exchange that failed instead."""

    def sign(self, method: str, url: str, headers: MutableMapping[str, str], body: bytes, auth: Auth) -> str | None:
        """Add what depends on the whole request, which is about to leave; on failure return why it must not leave."""

    def forget(self) -> None:
        """Drop what was learnt, so that the next request gets new credentials."""


class NoCredentials(Credentials):
    """For operations that anyone may call; also what others build on, as it adds nothing and forgets nothing."""

    refreshable = False
    always: Mapping[str, str] = {}
    refusals: tuple[Auth, ...] = ()

    def apply(self, headers: dict[str, str], driver: HttpDriver, auth: Auth) -> HttpExchange | None:
        del headers, driver, auth
        return None

    def sign(self, method: str, url: str, headers: MutableMapping[str, str], body: bytes, auth: Auth) -> str | None:
        del method, url, headers, body, auth
        return None

    def forget(self) -> None:
        return


class HeaderCredentials(NoCredentials):
    """The same Authorization header on every request: Basic (RFC 7617) or a bearer token that the target file gives."""

    def __init__(self, shown: Mapping[Auth, str], redactor: Redactor, always: Mapping[str, str] | None = None) -> None:
        self._shown = shown
        self.always = always or {}
        self.refusals: tuple[Auth, ...] = ("none", *(auth for auth in shown if auth != "valid"))
        for auth in ("valid", "altered"):
            redactor.add(shown.get(auth, "").partition(" ")[2])

    @classmethod
    def basic(
        cls, username: str, password: str, redactor: Redactor, always: Mapping[str, str] | None = None
    ) -> HeaderCredentials:
        shown: dict[Auth, str] = {
            "valid": _basic(username, password),
            "wrong": _basic(username, WRONG),
            "other": f"Bearer {password}",
        }
        return cls(shown, redactor, always)

    @classmethod
    def bearer(cls, token: str, redactor: Redactor) -> HeaderCredentials:
        shown: dict[Auth, str] = {
            "valid": f"Bearer {token}",
            "wrong": f"Bearer {WRONG}",
            "altered": f"Bearer {altered(token)}",
        }
        return cls(shown, redactor)

    def apply(self, headers: dict[str, str], driver: HttpDriver, auth: Auth) -> None:
        del driver
        headers["Authorization"] = self.value(auth)

    def value(self, auth: Auth) -> str:
        """What is shown; where a scheme has nothing of that kind, what is wrong anyhow."""
        return self._shown.get(auth, self._shown["wrong"])


class PathCredentials(NoCredentials):
    """Mediaservice: what the target file says for its operations, and a bearer token for their twins (`…jwt`)."""

    def __init__(self, target: MediaserviceTarget, redactor: Redactor) -> None:
        self._target = target
        self._signer = Signer(target.access_key or "", target.secret_key or "", target.region or "")
        self._headers: dict[str, HeaderCredentials] = {}
        if target.token:
            self._headers["bearer"] = HeaderCredentials.bearer(target.token, redactor)
        if target.username and target.password:
            self._headers["basic"] = HeaderCredentials.basic(target.username, target.password, redactor)
        own = self._headers.get(target.auth)
        self.refusals: tuple[Auth, ...] = own.refusals if own else () if target.auth == "none" else ("none", "wrong")

    def sign(self, method: str, url: str, headers: MutableMapping[str, str], body: bytes, auth: Auth) -> str | None:
        scheme: str = self._target.auth
        if url.partition("?")[0].endswith("jwt") and (scheme != "none" or "bearer" in self._headers):
            scheme = "bearer"
        match scheme:
            case "none":
                return None
            case "sigv4":
                headers.update(self._signer.headers(method, url, body, secret=None if auth == "valid" else WRONG))
            case _ if scheme in self._headers:
                headers["Authorization"] = self._headers[scheme].value(auth)
            case _:
                return "credentials: the target file gives no token, which the twins (…jwt) take"
        return None


class TokenCredentials(NoCredentials, ABC):
    """An access token that is asked for when it is needed, and kept until shortly before it runs out."""

    refreshable = True
    refusals: tuple[Auth, ...] = ("none", "wrong", "altered", "other")

    def __init__(self, redactor: Redactor, login: str) -> None:
        self._redactor = redactor
        self._login = login
        self._token: str | None = None
        self._until = 0.0
        self._lock = threading.Lock()
        redactor.add(login.partition(" ")[2])

    @abstractmethod
    def request_token(self, driver: HttpDriver, *, secret: str | None = None) -> HttpExchange:
        """Ask for a token; with another `secret`, as someone who does not know the right one."""

    def apply(self, headers: dict[str, str], driver: HttpDriver, auth: Auth) -> HttpExchange | None:
        if auth in ("wrong", "other"):
            headers["Authorization"] = f"Bearer {WRONG}" if auth == "wrong" else self._login
            return None
        with self._lock:
            if self._token is None or time.monotonic() > self._until:
                exchange = self.request_token(driver)
                token, lifetime = _token_of(exchange)
                if token is None:
                    return exchange
                self._redactor.add(token)
                self._redactor.add(altered(token))
                self._token, self._until = token, time.monotonic() + max(lifetime - _EARLY, lifetime / 2)
            headers["Authorization"] = f"Bearer {self._token if auth == 'valid' else altered(self._token)}"
        return None

    def forget(self) -> None:
        with self._lock:
            self._token = None


class ClientCredentials(TokenCredentials):
    """OAuth 2.0 client credentials (RFC 6749 §4.4)."""

    def __init__(self, target: ApidazeTarget, redactor: Redactor, *, limited: bool = False) -> None:
        self._target = target
        self._id = target.limited_client_id if limited else target.client_id
        self._secret = target.limited_client_secret if limited else target.client_secret
        super().__init__(redactor, _basic(self._id or "", self._secret or ""))

    def request_token(self, driver: HttpDriver, *, secret: str | None = None) -> HttpExchange:
        from harness.drivers.http import Body

        shown = secret or self._secret or ""
        form = {"grant_type": "client_credentials"}
        headers: dict[str, str] = {}
        if self._target.credentials_in == "basic":
            headers["Authorization"] = _basic(self._id or "", shown)
        else:
            form |= {"client_id": self._id or "", "client_secret": shown}
        about = {"operation": TOKEN_OPERATION, "auth": "wrong" if secret else "valid"}
        return driver.send_unauthenticated(
            "POST", self._target.token_url, body=Body.form(form), headers=headers, about=about
        )


class PasswordGrant(TokenCredentials):
    """A user's name and password for a token, as a form to one operation of the API (CA Authentication)."""

    def __init__(self, target: CallableTarget, redactor: Redactor) -> None:
        super().__init__(redactor, _basic(target.username, target.password))
        self._target = target

    def request_token(self, driver: HttpDriver, *, secret: str | None = None) -> HttpExchange:
        from harness.drivers.http import Body

        form = {"username": self._target.username, "password": secret or self._target.password}
        about = {"operation": "authorize", "auth": "wrong" if secret else "valid"}
        url = f"{self._target.base_url}/oauth/authorize"
        return driver.send_unauthenticated("POST", url, body=Body.form(form), headers={}, about=about)


def credentials_for(target: SystemTarget, redactor: Redactor, *, limited: bool = False) -> Credentials:
    """How requests to a target authenticate; `limited`: as the application with a small quota."""
    match target:
        case ApidazeTarget():
            return ClientCredentials(target, redactor, limited=limited)
        case CallableTarget():
            return PasswordGrant(target, redactor)
        case VtxTarget():
            always = {"X-C5-Application": target.application, "Content-Type": "application/json"}
            return HeaderCredentials.basic(target.username, target.password, redactor, always)
        case MediaserviceTarget():
            return PathCredentials(target, redactor)
        case _ if target.token:
            return HeaderCredentials.bearer(target.token, redactor)
        case _ if target.username and target.password:
            return HeaderCredentials.basic(target.username, target.password, redactor)
        case _:
            return NoCredentials()


def altered(token: str) -> str:
    """A token with one character changed: of a JWT in its signature, so that what it says stays what it was."""
    said, dot, rest = token.rpartition(".")
    # In the middle, because the last character of base64 may carry bits that mean nothing.
    place = len(rest) // 2
    other = "A" if rest[place : place + 1] != "A" else "B"
    return f"{said}{dot}{rest[:place]}{other}{rest[place + 1 :]}"


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _token_of(exchange: HttpExchange) -> tuple[str | None, float]:
    """The token of a token answer and how many seconds it lives (an hour where that is not said)."""
    if exchange.response is None or not 200 <= exchange.response.status < 300:
        return None, 0.0
    try:
        answer = json.loads(exchange.response.body)
        token = answer["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, 0.0
    try:
        lifetime = float(answer.get("expires_in", _HOUR))
    except (TypeError, ValueError, OverflowError):
        lifetime = _HOUR
    if not 0 < lifetime < math.inf:
        lifetime = _HOUR
    return (token if isinstance(token, str) and token else None), lifetime
