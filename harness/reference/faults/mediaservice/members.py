"""Mediaservice faults by member: one member of a callback has another type or form, or is missing.

Part of the fault catalogue; made from tables, as each member can break in the same ways. The clause of a member bears
its name in the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, wrap

collect = Collector("mediaservice")

# The schema of each callback, and the name under which it is sent.
CALLBACKS = {
    "NewCall": "newCall",
    "CallNotify": "callNotify",
    "CallAnswered": "callAnswered",
    "CallEvent": "callEvent",
    "GetIvrCommand": "getIvrCommand",
    "GetCallIdentifier": "getCallIdentifier",
    "NewRemoteCall": "newRemoteCall",
    "RecordingReady": "recordingReady",
    "SessionCompleted": "sessionCompleted",
    "Alarm": "alarm",
}
_TEXT = 17
_FLAG = "no"
_NUMBER = "many"
_EITHER = [17]
_SITE: dict[str, object] = {"siteId": _TEXT, "siteBaseUrl": _TEXT}
# Member to a value of a type that no table and no sample shows; members are paths joined by points.
TYPES: dict[str, dict[str, object]] = {
    "NewCall": {
        "sessionId": _TEXT,
        "sipCallId": _EITHER,
        "ivrServer": _TEXT,
        "callingPartyPrivacy": _TEXT,
        "callingParty": _TEXT,
        "displayName": _TEXT,
        "fromUser": _TEXT,
        "xHeaders": "X-One: 1",
        "pHeaders": "P-One: 1",
        "copyHeaders": "X-One",
        "calledParty": _TEXT,
        "diversionHeaders": _TEXT,
        "referredBy": _TEXT,
        "paiNumber": _EITHER,
        "subject": _EITHER,
        "srcAddr": _TEXT,
        **_SITE,
    },
    "CallNotify": {
        "event": _TEXT,
        "monitoringParticipant": _FLAG,
        "participantId": _TEXT,
        "sessionId": _TEXT,
        "user": _TEXT,
        "remoteUser": _TEXT,
        "remoteParticipantId": _TEXT,
        "sipCallId": _EITHER,
        "ivrServer": _TEXT,
        "traceId": _TEXT,
        **_SITE,
    },
    "CallAnswered": {
        "callingPartyNumber": _EITHER,
        "callerParticipantId": _TEXT,
        "calleeParticipantId": _TEXT,
        "remotePartyNumber": _EITHER,
        "connectionId": _TEXT,
        "callingPartyExpires": _NUMBER,
        "calledPartyExpires": _NUMBER,
        "codec": _TEXT,
        "monitoringParticipant": _FLAG,
        "remoteRtpIp": _TEXT,
        "remoteRtpPort": _EITHER,
        "replyId": _TEXT,
        "traceId": _TEXT,
        "httpTransactionId": _TEXT,
        **_SITE,
    },
    "CallEvent": {
        "connectionId": _TEXT,
        "domain": _TEXT,
        "event": _TEXT,
        "ivrServer": _TEXT,
        "participantId": _TEXT,
        "remoteParticipantId": _TEXT,
        "remoteUser": _TEXT,
        "sessionId": _TEXT,
        "user": _TEXT,
        "sipResponseCode": _NUMBER,
        "errorDescr": _TEXT,
        "sipReason": _TEXT,
        **_SITE,
    },
    "GetCallIdentifier": {"sessionId": _TEXT, "calledParty": _TEXT, **_SITE},
    "GetIvrCommand": {
        "sessionId": _TEXT,
        "ivrServer": _TEXT,
        "dtmfBuffer": _EITHER,
        "dtmfParams": "12",
        "dtmfParams.dtmfMatch": _EITHER,
        "dtmfParams.reason": _TEXT,
        "dtmfParams.matchedTerminationKey": _EITHER,
        "dtmfParams.encryption": "md5",
        "replyId": _TEXT,
        **_SITE,
    },
    "NewRemoteCall": {
        "httpTransactionId": _TEXT,
        "sessionId": _TEXT,
        "replyId": _TEXT,
        "traceId": _TEXT,
        "domain": _TEXT,
        "ivrServer": _TEXT,
        "callId": _TEXT,
        "codec": _TEXT,
        "destinationUri": _TEXT,
        "sourceUser": _EITHER,
        "remoteRtpIp": _TEXT,
        "remoteRtpPort": _NUMBER,
        "telephoneEventPayloadType": _NUMBER,
        "crypto": "none",
    },
    "RecordingReady": {
        "sessionId": _TEXT,
        "connectionId": _TEXT,
        "recordingFileName": _TEXT,
        "fileSize": _NUMBER,
        "ivrServer": _TEXT,
        "domain": _TEXT,
        "event": _TEXT,
        "reason": _TEXT,
    },
    "SessionCompleted": {
        "sessionId": _TEXT,
        "domain": _TEXT,
        "sessionDuration": _EITHER,
        "reason": _TEXT,
        "ivrServer": _TEXT,
        "traceId": _TEXT,
        "httpTransactionId": _TEXT,
        **_SITE,
    },
    "Alarm": {
        "type": _TEXT,
        "domain": _TEXT,
        "sessionId": _TEXT,
        "error": _TEXT,
        "errorDetails": "many",
    },
}
_SOMETIMES = {
    "NewCall": {
        "displayName",
        "xHeaders",
        "pHeaders",
        "copyHeaders",
        "diversionHeaders",
        "referredBy",
        "paiNumber",
        "subject",
        *_SITE,
    },
    "CallNotify": {"monitoringParticipant", *_SITE},
    "CallAnswered": {
        "callingPartyExpires",
        "calledPartyExpires",
        "codec",
        "monitoringParticipant",
        "remoteRtpIp",
        "remoteRtpPort",
        *_SITE,
    },
    "CallEvent": {"sipResponseCode", "errorDescr", "sipReason", *_SITE},
    "GetIvrCommand": {name for name in TYPES["GetIvrCommand"] if name.startswith("dtmf")} | {*_SITE},
    "GetCallIdentifier": {*_SITE},
    "NewRemoteCall": {"telephoneEventPayloadType", "crypto"},
    "RecordingReady": {"fileSize", "reason"},
    "SessionCompleted": {*_SITE},
    "Alarm": {"errorDetails"},
}
FORMS: dict[str, object] = {
    "NewCall.srcAddr:pattern": "the caller's",
    "NewRemoteCall.remoteRtpPort:minimum": -1,
    "NewRemoteCall.remoteRtpPort:maximum": 65536,
    "NewRemoteCall.telephoneEventPayloadType:minimum": -1,
    "NewRemoteCall.telephoneEventPayloadType:maximum": 128,
    "CallEvent.sipResponseCode:minimum": 99,
    "CallEvent.sipResponseCode:maximum": 700,
    "RecordingReady.fileSize:minimum": -1,
} | {f"{schema}.ivrServer:pattern": "node one" for schema in TYPES if "ivrServer" in TYPES[schema]}

Members = dict[str, Any]


def on_callback(system: Any, callback: str, change: Callable[[Members], Members | None]) -> None:
    """Change the members of each callback of that name before it is sent."""

    def compose(really: Callable[[str, Members], Members | None], name: str, members: Members) -> Members | None:
        composed = really(name, members)
        return change(composed) if composed is not None and name == callback else composed

    wrap(system.callbacks, "compose", compose)


def changed(members: Members, path: str, value: object) -> Members:
    """A copy with the member at `path` replaced, where there is one."""
    name, point, rest = path.partition(".")
    if name not in members:
        return members
    return members | {name: changed(members[name], rest, value) if point else value}


def without(members: Members, path: str) -> Members:
    return {name: value for name, value in members.items() if name != path}


def _replaced(callback: str, path: str, value: object, system: Any) -> None:
    on_callback(system, callback, lambda members: changed(members, path, value))


def _left_out(callback: str, path: str, system: Any) -> None:
    on_callback(system, callback, lambda members: without(members, path))


def _named(callback: str, path: str, ending: str) -> str:
    return f"{callback}-{path}-{ending}".replace(".", "-")


for _schema, _members in TYPES.items():
    _callback = CALLBACKS[_schema]
    for _path, _value in _members.items():
        collect.add(
            _named(_callback, _path, "type"),
            f"MS-{_schema}.{_path}",
            f"{_path} of {_callback} is {_value!r}",
            partial(_replaced, _callback, _path, _value),
        )
        if _path not in _SOMETIMES[_schema]:
            collect.add(
                _named(_callback, _path, "missing"),
                f"MS-{_schema}.{_path}:required",
                f"{_callback} comes without {_path}",
                partial(_left_out, _callback, _path),
            )
collect.add(
    "newCall-callingPartyPrivacy-unlisted",
    "MS-NewCall.callingPartyPrivacy",
    "callingPartyPrivacy of newCall is neither public nor secret",
    partial(_replaced, "newCall", "callingPartyPrivacy", "hidden"),
)
for _form, _value in FORMS.items():
    _schema, _, _rest = _form.partition(".")
    _path, _, _keyword = _rest.partition(":")
    collect.add(
        _named(CALLBACKS[_schema], _path, _keyword),
        f"MS-{_form}",
        f"{_path} of {CALLBACKS[_schema]} is {_value!r}",
        partial(_replaced, CALLBACKS[_schema], _path, _value),
    )
