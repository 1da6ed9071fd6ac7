"""What the Mediaservice knows at run time: sessions, the participants in them, and the connections between two of these.

Filled by the call control, read by callbacks and operations. It holds state and says what follows from it; it sends
nothing, and no object here outlives its session but in the hands of whoever still waits for it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.reference.mediaservice.calls.leg import Leg
    from harness.reference.mediaservice.calls.recording import ConnectionRecording
    from harness.reference.mediaservice.ivr.session import IvrSession
    from harness.reference.sip import Request

MISSING: Any = object()
MAX_ACTIONS = 100


def new_id() -> str:
    """What names a session, participant, connection or transaction."""
    return str(uuid.uuid4())


def new_reply_id() -> str:
    """What an application sends back to say which call it means; nobody guesses one."""
    return secrets.token_urlsafe(24)


class Session:
    """One session: from the first callback or operation to sessionCompleted.

    `callback_base` None stands for the configured one. `reference` is the application's sessionReferenceId, or MISSING.
    """

    def __init__(self, callback_base: str | None = None, on_idle: Callable[[Session], None] | None = None) -> None:
        self.id = new_id()
        self.trace = new_id()
        self.callback_base = callback_base
        self.reference: Any = MISSING
        self.reason = "completed"
        self.began = time.monotonic()
        self.participants: list[Participant] = []
        self.invite: Request | None = None
        self.completed = False
        self.actions = 0
        self.told: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[Any]] = set()
        self._on_idle = on_idle

    @property
    def idle(self) -> bool:
        """Whether nothing of it is left: no call, and nothing being done."""
        return not self._work and not any(one.alive for one in self.participants)

    @property
    def seconds(self) -> int:
        """How long it has been, in whole seconds."""
        return round(time.monotonic() - self.began)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do something on behalf of the session, which is not over before that is done."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        self.look()

    def look(self) -> None:
        """See whether the session is over, now that something of it has ended."""
        if self.idle and not self.completed and self._on_idle is not None:
            self.completed = True
            self._on_idle(self)

    def take_reference(self, answer: dict[str, Any]) -> None:
        """Keep the sessionReferenceId of an answer or a request, where there is one."""
        if "sessionReferenceId" in answer and answer["sessionReferenceId"] is not None:
            self.reference = answer["sessionReferenceId"]

    async def stop(self) -> None:
        """End everything that is being done."""
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)


@dataclass(eq=False)
class Participant:
    """One party: a SIP leg, or without `leg` the IVR or a device that is known by its media only."""

    session: Session
    user: str
    leg: Leg | None = None
    monitoring: bool = False
    id: str = field(default_factory=new_id)
    connection: Connection | None = None
    ivr: IvrSession | None = None
    activity: asyncio.Task[Any] | None = None
    epoch: int = 0

    @property
    def alive(self) -> bool:
        """Whether its call is up, or on its way."""
        return self.leg is not None and self.leg.alive

    def release(self) -> None:
        """Take it out of what is being done with it, so that something else can be done."""
        self.epoch += 1
        activity, self.activity = self.activity, None
        if activity is not None and activity is not asyncio.current_task():
            activity.cancel()


@dataclass(eq=False)
class Connection:
    """Two participants, joined or about to be. `relay` carries their media."""

    session: Session
    caller: Participant
    callee: Participant
    id: str = field(default_factory=new_id)
    answered: bool = False
    stop_media: Callable[[], None] | None = None
    recording: ConnectionRecording | None = None
    monitors: list[Participant] = field(default_factory=list)

    def other(self, participant: Participant) -> Participant:
        """The party at the other side."""
        return self.callee if participant is self.caller else self.caller


@dataclass(frozen=True)
class Reply:
    """What a replyId stands for. `connection`: of callAnswered; `participant`: of an IVR or a remote call."""

    session: Session
    connection: Connection | None = None
    participant: Participant | None = None
    command: int | None = None


class Registry:
    """Everything that can be named by an application: sessions, participants, connections, replyIds."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self._replies: dict[str, Reply] = {}

    def add(self, session: Session) -> None:
        self.sessions[session.id] = session

    def forget(self, session: Session) -> None:
        """Drop a session that is over, with all that names it."""
        self.sessions.pop(session.id, None)
        for name in [name for name, reply in self._replies.items() if reply.session is session]:
            del self._replies[name]

    def reply_id(self, reply: Reply) -> str:
        """A new replyId for this."""
        name = new_reply_id()
        self._replies[name] = reply
        return name

    def reply(self, name: object) -> Reply | None:
        return self._replies.get(name) if isinstance(name, str) else None

    def participant(self, name: object) -> Participant | None:
        """A participant of a session that is not over."""
        for session in self.sessions.values():
            for one in session.participants:
                if one.id == name:
                    return one
        return None

    def connection(self, name: object) -> Connection | None:
        """A connection that stands."""
        for session in self.sessions.values():
            for one in session.participants:
                if one.connection is not None and one.connection.id == name:
                    return one.connection
        return None
