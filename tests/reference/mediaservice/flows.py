"""Small flows through a system in this process, each giving what an outsider saw of it; the faults are held against them.

What is seen is made of plain values without names, times and ids that differ from run to run, so that two runs of a
healthy system are alike, and a run of a faulty one is not.
"""

from __future__ import annotations

import asyncio
from typing import Any

from harness.reference.media import tone, wav_bytes
from harness.reference.mediaservice.calls.remote_sdp import DeviceMedia, read_media
from harness.reference.sip import CallFailed, OutgoingCall, Request
from tests.reference.mediaservice.application import Json
from tests.reference.mediaservice.bench import Bench
from tests.reference.mediaservice.phones import Party, early_media, picked_up, refuses, rings, until

Seen = dict[str, Any]
DROP = {"action": "drop", "dropCode": "busy"}
DEVICE = {"codec": "PCMU", "receiveIp": "127.0.0.9", "receivePort": 30000, "telephoneEventPayloadType": 99}
CRYPTO = [{"id": 1, "suite": "AES_CM_128_HMAC_SHA1_80", "config": "inline:abc"}]
_IDS = ("sessionId", "traceId", "participantId", "remoteParticipantId", "connectionId")
_FACTS = ("event", "error", "monitoringParticipant", "codec", "recordingFileName")
_LIMIT = 2.0


