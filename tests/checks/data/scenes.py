"""Builds the scenes of this folder: calls as a faultless platform makes them, event by event. See make.py."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

BEGIN = 1_760_000_000.0
AGENT, PLATFORM, RECORDER = "127.0.0.1:5071", "127.0.0.1:5060", "http://127.0.0.1:8089/cb"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 20000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)

Line = dict[str, Any]


class Scene:
    """Events in the order in which they are added; `at` counts seconds from the beginning."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.lines: list[Line] = []

    def add(self, at: float, kind: str, **members: Any) -> Line:
        line = {"kind": kind, "at": BEGIN + at, "seq": len(self.lines), **members}
        self.lines.append(line)
        return line

    def note(self, at: float, topic: str, **data: Any) -> Line:
        return self.add(at, "note", topic=topic, text="", data=data)

    def http(
        self, at: float, method: str, url: str, operation: str, body: Any = None, status: int = 200, answer: Any = None
    ) -> Line:
        return self.add(
            at, "http", system=self.system, request=_request(method, url, body), response=_response(status, answer),
            ended=BEGIN + at + 0.02, failure=None, about={"auth": "valid", "operation": operation},
        )  # fmt: skip

    def callback(
        self, at: float, name: str, body: Any, answer: Any = None, *, status: int = 200, base: str = RECORDER,
        method: str = "POST", **about: str,
    ) -> Line:  # fmt: skip
        return self.add(
            at, "callback", system="", request=_request(method, f"{base}/{name}".rstrip("/"), body),
            response=_response(status, answer), ended=BEGIN + at + 0.005, failure=None, about={"route": "1", **about},
        )  # fmt: skip

    def sip(self, at: float, direction: str, text: str, agent: str = "caller") -> Line:
        return self.add(
            at, "sip", agent=agent, direction=direction, local=AGENT, remote=PLATFORM, text=text, transport="udp",
            repeats=0,
        )  # fmt: skip


def _request(method: str, url: str, body: Any) -> Line:
    headers = [["Content-Type", "application/json"]] if body is not None else []
    return {"method": method, "url": url, "headers": headers, "body": _text(body)}


def _response(status: int, answer: Any) -> Line:
    body = _text(answer)
    headers = [["Content-Type", "application/json"], ["Content-Length", str(len(body))]]
    headers.append(["Access-Control-Allow-Origin", "*"])
    return {"status": status, "headers": headers, "body": body, "reason": "", "truncated": False}


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def sip_text(start: str, headers: Iterable[str], body: str = "") -> str:
    kind = ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([start, *headers, *kind, f"Content-Length: {len(body)}", "", body])


class Leg:
    """One SIP call as one agent sees it; `out`: the agent calls."""

    def __init__(
        self, scene: Scene, call_id: str, *, user: str, caller: str = "+15550101", out: bool = True,
        agent: str = "caller", extra: Iterable[str] = (), uri: str | None = None,
    ) -> None:  # fmt: skip
        self.scene, self.call_id, self.out, self.agent, self.extra = scene, call_id, out, agent, list(extra)
        self.uri = uri or f"sip:{user}@{PLATFORM if out else AGENT}"
        self.caller, self.user = f'"Alice" <sip:{caller}@127.0.0.1>;tag=c1', f"<{self.uri}>"

    def _headers(self, number: int, method: str, *, by_caller: bool, tagged: bool) -> list[str]:
        callee = self.user + (";tag=d1" if tagged else "")
        near, far = (self.caller, callee) if by_caller else (callee, self.caller)
        return [
            f"Via: SIP/2.0/UDP 127.0.0.1:5071;branch=z9hG4bK-{self.call_id}-{number}-{method}", f"From: {near}",
            f"To: {far}", f"Call-ID: {self.call_id}", f"CSeq: {number} {method}", "Contact: <sip:a@127.0.0.1:5071>",
        ]  # fmt: skip

    def _way(self, *, by_caller: bool) -> str:
        return "out" if by_caller == self.out else "in"

    def invite(self, at: float) -> Line:
        headers = [*self._headers(1, "INVITE", by_caller=True, tagged=False), *self.extra]
        return self.scene.sip(
            at, self._way(by_caller=True), sip_text(f"INVITE {self.uri} SIP/2.0", headers, SDP), self.agent
        )

    def answer(self, at: float, status: int, phrase: str = "", method: str = "INVITE", number: int = 1) -> Line:
        headers = self._headers(number, method, by_caller=True, tagged=status > 100)
        body = SDP if method == "INVITE" and status == 200 else ""
        return self.scene.sip(
            at, self._way(by_caller=False), sip_text(f"SIP/2.0 {status} {phrase}".strip(), headers, body), self.agent
        )

    def request(self, at: float, method: str, *, by_caller: bool, extra: Iterable[str] = ()) -> Line:
        headers = [
            *self._headers(1 if method in ("ACK", "CANCEL") else 2, method, by_caller=by_caller, tagged=True),
            *extra,
        ]
        return self.scene.sip(
            at, self._way(by_caller=by_caller), sip_text(f"{method} {self.uri} SIP/2.0", headers), self.agent
        )


