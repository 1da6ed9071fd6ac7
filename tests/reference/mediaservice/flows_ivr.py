"""More flows through a system in this process: the IVR, placed calls, recordings and remote calls; see `flows`."""

from __future__ import annotations

import asyncio

from harness.reference.media import silence, tone, wav_bytes
from harness.reference.mediaservice.calls.remote_sdp import DeviceMedia, read_media
from harness.reference.sip import OutgoingCall
from tests.reference.mediaservice.application import Json
from tests.reference.mediaservice.bench import Bench
from tests.reference.mediaservice.flows import CRYPTO, DEVICE, DROP, Seen, busy, came, soon, told
from tests.reference.mediaservice.phones import Party, refuses, rings, until


async def ivr_call(bench: Bench) -> Seen:
    """The IVR: two phrases, digits with each way of ending, a wait, a background prompt, the end."""
    await bench.put_file("p.wav", wav_bytes(tone("p", 0.3)))
    bench.app.files["b.wav"] = wav_bytes(tone("b", 0.1))
    play = {"phrases": [{"fileName": "p.wav"}]}
    commands: list[Json] = [
        play | {"getIVRCommandAfter": 0.4, "sessionReferenceId": "mine"},
        {"dtmf": {"flush": True, "maxDigits": 2, "firstTimeout": 1.5, "betweenTimeout": 1}},
        {"dtmf": {"terminationKey": "#", "maxDigits": 9, "firstTimeout": 1.5, "betweenTimeout": 1}},
        {"dtmf": {"flush": True, "maxDigits": 9, "firstTimeout": 0.2}},
        {"backgroundPrompt": {"url": f"{bench.app.url}/b.wav", "repeatPause": 0.1}, "getIVRCommandAfter": 0.4},
        {"backgroundPrompt": {"stop": True}, "getIVRCommandAfter": 0.2},
        play | {"hangup": True},
    ]
    bench.app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": commands}
    party = await bench.call()
    seen: Seen = {}
    for count, keys in ((2, "12"), (3, "3#")):
        await came(bench, "getIvrCommand", count)
        seen[f"loud{count}"] = round(len(party.loud) / 8)
        await party.press(keys)
    for count in (5, 6):
        await came(bench, "getIvrCommand", count)
        seen[f"loud{count}"] = round(len(party.loud) / 8)
    seen["ended"] = await soon(party.ended())
    await came(bench, "sessionCompleted")
    seen["loud"] = round(len(party.loud) / 8)
    seen["digits"] = [(one.get("dtmfBuffer"), one.get("dtmfParams")) for one in bench.app.all("getIvrCommand")]
    starts = [one.at for one in bench.app.received if one.name == "getIvrCommand"][:2]
    seen["waited"] = len(starts) > 1 and starts[1] - starts[0] > 0.6
    return seen | told(bench)


async def second_ivr_call(bench: Bench) -> Seen:
    """A silent phrase and a loud one that a digit does not interrupt, a collection that pauses end, and a late hang-up."""
    await bench.put_file("s.wav", wav_bytes(silence(0.5)))
    await bench.put_file("p.wav", wav_bytes(tone("p", 0.6)))
    commands: list[Json] = [
        {"phrases": [{"fileName": "s.wav"}, {"fileName": "p.wav"}], "dtmf": {"flush": True, "maxDigits": 1}},
        {"dtmf": {"flush": True, "maxDigits": 9, "firstTimeout": 3, "betweenTimeout": 0.2}},
        {"backgroundPrompt": {"fileName": "p.wav"}, "getIVRCommandAfter": 0.3},
        {"hangup": True},
    ]
    bench.app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": commands}
    party = await bench.call()
    await came(bench, "getIvrCommand")
    began = asyncio.get_running_loop().time()
    await soon(until(lambda: busy(party, 2)))
    seen: Seen = {"late": asyncio.get_running_loop().time() - began > 0.3}
    await party.press("1")
    await came(bench, "getIvrCommand", 2)
    seen["whole"] = len(party.loud) > 24
    await party.press("7")
    seen["paused"] = await soon(bench.app.wait("getIvrCommand", 3), 1)
    await came(bench, "getIvrCommand", 4)
    seen["ended"] = await soon(party.ended(), 1)
    return seen


async def interrupted_ivr(bench: Bench) -> Seen:
    """A phrase with barge-in, one without, and interruptions by operation; another session is left alone."""
    await bench.put_file("l.wav", wav_bytes(tone("l", 3.0)))
    long = {"phrases": [{"fileName": "l.wav"}]}
    dtmf = {"dtmf": {"maxDigits": 1, "firstTimeout": 1}}
    bench.app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": {"getIVRCommandAfter": 30}}
    await bench.call("ivr-other")
    await came(bench, "getIvrCommand")
    bench.app.answers["getIvrCommand"] = [long | dtmf | {"bargeIn": "current"}, long, {"getIVRCommandAfter": 30}]
    party = await bench.call("ivr-own")
    await soon(until(lambda: busy(party)), 1)
    await party.press("1")
    seen: Seen = {"barged": await soon(bench.app.wait("getIvrCommand", 3), 1)}
    heard = len(party.loud)
    await soon(until(lambda: busy(party, heard + 5)), 1)
    current = bench.app.all("getIvrCommand")[-1]
    answer = await bench.post("interruptivrcommand", replyId=current["replyId"], sessionId=current["sessionId"])
    seen |= {"interrupted": answer["success"], "next": await soon(bench.app.wait("getIvrCommand", 4), 1)}
    heard = len(party.loud)
    seen["others"] = await soon(bench.app.wait("getIvrCommand", 5), 0.3)
    seen["silent"] = len(party.loud) <= heard + 3
    return seen


