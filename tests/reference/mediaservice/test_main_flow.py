"""The Mediaservice's main flow with nothing but plain HTTP calls and SIPp's built-in scenarios.

A caller reaches the IVR; another is connected with a destination, recorded, and hangs up; a call is placed by operation.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable

import pytest

from harness.reference.media import tone, wav_bytes
from tests.reference.mediaservice.bench import Bench, Scenario

Against = Callable[[Scenario], None]

pytestmark = pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed (Debian: sip-tester)")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def sipp(*arguments: str, port: int | None = None) -> asyncio.subprocess.Process:
    """A SIPp with a built-in scenario, for one call; with a `port`, once it listens there."""
    own = ["-p", str(port)] if port else []
    process = await asyncio.create_subprocess_exec(
        "sipp",
        *arguments,
        *own,
        *("-m", "1", "-r", "1000", "-i", "127.0.0.1", "-nostdin"),
        *("-timeout", "10", "-timeout_error", "-recv_timeout", "9000"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    deadline = asyncio.get_running_loop().time() + 3
    while port and not _taken(port):
        assert asyncio.get_running_loop().time() < deadline, "SIPp does not listen"
        await asyncio.sleep(0.01)
    return process


def _taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


async def went_well(process: asyncio.subprocess.Process) -> None:
    _, errors = await asyncio.wait_for(process.communicate(), 12)
    assert process.returncode == 0, errors.decode()[-2000:]


def test_the_main_flow(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        app, domain = bench.app, bench.table["domain"]
        put = await bench.http.put(f"/{domain}/promptfile/welcome.wav", content=wav_bytes(tone("welcome", 0.2)))
        assert put.json() == {"success": True}

        app.answers["newCall"] = {"action": "ivr"}
        app.answers["getIvrCommand"] = {"phrases": [{"fileName": "welcome.wav"}], "getIVRCommandAfter": 0.1}
        await went_well(await sipp("-sn", "uac", "-s", "ivr1", "-d", "700", bench.sip))
        ended = await app.wait("sessionCompleted")
        assert app.names()[:3] == ["newCall", "getIvrCommand", "getIvrCommand"]
        assert {one["sessionId"] for one in app.all("getIvrCommand")} == {ended["sessionId"]}

        port = free_port()
        first = await sipp("-sn", "uas", port=port)
        app.answers["newCall"] = {"action": "call", "destAddr": f"sip:bob@127.0.0.1:{port}", "sipFrom": "4611"}
        app.answers["callEvent"] = {"action": "drop", "dropCode": "busy"}
        calling = await sipp("-sn", "uac", "-s", "ivr2", "-d", "600", bench.sip)
        answered = await app.wait("callAnswered")
        recording = {"connectionId": answered["connectionId"], "replyId": answered["replyId"]}
        started = await bench.http.post(f"/{domain}/startrecording", json={"recordingFileName": "it.wav"} | recording)
        assert started.json() == {"success": True}
        await went_well(calling)
        assert (await app.wait("callEvent"))["event"] == "callingPartyDrop"
        ready = await app.wait("recordingReady")
        await app.wait("sessionCompleted", 2)
        assert (await bench.files())["it.wav"] == ready["fileSize"]

        port = free_port()
        second = await sipp("-sn", "uas", port=port)
        app.answers["getIvrCommand"] = {"phrases": [{"fileName": "welcome.wav"}], "hangup": True}
        placed = await bench.http.post(f"/{domain}/placeivrcall", json={"destAddr": f"sip:carol@127.0.0.1:{port}"})
        assert placed.json() == {"success": True}
        await app.wait("sessionCompleted", 3)
        await went_well(first)
        await went_well(second)
        assert app.names("alarm") == []

    against(scenario)
