"""The order of all tests: those that take longest begin first, so that no worker has to wait for a long last test."""

from __future__ import annotations

import pytest

# Below this folder; in them whole runs of the command take half a minute and more.
_LONGEST = (
    "e2e/test_shards", "e2e/test_same_requests", "e2e/test_proof", "e2e/test_callable", "e2e/test_mediaservice",
    "e2e/test_prism", "e2e/test_record", "e2e/test_target", "e2e/", "gate/",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    place = item.nodeid.removeprefix("tests/")
    return next((rank for rank, start in enumerate(_LONGEST) if place.startswith(start)), len(_LONGEST))
