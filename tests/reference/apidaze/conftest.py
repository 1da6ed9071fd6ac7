"""One platform per test module, one client and one script server per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reference.apidaze.client import Client, ScriptServer
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
