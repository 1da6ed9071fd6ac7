"""How requests show who sends them: tokens, Basic, bearer; one small class per scheme.

The HTTP driver calls `apply` before each request. Token requests go through the same driver, so they are in the timeline
and are judged like any other exchange.
"""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from typing import TYPE_CHECKING, Protocol

from harness.redact import Redactor
from harness.target import ApidazeTarget
from harness.timeline import HttpExchange

if TYPE_CHECKING:
    from harness.drivers.http import HttpDriver

TOKEN_OPERATION = "getAccessToken"
WRONG = "ringtrue-no-such-credential"
_EARLY = 30.0
_HOUR = 3600.0


class Credentials(Protocol):
    """Puts credentials on requests. `refreshable`: a 401 may mean that they ran out, so a new try is worth it."""

    refreshable: bool

    def apply(self, headers: dict[str, str], driver: HttpDriver, *, wrong: bool) -> HttpExchange | None:
        """Add what is needed to `headers`; on failure return the exchange that failed instead."""

    def forget(self) -> None:
        """Drop what was learnt, so that the next request gets new credentials."""


class NoCredentials:
    """For operations that anyone may call."""

    refreshable = False

    def apply(self, headers: dict[str, str], driver: HttpDriver, *, wrong: bool) -> None:
        del headers, driver, wrong

    def forget(self) -> None:
        return


class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749 §4.4), with the token kept until shortly before it runs out."""

    refreshable = True

    def __init__(self, target: ApidazeTarget, redactor: Redactor, *, limited: bool = False) -> None:
        self._target = target
        self._redactor = redactor
        self._id = target.limited_client_id if limited else target.client_id
        self._secret = target.limited_client_secret if limited else target.client_secret
        self._token: str | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def apply(self, headers: dict[str, str], driver: HttpDriver, *, wrong: bool) -> HttpExchange | None:
        if wrong:
            headers["Authorization"] = f"Bearer {WRONG}"
            return None
        with self._lock:
            if self._token is None or time.monotonic() > self._until:
                exchange = self.request_token(driver)
                token, lifetime = _token_of(exchange)
                if token is None:
                    return exchange
                self._redactor.add(token)
                self._token, self._until = token, time.monotonic() + max(lifetime - _EARLY, lifetime / 2)
            headers["Authorization"] = f"Bearer {self._token}"
        return None

    def forget(self) -> None:
        with self._lock:
            self._token = None

    def request_token(self, driver: HttpDriver, *, secret: str | None = None) -> HttpExchange:
        """Ask for a token; with another `secret`, as someone who does not know the right one."""
        from harness.drivers.http import Body

        shown = secret or self._secret or ""
        form = {"grant_type": "client_credentials"}
        headers: dict[str, str] = {}
        if self._target.credentials_in == "basic":
            pair = base64.b64encode(f"{self._id}:{shown}".encode()).decode()
            self._redactor.add(pair)
            headers["Authorization"] = f"Basic {pair}"
        else:
            form |= {"client_id": self._id or "", "client_secret": shown}
        about = {"operation": TOKEN_OPERATION, "auth": "wrong" if secret else "valid"}
        return driver.send_unauthenticated(
            "POST", self._target.token_url, body=Body.form(form), headers=headers, about=about
        )


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
