"""One platform per test module; one client, one receiver and telephones per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reference.platform_process import Platform
from tests.reference.vtx.client import Client, Receiver
from tests.reference.vtx.phones import Phones, runner


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform("--system", "vtx") as running:
        yield running
    assert "Traceback" not in running.last_log, running.last_log


@pytest.fixture
def table(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = platform.ready["systems"]["vtx"]
    return found


@pytest.fixture
def users(table: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table["users"]
    return found


@pytest.fixture
def client(table: dict[str, Any]) -> Iterator[Client]:
    with Client(table) as made:
        yield made
        made.delete_all()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def phones(table: dict[str, Any], tmp_path: Path) -> Phones:
    return Phones(table, runner(tmp_path))
