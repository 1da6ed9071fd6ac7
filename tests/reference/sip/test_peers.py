"""The engine with peers that we did not write: a baresip phone, registered, and kamailio between two endpoints."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.reference.media import RtpSession, answer_offer, build_offer, read_answer, tone
from harness.reference.sip import (
    Address,
    CallFailed,
    DigestAuthenticator,
    IncomingCall,
    Registrar,
    SipEndpoint,
    SipTimers,
)

from .support import SDP, acknowledged, drained, endpoint, run, until

PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
BARESIP, KAMAILIO = shutil.which("baresip", path=PATHS), shutil.which("kamailio", path=PATHS)
MODULES = Path("/usr/lib/baresip/modules")

PHONE = f"""poll_method epoll
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aubridge,loop
audio_player aubridge,loop
audio_telev_pt 101
module_path {MODULES}
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
"""

PROXY = """#!KAMAILIO
debug=0
log_stderror=yes
children=2
tcp_children=2
mhomed=0
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {
    if ($rU == "up" && is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
    if (has_totag()) {
        if (loose_route()) { t_relay(); } else { if (is_method("ACK") && t_check_trans()) { t_relay(); } }
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
    if (is_method("INVITE")) { record_route(); }
    t_relay();
}
"""


@asynccontextmanager
async def process(*command: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child process, ended at the end."""
    with log.open("wb") as out:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), 5)
        except TimeoutError:
            child.kill()
            await child.wait()


@pytest.mark.skipif(BARESIP is None or not MODULES.is_dir(), reason="baresip is not installed (Debian: baresip-core)")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_baresip_phone_registers_calls_and_is_called(transport: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        registrar = Registrar(DigestAuthenticator("home", lambda user, _realm: {"alice": "secret"}.get(user)))
        heard: list[RtpSession] = []

        async def echo_prompt(call: IncomingCall) -> None:
            session = await RtpSession.open()
            heard.append(session)
            agreement = answer_offer(call.remote_sdp, session.host, session.port, ("PCMA", "PCMU"))
            session.apply(agreement)
            call.answer(agreement.sdp)
            await session.play(tone("hello", 0.5))
            await until(lambda: session.stats.received >= 20, lambda: session.stats)
            call.hangup()
            session.close()

        async with endpoint(echo_prompt, on_register=registrar.handle, timers=SipTimers(t1=0.05, t2=0.2)) as made:
            (tmp_path / "config").write_text(PHONE)
            account = f"<sip:alice@127.0.0.1:{made.port};transport={transport}>;auth_user=alice;auth_pass=secret"
            (tmp_path / "accounts").write_text(f"{account};answermode=auto;regint=60;audio_codecs=PCMA/8000/1\n")
            dial = f"/dial sip:ivr@127.0.0.1:{made.port};transport={transport}"
            log = tmp_path / "log"
            command = (str(BARESIP), "-f", str(tmp_path), "-t", "30", "-e", dial)
            async with process(*command, log=log):
                await until(lambda: bool(heard and heard[0].closed), lambda: log.read_text(errors="replace"), 15)
                await until(lambda: len(registrar) == 1, lambda: log.read_text(errors="replace"))
                (binding,) = registrar.bindings("alice")
                assert binding.source.transport == transport
                session = await RtpSession.open()
                offer = build_offer(session.host, session.port)
                leg = await made.invite(
                    binding.contact.uri, from_="<sip:bob@home>", sdp=offer, destination=binding.source
                )
                response = await leg.answered()
                session.apply(read_answer(offer, response.body))
                await session.play(tone("hello", 0.5))
                await until(lambda: session.stats.received >= 20, lambda: session.stats)
                leg.hangup()
                session.close()
                assert (await leg.ended()).by == "local"
            await until(lambda: made.stats().dialogs == 0, made.stats)

    run(scenario(), 40)


@pytest.mark.skipif(KAMAILIO is None, reason="kamailio is not installed")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_kamailio_in_the_middle_changes_nothing(transport: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        calls: list[IncomingCall] = []

        def serve(call: IncomingCall) -> None:
            if call.request.to.user == "busy":
                call.reject(486)
                return
            calls.append(call)
            call.progress(180)
            if call.request.to.user == "bob":
                call.answer(SDP)

        timers = SipTimers(t1=0.05, t2=0.2, t4=0.2)
        async with endpoint(timers=timers) as a, endpoint(serve, timers=timers) as b, endpoint() as spare:
            port = spare.port
            await spare.stop()
            config = tmp_path / "kamailio.cfg"
            config.write_text(PROXY)
            listens = ["-l", f"udp:127.0.0.1:{port}", "-l", f"tcp:127.0.0.1:{port}"]
            folder = ["-w", str(tmp_path), "-Y", str(tmp_path), "-P", str(tmp_path / "pid")]
            command = [str(KAMAILIO), "-f", str(config), "-DD", "-E", "-m", "16", "-M", "4", *listens, *folder]
            log = tmp_path / "log"
            async with process(*command, log=log) as child:
                await proxy_is_up(a, port, child, log)
                hop = Address("127.0.0.1", port, transport)

                def uri(user: str) -> str:
                    return f"sip:{user}@127.0.0.1:{b.port};transport={transport}"

                for far_hangs_up in (False, True):
                    call = await a.invite(uri("bob"), from_="<sip:alice@h>", sdp=SDP, destination=hop)
                    await call.answered()
                    far = calls[-1]
                    assert call.dialog.route_set
                    assert far.dialog.route_set
                    await acknowledged(far)
                    assert (await far.reinvite(SDP)).status == 200
                    (far if far_hangs_up else call).hangup()
                    await asyncio.gather(call.ended(), far.ended())
                ringing = await a.invite(uri("ring"), from_="<sip:alice@h>", sdp=SDP, destination=hop)
                await until(lambda: bool(ringing.provisionals), lambda: ringing.provisionals)
                ringing.hangup()
                refused = await a.invite(uri("busy"), from_="<sip:alice@h>", sdp=SDP, destination=hop)
                for call, code in ((ringing, 487), (refused, 486)):
                    with pytest.raises(CallFailed) as caught:
                        await call.answered()
                    assert caught.value.code == code
                assert (await calls[-1].ended()).how == "cancel"
                await drained(a)
                await drained(b)

    run(scenario(), 40)


async def proxy_is_up(made: SipEndpoint, port: int, child: asyncio.subprocess.Process, log: Path) -> None:
    """Ask with OPTIONS until the proxy answers."""
    for _ in range(10):
        assert child.returncode is None, log.read_text()
        try:
            response = await made.request("OPTIONS", f"sip:up@127.0.0.1:{port}", "<sip:a@h>")
        except CallFailed:
            continue
        assert response.status == 200
        return
    raise AssertionError(log.read_text())
