"""Steps on the test of an external script."""

from __future__ import annotations

from pytest_bdd import given, when

from harness.checks.evidence import seen_answer
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.apidaze.world import SCRIPTS, World
from harness.suites.scenarios.vocabulary import decides, step_pattern
from harness.verdicts import Reason


@given(step_pattern('a script that the recorder serves with the query "{query}"'))
def given_served_script(world: World, query: str) -> None:
    world.kind = SCRIPTS
    world.recorder_url(query)


@when(step_pattern("the script is tested"))
@when(step_pattern("the script is tested again"))
def run_script_test(world: World) -> None:
    about = {"operation": "testExternalScript", "expect": "success"}
    world.last = world.scenario.api.request("GET", "/externalscripts/test", params={"url": world.url}, about=about)
    if world.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the test was refused: {seen_answer(world.last)}")


@decides("the platform calls the script")
def script_called(world: World, clause: str) -> None:
    _called(world, clause, 1)


@decides("the platform calls the script once more")
def script_called_again(world: World, clause: str) -> None:
    _called(world, clause, 2)


def _called(world: World, clause: str, count: int) -> None:
    assert world.route is not None
    calls = world.route.wait(count, world.scenario.plan.target.timing.callback)
    words = "a tested script is not fetched" if count == 1 else "a second test does not fetch the script anew"
    world.scenario.check(
        clause, len(calls) >= count, words, expected=f"{count} requests to {world.url}", seen=f"{len(calls)} requests"
    )


@decides("it calls exactly the URL that was given")
def called_exactly(world: World, clause: str) -> None:
    assert world.route is not None
    calls = world.route.callbacks
    if not calls:
        raise InconclusiveError(Reason.NO_EVIDENCE, "the script was not fetched at all")
    seen = calls[0].request
    path = world.url.removeprefix(world.scenario.recorder.base_url)
    kept = seen.url.endswith(path) and seen.method in ("GET", "POST")
    words = "the script is fetched with another URL or method than given"
    world.scenario.check(clause, kept, words, expected=f"GET or POST {path}", seen=f"{seen.method} {seen.url}")
