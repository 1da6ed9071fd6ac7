"""Steps that all features of Mediaservice share: answers to callbacks, phones, calls and how they go on and end."""

from __future__ import annotations

import json
from typing import Any

from pytest_bdd import given, parsers, when

from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.world import IVR, World
from harness.suites.scenarios.vocabulary import table
from harness.verdicts import Reason

_PHONE = r"(?P<name>bob|carol|dave|erin)"
_CALLBACK = r"(?P<callback>newCall|getIvrCommand|callEvent|newRemoteCall)"


@given(parsers.re(rf"{_CALLBACK} is answered with"))
@when(parsers.re(rf"{_CALLBACK} will be answered with"))
def answer_with(ms: World, callback: str, datatable: list[list[str]]) -> None:
    """From now on, with these members; a value is JSON where it can be read as such, and may name phones: `{bob}`."""
    ms.answers.set(callback, members_of(ms, datatable))


@given(parsers.re(rf"the next {_CALLBACK} is answered with"))
def answer_next_with(ms: World, callback: str, datatable: list[list[str]]) -> None:
    """After the answers that were given before."""
    ms.answers.add(callback, members_of(ms, datatable))


@given(parsers.re(rf"{_CALLBACK} is answered with action (?P<action>\w+)"))
def answer_with_action(ms: World, callback: str, action: str) -> None:
    ms.answers.set(callback, {"action": action})


def members_of(ms: World, datatable: list[list[str]]) -> dict[str, Any]:
    """The members of an answer as a feature's table writes them."""
    return {name: value_of(ms, text) for name, text in table(datatable).items()}


def value_of(ms: World, text: str) -> Any:
    """A value of a table: JSON, or else text; `{bob}` is the URI of the phone bob, and what else has a name likewise."""
    for name, meant in ({name: phone.uri for name, phone in ms.phones.items()} | ms.meant).items():
        text = text.replace(f"{{{name}}}", meant)
    try:
        return json.loads(text)
    except ValueError:
        return text


@given(parsers.re(rf"a phone {_PHONE} that answers"))
def phone_that_answers(ms: World, name: str) -> None:
    ms.phone(name)


@given(parsers.re(rf"a phone {_PHONE} that rings"))
def phone_that_rings(ms: World, name: str) -> None:
    """It rings until a step says what it does."""
    ms.phone(name, then="wait")


@given(parsers.re(rf"a phone {_PHONE} that refuses with (?P<refusal>.+)"))
def phone_that_refuses(ms: World, name: str, refusal: str) -> None:
    ms.phone(name, then="refuse", refusal=refusal)


@when("a caller calls the IVR")
def call_ivr(ms: World) -> None:
    ms.dial(IVR)


@given("a caller in the IVR")
def caller_in_ivr(ms: World) -> None:
    """A call that is up, with getIvrCommand asked."""
    ms.dial(IVR)
    expect_answered(ms)
    ms.need("getIvrCommand", call=ms.call)


@given(parsers.re(rf"a caller who is connected with {_PHONE}"))
def connected(ms: World, name: str) -> None:
    """A call that the answer to newCall connects with a phone, which is there already."""
    if not ms.answers.has("newCall"):
        ms.answers.set("newCall", {"action": "call", "destAddr": ms.phones[name].uri})
    ms.dial(IVR)
    expect_answered(ms)
    ms.need("callAnswered")


@when("the call is answered")
def expect_answered(ms: World) -> None:
    if not ms.call.phone.wait_answered():
        raise InconclusiveError(
            Reason.PRECONDITION, f"the call was not answered: {ms.call.phone.status or 'no answer'}"
        )


@when("the caller hangs up")
def caller_hangs_up(ms: World) -> None:
    ms.call.phone.hang_up()


@when("the caller gives up")
def caller_gives_up(ms: World) -> None:
    ms.call.phone.give_up()


@when(parsers.re(rf"{_PHONE} is called"))
def is_called(ms: World, name: str) -> None:
    if not ms.phones[name].wait_called():
        raise InconclusiveError(Reason.PRECONDITION, f"{name} was not called")


@when(parsers.re(rf"{_PHONE} answers"))
def phone_answers(ms: World, name: str) -> None:
    ms.phones[name].answer()


@when(parsers.re(rf"{_PHONE} refuses"))
def phone_refuses(ms: World, name: str) -> None:
    ms.phones[name].refuse()


@when(parsers.re(rf"{_PHONE} hangs up"))
def phone_hangs_up(ms: World, name: str) -> None:
    ms.phones[name].hang_up()
