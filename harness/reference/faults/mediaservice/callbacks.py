"""Mediaservice faults in what callbacks tell: a wrong value, one that is invented, a callback that is not sent, or twice.

Part of the fault catalogue. The members' types are right here; what they say is not what happened.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, wrap
from harness.reference.faults.mediaservice.members import Members, changed, on_callback, without
from harness.reference.mediaservice.model import new_id

collect = Collector("mediaservice")

# Clause (without its prefix) to callback, member, and what it says instead.
VALUES: dict[str, tuple[str, str, object]] = {
    "newCall-sipCallId": ("newCall", "sipCallId", "another@call"),
    "newCall-displayName-pai": ("newCall", "displayName", "Somebody"),
    "newCall-fromUser": ("newCall", "fromUser", "somebody"),
    "newCall-xHeaders": ("newCall", "xHeaders", {}),
    "newCall-pHeaders": ("newCall", "pHeaders", {}),
    "newCall-copyHeaders": ("newCall", "copyHeaders", ["Via"]),
    "newCall-calledParty": ("newCall", "calledParty", "ivr-of-all"),
    "newCall-diversionHeaders": ("newCall", "diversionHeaders", "<sip:else@where.example>"),
    "newCall-referredBy": ("newCall", "referredBy", "<sip:else@where.example>"),
    "newCall-paiNumber": ("newCall", "paiNumber", "+4600"),
    "newCall-subject": ("newCall", "subject", "Something else"),
    "newCall-srcAddr": ("newCall", "srcAddr", "192.0.2.77"),
    "newCall-privacy-public": ("newCall", "callingPartyPrivacy", "secret"),
    "newCall-privacy-secret": ("newCall", "callingPartyPrivacy", "public"),
    "newCall-callingParty-from": ("newCall", "callingParty", "somebody"),
    "callNotify-user": ("callNotify", "user", "somebody"),
    "callNotify-remoteUser": ("callNotify", "remoteUser", "somebody"),
    "callNotify-sipCallId": ("callNotify", "sipCallId", "another@call"),
    "monitoringParticipant-true": ("callAnswered", "monitoringParticipant", False),
    "monitoringParticipant-false": ("callNotify", "monitoringParticipant", True),
    "callAnswered-callingPartyNumber": ("callAnswered", "callingPartyNumber", "0000"),
    "callAnswered-remotePartyNumber": ("callAnswered", "remotePartyNumber", "0000"),
    "callAnswered-callingPartyExpires": ("callAnswered", "callingPartyExpires", 7),
    "callAnswered-calledPartyExpires": ("callAnswered", "calledPartyExpires", 7),
    "getCallIdentifier-calledParty": ("getCallIdentifier", "calledParty", "ivr-of-all"),
    "callAnswered-media-httpcall": ("callAnswered", "remoteRtpIp", "192.0.2.77"),
    "callEvent-sipResponseCode": ("callEvent", "sipResponseCode", 404),
    "callEvent-sipReason": ("callEvent", "sipReason", "SIP;cause=600"),
    "callEvent-user": ("callEvent", "user", "somebody"),
    "callEvent-remoteUser": ("callEvent", "remoteUser", "somebody"),
    "callEvent-connectionId": ("callEvent", "connectionId", "another-connection"),
    "newRemoteCall-callId": ("newRemoteCall", "callId", "another@call"),
    "newRemoteCall-destinationUri": ("newRemoteCall", "destinationUri", "sip:else@where.example"),
    "newRemoteCall-sourceUser": ("newRemoteCall", "sourceUser", "somebody"),
    "newRemoteCall-codec": ("newRemoteCall", "codec", "GSM"),
    "newRemoteCall-remoteRtpIp": ("newRemoteCall", "remoteRtpIp", "192.0.2.77"),
    "newRemoteCall-remoteRtpPort": ("newRemoteCall", "remoteRtpPort", 9),
    "newRemoteCall-telephoneEventPayloadType": ("newRemoteCall", "telephoneEventPayloadType", 127),
    "newRemoteCall-crypto": ("newRemoteCall", "crypto", []),
    "recording-fileName": ("recordingReady", "recordingFileName", "another.wav"),
    "recording-fileSize": ("recordingReady", "fileSize", 1),
    "recording-connectionId": ("recordingReady", "connectionId", "another-connection"),
    "session-duration-numeric": ("sessionCompleted", "sessionDuration", "a while"),
    "domain-tenant": ("sessionCompleted", "domain", "other.example"),
    "alarm-domain": ("alarm", "domain", "other.example"),
    "alarm-type-fits": ("alarm", "type", "emergencyFallback"),
    "dtmf-reason": ("getIvrCommand", "dtmfParams.reason", "done"),
    "dtmf-matchedTerminationKey": ("getIvrCommand", "dtmfParams.matchedTerminationKey", "*"),
}
# Clause to callback, member and value that are there although nothing asks for them.
INVENTED: dict[str, tuple[str, str, object]] = {
    "newCall-displayName-absent": ("newCall", "displayName", "Anonymous caller"),
    "newCall-diversionHeaders-absent": ("newCall", "diversionHeaders", "<sip:else@where.example>"),
    "newCall-referredBy-absent": ("newCall", "referredBy", "<sip:else@where.example>"),
    "sessionReferenceId-not-invented": ("sessionCompleted", "sessionReferenceId", "invented"),
    "callAnswered-codec-only-httpcall": ("callAnswered", "codec", "PCMA"),
    "recording-reason-only-on-failure": ("recordingReady", "reason", "It went well"),
    "callEvent-sipResponseCode-absent": ("callEvent", "sipResponseCode", 503),
}
# Callbacks that are not sent, by the clause of the callback, or of what makes it come.
UNSENT = {
    "newCall": "newCall",
    "callNotify": "callNotify",
    "callAnswered": "callAnswered",
    "callEvent": "callEvent",
    "getIvrCommand": "getIvrCommand",
    "getCallIdentifier": "getCallIdentifier",
    "newRemoteCall": "newRemoteCall",
    "recordingReady": "recordingReady",
    "sessionCompleted": "session-completed",
    "alarm": "alarm",
}
TWICE = {
    "newCall": "newCall-once",
    "callEvent": "callEvent-once",
    "newRemoteCall": "newRemoteCall-once",
    "recordingReady": "recording-ready-once",
    "sessionCompleted": "session-completed-once",
}
# Members that have to stay the same, or to differ, from callback to callback.
CHANGING = {
    "sessionId-constant": ("callNotify", "sessionId"),
    "traceId-constant": ("sessionCompleted", "traceId"),
    "participant-ids-agree": ("callEvent", "participantId"),
    "callEvent-participantId": ("callEvent", "participantId"),
    "callEvent-remoteParticipantId": ("callEvent", "remoteParticipantId"),
    "split-participantId": ("callEvent", "participantId"),
    "splitconnection-connectionId": ("callAnswered", "connectionId"),
    "alarm-sessionId": ("alarm", "sessionId"),
    "replyId-accepted": ("callAnswered", "replyId"),
    "getIvrCommand-replyId-accepted": ("getIvrCommand", "replyId"),
    "newRemoteCall-replyId-accepted": ("newRemoteCall", "replyId"),
}
EVENTS = {
    "callingPartyDrop": "callEvent-callingPartyDrop",
    "calledPartyDrop": "callEvent-calledPartyDrop",
    "calledPartyFailure": "callEvent-calledPartyFailure",
    "callerConnectionSplit": "split-callerConnectionSplit",
    "calleeConnectionSplit": "split-calleeConnectionSplit",
}
ALARMS = {
    "newCall response empty": "alarm-newCall-empty",
    "newCall response without action": "alarm-newCall-no-action",
    "newCall response with unknown action": "alarm-newCall-unknown-action",
    "newCall request failed": "alarm-newCall-failed",
    "No response to callEvent request": "alarm-callEvent-no-response",
    "callEvent response with unknown action": "alarm-callEvent-unknown-action",
    "No action provided in callEvent response": "alarm-callEvent-no-action",
    "Empty body in getIvrCommand response": "alarm-getIvrCommand-empty",
    "getIvrCommand request error": "alarm-getIvrCommand-failed",
    "Invalid sip address:": "alarm-invalid-address",
    "invalidSdp": "alarm-invalidSdp",
    "phraseError": "alarm-phraseError",
}


def _value(callback: str, path: str, value: object, system: Any) -> None:
    on_callback(system, callback, lambda members: changed(members, path, value))


def _invented(callback: str, name: str, value: object, system: Any) -> None:
    on_callback(system, callback, lambda members: {name: value} | members)


def _unsent(callback: str, system: Any) -> None:
    on_callback(system, callback, lambda _members: None)


def _shapeless(callback: str, system: Any) -> None:
    def compose(really: Callable[..., Any], name: str, members: Members) -> Any:
        composed = really(name, members)
        return [composed] if name == callback else composed

    wrap(system.callbacks, "compose", compose)


def _twice(callback: str, system: Any) -> None:
    async def post(really: Callable[..., Any], session: Any, name: str, members: Members) -> Any:
        if name == callback:
            await really(session, name, members)
        return await really(session, name, members)

    wrap(system.callbacks, "post", post)


def _changing(callback: str, name: str, system: Any) -> None:
    on_callback(system, callback, lambda members: changed(members, name, new_id()))


def _event_unsent(event: str, system: Any) -> None:
    on_callback(system, "callEvent", lambda members: None if members["event"] == event else members)


def _alarm_unsent(error: str, system: Any) -> None:
    on_callback(system, "alarm", lambda members: None if members["error"].startswith(error) else members)


for _clause, (_callback, _path, _told) in VALUES.items():
    _words = f"{_path} of {_callback} says {_told!r}, whatever is true"
    collect.add(f"{_clause}-wrong", f"MS-{_clause}", _words, partial(_value, _callback, _path, _told))
for _clause, (_callback, _path, _told) in INVENTED.items():
    _words = f"{_callback} has {_path} although there is none"
    collect.add(f"{_clause}-invented", f"MS-{_clause}", _words, partial(_invented, _callback, _path, _told))
for _callback, _clause in UNSENT.items():
    collect.add(f"{_callback}-unsent", f"MS-{_clause}", f"{_callback} is never sent", partial(_unsent, _callback))
for _callback in UNSENT:
    _words = f"{_callback} is an array"
    collect.add(f"{_callback}-shape", f"MS-{_callback}.body", _words, partial(_shapeless, _callback))
for _callback, _clause in (("sessionCompleted", "sessionCompleted"), ("recordingReady", "recording-ready")):
    _words = f"{_callback} is never sent"
    collect.add(f"{_clause}-untold", f"MS-{_clause}", _words, partial(_unsent, _callback))
for _callback, _clause in TWICE.items():
    collect.add(f"{_callback}-twice", f"MS-{_clause}", f"{_callback} is sent twice", partial(_twice, _callback))
for _clause, (_callback, _path) in CHANGING.items():
    _words = f"{_path} of {_callback} is a new one each time"
    collect.add(f"{_clause}-changing", f"MS-{_clause}", _words, partial(_changing, _callback, _path))
for _event, _clause in EVENTS.items():
    collect.add(
        f"{_event}-unsent", f"MS-{_clause}", f"callEvent {_event} is never sent", partial(_event_unsent, _event)
    )
for _error, _clause in ALARMS.items():
    _words = f"the alarm '{_error}' is never sent"
    collect.add(f"{_clause}-unsent", f"MS-{_clause}", _words, partial(_alarm_unsent, _error))


@collect(
    "callingParty-ignores-pai", "MS-newCall-callingParty-pai", "callingParty is the user of From, whatever the PAI says"
)
def _callingparty(system: Any) -> None:
    on_callback(system, "newCall", lambda members: members | {"callingParty": members["fromUser"]})


@collect("displayName-lost", "MS-newCall-displayName-from", "newCall comes without displayName")
def _display_name(system: Any) -> None:
    on_callback(system, "newCall", lambda members: without(members, "displayName"))


@collect(
    "repeated-xHeaders-joined", "MS-newCall-xHeaders-repeated", "a repeated X- header is told with its first value only"
)
def _x_repeated(system: Any) -> None:
    on_callback(system, "newCall", partial(_first_only, "xHeaders"))


@collect(
    "repeated-pHeaders-joined", "MS-newCall-pHeaders-repeated", "a repeated P- header is told with its first value only"
)
def _p_repeated(system: Any) -> None:
    on_callback(system, "newCall", partial(_first_only, "pHeaders"))


def _first_only(name: str, members: Members) -> Members:
    headers = members.get(name, {})
    first = {key: value[0] if isinstance(value, list) else value for key, value in headers.items()}
    return members | ({name: first} if first else {})


@collect("participants-alike", "MS-callAnswered-participants-differ", "both parties have the caller's participant id")
def _participants(system: Any) -> None:
    on_callback(
        system, "callAnswered", lambda members: members | {"calleeParticipantId": members["callerParticipantId"]}
    )


@collect("sessionId-shared", "MS-sessionId-distinct", "all sessions have the same sessionId")
def _session_shared(system: Any) -> None:
    _shared(system, "sessionId")


@collect("traceId-shared", "MS-traceId-distinct", "all calls have the same traceId")
def _trace_shared(system: Any) -> None:
    _shared(system, "traceId")


@collect("httpTransactionId-shared", "MS-httpTransactionId-unique", "all callbacks have the same httpTransactionId")
def _transaction_shared(system: Any) -> None:
    _shared(system, "httpTransactionId")


def _shared(system: Any, name: str) -> None:
    wrap(system.callbacks, "compose", lambda really, callback, members: changed(really(callback, members), name, "one"))


@collect("site-serves-nothing", "MS-site-base-url", "siteBaseUrl leads to where no operation is served")
def _site_elsewhere(system: Any) -> None:
    system.callbacks.site["siteBaseUrl"] += "/none"


@collect("errorDescr-missing", "MS-callEvent-errorDescr", "a failed set-up is told without errorDescr")
def _error_descr(system: Any) -> None:
    on_callback(system, "callEvent", lambda members: without(members, "errorDescr"))


@collect("dtmfBuffer-missing", "MS-dtmfBuffer", "dtmfBuffer is never told")
def _buffer(system: Any) -> None:
    on_callback(system, "getIvrCommand", lambda members: without(members, "dtmfBuffer"))


@collect("dtmfParams-missing", "MS-dtmf-reported", "dtmfParams is never told")
def _params(system: Any) -> None:
    on_callback(system, "getIvrCommand", lambda members: without(members, "dtmfParams"))


@collect("recording-failed-silently", "MS-recording-failed", "a recording that failed is told without a reason")
def _failed_silently(system: Any) -> None:
    on_callback(system, "recordingReady", lambda members: without(members, "reason"))


@collect("alarm-without-cause", "MS-alarm-only-when-unexpected", "every call raises an alarm")
def _alarm_always(system: Any) -> None:
    def new_call(really: Callable[..., Any], session: Any, reported: Members) -> Any:
        system.callbacks.alarm(session, "callError", "mediaServerError")
        return really(session, reported)

    wrap(system.messages, "new_call", new_call)


@collect("callback-path", "MS-callback-path", "callbacks go to a path of another name")
def _path_of(system: Any) -> None:
    def url(really: Callable[..., Any], name: str, session: Any) -> Any:
        return really(f"v2/{name}" if name == "callNotify" else name, session)

    wrap(system.callbacks, "url", url)


@collect("callbackBaseUrl-ignored", "MS-placeremotecall-callbackBaseUrl", "callbacks go to the configured base only")
def _base_ignored(system: Any) -> None:
    wrap(system.callbacks, "url", lambda _really, name, _session: f"{system.callbacks.base}/{name}")


def _reference_kept(origin: str, system: Any) -> None:
    """Lose the sessionReferenceId of one kind of answer."""

    async def ask(really: Callable[..., Any], session: Any, name: str, members: Members) -> Any:
        answer = await really(session, name, members)
        if name == origin and answer.members:
            answer.members.pop("sessionReferenceId", None)
        return answer

    wrap(system.callbacks, "ask", ask)


for _origin in ("newCall", "callEvent", "getIvrCommand", "getCallIdentifier", "newRemoteCall"):
    collect.add(
        f"{_origin}-reference-lost",
        f"MS-{_origin}-sessionReferenceId",
        f"the sessionReferenceId answered to {_origin} does not come back",
        partial(_reference_kept, _origin),
    )


@collect("session-completed-early", "MS-session-completed-not-early", "sessionCompleted comes with the first callback")
def _early(system: Any) -> None:
    def new_call(really: Callable[..., Any], session: Any, reported: Members) -> Any:
        system.callbacks.tell(session, "sessionCompleted", system.messages.session_completed(session))
        session.completed = True
        return really(session, reported)

    wrap(system.messages, "new_call", new_call)


@collect("session-completed-not-last", "MS-session-completed-last", "a callNotify follows sessionCompleted")
def _not_last(system: Any) -> None:
    counter = itertools.count()

    async def complete(really: Callable[..., Any], session: Any, members: Members) -> None:
        await really(session, members)
        later = {"event": "update", "participantId": "p", "user": "u", "remoteUser": "u", "remoteParticipantId": "q"}
        same = {"sessionId": session.id, "traceId": session.trace, "ivrServer": members["ivrServer"]}
        await system.callbacks.post(session, "callNotify", later | same | {"sipCallId": f"{next(counter)}@late"})

    wrap(system.callbacks, "complete", complete)


@collect(
    "dropped-session-never-completed",
    "MS-session-dropped-completed",
    "a session whose call was dropped is not completed",
)
def _dropped_open(system: Any) -> None:
    def complete(really: Callable[[Any], None], session: Any) -> None:
        if session.actions == 1 and session.seconds < 1:
            system.parts.registry.forget(session)
        else:
            really(session)

    wrap(system.parts, "complete", complete)
