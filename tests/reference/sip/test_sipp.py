"""The engine against SIPp, which we did not write: as callee, as caller, over UDP and TCP, and a digest registration."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path

import pytest

from harness.reference.sip import Address, CallEnd, DigestAuthenticator, IncomingCall, Registrar

from .support import SDP, drained, endpoint, run, sipp, until

pytestmark = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (Debian: sip-tester)")

REGISTER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="register">
  <send><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:alice@home>;tag=[call_number]
To: <sip:alice@home>
Call-ID: [call_id]
CSeq: 1 REGISTER
Max-Forwards: 70
Contact: <sip:alice@[local_ip]:[local_port];transport=[transport]>
Expires: 60
Content-Length: 0

]]></send>
  <recv response="401" auth="true"/>
  <send><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:alice@home>;tag=[call_number]
To: <sip:alice@home>
Call-ID: [call_id]
CSeq: 2 REGISTER
Max-Forwards: 70
[authentication username=alice password=PASSWORD]
Contact: <sip:alice@[local_ip]:[local_port];transport=[transport]>
Expires: 60
Content-Length: 0

]]></send>
  <recv response="STATUS"/>
</scenario>
"""


def answer(call: IncomingCall) -> None:
    call.progress(180)
    call.answer(SDP)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.mark.parametrize("mode", ["u1", "t1", "tn"])
def test_sipps_calls_are_answered_without_a_failure(mode: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with endpoint(answer) as made:
            target = f"127.0.0.1:{made.port}"
            calls = ["-sn", "uac", "-m", "200", "-r", "200", "-l", "200", "-t", mode]
            code, errors = await sipp([*calls, "-max_socket", "300", target], tmp_path)
            assert code == 0, errors
            await drained(made)
            assert made.answered == 200

    run(scenario(), 60)


@pytest.mark.parametrize(("mode", "transport"), [("u1", "udp"), ("t1", "tcp")])
def test_sipp_is_called_and_hung_up(mode: str, transport: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with endpoint() as made:
            port = free_port()
            uas = asyncio.create_task(sipp(["-sn", "uas", "-m", "20", "-t", mode, "-p", str(port)], tmp_path))
            kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
            await until(lambda: taken(port, kind), lambda: "SIPp does not listen")
            ends: list[CallEnd] = []
            for _ in range(20):
                address = Address("127.0.0.1", port, transport)
                call = await made.invite(f"sip:x@127.0.0.1:{port}", from_="<sip:y@h>", sdp=SDP, destination=address)
                await call.answered()
                assert call.provisionals[0].status == 180
                call.hangup()
                ends.append(await call.ended())
            code, errors = await uas
            assert code == 0, errors
            assert {end.how for end in ends} == {"bye"}
            await drained(made)

    run(scenario(), 60)


def taken(port: int, kind: socket.SocketKind) -> bool:
    """Whether somebody has bound that port."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.mark.parametrize("mode", ["u1", "t1"])
@pytest.mark.parametrize("qop", ["auth", None])
def test_sipp_registers_with_a_digest(mode: str, qop: str | None, tmp_path: Path) -> None:
    async def scenario() -> None:
        passwords = {"alice": "secret"}
        registrar = Registrar(DigestAuthenticator("home", lambda user, _realm: passwords.get(user), qop=qop))
        async with endpoint(on_register=registrar.handle, bindings=lambda: len(registrar)) as made:
            for password, status, bound in (("wrong", "401", 0), ("secret", "200", 1)):
                script = tmp_path / f"{password}.xml"
                script.write_text(REGISTER.replace("PASSWORD", password).replace("STATUS", status))
                target = f"127.0.0.1:{made.port}"
                code, errors = await sipp(["-sf", str(script), "-m", "1", "-r", "1000", "-t", mode, target], tmp_path)
                assert code == 0, errors
                assert made.stats().bindings == bound
            (binding,) = registrar.bindings("alice@home")
            assert binding.contact.user == "alice"
            await drained(made)

    run(scenario(), 60)
