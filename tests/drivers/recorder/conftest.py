"""A live recorder on loopback, and a client with its timeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.drivers.recorder import Limits, Recorder, RecorderClient
from harness.timeline import Timeline


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    with Recorder(tmp_path_factory.mktemp("run"), limits=Limits(body=100_000)) as running:
        yield running


@pytest.fixture
def timeline(tmp_path: Path) -> Iterator[Timeline]:
    with Timeline("scenario", path=tmp_path / "timeline.jsonl") as record:
        yield record


@pytest.fixture
def client(recorder: Recorder, timeline: Timeline) -> Iterator[RecorderClient]:
    with RecorderClient(recorder.control, timeline) as connected:
        yield connected