def new_call(session: str, call_id: str, user: str, **members: Any) -> Line:
    return {
        "sessionId": session, "sipCallId": call_id, "ivrServer": "192.0.2.1", "callingPartyPrivacy": "public",
        "callingParty": "+15550101", "displayName": "Alice", "fromUser": "+15550101", "calledParty": user,
        "srcAddr": "127.0.0.1", **members,
    }  # fmt: skip


def completed(session: str, **members: Any) -> Line:
    return {
        "sessionId": session, "domain": "customer.example.org", "sessionDuration": "2", "reason": "completed",
        "ivrServer": "192.0.2.1", "traceId": "trace-1", "httpTransactionId": f"tx-{session}-9", **members,
    }  # fmt: skip


def ivr_call(
    session: str = "s-1", call_id: str = "1-4711@127.0.0.1", user: str = "ivr-menu", trace: str = "trace-1"
) -> Scene:
    """A caller reaches the IVR, hears one prompt, then one that ends the call."""
    scene = Scene("mediaservice")
    leg = Leg(scene, call_id, user=user)
    reference = {"order": 4711}
    leg.invite(0.0)
    leg.answer(0.002, 100, "Trying")
    command = {
        "sessionId": session, "sessionReferenceId": reference, "ivrServer": "192.0.2.1", "dtmfBuffer": "",
        "replyId": "r-1",
    }  # fmt: skip
    scene.callback(
        0.01, "newCall", new_call(session, call_id, user), {"action": "ivr", "sessionReferenceId": reference}
    )
    leg.answer(0.03, 200, "OK")
    leg.request(0.031, "ACK", by_caller=True)
    prompt = {"sessionId": session, "replyId": "r-1", "phrases": [{"fileName": "welcome.wav"}]}
    scene.callback(0.04, "getIvrCommand", command, prompt)
    scene.callback(1.2, "getIvrCommand", command, {**prompt, "hangup": True})
    leg.request(2.2, "BYE", by_caller=False)
    leg.answer(2.201, 200, "OK", "BYE", 2)
    scene.callback(2.25, "sessionCompleted", completed(session, sessionReferenceId=reference, traceId=trace))
    scene.note(15.0, "end")
    return scene


