"""The parts that everything in the Mediaservice shares, and the beginning and end of sessions.

Made once by the system; faults replace single parts of it. It decides nothing about calls.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from harness.reference.mediaservice.callbacks import Callbacks
from harness.reference.mediaservice.calls.recording import Recordings
from harness.reference.mediaservice.ivr.sounds import Sounds
from harness.reference.mediaservice.mapping import Inbound, SipMapping
from harness.reference.mediaservice.messages import Messages
from harness.reference.mediaservice.model import Connection, Participant, Registry, Reply, Session
from harness.reference.mediaservice.storage import PromptStorage
from harness.reference.sip import SipEndpoint

MAX_SESSIONS = 5000
_log = logging.getLogger("ringtrue.mediaservice")


class Parts:
    """Who does what. `endpoint` is set before anything starts."""

    endpoint: SipEndpoint

    def __init__(self, callbacks: Callbacks, messages: Messages, sounds: Sounds, storage: PromptStorage) -> None:
        self.callbacks = callbacks
        self.messages = messages
        self.sounds = sounds
        self.storage = storage
        self.registry = Registry()
        self.mapping = SipMapping()
        self.recordings = Recordings(storage, callbacks, messages)
        self._finishing: set[asyncio.Task[None]] = set()

    @property
    def host(self) -> str:
        """The address that SDP names."""
        return self.endpoint.host.strip("[]")

    @property
    def full(self) -> bool:
        """Whether no further session is taken."""
        return len(self.registry.sessions) >= MAX_SESSIONS

    def new_session(self, callback_base: str | None = None) -> Session:
        """Begin a session."""
        session = Session(callback_base, self.complete)
        self.registry.add(session)
        return session

    def complete(self, session: Session) -> None:
        """End a session of which nothing is left: tell it, and forget it."""
        _log.info("session %s is completed after %d s", session.id, session.seconds)
        self.registry.forget(session)
        task = asyncio.get_running_loop().create_task(self._complete(session))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _complete(self, session: Session) -> None:
        await self.callbacks.complete(session, self.messages.session_completed(session))

    def tell_answered(
        self, connection: Connection, callee: Participant, media: tuple[str, str, str] | None = None
    ) -> None:
        """callAnswered, with a replyId for operations on the connection."""
        reply_id = self.registry.reply_id(Reply(connection.session, connection=connection))
        members = self.messages.call_answered(connection, callee, reply_id, media)
        self.callbacks.tell(connection.session, "callAnswered", members)

    def notify(self, event: str, about: Participant, other: Participant) -> None:
        """callNotify about a participant's leg."""
        call_id = about.leg.call.call_id if about.leg else ""
        members = self.messages.call_notify(about.session, event, about, other, call_id)
        self.callbacks.tell(about.session, "callNotify", members)

    def alarm(self, session: Session, kind: str, error: str, **details: Any) -> None:
        self.callbacks.alarm(session, kind, error, **details)

    def inbound(self, participant: Participant) -> Inbound:
        """What a new leg may copy from the call of a participant, or else from the INVITE that began its session."""
        call = participant.leg.call if participant.leg else None
        if call is not None and call.direction == "in":
            return Inbound(participant.user, call.request.from_.display, call.request.headers)
        invite = participant.session.invite
        return Inbound(participant.user, "", invite.headers if invite else None)

    async def stop(self) -> None:
        """End all sessions without further words."""
        for session in list(self.registry.sessions.values()):
            session.completed = True
            await session.stop()
        for task in list(self._finishing):
            task.cancel()
        await asyncio.gather(*self._finishing, return_exceptions=True)
