"""Who may use the API, and how often: client applications, their access tokens, and their quota.

Called by the token endpoint and before every API operation. It knows nothing of HTTP beyond the values it is given.
"""

from __future__ import annotations

import hmac
import secrets
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MAX_TOKENS = 5000


@dataclass(frozen=True)
class Usage:
    """How an application stands with its quota after a request. `reset` is the instant at which the count starts anew."""

    limit: int
    used: int
    interval: int
    unit: str
    reset: datetime
    within: bool

    def seconds_left(self) -> int:
        """Whole seconds until the reset, at least 1."""
        return max(1, ceil((self.reset - datetime.now(UTC)).total_seconds()))


class Quota:
    """Counts requests in intervals; an interval begins with the first request after the last one ended."""

    def __init__(self, limit: int, interval: int, unit: str) -> None:
        self.limit, self.interval, self.unit = limit, interval, unit
        self._used = 0
        self._reset = datetime.fromtimestamp(0, UTC)

    def count(self) -> Usage:
        """Count one request. StoreError ones are not counted, so `used` never passes `limit`."""
        now = datetime.now(UTC)
        if now >= self._reset:
            self._used = 0
            self._reset = (now + self.interval * _UNITS[self.unit]).replace(microsecond=0)
        within = self.allows(self._used)
        if within:
            self._used += 1
        return Usage(self.limit, self._used, self.interval, self.unit, self._reset, within)

    def allows(self, used: int) -> bool:
        return used < self.limit


@dataclass
class Application:
    """A client application: its credentials and its quota."""

    client_id: str
    client_secret: str
    quota: Quota
    name: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Token:
    value: str
    issued_at: float
    life: int
    application: Application


class Tokens:
    """Issues access tokens for client credentials and knows whose a token is."""

    def __init__(self, applications: list[Application], life: int) -> None:
        self._applications = {application.client_id: application for application in applications}
        self._life = life
        self._issued: OrderedDict[str, Token] = OrderedDict()

    def application_with(self, client_id: str, client_secret: str) -> Application | None:
        """The application that these credentials belong to, or None."""
        application = self._applications.get(client_id)
        if application and hmac.compare_digest(application.client_secret.encode(), client_secret.encode()):
            return application
        return None

    def issue(self, application: Application) -> Token:
        """A new token. Past 5,000 at once the oldest ends early."""
        token = Token(secrets.token_urlsafe(21), time.time(), self._life, application)
        self._issued[token.value] = token
        while len(self._issued) > _MAX_TOKENS:
            self._issued.popitem(last=False)
        return token

    def application_of(self, value: str) -> Application | None:
        """Whose token this is, or None when it is unknown or has expired."""
        token = self._issued.get(value)
        if token is None:
            return None
        if self.expired(token):
            del self._issued[value]
            return None
        return token.application

    def expired(self, token: Token) -> bool:
        return time.time() >= token.issued_at + token.life
