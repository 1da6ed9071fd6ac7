"""Tells the application what happens and asks it what to do: one POST per callback, in the order of events.

Used by everything that happens in a call. It knows addresses, time limits and order; what is in a message is
`messages`' business, and what follows from an answer is the call control's.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

from harness.reference.fetch import Fetcher, FetchError, url_problem
from harness.reference.mediaservice.model import Session

_log = logging.getLogger("ringtrue.mediaservice")

Members = dict[str, Any]

# Callbacks that tell from which site of a hybrid deployment they come (MS /newCall and others).
FROM_SITES = frozenset(
    {"newCall", "callNotify", "callAnswered", "callEvent", "getIvrCommand", "getCallIdentifier", "sessionCompleted"}
)


@dataclass(frozen=True)
class Answer:
    """What came back. `failed`: nothing, or no 2xx; `empty`: no body; `members`: its JSON object, or None."""

    status: int | None
    empty: bool
    members: Members | None
    problem: str = ""

    @property
    def failed(self) -> bool:
        return self.status is None or not 200 <= self.status < 300


class Callbacks:
    """The configured callback base and what is sent there. `base` None: nothing is configured yet; `site`: where we are."""

    def __init__(self, fetcher: Fetcher, base: str | None, alarm_path: str, domain: str, site: Members) -> None:
        self.fetcher = fetcher
        self.base: str | None = None
        self.alarm_path = alarm_path.strip("/")
        self.domain = domain
        self.site = site
        if base:
            self.use(base)

    def use(self, base: str) -> None:
        """Send callbacks below this URL from now on. Raises ValueError."""
        problem = url_problem(base)
        if problem:
            raise ValueError(f"the callback base '{base}' {problem}")
        self.base = base.rstrip("/")

    def url(self, name: str, session: Session) -> str | None:
        """Where a callback of that name goes."""
        base = session.callback_base or self.base
        return f"{base}/{name}" if base else None

    def compose(self, name: str, members: Members) -> Members | None:
        """The members as they are sent; None for nothing at all. Faults change them here."""
        return members | self.site if name in FROM_SITES else members

    async def ask(self, session: Session, name: str, members: Members) -> Answer:
        """Send a callback whose answer matters, after those that were told before."""
        if session.told is not None:
            await asyncio.wait([session.told])
        return await self.post(session, name, members)

    def tell(self, session: Session, name: str, members: Members) -> None:
        """Send a callback whose answer does not matter, in its turn; the session waits for it."""
        before = session.told
        session.told = session.start(self._tell(session, name, members, before))

    async def _tell(self, session: Session, name: str, members: Members, before: asyncio.Task[None] | None) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        await self.post(session, name, members)

    async def complete(self, session: Session, members: Members) -> None:
        """The last callback of a session."""
        if session.told is not None and not session.told.done():
            await asyncio.wait([session.told])
        await self.post(session, "sessionCompleted", members)

    def alarm(self, session: Session, kind: str, error: str, **details: Any) -> None:
        """Notify an unexpected event (MS /<domain_configured>)."""
        self.alarm_with(session, kind, error, {"errorDetails": details} if details else {})

    def alarm_with(self, session: Session, kind: str, error: str, further: Members) -> None:
        """An alarm with further members of its table."""
        _log.warning("session %s: alarm %s: %s %s", session.id, kind, error, further or "")
        members = {"type": kind, "domain": self.domain, "sessionId": session.id, "error": error} | further
        self.tell(session, self.alarm_path, members)

    async def post(self, session: Session, name: str, members: Members) -> Answer:
        """One request to the application, and what came back."""
        url, body = self.url(name, session), self.compose(name, members)
        if url is None or body is None:
            return Answer(None, True, None, "no callback base is configured" if url is None else "")
        try:
            fetched = await self.fetcher.request(
                "POST", url, json.dumps(body).encode(), {"content-type": "application/json"}
            )
        except FetchError as error:
            _log.warning("session %s: %s: %s", session.id, url, error)
            return Answer(None, True, None, str(error))
        try:
            parsed = json.loads(fetched.body) if fetched.body else None
        except (ValueError, RecursionError):
            parsed = None
        answer = parsed if isinstance(parsed, dict) else None
        return Answer(fetched.status, not fetched.body, answer, "" if fetched.status < 300 else f"{fetched.status}")