def connected_call(refused: int | None = None) -> Scene:
    """The application has the caller connected with a destination, which answers and hangs up (or refuses)."""
    scene = Scene("mediaservice")
    caller = Leg(scene, "a-1@127.0.0.1", user="ivr-desk")
    callee = Leg(scene, "b-1@192.0.2.1", user="+15550200", out=False, agent="callee")
    ids = {"sessionId": "s-2", "ivrServer": "192.0.2.1"}
    caller.invite(0.0)
    scene.callback(
        0.01, "newCall", new_call("s-2", "a-1@127.0.0.1", "ivr-desk"),
        {"action": "call", "destAddr": f"sip:+15550200@{AGENT}"},
    )  # fmt: skip
    callee.invite(0.03)
    callee.answer(0.04, 180, "Ringing")
    scene.callback(0.06, "callNotify", {
        **ids, "event": "ringing", "monitoringParticipant": False, "participantId": "p-2", "user": "+15550200",
        "remoteUser": "+15550101", "remoteParticipantId": "p-1", "sipCallId": "b-1@192.0.2.1", "traceId": "trace-1",
    })  # fmt: skip
    caller.answer(0.07, 180, "Ringing")
    event = {
        **ids, "connectionId": "c-1", "domain": "customer.example.org", "participantId": "p-2", "user": "+15550200",
        "remoteParticipantId": "p-1", "remoteUser": "+15550101",
    }  # fmt: skip
    if refused:
        callee.answer(0.5, refused, "No")
        callee.request(0.501, "ACK", by_caller=True)
        scene.callback(
            0.55, "callEvent", {**event, "event": "calledPartyFailure", "sipResponseCode": refused}, {"action": "drop"}
        )
        caller.answer(0.6, 486, "Busy Here")
        caller.request(0.601, "ACK", by_caller=True)
        scene.callback(0.65, "sessionCompleted", completed("s-2"))
        scene.note(15.0, "end")
        return scene
    callee.answer(0.5, 200, "OK")
    callee.request(0.51, "ACK", by_caller=True)
    caller.answer(0.52, 200, "OK")
    caller.request(0.521, "ACK", by_caller=True)
    scene.callback(0.55, "callAnswered", {
        "callingPartyNumber": "+15550101", "callerParticipantId": "p-1", "calleeParticipantId": "p-2",
        "remotePartyNumber": "+15550200", "connectionId": "c-1", "monitoringParticipant": False, "replyId": "r-7",
        "traceId": "trace-1", "httpTransactionId": "tx-1",
    })  # fmt: skip
    callee.request(2.0, "BYE", by_caller=False)
    scene.callback(2.05, "callEvent", {**event, "event": "calledPartyDrop"}, {"action": "drop", "dropCode": "busy"})
    caller.request(2.1, "BYE", by_caller=False, extra=["Reason: Q.850;cause=17"])
    scene.callback(2.2, "sessionCompleted", completed("s-2"))
    scene.note(15.0, "end")
    return scene


def monitored_call() -> Scene:
    """The same with a third party that listens: told as a monitoring participant."""
    scene = connected_call()
    newcall = next(line for line in scene.lines if line["kind"] == "callback")
    answer = {"action": "call", "destAddr": f"sip:+15550200@{AGENT}", "monitorDestAddr": f"sip:+15550300@{AGENT}"}
    newcall["response"] = _response(200, answer)
    monitor = Leg(scene, "m-1@192.0.2.1", user="+15550300", out=False, agent="monitor")
    monitor.invite(0.7)
    monitor.answer(0.8, 200, "OK")
    monitor.request(0.81, "ACK", by_caller=True)
    scene.callback(0.82, "callAnswered", {
        "callingPartyNumber": "+15550101", "callerParticipantId": "p-1", "calleeParticipantId": "p-3",
        "remotePartyNumber": "+15550300", "connectionId": "c-2", "monitoringParticipant": True, "replyId": "r-8",
        "traceId": "trace-1", "httpTransactionId": "tx-2",
    })  # fmt: skip
    monitor.request(2.1, "BYE", by_caller=True)
    return scene


def reference_scene() -> Scene:
    """placeIvrCall with a reference; the command that it asks for is interrupted; the callee hangs up."""
    scene = Scene("mediaservice")
    callee = Leg(scene, "p-1@192.0.2.1", user="+15550200", out=False, agent="callee")
    base, reference = "http://127.0.0.1:8090/customer.example.org", "order-1"
    placed = {"destAddr": f"sip:+15550200@{AGENT}", "sessionReferenceId": reference, "sipFrom": "+15550101"}
    scene.http(0.0, "POST", f"{base}/placeivrcall", "placeIvrCall", placed, 200, {"success": True})
    callee.invite(0.05)
    callee.answer(0.06, 200, "OK")
    callee.request(0.07, "ACK", by_caller=True)
    scene.callback(0.08, "callAnswered", {
        "callingPartyNumber": "+15550101", "callerParticipantId": "p-1", "calleeParticipantId": "p-2",
        "remotePartyNumber": "+15550200", "connectionId": "c-1", "monitoringParticipant": False, "replyId": "r-7",
        "sessionReferenceId": reference, "traceId": "trace-1", "httpTransactionId": "tx-1",
    })  # fmt: skip
    command = {
        "sessionId": "s-3", "sessionReferenceId": reference, "ivrServer": "192.0.2.1", "dtmfBuffer": None,
        "replyId": "r-8",
    }  # fmt: skip
    scene.callback(0.2, "getIvrCommand", command, {"sessionId": "s-3", "replyId": "r-8"})
    ended = {"replyId": "r-7", "participantId": "p-2"}
    line = scene.http(1.0, "POST", f"{base}/hangupparticipant", "hangupParticipant", ended, 200, {"success": True})
    line["about"]["expect"] = "success"
    callee.request(1.1, "BYE", by_caller=True)
    scene.callback(1.2, "sessionCompleted", completed("s-3", sessionReferenceId=reference))
    scene.note(15.0, "end")
    return scene


