"""Steps that place calls: between users of the platform, and to the outside world; answered, busy, given up.

Every call is noted in the timeline before it is placed, as the call flows of `specs/vtx/sequences.yaml` ask for. Nothing
here decides a clause: a call that cannot be placed leaves its scenario inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_bdd import given, parsers, when

from harness.drivers.sipp import SippAgent, SippResult
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.telephony import (
    Lease,
    Phone,
    as_dialled,
    expect_done,
    sip_side,
    start_agent,
    waiting_phone,
)
from harness.suites.scenarios.telephony.agents import sound
from harness.suites.scenarios.vocabulary import step_pattern
from harness.suites.scenarios.vtx.world import PlacedCall, World, user_id
from harness.target import UserTarget
from harness.verdicts import Reason

SHORT_TALK = 0.15
"""Seconds until the caller hangs up where a scenario says nothing."""
_HANG_UP_SECONDS = 2.0


@given("users A and B")
def two_users(vtx: World) -> None:
    take_users(vtx, 2)


@given("users A, B and C")
def three_users(vtx: World) -> None:
    take_users(vtx, 3)


def take_users(vtx: World, count: int) -> None:
    """Take users of the target for this scenario alone, until its end."""
    sip_side(vtx.scenario)
    known = [one for one in vtx.scenario.target.users if one.id]
    if len(known) < count:
        words = f"the target file names {len(known)} users with an id, {count} are needed"
        raise InconclusiveError(Reason.PRECONDITION, words)
    vtx.lease = Lease(vtx.scenario.plan.run_dir / "leases")
    vtx.scenario.cleanup(vtx.lease.release)
    vtx.users = [known[place] for place in vtx.lease.take_some("vtx-user", count, len(known))]


@when(parsers.re(r"user (?P<caller>[ABC]) calls user (?P<callee>[ABC])( again)?"))
def call_user(vtx: World, caller: str, callee: str) -> None:
    with calling(vtx, caller, callee) as agent:
        expect_done(agent.wait())


@when(step_pattern("user A calls user B, who rings for two seconds, and they talk for {seconds} seconds"))
def call_long(vtx: World, seconds: str) -> None:
    with calling(vtx, "A", "B", waiting="uas_answer_late.xml", talk=float(seconds)) as agent:
        expect_done(agent.wait())


@when("user A calls user B, who is busy")
def call_busy(vtx: World) -> None:
    with calling(vtx, "A", "B", waiting="uas_busy.xml", script="call_refused.xml") as agent:
        expect_done(agent.wait())


@when("user A calls user B and gives up while it rings")
def call_given_up(vtx: World) -> None:
    with calling(vtx, "A", "B", waiting="uas_cancelled.xml", script="call_given_up.xml") as agent:
        expect_done(agent.wait())


@when(step_pattern("user A calls an outside number {form}"))
def call_outside(vtx: World, form: str) -> None:
    outside = vtx.scenario.target.pstn
    if outside is None or not outside.numbers:
        raise InconclusiveError(Reason.PRECONDITION, "the target file names no outside number that may be called")
    assert vtx.lease is not None, "the scenario must begin with the users that it needs"
    dialled = as_dialled(outside.numbers, form)
    vtx.lease.take("vtx-outside")
    host, _, port = outside.listen.rpartition(":")
    waiting = _start(vtx, "uas_answer.xml", f"outside-{len(vtx.calls) + 1}", host=host.strip("[]"), port=int(port))
    with waiting, _place(vtx, "A", dialled, None, "call_registered.xml", SHORT_TALK) as agent:
        expect_done(agent.wait())
        waiting.wait(_HANG_UP_SECONDS)


@contextmanager
def calling(
    vtx: World,
    caller: str,
    callee: str,
    *,
    waiting: str = "uas_answer.xml",
    script: str = "call_registered.xml",
    talk: float = SHORT_TALK,
) -> Iterator[SippAgent]:
    """A call from one user to another that is going on; at the end both telephones have hung up."""
    called = vtx.user(callee)
    with _start(vtx, waiting, f"{callee}-{len(vtx.calls) + 1}") as phone:
        _register(vtx, called, phone.address)
        number = called.number or _name(called)
        with _place(vtx, caller, number, called, script, talk) as agent:
            yield agent
            phone.wait(_HANG_UP_SECONDS)


@contextmanager
def lasting_call(vtx: World, caller: str, callee: str) -> Iterator[Phone]:
    """A call from one user to another that lasts until the block is over: the phone that was called, which then hangs up."""
    called = vtx.user(callee)
    phone = waiting_phone(vtx.scenario, f"{callee}-{len(vtx.calls) + 1}")
    _register(vtx, called, phone.agent.address)
    longest = vtx.scenario.plan.target.timing.answer
    with _place(vtx, caller, called.number or _name(called), called, "call_registered.xml", longest):
        yield phone
        phone.hang_up()


@contextmanager
def _place(
    vtx: World, caller: str, dialled: str, callee: UserTarget | None, script: str, talk: float
) -> Iterator[SippAgent]:
    vtx.settle()
    user = vtx.user(caller)
    agent = f"{caller}-{len(vtx.calls) + 1}"
    part = {"caller": user_id(user), **({"callee": user_id(callee)} if callee else {})}
    subscribed = {int(one) for each in vtx.subscriptions for one in each.sent["userIds"]}
    vtx.scenario.timeline.note(
        "call" if subscribed.intersection(part.values()) else "foreign-call",
        f"{agent} calls {dialled}",
        agent=agent,
        users=list(part.values()),
        dialled=dialled,
        **part,
    )
    variables: dict[str, str | int] = {"service": dialled}
    if script == "call_registered.xml":
        variables["hold"] = int(talk * 1000)
    with _start(vtx, script, agent, user=user, variables=variables) as running:
        yield running
        vtx.calls.append(PlacedCall(agent, running.wait(), vtx.now()))


def _register(vtx: World, user: UserTarget, contact: str) -> None:
    """Make an address the telephone of a user, until the end of the scenario."""

    def tell(script: str) -> SippResult:
        agent = f"{script.removesuffix('.xml')}-{_name(user)}"
        with _start(vtx, script, agent, user=user, variables={"contact": contact}) as running:
            return sound(running.wait())

    result = tell("register.xml")
    vtx.scenario.cleanup(lambda: tell("unregister.xml"))
    if result.outcome != "done":
        raise InconclusiveError(Reason.PRECONDITION, f"the user {user.aor} cannot register: {result.detail}")


def _start(
    vtx: World,
    script: str,
    agent: str,
    *,
    user: UserTarget | None = None,
    host: str | None = None,
    port: int | None = None,
    variables: dict[str, str | int] | None = None,
) -> SippAgent:
    return start_agent(
        vtx.scenario,
        script,
        agent,
        user=_name(user) if user else None,
        password=user.password if user else None,
        domain=user.aor.partition("@")[2] if user else None,
        host=host,
        port=port,
        variables=variables,
    )


def _name(user: UserTarget) -> str:
    return user.aor.partition("@")[0].removeprefix("sip:")
