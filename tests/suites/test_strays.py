"""Callbacks that belong to no scenario because nobody can read them: the platform's deviation, whosever they are."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.suites.outcome import conclude
from harness.suites.plan import Plan
from harness.suites.scenario import Scenario, Worker
from harness.target import MediaserviceTarget, Target
from harness.timeline import Callback, Clock, HttpRequest
from tests.suites.world import Item

_CLAUSE = "MS-newCall.body"
_JSON = (("Content-Type", "application/json"),)


def _stray(body: bytes, path: str = "/base/newCall", method: str = "POST") -> Callback:
    return Callback(1.0, request=HttpRequest(method, f"http://127.0.0.1:1{path}", _JSON, body))


def _found(strays: list[Callback], folder: Path) -> tuple[set[tuple[str, str]], Scenario]:
    target = MediaserviceTarget(base_url="http://ms.example", domain="d")
    scenario = Scenario(
        Worker(Plan(folder, Target(systems={"mediaservice": target}), Clock.start())), "mediaservice", "t", "T"
    )
    vars(scenario)["recorder"] = SimpleNamespace(unrouted=lambda: strays, broke=None)
    item = Item(scenario)
    with contextlib.suppress(BaseException):  # what pytest is told is not what this is about
        conclude(cast(pytest.Item, item), None)
    scenario.close()
    return {(one["clause"], one["verdict"]) for one in item.findings()}, scenario


@pytest.mark.parametrize("body", [b"{", b"", b"[1]", b"17"])
def test_what_cannot_be_read_breaks_the_shape_of_its_callback_and_is_on_record(body: bytes, tmp_path: Path) -> None:
    found, scenario = _found([_stray(body)], tmp_path)
    assert (_CLAUSE, "fail") in found
    assert len(scenario.timeline.of(Callback)) == 1


@pytest.mark.parametrize(
    "stray",
    [
        _stray(b'{"sessionId": "of somebody else"}'),
        _stray(b"{", "/base/anything"),
        _stray(b"", "/base/newCall", "GET"),
    ],
    ids=["readable", "unknown", "method"],
)
def test_what_can_be_read_or_may_be_anything_is_not_judged(stray: Callback, tmp_path: Path) -> None:
    found, scenario = _found([stray], tmp_path)
    assert not [one for one in found if one[1] == "fail"]
    assert scenario.timeline.of(Callback) == ()


def test_a_flood_of_them_is_bounded(tmp_path: Path) -> None:
    _, scenario = _found([_stray(b"{")] * 1000, tmp_path)
    assert len(scenario.timeline.of(Callback)) == 5
