"""Steps on what newCall reports of a call that arrives at the IVR.

What the call flow `incoming-call` judges is judged from the timeline: the steps here wait for what it looks at, and judge
what it cannot say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_bdd import when

from harness.checks.sip import parse_message
from harness.suites.scenario import InconclusiveError
from harness.suites.scenarios.mediaservice.world import IVR, World, members
from harness.suites.scenarios.vocabulary import decides, step_pattern
from harness.timeline import Callback
from harness.verdicts import Reason


@when("a caller calls the IVR with the headers")
def call_with_headers(ms: World, docstring: str) -> None:
    ms.dial(IVR, headers=docstring.strip())


@when(step_pattern('a caller named "{display}" calls the IVR with the headers'))
def named_call_with_headers(ms: World, display: str, docstring: str) -> None:
    ms.dial(IVR, display=display, headers=docstring.strip())


@decides("newCall announces the call")
@decides("its sipCallId is the Call-ID of the INVITE")
@decides("its callingParty is the user of From")
@decides("its callingParty is the user of the asserted identity")
@decides("its fromUser is the user of From")
@decides("its displayName is the name in the asserted identity")
@decides("its paiNumber is the number in the asserted identity")
@decides("its subject is that of the INVITE")
@decides("its callingPartyPrivacy is public")
@decides("its callingPartyPrivacy is secret")
@decides("each callback is a POST to its own name")
def announced(ms: World, clause: str) -> None:
    """Judged by the call flow, and by the check of callbacks; what it needs is newCall, or the time for one."""
    del clause
    ms.wait("newCall", call=ms.call)


@decides("its displayName is the name in From")
def display_name(ms: World, clause: str) -> None:
    """The value is judged by the call flow, which says nothing of a member that is not there."""
    event, told = _told(ms)
    if not told.get("displayName"):
        words = "newCall has no displayName although From has one"
        ms.scenario.check(clause, False, words, expected="the name in From", seen="absent", at=event)


@decides("the call is announced only once")
def announced_once(ms: World, clause: str) -> None:
    """Judged by the call flow, when the session is over and it has been quiet for a while."""
    del clause
    ms.finish()
    ms.quiet()


@decides("its calledParty is what was dialled")
def called_party(ms: World, clause: str) -> None:
    _same(ms, clause, "calledParty", ms.call.dialled)


@decides("its srcAddr is the address of the caller")
def source_address(ms: World, clause: str) -> None:
    _same(ms, clause, "srcAddr", ms.call.phone.agent.address.rpartition(":")[0].strip("[]"))


@decides("it has no displayName, since From has none")
def no_display_name(ms: World, clause: str) -> None:
    _absent(ms, clause, "displayName")


@decides("it has no diversionHeaders, since the INVITE has none")
def no_diversion(ms: World, clause: str) -> None:
    _absent(ms, clause, "diversionHeaders")


@decides("it has no referredBy, since the INVITE has none")
def no_referred_by(ms: World, clause: str) -> None:
    _absent(ms, clause, "referredBy")


@decides("its {kind}Headers hold the {letter}- headers")
def holds_headers(ms: World, clause: str, kind: str, letter: str) -> None:
    single = {name: values for name, values in _sent(ms, letter).items() if len(values) == 1}
    _reported(ms, clause, f"{kind}Headers", single)


@decides("its {kind}Headers list the {letter}- header that stands twice")
def lists_headers(ms: World, clause: str, kind: str, letter: str) -> None:
    repeated = {name: values for name, values in _sent(ms, letter).items() if len(values) > 1}
    _reported(ms, clause, f"{kind}Headers", repeated)


@decides("its diversionHeaders are those of the INVITE")
def diversion(ms: World, clause: str) -> None:
    _content(ms, clause, "diversionHeaders", "Diversion")


@decides("its referredBy is that of the INVITE")
def referred_by(ms: World, clause: str) -> None:
    _content(ms, clause, "referredBy", "Referred-By")


@decides("its copyHeaders, if it has any, name X- and P- headers")
def copy_headers(ms: World, clause: str) -> None:
    event, told = _told(ms)
    named = told.get("copyHeaders")
    if isinstance(named, list):
        strange = [one for one in named if not str(one).upper().startswith(("X-", "P-"))]
        words = "copyHeaders names a header that is neither a P- nor an X- header"
        ms.scenario.check(clause, not strange, words, expected="P- and X- headers", seen=strange, at=event)


def _told(ms: World) -> tuple[Callback, Mapping[str, Any]]:
    """The newCall of the call, and its members."""
    found = ms.wait("newCall", call=ms.call)
    if found is None:
        raise InconclusiveError(Reason.NO_EVIDENCE, "newCall did not come")
    return found, members(found)


def _same(ms: World, clause: str, name: str, expected: str) -> None:
    event, told = _told(ms)
    words = f"{name} of newCall is another one than that of the call"
    ms.scenario.check(
        clause, told.get(name) == expected, words, expected=expected, seen=told.get(name, "absent"), at=event
    )  # fmt: skip


def _absent(ms: World, clause: str, name: str) -> None:
    event, told = _told(ms)
    words = f"newCall has {name} although there is none"
    ms.scenario.check(clause, not told.get(name), words, expected="absent or empty", seen=told.get(name), at=event)


def _sent(ms: World, letter: str) -> dict[str, list[str]]:
    """The headers of the INVITE whose names begin with a letter and a dash, by lower-case name."""
    found: dict[str, list[str]] = {}
    for name, value in _invite(ms):
        if name.lower().startswith(f"{letter.lower()}-"):
            found.setdefault(name.lower(), []).append(value)
    return found


def _invite(ms: World) -> Sequence[tuple[str, str]]:
    ms.call.phone.wait_called()  # the platform may tell of a call before the caller's own trace does
    invite = ms.call.phone.invite
    if invite is None:
        raise InconclusiveError(Reason.PRECONDITION, "the caller could not call")
    return parse_message(invite.text).fields


def _reported(ms: World, clause: str, name: str, sent: Mapping[str, list[str]]) -> None:
    """Whether a member holds these headers: a text for one, a list where it stands several times."""
    event, told = _told(ms)
    held = told.get(name)
    shown = {str(key).lower(): value for key, value in held.items()} if isinstance(held, Mapping) else {}
    for header, values in sent.items():
        seen = shown.get(header, "absent")
        if len(values) == 1:
            kept = seen in (values[0], values)
        else:
            kept = isinstance(seen, list) and sorted(map(str, seen)) == sorted(values)
        words = f"{name} of newCall does not hold the header {header} as it was sent"
        expected = values[0] if len(values) == 1 else values
        ms.scenario.check(clause, kept, words, expected=expected, seen=seen, at=event)


def _content(ms: World, clause: str, name: str, header: str) -> None:
    """Whether a member has the content of a header; blanks and the brackets of an address aside."""
    event, told = _told(ms)
    sent = [value for known, value in _invite(ms) if known.lower() == header.lower()]
    seen = told.get(name, "absent")
    kept = all(_plain(value) in _plain(str(seen)) for value in sent)
    words = f"{name} of newCall has not the content of {header}"
    ms.scenario.check(clause, kept, words, expected=", ".join(sent), seen=seen, at=event)


def _plain(text: str) -> str:
    return "".join(one for one in text if one not in " \t<>")
