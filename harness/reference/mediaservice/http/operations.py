"""The operations on calls: one method each, given its checked body, saying in words what is wrong.

Called by the API; the work is the call control's, the IVR's and the remote calls'. `TABLES` says what members each
operation takes (MS /{domain}/…).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reference.mediaservice.calls.control import CallControl
from harness.reference.mediaservice.calls.remote import RemoteCalls
from harness.reference.mediaservice.http import members
from harness.reference.mediaservice.http.members import Kind
from harness.reference.mediaservice.model import Connection, Participant, Registry, Reply
from harness.reference.mediaservice.parts import Parts

Members = Mapping[str, Any]

_REPLY: dict[str, Kind] = {"replyId": members.text}
_CONNECTION: dict[str, Kind] = _REPLY | {"connectionId": members.text}
_DEVICE: dict[str, Kind] = {
    "sessionReferenceId": members.anything,
    "telephoneEventPayloadType": members.payload_type,
    "receivePort": members.port,
    "receiveIp": members.address,
    "crypto": members.cryptos,
}
TABLES: Mapping[str, Mapping[str, Kind]] = {
    "answerremotecall": _DEVICE | _REPLY | {"codec": members.codec("PCMA", "PCMU")},
    "hangupcall": _REPLY,
    "hangupparticipant": _REPLY | {"participantId": members.text, "sessionId": members.text},
    "hangupremoteparticipant": _REPLY | {"participantId": members.text},
    "interruptivrcommand": _REPLY | {"sessionId": members.text},
    "placeivrcall": {
        "sipFrom": members.user,
        "xHeaders": members.headers("x-"),
        "sessionReferenceId": members.anything,
        "sipDiversion": members.user,
        "displayName": members.text,
        "callerPrivacy": members.boolean,
        "contactParameters": members.parameters,
        "sipDiversionParameters": members.parameters,
        "pHeaders": members.headers("p-"),
        "contactUserParameters": members.parameters,
        "destAddr": members.text,
        "mediaserviceId": members.text,
        "maxRingTime": members.seconds,
    },
    "placeremotecall": _DEVICE
    | {
        "codec": members.codec("PCMA", "PCMU", "GSM"),
        "destinationUri": members.text,
        "sourceUser": members.user,
        "callbackBaseUrl": members.text,
    },
    "sendremotecallringback": _REPLY,
    "splitconnection": _CONNECTION,
    "startrecording": _CONNECTION | {"recordingFileName": members.text},
    "stoprecording": _CONNECTION,
}
JWT_TWINS = ("answerremotecall", "hangupcall", "placeremotecall", "sendremotecallringback")
_UNKNOWN = "replyId is not known"


class Operations:
    """Each operation by its name in the path; the answer is words for what is wrong, or None when it was done."""

    def __init__(self, parts: Parts, control: CallControl, remote: RemoteCalls) -> None:
        self.parts = parts
        self.control = control
        self.remote = remote

    @property
    def registry(self) -> Registry:
        return self.parts.registry

    def run(self, name: str, asked: Members) -> str | None:
        """Carry out an operation, given its name without `jwt`."""
        operation = getattr(self, name)
        problem: str | None = operation(asked)
        return problem

    def answerremotecall(self, asked: Members) -> str | None:
        reply = self.registry.reply(asked.get("replyId"))
        if reply is None or reply.participant is None:
            return _UNKNOWN
        return self.remote.answer(reply.participant, asked)

    def sendremotecallringback(self, asked: Members) -> str | None:
        reply = self.registry.reply(asked.get("replyId"))
        if reply is None or reply.participant is None:
            return _UNKNOWN
        return self.remote.ring(reply.participant)

    def hangupcall(self, asked: Members) -> str | None:
        reply = self.registry.reply(asked.get("replyId"))
        return _UNKNOWN if reply is None else self.remote.hang_up(reply)

    def hangupparticipant(self, asked: Members) -> str | None:
        participant = self.participant(asked)
        if participant is None:
            return "there is no such participant"
        self.control.hang_up(participant)
        return None

    def hangupremoteparticipant(self, asked: Members) -> str | None:
        participant = self.participant(asked)
        if participant is None or participant.connection is None:
            return "there is no such participant, or nobody at its other side"
        self.control.hang_up(participant.connection.other(participant))
        return None

    def interruptivrcommand(self, asked: Members) -> str | None:
        reply = self.registry.reply(asked.get("replyId"))
        if "replyId" in asked and reply is None:
            return _UNKNOWN
        participant = reply.participant if reply else None
        if participant is None:
            session = self.registry.sessions.get(str(asked.get("sessionId")))
            participant = next((one for one in session.participants if one.ivr), None) if session else None
        elif asked.get("sessionId", participant.session.id) != participant.session.id:
            return "replyId and sessionId do not belong together"
        if participant is None or participant.ivr is None:
            return "there is no such IVR session"
        done = participant.ivr.interrupt(reply.command if reply else None)
        return None if done else "that command is not running"

    def placeivrcall(self, asked: Members) -> str | None:
        return self.control.dialler.place_ivr_call(asked)

    def placeremotecall(self, asked: Members) -> str | None:
        return self.remote.place(asked)

    def splitconnection(self, asked: Members) -> str | None:
        connection = self.connection(asked)
        if connection is None:
            return "there is no such connection"
        self.control.split(connection)
        return None

    def startrecording(self, asked: Members) -> str | None:
        connection = self.connection(asked)
        if connection is None:
            return "there is no such connection"
        started = self.parts.recordings.start(connection, asked.get("recordingFileName"))
        return None if started else "the connection cannot be recorded, or is recorded already"

    def stoprecording(self, asked: Members) -> str | None:
        connection = self.connection(asked)
        if connection is None or not self.parts.recordings.stop(connection):
            return "there is no such recording"
        return None

    def connection(self, asked: Members) -> Connection | None:
        """The connection that connectionId and replyId name; both have to fit where both are given."""
        reply = self.registry.reply(asked.get("replyId"))
        if "replyId" in asked and reply is None:
            return None
        found = self.registry.connection(asked["connectionId"]) if "connectionId" in asked else _of(reply)
        if found is None or found.caller.connection is not found:
            return None
        fits = (
            reply is None or reply.connection is found or (reply.connection is None and reply.session is found.session)
        )
        return found if fits else None

    def participant(self, asked: Members) -> Participant | None:
        """The participant that participantId names, or the one of replyId, or of sessionId."""
        reply = self.registry.reply(asked.get("replyId"))
        session = self.registry.sessions.get(str(asked.get("sessionId")))
        if ("replyId" in asked and reply is None) or ("sessionId" in asked and session is None):
            return None
        found: Participant | None
        if "participantId" in asked:
            found = self.registry.participant(asked["participantId"])
        elif reply is not None:
            found = reply.participant or (reply.connection.callee if reply.connection else None)
        else:
            found = next((one for one in session.participants if one.alive), None) if session else None
        if found is None or not (found.alive or found.connection is not None):
            return None
        return found if reply is None or _belongs(found, reply) else None


def _of(reply: Reply | None) -> Connection | None:
    return reply.connection if reply else None


def _belongs(participant: Participant, reply: Reply) -> bool:
    if reply.session is participant.session or reply.participant is participant:
        return True
    return reply.connection is not None and participant in (reply.connection.caller, reply.connection.callee)
