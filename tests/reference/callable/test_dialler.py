"""Whoever was dialled is connected or given up, at whichever moment the caller stops waiting."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.reference.callable.calling.dialler import Dialler
from harness.reference.callable.calling.legs import Leg
from harness.reference.callable.calling.routing import Route
from harness.reference.callable.verbs import Target

_TARGETS = (Target("sipUri", "sip:a@127.0.0.1"), Target("sipUri", "sip:b@127.0.0.1"))


class _Leg(Leg):
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class _Dialler(Dialler):
    """Both targets answer, one turn of the loop after the other."""

    def __init__(self) -> None:
        self.routing = cast(Any, SimpleNamespace(route=lambda _account, target: Route((target.value,))))
        self.reached: list[_Leg] = []

    async def reach(self, route: Route, *_: object, **__: object) -> Leg:
        for _turn in range(2 if route.uris == ("sip:a@127.0.0.1",) else 3):
            await asyncio.sleep(0)
        self.reached.append(_Leg())
        return self.reached[-1]


@pytest.mark.parametrize("turns", range(12))
def test_nobody_is_left_connected_to_a_caller_who_has_hung_up(turns: int) -> None:
    """The caller stops waiting after so many turns of the event loop."""

    async def dial() -> tuple[_Dialler, Leg | None]:
        dialler = _Dialler()
        waiting = asyncio.ensure_future(dialler.first_of(cast(Any, None), _TARGETS, "", 1, lambda: None))
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        chosen: Leg | None = None
        with contextlib.suppress(asyncio.CancelledError):
            chosen = await waiting
        for _ in range(5):
            await asyncio.sleep(0)
        return dialler, chosen

    dialler, chosen = asyncio.run(dial())
    assert [leg.closed for leg in dialler.reached] == [leg is not chosen for leg in dialler.reached]
    assert turns < 11 or chosen is not None
