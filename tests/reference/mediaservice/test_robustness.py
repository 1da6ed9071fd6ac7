"""What must not disturb the platform: any bytes on any port, applications that are dead or slow, and many calls."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable

import pytest

from harness.reference.media import build_offer, parse_sdp
from harness.reference.sip import CallFailed
from tests.reference.mediaservice.bench import Bench, Scenario, inside, run
from tests.reference.mediaservice.phones import picked_up, refuses, rings, until

Against = Callable[[Scenario], None]


async def a_normal_call_works(bench: Bench) -> None:
    bench.app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": {"phrases": [{"text": "x"}], "hangup": True}}
    party = await bench.call()
    assert await party.ended() == "remote bye"
    await bench.app.wait("sessionCompleted")


async def drained(bench: Bench) -> None:
    """Wait until nothing of past calls is left in a system of this process."""
    system = bench.system
    assert system is not None
    parts, endpoint = system.parts, system.lines.endpoint

    def left() -> tuple[int, int, int, int]:
        return len(parts.registry.sessions), len(parts.registry._replies), len(endpoint.calls), len(parts._finishing)

    await until(lambda: left() == (0, 0, 0, 0), "everything to be freed")


def test_any_bytes_on_any_port_leave_calls_possible(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        random.seed(7)
        bench.app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": {"getIVRCommandAfter": 30}}
        party = await bench.call()
        media = parse_sdp(party.call.remote_sdp or b"").audio
        assert media is not None
        host, _, port = bench.sip.rpartition(":")
        http = bench.table["base_url"].split("/")[2].rpartition(":")
        message = party.request.serialise()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for size in range(300):
                noise = random.randbytes(size)
                udp.sendto(noise, (host, int(port)))
                udp.sendto(noise, (media.address, media.port))
                broken = bytearray(message)
                broken[random.randrange(len(broken))] = random.randrange(256)
                udp.sendto(bytes(broken[: random.randrange(1, len(broken))]), (host, int(port)))
        for address in ((host, int(port)), (http[0], int(http[2]))):
            for _ in range(20):
                _, writer = await asyncio.open_connection(*address)
                writer.write(random.randbytes(400) + b"\r\n\r\n")
                writer.close()
        await party.bye()
        await a_normal_call_works(bench)

    against(scenario)


def test_a_dead_application_ends_calls_and_holds_nothing() -> None:
    async def scenario() -> None:
        async with inside() as bench:
            assert bench.system is not None
            bench.system.callbacks.use("http://127.0.0.1:9")
            assert await bench.phones.refused("ivr", bench.sip) == 480
            assert await bench.phones.refused("ua", bench.sip) == 480
            await drained(bench)
            bench.system.callbacks.use(bench.app.url)
            await a_normal_call_works(bench)

    run(scenario())


@pytest.mark.parametrize("silent", ["callNotify", "callAnswered", "sessionCompleted", "callEvent"])
def test_an_application_that_falls_silent_holds_nothing(silent: str) -> None:
    async def scenario() -> None:
        async with inside(callback_timeout=0.3) as bench:
            bench.app.answers |= {"callEvent": {"action": "drop"}, silent: None}
            caller, bob, _ = await bench.connected()
            await bob.bye()
            await caller.ended()
            await drained(bench)

    run(scenario())


def test_calls_that_end_in_every_way_leave_nothing_behind() -> None:
    async def scenario() -> None:
        async with inside(callback_timeout=0.3) as bench:
            bench.phones.takers |= {"slow": rings, "busy": refuses(486)}
            bench.app.answers["callEvent"] = {"action": "drop"}
            bench.app.answers["getIvrCommand"] = {"getIVRCommandAfter": 30}
            for round_ in range(3):
                caller, bob, _ = await bench.connected(callRecording=True, monitorDestAddr=bench.phones.uri("spy"))
                await (caller if round_ % 2 else bob).bye()
                for answer in ({"action": "call", "destAddr": bench.phones.uri("busy")}, {"action": "drop"}, 500, b"{"):
                    bench.app.answers["newCall"] = answer
                    await bench.phones.refused("ivr", bench.sip)
                for unfinished in ({"action": "call", "destAddr": bench.phones.uri("slow")}, None):
                    bench.app.answers["newCall"] = unfinished
                    party = await bench.start()
                    await until(lambda party=party: party.call.state.value != "ended", "the call to begin")  # type: ignore[misc]
                    party.call.hangup()
                    with pytest.raises(CallFailed):
                        await picked_up(party)
                bench.app.answers["newCall"] = {"action": "ivr"}
                await (await bench.call()).bye()
            await drained(bench)

    run(scenario())


def test_an_invite_without_sdp_is_answered_with_an_offer() -> None:
    async def scenario() -> None:
        async with inside() as bench:
            commands = [{"phrases": [{"text": "hello"}], "hangup": True}]
            bench.app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": commands}
            party = await bench.start(sdp=b"")
            call = party.call

            def answer(_offer: bytes) -> bytes:
                return build_offer(party.media.host, party.media.port, ("PCMU",))

            call.on_offer = answer  # type: ignore[attr-defined]
            await bench.app.wait("getIvrCommand")
            assert await party.ended() == "remote bye"

    run(scenario())


def test_many_callers_at_once_are_all_served() -> None:
    async def scenario() -> None:
        async with inside(callback_timeout=8.0) as bench:
            bench.app.answers["newCall"] = {"action": "call", "destAddr": bench.phones.uri("bob")}
            bench.app.answers["callEvent"] = {"action": "drop"}
            parties = [await bench.start() for _ in range(40)]
            for party in parties:
                await picked_up(party)
            await bench.app.wait("callAnswered", 40)
            for party in parties:
                await party.bye()
            await bench.app.wait("sessionCompleted", 40)
            await drained(bench)

    run(scenario())
