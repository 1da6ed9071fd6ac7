"""Steps on the presence of a user, as later revisions of the VTX page show it."""

from __future__ import annotations

from typing import Any

from pytest_bdd import given, when

from harness.checks.evidence import json_body, seen_answer
from harness.drivers.http import fill_path
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.vocabulary import decides
from harness.suites.scenarios.vtx.calls import lasting_call
from harness.suites.scenarios.vtx.world import World, user_id
from harness.verdicts import Reason


def _presence(vtx: World) -> Any:
    """The presence of user A; inconclusive where it is not shown."""
    path = fill_path("/v1/users/{id}/presence", id=str(user_id(vtx.user("A"))))
    vtx.last = vtx.scenario.api.request("GET", path, about={"operation": "getPresence", "expect": "success"})
    if vtx.status != 200:
        raise InconclusiveError(Reason.PRECONDITION, f"the presence cannot be read: {seen_answer(vtx.answer())}")
    return json_body(vtx.answer())


@given("the presence of user A while nobody calls")
def read_idle(vtx: World) -> None:
    vtx.before = _presence(vtx)


@when("the presence of user A is read during a call to user B")
def read_busy(vtx: World) -> None:
    with lasting_call(vtx, "A", "B") as phone:
        if not phone.wait_answered():
            raise InconclusiveError(Reason.PRECONDITION, "the call was not answered")
        _presence(vtx)


@decides("it is not what it was without a call")
def presence_differs(vtx: World, clause: str) -> None:
    now = json_body(vtx.answer())
    words = "the presence of a user in a call is that of one who is not"
    vtx.scenario.check(
        clause, now != vtx.before, words, expected="a difference", seen=seen_answer(vtx.answer()), at=vtx.last
    )
