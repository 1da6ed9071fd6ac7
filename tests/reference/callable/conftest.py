"""One platform per test module; a client, an application and SIP agents per test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reference.callable.agents import Agents
from tests.reference.callable.client import Application, Client, Json
from tests.reference.platform_process import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform("--system", "callable") as running:
        yield running
    assert "Traceback" not in running.last_log, running.last_log


@pytest.fixture
def table(platform: Platform) -> Json:
    served: Json = platform.ready["systems"]["callable"]
    return served


@pytest.fixture
def client(table: Json) -> Iterator[Client]:
    with Client(table) as made:
        yield made
        # Nothing can be removed, so what a test made is put out of the way of the next one.
        for kind, values in (("trunk", {"ip": "192.0.2.1"}), ("device", {"extension": "", "startRoute": {"ddis": []}})):
            for item in made("GET", f"/{kind}").json():
                made.update(kind, item["id"], values)
        for hook in made("GET", "/hook").json():
            made.update("hook", hook["id"], {"app": "flow.generic", "priority": 1000, "url": "http://127.0.0.1:9/"})
        made.set_carrier(table["pstn"]["listen"])


@pytest.fixture
def application() -> Iterator[Application]:
    with Application() as server:
        yield server


@pytest.fixture
def agents(tmp_path: Path) -> Agents:
    if shutil.which("sipp") is None:
        pytest.skip("SIPp is not installed (Debian: sip-tester)")
    return Agents(tmp_path)
