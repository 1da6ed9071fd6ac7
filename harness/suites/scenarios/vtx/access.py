"""Steps on who may use the API of VTX, and on what the platform says of itself."""

from __future__ import annotations

from pytest_bdd import given, when

from harness.checks.evidence import seen_answer
from harness.drivers.auth import HeaderCredentials
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.vocabulary import decides
from harness.suites.scenarios.vtx.world import World
from harness.target import VtxTarget
from harness.verdicts import Reason

_SERVER = "/v1/system/server"
_ABOUT = {"operation": "getServer"}


@when("the server version is asked for with login and application")
def ask_server(vtx: World) -> None:
    vtx.last = vtx.scenario.api.request("GET", _SERVER, about={**_ABOUT, "expect": "success"})


@given("a server version that is shown to login and application")
def given_server(vtx: World) -> None:
    ask_server(vtx)
    if vtx.status != 200:
        words = f"not even a complete request is served: {seen_answer(vtx.answer())}"
        raise InconclusiveError(Reason.NO_CONTROL, words)


@when("the server version is asked for without the application header")
def ask_without_application(vtx: World) -> None:
    target = vtx.scenario.target
    assert isinstance(target, VtxTarget)
    bare = vtx.scenario.driver()
    bare.credentials = HeaderCredentials.basic(
        target.username, target.password, vtx.scenario.worker.redactor, {"Content-Type": "application/json"}
    )
    vtx.last = bare.request("GET", _SERVER, about={**_ABOUT, "case": "negative"})


@decides("the server version is shown")
def server_shown(vtx: World, clause: str) -> None:
    words = "a request with login, password and application is not served"
    vtx.scenario.check(clause, vtx.status == 200, words, expected=200, seen=seen_answer(vtx.answer()), at=vtx.last)


@decides("the request without application is refused as the client's mistake")
def refused_without_application(vtx: World, clause: str) -> None:
    words = "a request without X-C5-Application is not refused with a 4xx"
    vtx.scenario.check(clause, 400 <= vtx.status < 500, words, expected="4xx", seen=vtx.status, at=vtx.last)
