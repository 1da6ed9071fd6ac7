"""One platform per test module, one client and one script server per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reference.apidaze.client import Client, ScriptServer
from tests.reference.apidaze.sipp import MakePhone, Phone
from tests.reference.platform_process import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform("--system", "apidaze") as running:
        yield running
    assert "Traceback" not in running.last_log, running.last_log


@pytest.fixture
def client(platform: Platform) -> Iterator[Client]:
    with Client(platform.apidaze) as made:
        yield made
        for path in ("/sipaccounts", "/externalscripts"):
            for item in made("GET", path).json():
                made("DELETE", f"{path}/{item['id']}")


@pytest.fixture
def scripts() -> Iterator[ScriptServer]:
    with ScriptServer() as server:
        yield server


@pytest.fixture
def phone(platform: Platform, tmp_path: Path) -> MakePhone:
    """Makes a SIP client for an account; what is changed replaces what the account says."""

    def make(account: dict[str, Any], **changes: str) -> Phone:
        return Phone(**{"address": platform.apidaze["sip"]["address"], "folder": tmp_path} | account["sip"] | changes)

    return make
