"""Bad input and bad neighbours: no bytes on any port end the platform, and everything is free when calls are over."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from harness.reference.callable import CallableSystem
from harness.reference.settings import Address, Settings
from tests.reference.callable.agents import Agents, final_of, invite_to, port_of
from tests.reference.callable.client import HANGUP, Client, dial, say
from tests.reference.platform_process import Platform

_NUMBER = "+441632960951"


def _rtp_ports(platform: Platform) -> int:
    """UDP sockets of the platform's process."""
    inodes = {
        str(link.readlink()).removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{platform.process.pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    rows = Path("/proc/net/udp").read_text().splitlines()[1:]
    return sum(row.split()[9] in inodes for row in rows)


def _eventually(condition: Callable[[], bool], timeout: float = 5.0) -> bool:
    until, pause = time.monotonic() + timeout, threading.Event()
    while not condition():
        if time.monotonic() > until:
            return False
        pause.wait(0.02)
    return True


def test_random_bytes_on_every_port_leave_it_working(client: Client, agents: Agents, platform: Platform) -> None:
    noise = random.Random(5)
    http = client.table["base_url"].split("/")[2]
    sip = client.table["sip"]["address"]
    host, port = "127.0.0.1", port_of(sip)
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        for _ in range(300):
            udp.sendto(noise.randbytes(noise.randrange(1, 400)), (host, port))
        for text in ("INVITE", "INVITE sip:a@b SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n"):
            udp.sendto(text.encode(), (host, port))
    for address in (http, sip):
        for _ in range(20):
            with socket.create_connection((host, port_of(address)), timeout=2) as tcp:
                tcp.sendall(noise.randbytes(200) + b"\r\n\r\n")
    with agents.answering("desk") as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", say("hi"), HANGUP)
        assert desk.wait(5).outcome == "done"
    assert "Traceback" not in platform.log()


def test_noise_on_the_rtp_port_of_a_call_does_not_end_it(client: Client, agents: Agents) -> None:
    noise = random.Random(6)
    with (
        agents.probe("desk") as probe,
        agents.answering("desk", variables=probe.variables) as desk,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", say("a text that takes a while to say"), HANGUP)
        text = invite_to(desk).text
        port = int(text.partition("m=audio ")[2].split()[0])
        for _ in range(200):
            udp.sendto(noise.randbytes(noise.randrange(0, 300)), ("127.0.0.1", port))
        assert desk.wait(5).outcome == "done"
        assert probe.close().data["received"]["sound_ms"] > 1000


def test_ports_are_free_again_after_calls_of_every_kind(client: Client, agents: Agents, platform: Platform) -> None:
    before = _rtp_ports(platform)
    ddi = client.ddis()[1]
    with agents.answering("desk", hold=300) as desk, agents.start("uas_cancelled.xml", "party") as party:
        client.set_carrier(party.address)
        gateway = client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", dial(_NUMBER))
        invite_to(party)
        assert _rtp_ports(platform) > before
        assert desk.wait(5).outcome == "done"
    with agents.start("uas_busy.xml", "busy") as busy:
        client.route_start(ddi["id"], gateway)
        client.update("device", gateway, {"sipGateway": {"trunks": [client.trunk(busy.address)]}})
        with agents.caller("caller", client.table["sip"]["address"], ddi["name"]) as caller:
            assert final_of(caller.wait(5)) == 486
    client.call({"extension": {"extension": "none"}}, HANGUP)
    client.call({"sipUri": {"uri": "sip:a@no-such-host.invalid"}}, HANGUP)
    assert _eventually(lambda: _rtp_ports(platform) == before), _rtp_ports(platform)


def test_an_answer_without_usable_sdp_ends_the_call(client: Client, agents: Agents, platform: Platform) -> None:
    before = _rtp_ports(platform)
    with agents.answering("desk", variables={"probe_ip": "not an address", "probe_port": 1}) as desk:
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", say("hi"), HANGUP)
        assert desk.wait(5).outcome == "done"
    assert _eventually(lambda: _rtp_ports(platform) == before)


def test_it_stops_in_the_middle_of_calls_and_hangs_them_up(agents: Agents) -> None:
    with (
        Platform("--system", "callable") as platform,
        Client(platform.ready["systems"]["callable"]) as client,
        agents.answering("desk") as desk,
    ):
        client.gateway("601", client.trunk(desk.address))
        client.call_extension("601", {"gather": {"timeout": 30}})
        assert desk.wait_for(lambda one: one.text.startswith("ACK"), 5)
        assert platform.stop() == 0
        assert desk.wait(5).outcome == "done"
    assert "Traceback" not in platform.last_log


def test_no_more_calls_than_there_is_room_for_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.reference.callable.calling.outbound.MAX_CALLS", 2)

    async def statuses() -> list[int]:
        nowhere = Address("127.0.0.1", 0)
        system = CallableSystem(Settings(systems=("callable",), http=nowhere, sip=nowhere))
        await system.start(nowhere)
        account = next(iter(system.store.accounts))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=system.api), base_url="http://p/api/v1") as http:
            http.headers["authorization"] = f"Bearer {system.access.grant('ringtrue')['access_token']}"
            order = {"target": {"phoneNumber": {"number": _NUMBER}}, "verbs": []}
            got = [(await http.post(f"/account/{account}/channels/voice", json=order)).status_code for _ in range(3)]
        await asyncio.sleep(0)
        await system.stop()
        return got

    assert asyncio.run(statuses()) == [201, 201, 429]