async def soon(work: Any, seconds: float = _LIMIT) -> bool:
    """Whether something comes to its end in a while; what fails counts as an end that did not come."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except (TimeoutError, AssertionError, CallFailed):
        return False
    return True


async def came(bench: Bench, name: str, count: int = 1, **having: Any) -> bool:
    return await soon(bench.app.wait(name, count, seconds=_LIMIT, **having), _LIMIT + 1)


def told(bench: Bench) -> Seen:
    """The callbacks: names, paths, and how their ids relate to those of the first one that has them."""
    known: dict[str, Any] = {}
    lines = []
    for one in bench.app.received:
        same = [known.setdefault(name, one.members[name]) == one.members[name] for name in _IDS if name in one.members]
        reference = one.members.get("sessionReferenceId")
        facts = [str(one.members.get(name)) for name in _FACTS]
        lines.append(f"{one.path} {same} {reference} {facts}")
    transactions = [
        one.members["httpTransactionId"] for one in bench.app.received if "httpTransactionId" in one.members
    ]
    return {"callbacks": sorted(lines), "transactions": len(set(transactions)) == len(transactions)}


def busy(party: Party, least: int = 5) -> bool:
    return len(party.loud) >= least


async def connected_call(bench: Bench) -> Seen:
    """A call that is connected, hung up by the caller, and dropped with a reason."""
    bench.app.answers["callEvent"] = DROP | {"sessionReferenceId": "two"}
    caller, bob, _ = await bench.connected(sessionReferenceId="one")
    caller.speak()
    heard = await soon(until(lambda: busy(bob), seconds=1))
    await caller.bye(("Reason", "SIP;cause=200"))
    dropped = await soon(bob.ended())
    reason = bob.reason
    await came(bench, "sessionCompleted")
    return {"heard": heard, "dropped": dropped, "reason": reason} | told(bench)


async def dropped_calls(bench: Bench) -> Seen:
    """Calls that are refused with each drop code."""
    statuses = []
    for code in ("busy", "error", "numberNotFound", "numberNotActive", "dropNoMsg", "temporarilyUnavailable"):
        bench.app.answers["newCall"] = {"action": "drop", "dropCode": code}
        bench.app.answers["getIvrCommand"] = {"hangup": True}
        party = await bench.start()
        try:
            async with asyncio.timeout(_LIMIT):
                await picked_up(party)
            statuses.append(200)
        except CallFailed as failed:
            statuses.append(failed.code)
    await came(bench, "sessionCompleted", 6)
    return {"statuses": statuses} | told(bench)


async def failed_call(bench: Bench) -> Seen:
    """A destination that refuses without ringing."""
    bench.app.answers["newCall"] = {"action": "call", "destAddr": bench.phones.phone("busy", refuses(486))}
    bench.app.answers["callEvent"] = DROP
    status = await bench.phones.refused("ivr", bench.sip)
    await came(bench, "sessionCompleted")
    return {"status": status} | told(bench)


async def cancelled_calls(bench: Bench) -> Seen:
    """One call that its caller gives up while the destination rings, and one that rings too long."""
    slow = bench.phones.phone("slow", rings)
    bench.app.answers |= {"newCall": {"action": "call", "destAddr": slow}, "callEvent": DROP}
    first = await bench.start()
    await came(bench, "callNotify")
    first.call.hangup()
    status = 0
    try:
        await picked_up(first)
    except CallFailed as failed:
        status = failed.code
    ends = [await soon((await bench.phones.called("slow")).ended(), 1)]
    bench.app.answers["newCall"] = {"action": "call", "destAddr": slow, "maxRingTime": 0.3}
    second = await bench.start()
    ends.append(await soon((await bench.phones.called("slow", 2)).ended(), 1))
    ended = await soon(second.call.ended(), 1)
    return {"status": status, "ends": ends, "ended": ended} | told(bench)


async def bad_answers(bench: Bench) -> Seen:
    """Answers of no use to newCall, callEvent and getIvrCommand, an address and a phrase without sense."""
    final = []
    for answer in (b"", {}, {"action": "dance"}, 500, {"action": "call", "destAddr": "0800"}):
        bench.app.answers["newCall"] = answer
        final.append(await soon((await bench.start()).call.ended()))
    bench.app.answers["newCall"] = {"action": "ivr"}
    for command in (b"", 500, {"phrases": [{}], "hangup": True}):
        bench.app.answers["getIvrCommand"] = command
        final.append(await soon((await bench.start()).call.ended()))
    await bench.start(sdp=b"v=0\r\nnonsense\r\n")
    for answer in (b"", {}, {"action": "dance"}, 500):
        bench.app.answers["callEvent"] = answer
        _, bob, _ = await bench.connected()
        await bob.bye()
    await came(bench, "sessionCompleted", 13)
    return {"final": final} | told(bench)


async def ringing_call(bench: Bench) -> Seen:
    """Ringback tones, and callAnswered only after the answer."""
    sounds: list[Any] = []
    for sound in ("default", "silent", "remoteGenerated"):
        slow = bench.phones.phone("slow", rings)
        bench.app.answers["newCall"] = {"action": "call", "destAddr": slow, "ringbackTone": sound, "maxRingTime": 0.4}
        bench.app.answers["callEvent"] = DROP
        party = await bench.start()
        await soon(until(lambda party=party: party.call.provisionals), 1)  # type: ignore[misc]
        assert isinstance(party.call, OutgoingCall)
        if party.call.remote_sdp:
            early_media(party)
        await soon(party.call.ended())
        sounds.append(([one.status for one in party.call.provisionals], busy(party)))
    return {"sounds": sounds} | told(bench)


async def adorned_call(bench: Bench) -> Seen:
    """A call with greeting, recording and monitoring leg."""
    await bench.put_file("g.wav", wav_bytes(tone("g", 0.2)))
    part = {"phrases": [{"fileName": "g.wav"}]}
    bench.app.answers["callEvent"] = DROP
    caller, bob, _ = await bench.connected(
        greeting={"playMode": "calleeFirst", "caller": part, "callee": part},
        callRecording=True,
        recordingFileName="r.wav",
        monitorDestAddr=bench.phones.uri("spy"),
    )
    greeted = [busy(caller), busy(bob)]
    first = bob.loud[:1] < caller.loud[:1]
    caller.speak()
    bob.speak()
    await asyncio.wait([asyncio.ensure_future(soon(until(lambda: busy(caller, 30)), 1))])
    spy = await soon(bench.phones.called("spy"), 1)
    await caller.bye()
    await came(bench, "sessionCompleted")
    size = (await bench.files()).get("r.wav", 0)
    direct = read_media(bob.request.body).port == caller.media.port
    return {"direct": direct, "greeted": greeted, "first": first, "spy": spy, "recorded": size > 2000} | told(bench)


async def led_on(bench: Bench, **answer: Any) -> Party:
    """A caller whose first destination has hung up, and for whom callEvent is now answered like this; then with a drop."""
    bench.app.answers["callEvent"] = [{"action": "call"} | answer, DROP]
    caller, bob, _ = await bench.connected()
    await bob.bye()
    return caller


async def adorned_second_call(bench: Bench) -> Seen:
    """The same for a call that an answer to callEvent sets up."""
    await bench.put_file("g.wav", wav_bytes(tone("g", 0.2)))
    part = {"phrases": [{"fileName": "g.wav"}]}
    caller = await led_on(
        bench,
        destAddr=bench.phones.uri("carol"),
        greeting={"caller": part, "callee": part},
        callRecording=True,
        recordingFileName="second.wav",
        monitorDestAddr=bench.phones.uri("spy"),
    )
    await came(bench, "callAnswered", 2)
    greeted = busy(caller)
    spy = await soon(bench.phones.called("spy"), 1)
    await caller.bye()
    await came(bench, "sessionCompleted")
    carol = await bench.phones.called("carol")
    direct = read_media(carol.request.body).port == caller.media.port
    return {"direct": direct, "greeted": greeted, "spy": spy, "files": sorted(await bench.files())} | told(bench)


async def ringing_second_call(bench: Bench) -> Seen:
    """Ringback tones for a caller who is connected already; giving up, and waiting in vain."""
    bench.phones.phone("slow", rings)
    seen: Seen = {}
    for count, sound in enumerate(("default", "silent", "remoteGenerated"), 1):
        caller = await led_on(bench, destAddr=bench.phones.uri("slow"), ringbackTone=sound, maxRingTime=0.4)
        ended = await soon((await bench.phones.called("slow", count)).ended(), 1)
        seen[sound] = [busy(caller), len(caller.heard) > 5, ended]
        await soon(caller.ended(), 1)
    caller = await led_on(bench, destAddr=bench.phones.uri("slow"))
    slow = await bench.phones.called("slow", 4)
    await caller.bye()
    seen["given up"] = await soon(slow.ended(), 1)
    return seen


async def listed_calls(bench: Bench) -> Seen:
    """A list of destinations, the first of which only rings, in the answers to newCall and to callEvent."""
    listed = [
        {"destAddr": bench.phones.phone("slow", rings), "maxRingTime": 0.3},
        {"destAddr": bench.phones.uri("bob")},
    ]
    answer = {"action": "call", "destAddr": listed, "maxRingTime": 3}
    bench.app.answers |= {"newCall": answer, "callEvent": [answer, DROP]}
    began = asyncio.get_running_loop().time()
    caller = await bench.start()
    seen: Seen = {"first": await came(bench, "callAnswered"), "soon": asyncio.get_running_loop().time() - began < 2}
    if seen["first"]:
        began = asyncio.get_running_loop().time()
        await (await bench.phones.called("bob")).bye()
        seen["second"] = await came(bench, "callAnswered", 2)
        seen["again"] = asyncio.get_running_loop().time() - began < 2
    caller.call.hangup()
    return seen


async def rejoined_call(bench: Bench) -> Seen:
    """A split whose parties are connected with each other again by the answer to callEvent."""
    caller, bob, answered = await bench.connected()

    async def decide(event: Json) -> Any:
        if event["event"] == "callerConnectionSplit":
            return {"action": "connect", "participantId": event["remoteParticipantId"]}
        await asyncio.sleep(0.5)
        return {"action": "ivr"}

    bench.app.answers |= {"callEvent": decide, "getIvrCommand": {"getIVRCommandAfter": 30}}
    await bench.post("splitconnection", connectionId=answered["connectionId"])
    seen: Seen = {"again": await came(bench, "callAnswered", 2)}
    caller.speak()
    seen["heard"] = await soon(until(lambda: busy(bob)), 1)
    return seen


async def split_call(bench: Bench) -> Seen:
    """A split: each is asked about, one goes to the IVR, the other is dropped; a foreign replyId does nothing."""
    caller, bob, answered = await bench.connected()

    async def decide(event: Json) -> Any:
        await asyncio.sleep(0.3)
        return {"action": "ivr"} if event["event"] == "callerConnectionSplit" else DROP

    bench.app.answers |= {"callEvent": decide, "getIvrCommand": {"getIVRCommandAfter": 30}}
    caller.speak()
    foreign = await bench.post("splitconnection", connectionId=answered["connectionId"], replyId="foreign")
    split = await bench.post("splitconnection", connectionId=answered["connectionId"])
    await came(bench, "callEvent", 2)
    heard = len(bob.loud)
    up = [not caller.call.over, not bob.call.over]
    dropped = await soon(bob.ended())
    commanded = await came(bench, "getIvrCommand")
    seen = {"foreign": foreign["success"], "split": split["success"], "up": up, "dropped": dropped}
    seen |= {"commanded": commanded, "caller": not caller.call.over, "deaf": len(bob.loud) <= heard + 2}
    return seen | told(bench)


async def hung_up_calls(bench: Bench) -> Seen:
    """Hanging up by operation: one participant, and the other side of one; another call goes on."""
    bench.app.answers["callEvent"] = {"action": "ivr"}
    bench.app.answers["getIvrCommand"] = {"getIVRCommandAfter": 30}
    other, _, _ = await bench.connected()
    first, bob, answered = await bench.connected()
    await bench.post("hangupparticipant", participantId=answered["callerParticipantId"], replyId=answered["replyId"])
    ended = [await soon(first.ended(), 1), bob.call.over]
    second, carol, answered = await bench.connected()
    await bench.post("hangupremoteparticipant", participantId=answered["callerParticipantId"])
    ended += [await soon(carol.ended(), 1), second.call.over]
    bench.app.answers["newCall"] = {"action": "ivr"}
    third = await bench.call("ivr-third")
    session = next(one for one in bench.app.all("newCall") if one["calledParty"] == "ivr-third")["sessionId"]
    await bench.post("hangupparticipant", sessionId=session)
    ended += [await soon(third.ended(), 1), other.call.over]
    return {"ended": ended}


async def led_on_call(bench: Bench) -> Seen:
    """After the called party hung up: call, connect, ivr and httpcall in turn."""
    bench.app.answers |= {"getIvrCommand": {"getIVRCommandAfter": 30}, "callEvent": {"action": "ivr"}}
    caller, bob, answered = await bench.connected()
    await bob.bye()
    seen: Seen = {"ivr": await came(bench, "getIvrCommand")}
    bench.app.answers["newCall"] = {"action": "connect", "participantId": answered["callerParticipantId"]}
    new = await bench.start()
    seen["connected"] = await soon(picked_up(new))
    new.speak()
    seen["heard"] = await soon(until(lambda: busy(caller)), 1)
    bench.app.answers["callEvent"] = {"action": "call", "destAddr": bench.phones.uri("carol")}
    new.call.hangup()
    seen["called"] = await soon(bench.phones.called("carol"), 1)
    if seen["called"]:
        carol = await bench.phones.called("carol")
        offers: list[Any] = []

        def reinvited(request: Request) -> bytes:
            offers.append(read_media(request.body))
            return DeviceMedia("PCMU", "127.0.0.1", 40000).sdp()

        caller.call.on_reinvite = reinvited
        carol.speak()
        seen["carol"] = await soon(until(lambda: busy(caller, 20)), 1)
        bench.app.answers["callEvent"] = {"action": "httpcall", **DEVICE, "receivePort": "30000"}
        await carol.bye()
        await soon(until(lambda: offers), 1)
        seen["offered"] = [(one.codec, one.address, one.port) for one in offers]
    return seen | told(bench)
