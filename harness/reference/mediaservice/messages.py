"""The members of each callback, as the tables of the document list them.

Pure but for the names that each message gets. Called by the call control; what is sent in the end is `callbacks`'.
"""

from __future__ import annotations

from typing import Any

from harness.reference.mediaservice.model import MISSING, Connection, Participant, Session, new_id

Members = dict[str, Any]


class Messages:
    """Composes callbacks for one tenant. `server`: the IP address that ivrServer tells."""

    def __init__(self, domain: str, server: str) -> None:
        self.domain = domain
        self.server = server

    def new_call(self, session: Session, reported: Members) -> Members:
        """MS /newCall; `reported` is what the INVITE says."""
        return {"sessionId": session.id, "ivrServer": self.server} | reported

    def get_call_identifier(self, session: Session, called: str) -> Members:
        """MS /getCallIdentifier; `called` is the user part that was dialled."""
        return {"sessionId": session.id, "calledParty": called}

    def call_notify(
        self, session: Session, event: str, about: Participant, other: Participant, call_id: str
    ) -> Members:
        """MS /callNotify: something happened on the leg of `about`."""
        return {
            "event": event,
            "monitoringParticipant": about.monitoring,
            "participantId": about.id,
            "sessionId": session.id,
            "user": about.user,
            "remoteUser": other.user,
            "remoteParticipantId": other.id,
            "sipCallId": call_id,
            "ivrServer": self.server,
            "traceId": session.trace,
        } | self._reference(session)

    def call_answered(
        self, connection: Connection, callee: Participant, reply_id: str, media: tuple[str, str, str] | None = None
    ) -> Members:
        """MS /callAnswered; `callee` may be a monitoring leg. `media`: codec, address and port of a httpcall."""
        session, caller = connection.session, connection.caller
        members: Members = {
            "callingPartyNumber": caller.user,
            "callerParticipantId": caller.id,
            "calleeParticipantId": callee.id,
            "remotePartyNumber": callee.user,
            "connectionId": connection.id,
            "monitoringParticipant": callee.monitoring,
            "replyId": reply_id,
            "traceId": session.trace,
            "httpTransactionId": new_id(),
        }
        for member, leg in (("callingPartyExpires", caller.leg), ("calledPartyExpires", callee.leg)):
            if leg is not None and leg.expires is not None:
                members[member] = leg.expires
        if media is not None:
            members |= {"codec": media[0], "remoteRtpIp": media[1], "remoteRtpPort": media[2]}
        return members | self._reference(session)

    def call_event(
        self, connection: Connection, event: str, about: Participant, details: Members | None = None
    ) -> Members:
        """MS /callEvent; `details`: sipResponseCode, errorDescr, sipReason where there is one."""
        session, other = connection.session, connection.other(about)
        members = {
            "connectionId": connection.id,
            "domain": self.domain,
            "event": event,
            "ivrServer": self.server,
            "participantId": about.id,
            "remoteParticipantId": other.id,
            "remoteUser": other.user,
            "sessionId": session.id,
            "user": about.user,
        }
        return members | self._reference(session) | (details or {})

    def get_ivr_command(self, session: Session, reply_id: str, digits: Members) -> Members:
        """MS /getIvrCommand; `digits`: dtmfBuffer and dtmfParams where there are any."""
        members = {"sessionId": session.id, "ivrServer": self.server, "replyId": reply_id}
        return members | self._reference(session) | digits

    def new_remote_call(self, session: Session, reply_id: str, reported: Members) -> Members:
        """MS /newRemoteCall; `reported` is what INVITE and SDP say."""
        return {
            "httpTransactionId": new_id(),
            "sessionId": session.id,
            "replyId": reply_id,
            "traceId": session.trace,
            "domain": self.domain,
            "ivrServer": self.server,
        } | reported

    def recording_ready(self, connection: Connection, name: str, size: int, problem: str | None) -> Members:
        """MS /recordingReady; a `problem` makes it recordingFailed."""
        members: Members = {
            "sessionId": connection.session.id,
            "connectionId": connection.id,
            "recordingFileName": name,
            "fileSize": size,
            "ivrServer": self.server,
            "domain": self.domain,
            "event": "recordingFailed" if problem else "recordingSuccessful",
        }
        return members | ({"reason": problem} if problem else {})

    def session_completed(self, session: Session) -> Members:
        """MS /sessionCompleted; the duration in whole seconds."""
        return {
            "sessionId": session.id,
            "domain": self.domain,
            "sessionDuration": str(session.seconds),
            "reason": session.reason,
            "ivrServer": self.server,
            "traceId": session.trace,
            "httpTransactionId": new_id(),
        } | self._reference(session)

    def _reference(self, session: Session) -> Members:
        return {} if session.reference is MISSING else {"sessionReferenceId": session.reference}
