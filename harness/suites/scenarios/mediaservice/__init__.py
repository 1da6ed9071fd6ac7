"""Steps of the Mediaservice features; `harness.suites.plugin` registers the modules named here.

How a step uses it. The fixture `ms` (`world.World`) is the scenario's hold on the platform; prompts and access have
others.

- Answers first: `ms.answers.set("newCall", {"action": "call", "destAddr": ms.phones["bob"].uri})`, a list for several
  in turn, bytes, a status, an `Answer` (`answers.SILENCE` for none) or a function of the callback's members. What is
  not said is answered as a good application would: newCall with ivr, getIvrCommand with hangup, callEvent with drop.
- Phones: `ms.phone("bob")` waits for a call and answers; `ms.phone("bob", then="wait")` rings until `.answer()` or
  `.refuse()`; `then="refuse", refusal="486 Busy Here"`; `ring=183`. Its `uri` is what the platform is told to call.
- Calls: `ms.dial()` calls a user part `ivr…` (newCall), `ms.dial(USER_AGENT)` one `ua…` (newRemoteCall); it returns at once,
  with a `Call`: `.phone` (wait_answered, wait_final, hang_up, give_up, press, probe …), `.answers` of its own.
- Waiting: `ms.wait("callEvent", event="callingPartyDrop")` gives the callback or None; `ms.need(…)` its members, or ends the
  scenario as inconclusive. `ms.callbacks(name)`: what came so far.
- Operations: `ms.must("splitConnection", connectionId=…)` where the scenario builds on it, `ms.operate(…)` otherwise, then
  `ms.done`. The operationId is that of the specs; the domain is filled in.
- `ms.provoke(error)` before an alarm is provoked; `several-calls` is noted by the second `dial`.

When the steps are over callers hang up, each session's sessionCompleted is waited for, phones end, and the call flows of
`specs/mediaservice/sequences*` judge the timeline. A Then step for a clause that a flow judges only waits for its events.
Names that a scenario makes up come from `ms.name(…)`: by the token in them its callbacks find it.
"""

from __future__ import annotations

import pytest

from harness.suites.scenario import Scenario
from harness.suites.scenarios.mediaservice.world import World

STEPS = (
    "stored.prompts",
    "access",
    "calls",
    "incoming.announced",
    "incoming.answered",
    "ivr.commands",
    "ivr.digits",
    "alarms",
    "remote.calls",
    "remote.two_calls",
    "remote.placed",
    "stored.recordings",
    "sessions",
    "session_timers",
    "connected.parties",
    "connected.headers",
    "connected.reports",
    "connected.effects",
    "connected.httpcall",
    "connected.splitting",
    "connected.adornments",
)


@pytest.fixture
def ms(scenario: Scenario) -> World:
    """The scenario's calls, answers and callbacks."""
    return World(scenario)
