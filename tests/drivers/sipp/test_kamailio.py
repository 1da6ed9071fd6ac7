"""Our scripts against a registrar and proxy that we did not write: digest with qop, Record-Route, UDP and TCP."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.drivers.sipp import SippResult, SippRunner
from harness.drivers.sipp.process import free_port
from tests.drivers.sipp.conftest import PASSWORD

KAMAILIO = shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CONFIG = Path(__file__).with_name("kamailio.cfg")
OPTIONS = b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKup\r\nFrom: <sip:a@x>;tag=1\r\n"
OPTIONS += b"To: <sip:b@x>\r\nCall-ID: up\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

pytestmark = pytest.mark.skipif(KAMAILIO is None, reason="kamailio is not installed")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("kamailio")
    port = free_port("127.0.0.1")
    command = [str(KAMAILIO), "-f", str(CONFIG), "-DD", "-E", "-m", "16", "-M", "4"]
    command += ["-l", f"udp:127.0.0.1:{port}", "-l", f"tcp:127.0.0.1:{port}"]
    command += ["-w", str(folder), "-Y", str(folder), "-P", str(folder / "pid")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.1)
            deadline = time.monotonic() + 10
            while True:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                try:
                    probe.sendto(OPTIONS, ("127.0.0.1", port))
                    probe.recv(4096)
                    break
                except OSError:
                    continue
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def register(runner: SippRunner, proxy: str, transport: str, contact: str, script: str = "register.xml") -> SippResult:
    return runner.run(
        script, "bob", remote=proxy, transport=transport, user="bob", password=PASSWORD,
        variables={"contact": contact}, timeout=5,
    )  # fmt: skip


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registration_and_its_refusal(runner: SippRunner, proxy: str, transport: str) -> None:
    result = register(runner, proxy, transport, "127.0.0.1:9")
    assert result.outcome == "done", result.detail
    assert "qop=auth," in result.messages[2].text
    assert register(runner, proxy, transport, "127.0.0.1:9", "unregister.xml").outcome == "done"
    refused = runner.run(
        "register_refused.xml", "eve", remote=proxy, transport=transport, user="alice", password="wrong", timeout=5
    )
    assert refused.outcome == "done", refused.detail
    assert refused.messages[-1].start_line == "SIP/2.0 401 Unauthorized"


@pytest.mark.parametrize("hangs_up", ["alice", "bob"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_through_the_proxy(runner: SippRunner, proxy: str, transport: str, hangs_up: str) -> None:
    hold = {"alice": 5000, "bob": 5000, hangs_up: 50}
    with runner.start("uas_answer.xml", "bob", transport=transport, variables={"hold": hold["bob"]}) as bob:
        assert register(runner, proxy, transport, bob.address).outcome == "done"
        caller = runner.run(
            "call_registered.xml", "alice", remote=proxy, transport=transport, user="alice", password=PASSWORD,
            variables={"service": "bob", "hold": hold["alice"]}, timeout=6,
        )  # fmt: skip
        called = bob.wait(5)
    assert (caller.outcome, called.outcome) == ("done", "done"), (caller.detail, called.detail)
    bye = next(message for message in called.messages if message.start_line.startswith("BYE "))
    assert bye.direction == ("in" if hangs_up == "alice" else "out")
    assert register(runner, proxy, transport, bob.address, "unregister.xml").outcome == "done"
    refused = runner.run(
        "call_refused.xml", "alice", remote=proxy, transport=transport, user="alice", password=PASSWORD,
        variables={"service": "bob"}, timeout=5,
    )  # fmt: skip
    assert refused.outcome == "done", refused.detail
    assert "SIP/2.0 404 Not Found" in [message.start_line for message in refused.messages]
