"""A port for whoever listens later is none that the system gives to anybody meanwhile."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from harness.reference import ports
from harness.reference.ports import lasting_port


@pytest.mark.skipif(not ports._RANGE.exists(), reason="the system does not tell which ports it gives away")
def test_a_lasting_port_is_free_and_outside_of_what_the_system_gives() -> None:
    first = int(ports._RANGE.read_text().split()[0])
    found = {lasting_port("127.0.0.1") for _ in range(20)}
    assert len(found) > 1
    assert all(1024 <= port < first for port in found)


def test_one_that_is_taken_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = taken.getsockname()[1]
        monkeypatch.setattr(random, "randrange", lambda low, high: busy)
        assert lasting_port("127.0.0.1") != busy


def test_where_nothing_is_told_it_is_one_that_is_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "_RANGE", tmp_path / "absent")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", lasting_port("127.0.0.1")))