def remote_call() -> Scene:
    """A call arrives at the cloud SIP user agent; the application rings, answers and hangs up."""
    scene = Scene("mediaservice")
    leg = Leg(scene, "u-1@127.0.0.1", user="ua-1")
    base = "http://127.0.0.1:8090/customer.example.org"
    leg.invite(0.0)
    told = {
        "httpTransactionId": "tx-1", "sessionId": "s-4", "replyId": "r-9", "traceId": "trace-4",
        "domain": "customer.example.org", "ivrServer": "192.0.2.1", "callId": "u-1@127.0.0.1", "codec": "PCMA",
        "destinationUri": leg.uri, "sourceUser": "+15550101", "remoteRtpIp": "127.0.0.1", "remoteRtpPort": 20000,
        "telephoneEventPayloadType": 101,
    }  # fmt: skip
    scene.callback(0.02, "newRemoteCall", told)
    reply = {"replyId": "r-9"}
    scene.http(0.1, "POST", f"{base}/sendremotecallringback", "sendRemoteCallRingback", reply, 200, {"success": True})
    leg.answer(0.13, 180, "Ringing")
    answered = {**reply, "codec": "PCMA", "receiveIp": "127.0.0.1", "receivePort": 30000, "sessionReferenceId": "ref-4"}
    scene.http(0.5, "POST", f"{base}/answerremotecall", "answerRemoteCall", answered, 200, {"success": True})
    leg.answer(0.55, 200, "OK")
    leg.request(0.551, "ACK", by_caller=True)
    scene.http(2.0, "POST", f"{base}/hangupcall", "hangupCall", reply, 200, {"success": True})
    leg.request(2.05, "BYE", by_caller=False)
    scene.callback(2.1, "sessionCompleted", completed("s-4", traceId="trace-4", sessionReferenceId="ref-4"))
    scene.note(12.0, "end")
    return scene


def call_log() -> Scene:
    """A VTX user calls, answered for two seconds, and the call log is pushed; then again."""
    scene = Scene("vtx")
    url = f"{RECORDER}/push-x"
    created = {
        "id": "sub-1", "resourceType": "CALL_LOG", "resourceIds": ["4711"], "userIds": [4711], "notificationUrl": url,
        "expires": "2030-01-01T00:00:00Z", "creatorId": "login", "creatorRole": "USER", "creatorIsImpersonated": False,
        "applicationId": "app", "created": "2025-10-09T08:53:20Z", "modified": "2025-10-09T08:53:20Z",
    }  # fmt: skip
    asked = {"expires": "2030-01-01T00:00:00Z", "notificationUrl": url, "resourceType": "CALL_LOG", "userIds": [4711]}
    scene.http(0.0, "POST", "http://127.0.0.1:8090/openapi/v1/subscriptions", "createSubscription", asked, 200,
               {"subscription": created})  # fmt: skip
    for number, start in enumerate((1.0, 10.0), 1):
        scene.note(start, "call", agent=f"a{number}", caller=4711, users=[4711], dialled="0215550199")
        leg = Leg(scene, f"v-{number}@127.0.0.1", user="0215550199", agent=f"a{number}")
        leg.invite(start + 0.01)
        leg.answer(start + 0.5, 200, "OK")
        leg.request(start + 2.5, "BYE", by_caller=True)
        scene.callback(start + 2.6, "push-x", push(number))
    scene.note(20.0, "end")
    return scene


def push(*numbers: int) -> Line:
    one = {"id": 4711, "name": "x"}
    return {
        "subscriptionId": "sub-1",
        "callLogEvents": [
            {
                "changeType": "CREATED", "eventTime": "2025-10-09T08:53:25.500+02:00",
                "callLog": {
                    "id": f"log-{number}", "userId": 4711, "direction": "OUTGOING", "callType": "VOICE", "status": 800,
                    "callStart": "2025-10-09T06:53:21Z", "duration": 2, "callPartyNumber": "+41215550199",
                    "callPartyDialNumber": "0215550199",
                },
                "context": {"user": one, "site": one, "enterprise": one, "serviceProvider": one},
            }
            for number in numbers
        ],
    }  # fmt: skip
