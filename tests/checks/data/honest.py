"""Calls as honest strangers make them: nothing here breaks a promise, whatever it looks like. See make.py."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator

from tests.checks.data.scenes import (
    BEGIN,
    Line,
    Scene,
    call_log,
    connected_call,
    ivr_call,
    monitored_call,
    push,
    reference_scene,
    remote_call,
)


def honest() -> Iterator[tuple[str, Scene, list[str]]]:
    """Name, scene, and clauses that it must pass."""
    ivr = ["MS-newCall", "MS-newCall-action-ivr", "MS-session-completed", "MS-session-completed-once", "MS-hangup"]
    yield "ivr-call", ivr_call(), [*ivr, "MS-alarm-only-when-unexpected", "MS-newCall-sessionReferenceId"]
    yield "ivr-call-other-ids", ivr_call("0b7f…é", "x@[::1]", "ivr+49"), ivr
    yield "ivr-call-compact-headers", _sip(ivr_call(), compact), ivr
    yield "ivr-call-folded-and-shouted-headers", _sip(ivr_call(), shouted), ivr
    yield "ivr-call-members-shuffled-and-more", _callbacks(ivr_call(), shuffled), ivr
    yield "ivr-call-retransmissions", retransmitted(ivr_call()), ivr
    yield "ivr-call-trace-before-recorder", skewed(ivr_call(), "sip", -0.03), ivr
    yield "ivr-call-recorder-before-trace", skewed(ivr_call(), "callback", -0.03), ivr
    yield "ivr-call-slow", slow(ivr_call(), 1.9), ivr
    yield "ivr-call-183-and-180", ringing(ivr_call()), ivr
    yield "ivr-call-reference-as-text", reference_as_text(ivr_call()), ["MS-newCall-sessionReferenceId"]
    connected = [
        "MS-newCall-action-call", "MS-newCall-call-destAddr", "MS-callNotify-ringing", "MS-callAnswered",
        "MS-callEvent-calledPartyDrop", "MS-callEvent-action-drop", "MS-callEvent-dropCode", "MS-traceId-constant",
        "MS-session-completed",
    ]  # fmt: skip
    yield "connected-call", connected_call(), connected
    yield "connected-call-more-uri-parameters", _sip(connected_call(), with_parameters), connected
    yield "connected-call-retransmissions", retransmitted(connected_call()), connected
    yield (
        "connected-call-refused",
        connected_call(603),
        ["MS-callEvent-calledPartyFailure", "MS-callEvent-sipResponseCode"],
    )
    monitored = ["MS-newCall-call-monitorDestAddr", "MS-monitoringParticipant-true", "MS-monitoringParticipant-false"]
    yield "monitored-call", monitored_call(), monitored
    yield "two-calls-at-once", two_calls(), ["MS-sessionId-distinct", "MS-session-completed-once"]
    pushes = ["VX-push-each-call", "VX-push-once", "VX-push-own-log-id", "VX-push-direction", "VX-push-subscription-id"]
    yield "call-log", call_log(), [*pushes, "VX-push-exact-url", "VX-push-party-number"]
    yield "call-log-batched", batched(call_log()), ["VX-push-subscription-id", "VX-push-own-log-id"]
    yield "call-log-retried", retried(call_log()), ["VX-push-each-call", "VX-push-own-log-id"]
    references = ["MS-placeivrcall-sessionReferenceId", "MS-replyId-accepted", "MS-domain-tenant"]
    yield "placed-ivr-call", reference_scene(), [*references, "MS-placeivrcall-destAddr", "MS-sessionId-constant"]
    remote = ["MS-answerremotecall-sessionReferenceId", "MS-newRemoteCall-replyId-accepted", "MS-traceId-constant"]
    yield "remote-call", remote_call(), [*remote, "MS-answerremotecall-answers", "MS-hangupcall-after-answer"]


def compact(text: str) -> str:
    short = {"From": "f", "To": "t", "Via": "v", "Call-ID": "i", "Contact": "m", "Content-Length": "l"}
    return re.sub(r"(?m)^([A-Za-z-]+): ", lambda found: f"{short.get(found[1], found[1])}: ", text)


def shouted(text: str) -> str:
    text = re.sub(r"(?m)^([A-Za-z-]+): ", lambda found: f"{found[1].upper()} :\r\n  ", text)
    return text.replace("\r\n  SIP/2.0", " SIP/2.0")


def with_parameters(text: str) -> str:
    return re.sub(r"^(INVITE sip:[^ ]+) ", r"\1;transport=udp;user=phone ", text)


def shuffled(body: str) -> str:
    if not body:
        return body
    members = [*json.loads(body).items(), ("anythingElse", {"x": [1, None]})]
    random.Random(7).shuffle(members)
    return json.dumps(dict(members), indent=1)


def retransmitted(scene: Scene) -> Scene:
    """Every SIP message comes again half a second later."""
    for line in [line for line in scene.lines if line["kind"] == "sip"]:
        scene.lines.append({**line, "at": line["at"] + 0.5, "seq": len(scene.lines)})
    return scene


def skewed(scene: Scene, kind: str, seconds: float) -> Scene:
    """One observer's clock is off by less than what is allowed."""
    for line in scene.lines:
        if line["kind"] == kind:
            line["at"] += seconds
            if kind == "callback":
                line["ended"] += seconds
    return scene


