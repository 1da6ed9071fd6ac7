"""One platform process per test module; a way to run a scenario against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.reference.mediaservice.bench import Scenario, play
from tests.reference.platform_process import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform("--system", "mediaservice", "--callback-timeout", "1") as running:
        yield running
    assert "Traceback" not in running.last_log, running.last_log


@pytest.fixture
def against(platform: Platform) -> Callable[[Scenario], None]:
    """Runs a scenario with an application, phones and a client around the platform."""
    return lambda scenario: play(platform, scenario)
