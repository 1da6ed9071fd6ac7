"""Steps of SIP clients: registrations and calls with the credentials of an account."""

from __future__ import annotations

from typing import Any

from pytest_bdd import given, then, when

from harness.checks.evidence import seen_answer
from harness.drivers.sipp import SippResult
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.apidaze.world import ACCOUNT, SCRIPTS, World, sip_domain
from harness.suites.scenarios.telephony import final_status, run_agent, sip_side, statuses
from harness.suites.scenarios.vocabulary import decides, member, step_pattern
from harness.verdicts import Reason

WRONG_PASSWORD = "ringtrue-wrong-password"


def _register(
    world: World, item: dict[str, Any], password: str | None = None, *, script: str = "register.xml"
) -> SippResult:
    target = sip_side(world.scenario)
    exchange = world.act("getSipAccountStatus", str(item["id"]), expect=False)
    domain = target.domain or sip_domain(world, exchange)
    if exchange.response is not None and exchange.response.status == 404:
        domain = domain or world.sip_domain
    if domain is None:
        raise InconclusiveError(Reason.PRECONDITION, f"the status names no SIP domain: {seen_answer(exchange)}")
    world.sip_domain = domain
    user = str(member(item, "sip.username"))
    return _run(world, script, user, password or str(member(item, "sip.password")), domain)


def _run(world: World, script: str, user: str, password: str, domain: str, **variables: str | int) -> SippResult:
    return run_agent(
        world.scenario,
        script,
        user,
        user=user,
        password=password,
        domain=domain,
        variables=variables,
    )


@when("its SIP client registers with the password of the list")
def register(world: World) -> None:
    world.results = [_register(world, world.item)]


@when("each SIP client registers with the password of the list")
def register_each(world: World) -> None:
    world.results = [_register(world, item) for item in world.items]


@when("its SIP client registers with a wrong password")
def register_wrongly(world: World) -> None:
    world.results = [_register(world, world.item, WRONG_PASSWORD)]


@given("a SIP account that registers")
def given_registered(world: World) -> None:
    world.kind = ACCOUNT
    world.precondition(world.new_values())
    result = _register(world, world.item)
    if result.outcome != "done":
        raise InconclusiveError(
            Reason.NO_CONTROL, f"the account does not register with the right password: {result.detail}"
        )


@decides("the registration is accepted")
@decides("both registrations are accepted")
def is_registered(world: World, clause: str) -> None:
    for result in world.results:
        seen = statuses(result.messages, "REGISTER")
        if not seen:
            world.scenario.undecided(clause, Reason.TIMEOUT, f"nobody answers at the SIP address: {result.detail}")
            continue
        if result.outcome == "done" and not {401, 407} & set(seen) and _takes_anything(world):
            words = "without credentials and with a wrong password a registration is accepted as well"
            world.scenario.undecided(clause, Reason.NO_CONTROL, words)
            continue
        words = "a registration with the credentials of the list is not accepted"
        shown = " then ".join(map(str, seen)) or result.detail
        world.scenario.check(
            clause, result.outcome == "done", words, expected="200", seen=shown, command=result.command
        )


def _takes_anything(world: World) -> bool:
    """Whether a registrar that does not challenge takes a wrong password too: then the right one shows nothing."""
    wrong = _register(world, world.items[0], WRONG_PASSWORD)
    return wrong.outcome == "done"


@decides("it was challenged for credentials first")
def was_challenged(world: World, clause: str) -> None:
    seen = statuses(world.results[0].messages, "REGISTER")
    if not seen:
        raise InconclusiveError(Reason.TIMEOUT, world.results[0].detail)
    words = "a registration without credentials is not challenged"
    final = next((status for status in seen if status >= 200), seen[0])
    world.scenario.check(
        clause, final in (401, 407), words, expected="401 or 407", seen=final, command=world.results[0].command
    )


@decides("the registration is refused")
def is_refused(world: World, clause: str) -> None:
    (result,) = world.results
    final = final_status(result.messages, "REGISTER")
    if final is None:
        raise InconclusiveError(Reason.TIMEOUT, f"nobody answers at the SIP address: {result.detail}")
    words = "a registration that must be refused is accepted"
    world.scenario.check(clause, final >= 300, words, expected="a refusal", seen=final, command=result.command)


@given("an external script that the recorder serves")
def given_served(world: World) -> None:
    accounts = world.items
    world.kind, world.items = SCRIPTS, []
    world.precondition(world.new_values())
    world.script, world.items, world.kind = world.items[0], accounts, ACCOUNT
    world.old_route = world.route


@given("the URL of the script is updated to another one of the recorder")
def given_updated(world: World) -> None:
    assert world.script is not None
    body = world.body({"url": world.recorder_url(), "name": "updated"})
    exchange = world.act("updateExternalScript", str(world.script["id"]), body)
    if exchange.response is None or exchange.response.status >= 300:
        raise InconclusiveError(Reason.PRECONDITION, f"the update was refused: {seen_answer(exchange)}")


@when("its SIP client places a call")
def place_call(world: World) -> None:
    user, password = str(member(world.item, "sip.username")), str(member(world.item, "sip.password"))
    assert world.sip_domain is not None
    world.results = [_run(world, "call_registered.xml", user, password, world.sip_domain, service=user)]


@decides("the platform fetches the external script")
def script_fetched(world: World, clause: str) -> None:
    _fetched(world, clause, "a call does not fetch the external script")


@then(step_pattern("the platform fetches the new script and not the old one", clause=True))
def new_script_fetched(world: World, clause: str) -> None:
    _fetched(world, clause, "after an update of its URL a call does not fetch the new script")
    if world.old_route is not None and world.old_route is not world.route:
        old = world.old_route.callbacks
        words = "after an update of its URL a call still fetches the old script"
        world.scenario.check(clause, not old, words, expected="no request", seen=f"{len(old)} requests")


def _fetched(world: World, clause: str, words: str) -> None:
    assert world.route is not None
    calls = world.route.wait(1, world.scenario.plan.target.timing.callback)
    (result,) = world.results
    if not calls:
        if not statuses(result.messages, "INVITE"):
            raise InconclusiveError(Reason.TIMEOUT, f"nobody answers at the SIP address: {result.detail}")
        world.kind = SCRIPTS
        others = [one for one in world.listed() if world.script is None or one.get("id") != world.script["id"]]
        if others:
            raise InconclusiveError(
                Reason.PRECONDITION,
                f"{len(others)} other scripts are set up, and which one a call runs is not documented",
            )
    world.scenario.check(
        clause,
        bool(calls),
        words,
        expected=f"a request to {world.url}",
        seen=result.detail or "no request",
        command=result.command,
    )