def slow(scene: Scene, factor: float) -> Scene:
    for line in scene.lines:
        line["at"] = BEGIN + (line["at"] - BEGIN) * factor
        if line.get("ended"):
            line["ended"] = line["at"] + 0.4
    return scene


def ringing(scene: Scene) -> Scene:
    """Early media, then ringing, before the answer."""
    trying = next(line for line in scene.lines if line.get("text", "").startswith("SIP/2.0 100"))
    for at, status in ((0.015, "183 Session Progress"), (0.02, "180 Ringing")):
        scene.sip(at, "in", trying["text"].replace("100 Trying", status))
    return scene


def reference_as_text(scene: Scene) -> Scene:
    """The documents give the reference three types: the platform may send the JSON text of the object."""

    def changed(body: str) -> str:
        members = json.loads(body) if body else {}
        if "sessionReferenceId" in members:
            members["sessionReferenceId"] = json.dumps(members["sessionReferenceId"])
        return json.dumps(members)

    return _callbacks(scene, changed)


def two_calls() -> Scene:
    first, second = ivr_call("s-1", "1-1@a", "ivr-a"), ivr_call("s-2", "2-1@a", "ivr-b", "trace-2")
    first.note(0.4, "several-calls")
    for line in second.lines:
        first.lines.append({**line, "at": line["at"] + 0.5, "seq": len(first.lines)})
    return first


def batched(scene: Scene) -> Scene:
    """Both calls are reported in one push after the second."""
    pushes = [line for line in scene.lines if line["kind"] == "callback"]
    first, last = pushes
    last["request"]["body"] = json.dumps(push(1, 2))
    scene.lines.remove(first)
    second_call = next(line for line in scene.lines if line["kind"] == "note" and line["at"] > BEGIN + 5)
    earlier = 5.5
    for line in scene.lines:
        if BEGIN + 19 > line["at"] >= second_call["at"]:
            line["at"] -= earlier
    last["ended"] = last["at"] + 0.01
    return scene


def retried(scene: Scene) -> Scene:
    """The receiver failed once, and the same push comes again."""
    line = next(line for line in scene.lines if line["kind"] == "callback")
    failed: Line = {**line, "at": line["at"] - 0.05, "ended": line["at"] - 0.04, "seq": len(scene.lines)}
    failed["response"] = {**line["response"], "status": 500}
    scene.lines.append(failed)
    return scene


def _sip(scene: Scene, change: Callable[[str], str]) -> Scene:
    for line in scene.lines:
        if line["kind"] == "sip":
            line["text"] = change(line["text"])
    return scene


def _callbacks(scene: Scene, change: Callable[[str], str]) -> Scene:
    for line in scene.lines:
        if line["kind"] == "callback":
            line["request"]["body"] = change(line["request"]["body"])
    return scene
