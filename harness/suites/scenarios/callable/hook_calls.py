"""Steps on hooks while calls go on: event hooks are told, at their current URL; flow hooks are asked and obeyed."""

from __future__ import annotations

from pytest_bdd import given

from harness.checks.callbacks import HOOK_KINDS
from harness.checks.evidence import seen_answer, succeeded
from harness.drivers.recorder import Answer, Route
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.callable.calls import DESK, Calls
from harness.suites.scenarios.callable.kinds import HOOK, merged
from harness.suites.scenarios.callable.world import Thing
from harness.suites.scenarios.vocabulary import decides
from harness.verdicts import Reason

_QUERY = "?key=a%20b&n=1"
_MOST_STRAGGLERS = 50


@given("an event hook")
def event_hook(calls: Calls) -> None:
    _hook(calls, "event.generic")


@given("an event hook that has moved")
def moved_hook(calls: Calls) -> None:
    """What was on its way to the old URL when it moved has time to arrive there before the call."""
    hook = _hook(calls, "event.generic")
    old = _route(calls)
    recorder = calls.scenario.recorder
    path = _path(calls, "event.generic")
    calls.site.route = recorder.route(path)
    exchange = calls.site.update(hook, merged(hook.sent, {"url": recorder.url(path)}))
    if not succeeded(exchange):
        raise InconclusiveError(Reason.PRECONDITION, f"the hook cannot be moved: {seen_answer(exchange)}")
    for _ in range(_MOST_STRAGGLERS):
        known = len(old.callbacks)
        if len(old.wait(known + 1, calls.quiet)) == known:
            return
    raise InconclusiveError(Reason.PRECONDITION, "events of earlier calls keep coming to the old URL")


@given("a flow hook that has the desk called, and then the call rejected")
def flow_hook(calls: Calls) -> None:
    verbs = [{"dial": {"targets": [calls.target(DESK)]}}, {"reject": {"reason": "busy"}}]
    calls.flow_hook = _hook(calls, "flow.generic", Answer(json=verbs))


def _hook(calls: Calls, app: str, answer: Answer | None = None) -> Thing:
    """A new hook at a URL of the recorder: what it is told concerns this scenario only."""
    recorder = calls.scenario.recorder
    path = _path(calls, app)
    calls.site.route = recorder.route(path, answer)
    hook = calls.site.make(HOOK, {"app": app, "url": recorder.url(path) + _QUERY})
    if hook is None:
        raise InconclusiveError(Reason.PRECONDITION, f"no hook could be made: {seen_answer(calls.site.answer())}")
    return hook


def _path(calls: Calls, app: str) -> str:
    """A path that only this scenario knows; its end says what is called there, for whoever sees nothing but the path."""
    return f"{calls.scenario.recorder.unique('hooks')}/{HOOK_KINDS[app]}"


@given("an inbound number that leads to the flow hook")
def leads_to_hook(calls: Calls) -> None:
    assert calls.flow_hook is not None
    calls.enter(calls.flow_hook.id)
    calls.route = {"route": "flow-hook"}


def _route(calls: Calls) -> Route:
    assert calls.site.route is not None
    return calls.site.route


@decides("the platform sends events to the hook")
@decides("it sends them by its method to exactly its URL")
def told(calls: Calls, clause: str) -> None:
    """Judged by the call flow; what it needs is an event, or the time for one."""
    del clause
    calls.called(calls.desk)
    _route(calls).wait(1, calls.scenario.plan.target.timing.callback)


@decides("events come to the new URL, and not to the old one")
def told_there(calls: Calls, clause: str) -> None:
    """Judged by the call flow; that nothing comes to the old URL takes some quiet to believe."""
    del clause
    calls.called(calls.desk)
    _route(calls).wait(1, calls.scenario.plan.target.timing.callback)
    calls.pass_time(calls.quiet + 0.1)


@decides("the flow hook is asked, first with the action start")
def hook_asked(calls: Calls, clause: str) -> None:
    """That `start` comes first is judged by the call flow."""
    asked = _route(calls).wait(1, calls.scenario.plan.target.timing.callback)
    words = "a call that reaches a flow hook's place in the flow does not have the hook asked"
    calls.scenario.check(clause, bool(asked), words, expected="a request", seen="none")


@decides("the desk rings before the call is refused")
def verbs_run(calls: Calls, clause: str) -> None:
    if not _route(calls).callbacks:
        raise InconclusiveError(Reason.PRECONDITION, "the flow hook was not asked")
    caller = calls.phone("caller")
    called, final = calls.called(calls.desk), caller.wait_final()
    seen = f"{'a call to the desk' if called else 'no call to the desk'}, answer {final}"
    kept = called and final is not None and final >= 300
    words = "the verbs that a flow hook answers are not run in their order"
    calls.scenario.check(clause, kept, words, expected="a call to the desk, then a refusal", seen=seen)
