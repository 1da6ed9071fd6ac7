"""Stopping in the middle of things: calls get their BYE, requests their answer, and nothing is left in the log."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.reference.apidaze.client import Client, ScriptServer, script
from tests.reference.apidaze.sipp import Phone, needs_sipp
from tests.reference.platform_process import Platform


@needs_sipp
def test_calls_are_hung_up_and_waiting_requests_answered(tmp_path: Path) -> None:
    with (
        Platform("--system", "apidaze") as platform,
        Client(platform.apidaze) as client,
        ScriptServer() as scripts,
        socket.socket() as silent,
        ThreadPoolExecutor() as others,
    ):
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        scripts.pages["/long"] = (200, script("<answer/>", "<wait>60</wait>"))
        client.script(scripts.url + "/long")
        sip = client.account("alice")["sip"]
        phone = Phone(platform.apidaze["sip"]["address"], sip["username"], sip["password"], tmp_path)
        calling = others.submit(phone.call)
        unanswered = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        testing = others.submit(client, "GET", "/externalscripts/test", params={"url": unanswered})
        silent.settimeout(5)
        held, _ = silent.accept()
        deadline = time.monotonic() + 5
        while phone.trace("call").count("\nACK ") < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert platform.stop(deadline=3) == 0
        calling.result(5)
        assert testing.result(5).status_code == 502
        held.close()
    assert "Traceback" not in platform.last_log
