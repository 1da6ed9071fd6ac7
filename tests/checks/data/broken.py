"""The calls of scenes.py with one promise broken in each, or with too little left to decide it. See make.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.checks.data.scenes import (
    BEGIN,
    Line,
    Scene,
    call_log,
    completed,
    connected_call,
    ivr_call,
    monitored_call,
    push,
    reference_scene,
    remote_call,
)

COMMAND = {
    "sessionId": "s-1", "sessionReferenceId": {"order": 4711}, "ivrServer": "192.0.2.1", "dtmfBuffer": "", "replyId": "r-1",
}  # fmt: skip

Case = tuple[str, Scene, list[str], list[str]]


def broken() -> Iterator[Case]:
    """Name, scene, all clauses that it fails, and clauses that it leaves undecided."""
    yield from _payloads()
    yield from _ivr()
    yield from _connected()
    yield from _correlation()
    yield from _pushes()


def _payloads() -> Iterator[Case]:
    body = ["MS-newCall.body"]
    yield "callback-not-json", edit(ivr_call(), "newCall", body="{]"), [*body, "MS-newCall"], []
    yield (
        "callback-form-encoded",
        edit(ivr_call(), "sessionCompleted", kind="application/x-www-form-urlencoded"),
        ["MS-sessionCompleted.body"],
        [],
    )
    yield "callback-by-put", edit(ivr_call(), "sessionCompleted", method="PUT"), ["MS-callback-path"], []
    yield "callback-name-in-capitals", edit(ivr_call(), "sessionCompleted", path="SESSIONCOMPLETED"), [
        "MS-callback-path", "MS-session-completed"
    ], []  # fmt: skip
    wrong_type = change(connected_call(), "callNotify", monitoringParticipant="no")
    yield "callback-member-of-wrong-type", wrong_type, ["MS-CallNotify.monitoringParticipant"], []
    wrong_word = change(ivr_call(), "newCall", callingPartyPrivacy="hidden")
    yield "callback-value-outside-enum", wrong_word, [
        "MS-NewCall.callingPartyPrivacy", "MS-newCall-privacy-public"
    ], []  # fmt: skip
    cut = edit(ivr_call(), "sessionCompleted", length="4711")
    yield "callback-cut-short", cut, [], ["MS-sessionCompleted.body"]


def _ivr() -> Iterator[Case]:
    yield "no-session-completed", without(ivr_call(), "sessionCompleted"), ["MS-session-completed"], []
    late = moved(ivr_call(), "sessionCompleted", 8.0)
    yield "session-completed-late", late, ["MS-session-completed"], []
    twice = ivr_call()
    twice.callback(3.0, "sessionCompleted", completed("s-1", httpTransactionId="tx-x"))
    yield "session-completed-twice", twice, ["MS-session-completed-once"], []
    early = moved(ivr_call(), "sessionCompleted", 1.5)
    yield "session-completed-while-call-is-up", early, ["MS-session-completed-not-early", "MS-session-completed"], []
    after = ivr_call()
    after.callback(2.6, "getIvrCommand", COMMAND, {"sessionId": "s-1", "replyId": "r-1"})
    yield "command-after-session-completed", after, ["MS-session-completed-last"], []
    again = ivr_call()
    again.callback(2.0, "getIvrCommand", COMMAND, {"sessionId": "s-1", "replyId": "r-1"})
    yield "command-after-the-last", again, ["MS-hangup-no-more-commands"], []
    yield "no-new-call", without(ivr_call(), "newCall", "getIvrCommand"), ["MS-newCall"], []
    other = change(ivr_call(), "newCall", sipCallId="another")
    yield "new-call-with-another-call-id", other, ["MS-newCall-sipCallId"], []
    user = change(ivr_call(), "newCall", fromUser="+15550999")
    yield "new-call-with-another-from", user, ["MS-newCall-fromUser"], []
    short = until(without(ivr_call(), "sessionCompleted"), 4.0)
    yield "record-ends-before-the-deadline", short, [], ["MS-session-completed"]
    alarm = ivr_call()
    alarm.callback(1.5, "alarm", {"type": "callError", "domain": "customer.example.org", "sessionId": "s-1",
                                  "error": "invalidSdp"})  # fmt: skip
    yield "alarm-in-a-faultless-call", alarm, ["MS-alarm-only-when-unexpected"], []
    no_control = without(ivr_call(), "sessionCompleted")
    yield "absence-without-control", no_control, ["MS-session-completed"], ["MS-alarm-only-when-unexpected"]


def _connected() -> Iterator[Case]:
    yield "no-ringing-told", without(connected_call(), "callNotify"), ["MS-callNotify-ringing"], []
    yield "answered-told-too-early", moved(connected_call(), "callAnswered", 0.2), [
        "MS-callAnswered-on-answer", "MS-callAnswered"
    ], []  # fmt: skip
    dest = rewritten(connected_call(), "INVITE sip:+15550200@", "INVITE sip:+15550999@")
    yield "another-destination-invited", dest, ["MS-newCall-call-destAddr"], []
    unreasoned = rewritten(connected_call(), "Reason: Q.850;cause=17\r\n", "")
    yield "bye-without-reason", unreasoned, ["MS-callEvent-dropCode"], []
    code = change(connected_call(603), "callEvent", sipResponseCode=486)
    yield "another-response-code-told", code, ["MS-callEvent-sipResponseCode"], []
    same = change(connected_call(), "sessionCompleted", httpTransactionId="tx-1")
    yield "transaction-id-twice", same, ["MS-httpTransactionId-unique"], []
    trace = change(connected_call(), "sessionCompleted", traceId="trace-2")
    yield "completed-with-another-trace", trace, ["MS-traceId-constant"], []
    unheard = without_agent(monitored_call(), "monitor")
    yield "no-monitoring-leg", unheard, ["MS-newCall-call-monitorDestAddr"], []
    untold = change(monitored_call(), "callAnswered", monitoringParticipant=False)
    untold = change(untold, "callNotify", monitoringParticipant=False)
    yield "monitoring-leg-not-told", untold, ["MS-monitoringParticipant-true"], []
    kept = without_sip(connected_call(), "BYE", "in", "caller")
    yield "other-side-not-hung-up", kept, ["MS-callEvent-action-drop", "MS-callEvent-dropCode"], []


def _correlation() -> Iterator[Case]:
    other = change(connected_call(), "callEvent", sessionId="s-9")
    yield "another-session-id", other, ["MS-sessionId-constant", "MS-callEvent-calledPartyDrop"], []
    trace = change(remote_call(), "sessionCompleted", traceId="trace-9")
    yield "remote-call-with-two-traces", trace, ["MS-traceId-constant"], []
    domain = change(remote_call(), "newRemoteCall", domain="elsewhere.example.org")
    yield "another-domain", domain, ["MS-domain-tenant"], []
    refused = reference_scene()
    operation(refused, "hangupParticipant")["response"]["body"] = '{"success": false}'
    yield "reply-id-refused", refused, ["MS-replyId-accepted"], []
    reference = change(reference_scene(), "sessionCompleted", sessionReferenceId="order-2")
    yield "another-reference", reference, ["MS-placeivrcall-sessionReferenceId"], []
    gone = change(remote_call(), "sessionCompleted", sessionReferenceId=None)
    yield "reference-lost", gone, ["MS-answerremotecall-sessionReferenceId"], []
    swapped = change(ivr_call(), "getIvrCommand", sessionReferenceId="x")
    yield "another-reference-than-answered", swapped, ["MS-newCall-sessionReferenceId"], []
    invented = change(connected_call(), "sessionCompleted", sessionReferenceId="x")
    yield "reference-that-nobody-gave", invented, ["MS-sessionReferenceId-not-invented"], []
    two, second = ivr_call("s-1", "1-1@a", "ivr-a"), ivr_call("s-2", "2-1@a", "ivr-b")
    two.note(0.4, "several-calls")
    two.lines += [{**line, "at": line["at"] + 0.5} for line in second.lines]
    yield "two-calls-with-one-trace", two, ["MS-traceId-distinct"], []


def _pushes() -> Iterator[Case]:
    yield "no-push", without(call_log(), "push-x"), [
        "VX-push-at-call-end", "VX-push-host", "VX-push-exact-url", "VX-push-each-call", "VX-push-once"
    ], []  # fmt: skip
    second = call_log()
    del second.lines[max(place for place, line in enumerate(second.lines) if line["kind"] == "callback")]
    yield "no-push-for-the-second-call", second, ["VX-push-each-call", "VX-push-once"], []
    twice = call_log()
    twice.callback(5.0, "push-x", push(7))
    yield "call-pushed-twice", twice, ["VX-push-once"], []
    same = call_log()
    for line in same.lines:
        if line["kind"] == "callback":
            line["request"]["body"] = json.dumps(push(1))
    yield "log-id-twice", same, ["VX-push-own-log-id"], []
    early = call_log()
    early.callback(2.0, "push-x", push(8))
    yield "push-while-call-is-up", early, ["VX-push-not-before-end", "VX-push-once"], []
    other = call_log()
    for line in other.lines:
        if line["kind"] == "callback":
            line["request"]["body"] = line["request"]["body"].replace('"OUTGOING"', '"INCOMING"')
    yield "wrong-direction", other, ["VX-push-direction"], []


def edit(scene: Scene, name: str, *, body: str | None = None, kind: str | None = None, method: str | None = None,
         path: str | None = None, length: str | None = None) -> Scene:  # fmt: skip
    """Change how a callback comes."""
    for line in named(scene, name):
        request = line["request"]
        request["body"] = request["body"] if body is None else body
        request["headers"] = [["Content-Type", kind or "application/json"]]
        request["headers"] += [["Content-Length", length]] if length else []
        request["method"] = method or request["method"]
        request["url"] = request["url"].replace(name, path or name)
    return scene


def change(scene: Scene, name: str, **members: Any) -> Scene:
    """Change members of a callback; None takes one away."""
    for line in named(scene, name):
        body = {**json.loads(line["request"]["body"]), **members}
        line["request"]["body"] = json.dumps({key: value for key, value in body.items() if value is not None})
    return scene


def named(scene: Scene, name: str) -> list[Line]:
    return [line for line in scene.lines if line["kind"] == "callback" and line["request"]["url"].endswith(f"/{name}")]


def operation(scene: Scene, name: str) -> Line:
    return next(line for line in scene.lines if line["kind"] == "http" and line["about"]["operation"] == name)


def without(scene: Scene, *names: str) -> Scene:
    gone = [id(line) for name in names for line in named(scene, name)]
    return _keep(scene, lambda line: id(line) not in gone)


def without_sip(scene: Scene, method: str, direction: str, agent: str) -> Scene:
    def kept(line: Line) -> bool:
        sip = line["kind"] == "sip" and line["direction"] == direction and line["agent"] == agent
        return not (sip and line["text"].startswith(f"{method} "))

    return _keep(scene, kept)


def without_agent(scene: Scene, agent: str) -> Scene:
    return _keep(scene, lambda line: line.get("agent") != agent)


def until(scene: Scene, seconds: float) -> Scene:
    return _keep(scene, lambda line: line["at"] <= BEGIN + seconds)


def moved(scene: Scene, name: str, seconds: float) -> Scene:
    for line in named(scene, name):
        line["at"], line["ended"] = BEGIN + seconds, BEGIN + seconds + 0.005
    return scene


def rewritten(scene: Scene, old: str, new: str) -> Scene:
    for line in scene.lines:
        if line["kind"] == "sip":
            line["text"] = line["text"].replace(old, new)
    return scene


def _keep(scene: Scene, kept: Callable[[Line], bool]) -> Scene:
    scene.lines = [line for line in scene.lines if kept(line)]
    return scene