async def caller_leaves_ivr(bench: Bench) -> Seen:
    """The caller hangs up while a phrase plays."""
    await bench.put_file("l.wav", wav_bytes(tone("l", 3.0)))
    bench.app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": {"phrases": [{"fileName": "l.wav"}]}}
    party = await bench.call()
    await soon(until(lambda: busy(party)), 1)
    await party.bye()
    await came(bench, "sessionCompleted")
    return told(bench)


async def placed_calls(bench: Bench) -> Seen:
    """Calls placed by operation: answered, refused, and ringing too long."""
    bench.app.answers["getIvrCommand"] = {"hangup": True}
    for user, taker in (("busy", refuses(486)), ("slow", rings)):
        bench.phones.phone(user, taker)
    seen: Seen = {}
    for count, user in enumerate(("bob", "busy", "slow"), 1):
        await bench.post("placeivrcall", destAddr=bench.phones.uri(user), maxRingTime=0.3, sessionReferenceId={"a": 1})
        seen[user] = [await soon(bench.phones.called(user), 1), await came(bench, "sessionCompleted", count)]
    if seen["slow"][0]:
        seen["cancelled"] = await soon((await bench.phones.called("slow")).ended(), 1)
    return seen | told(bench)


async def recorded_calls(bench: Bench) -> Seen:
    """A recording by operation, with a foreign replyId first, and one that ends with its call."""
    bench.app.answers["callEvent"] = DROP
    caller, _bob, answered = await bench.connected()
    own = {"connectionId": answered["connectionId"], "replyId": answered["replyId"]}
    seen: Seen = {"foreign": (await bench.post("startrecording", recordingFileName="f.wav", **own | {"replyId": "x"}))}
    seen["unknown"] = await bench.post("startrecording", recordingFileName="f.wav", **own | {"connectionId": "x"})
    seen["started"] = await bench.post("startrecording", recordingFileName="o.wav", **own)
    seen["not"] = [await bench.post("stoprecording", **own | {name: "x"}) for name in own]
    caller.speak()
    await soon(until(lambda: caller.media.stats.sent > 20), 1)
    seen["stopped"] = await bench.post("stoprecording", **own)
    await came(bench, "recordingReady")
    await bench.post("startrecording", recordingFileName="e.wav", **own)
    await caller.bye()
    await came(bench, "recordingReady", 2)
    await came(bench, "sessionCompleted")
    files = await bench.files()
    sizes = {one["recordingFileName"]: one["fileSize"] for one in bench.app.all("recordingReady")}
    return seen | {"sizes": sizes == files, "full": files.get("o.wav", 0) > 2000, "names": sorted(files)} | told(bench)


async def remote_calls(bench: Bench, twin: str = "", codec: str = "PCMU", placed: str = "GSM") -> Seen:
    """Two incoming remote calls: one rung, answered and hung up, one left waiting, then refused; and a placed one."""
    offer = DeviceMedia("PCMA", "127.0.0.8", 20000, 101).sdp()
    bench.app.answers["newRemoteCall"] = {"sessionReferenceId": "first"}
    first = await bench.start("ua1", sdp=offer)
    await came(bench, "newRemoteCall")
    second = await bench.start("ua2", sdp=offer)
    await came(bench, "newRemoteCall", 2)
    one, two = (item["replyId"] for item in bench.app.all("newRemoteCall"))
    assert isinstance(first.call, OutgoingCall)
    assert isinstance(second.call, OutgoingCall)
    seen: Seen = {"waits": not first.call.answered_at}
    await bench.post(f"sendremotecallringback{twin}", replyId=one)
    await soon(until(lambda: first.call.provisionals), 0.5)  # type: ignore[attr-defined]
    seen["rung"] = [[item.status for item in call.provisionals] for call in (first.call, second.call)]
    await bench.post(
        f"answerremotecall{twin}", replyId=one, crypto=CRYPTO, sessionReferenceId="mine", **DEVICE | {"codec": codec}
    )
    seen["answered"] = await soon(first.call.answered(), 1)
    seen["media"] = read_media(first.call.remote_sdp) if first.call.remote_sdp else None
    seen["second"] = second.call.answered_at is None and not second.call.over
    if await came(bench, "callAnswered"):
        await bench.post(f"hangupcall{twin}", replyId=bench.app.all("callAnswered")[0]["replyId"])
        seen["hung"] = [await soon(first.ended(), 1), second.call.over]
    await bench.post(f"hangupcall{twin}", replyId=two)
    seen["refused"] = [await soon(second.ended(), 1), second.call.end.code if second.call.end else 0]

    async def answer(party: Party) -> None:
        party.call.answer(DeviceMedia("PCMU", "127.0.0.7", 22222).sdp())  # type: ignore[attr-defined]

    await bench.post(
        f"placeremotecall{twin}",
        destinationUri=bench.phones.phone("bob", answer),
        sourceUser="123",
        crypto=CRYPTO,
        sessionReferenceId="placed",
        callbackBaseUrl=f"{bench.app.url}/own",
        **DEVICE | {"codec": placed},
    )
    seen["placed"] = await soon(bench.phones.called("bob"), 1)
    if seen["placed"]:
        bob = await bench.phones.called("bob")
        seen |= {"offer": read_media(bob.request.body), "source": bob.request.from_.user}
        await came(bench, "callAnswered", 2)
        await bob.bye()
    await came(bench, "sessionCompleted", 3)
    return seen | told(bench)


async def remote_calls_by_twins(bench: Bench) -> Seen:
    return await remote_calls(bench, "jwt", "PCMA", "PCMA")


async def remote_call_in_pcmu(bench: Bench) -> Seen:
    return await remote_calls(bench, placed="PCMU")
