"""The main flow with nothing but plain HTTP calls and SIPp: log in, set up a trunk and its flow, be called, and call.

It uses none of the harness and none of the helpers beside it, so that it reads as what an application developer would type.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.reference.platform_process import Platform

_ROOT = Path(__file__).resolve().parents[3]


def _sipp(folder: Path, port: int, *arguments: str) -> subprocess.Popen[bytes]:
    command = ["sipp", *arguments, "-i", "127.0.0.1", "-p", str(port), "-m", "1", "-nostdin"]
    command += ["-timeout", "8", "-timeout_error", "-recv_timeout", "7000"]
    return subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _free_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed (Debian: sip-tester)")
def test_the_main_flow(tmp_path: Path) -> None:
    with Platform("--system", "callable") as platform:
        callable_ = platform.ready["systems"]["callable"]
        api = httpx.Client(base_url=callable_["base_url"], trust_env=False)

        login = {"username": callable_["username"], "password": callable_["password"]}
        tokens = api.post("/oauth/authorize", data=login).json()
        api.headers["authorization"] = f"Bearer {tokens['access_token']}"

        account = api.get("/account").json()[0]["id"]
        ddi = api.get(f"/account/{account}/ddi").json()[0]

        desk_port = _free_port()
        trunk = {"ip": "127.0.0.1", "port": desk_port, "vendor": "generic", "description": "Head office"}
        assert api.post(f"/account/{account}/trunk", json=trunk).status_code == 201
        trunk_id = api.get(f"/account/{account}/trunk").json()[0]["id"]

        gateway = {"type": "SIP_GATEWAY", "name": "Desk", "extension": "601", "sipGateway": {"trunks": [trunk_id]}}
        assert api.post(f"/account/{account}/device", json=gateway).status_code == 201
        gateway_id = api.get(f"/account/{account}/device").json()[0]["id"]

        start = {"type": "ROUTE_START", "startRoute": {"ddis": [ddi["id"]], "connectTo": gateway_id}}
        assert api.post(f"/account/{account}/device", json=start).status_code == 201

        # Somebody calls the number: the desk rings and answers, the caller hangs up.
        answering = ("-sf", str(_ROOT / "features" / "sipp" / "uas_answer.xml"))
        media = ("-key", "probe_ip", "127.0.0.1", "-key", "probe_port", str(_free_port()))
        desk = _sipp(tmp_path, desk_port, *answering, *media)
        caller = _sipp(
            tmp_path, _free_port(), "-sn", "uac", "-s", ddi["name"], "-d", "100", callable_["sip"]["address"]
        )
        assert caller.wait(10) == 0
        assert desk.wait(10) == 0

        # We have the platform call the desk, say something, and hang up.
        desk = _sipp(tmp_path, desk_port, *answering, *media)
        call = {
            "callerId": "+441632960100",
            "tag": {"data": {"order": "17"}},
            "target": {"extension": {"extension": "601", "overrideTo": "231"}},
            "verbs": [{"say": {"text": ["Your bread is ready"]}}, {"hangup": {"reason": "call-complete"}}],
        }
        assert api.post(f"/account/{account}/channels/voice", json=call).status_code == 201
        assert desk.wait(10) == 0
        api.close()
    assert "Traceback" not in platform.last_log
