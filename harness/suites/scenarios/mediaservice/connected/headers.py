"""Steps on what stands in the INVITE to a destination or to a monitor: each member of an answer in its header.

Header names are compared without case, numbers as numbers, and a list may come as several lines or as one. What is said to
be absent counts only where another INVITE of the same scenario has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.checks.flows.values import same_phone, same_uri
from harness.checks.sip import Message
from harness.suites.scenarios.mediaservice.connected.parties import Parties
from harness.suites.scenarios.vocabulary import decides
from harness.verdicts import Reason

_IDENTITIES = ("From", "P-Asserted-Identity", "Remote-Party-ID")
# Values of Privacy that ask for a caller to be hidden (RFC 3323 4.2, RFC 3325 9.3).
_HIDING = frozenset({"id", "user", "header"})


@decides("{who} is invited at her own address")
@decides("{who} is invited at his own address")
def at_own_address(parties: Parties, who: str, clause: str) -> None:
    promised, called = parties.phone(who).uri, parties.phone(who).wait_called()
    uri = parties.invite(who).request_uri if called else None
    words = "an address that was given is not invited, or another request-URI is used"
    kept = uri is not None and same_uri(uri.text, promised)
    parties.scenario.check(clause, kept, words, expected=promised, seen=uri.text if uri else "no INVITE")


@decides("{who}'s INVITE has the {header} user {number}")
def has_user(parties: Parties, who: str, header: str, number: str, clause: str) -> None:
    for name in header.split(" and "):
        users = [one.uri.user for one in parties.invite(who).addresses(name)]
        words = f"the user part of {name} is another one"
        kept = any(same_phone(user, number) for user in users)
        parties.scenario.check(clause, kept, words, expected=number, seen=_listed(users))


@decides("{who}'s INVITE has {other}'s number in {header}")
def has_number(parties: Parties, who: str, other: str, header: str, clause: str) -> None:
    has_user(parties, who, header, parties.number(other), clause)


@decides("{who}'s INVITE has the From display name {name}")
def has_display_name(parties: Parties, who: str, name: str, clause: str) -> None:
    sender = parties.invite(who).from_address
    seen = sender.name if sender else ""
    words = "the display name of From is another one"
    parties.scenario.check(clause, seen == name, words, expected=name, seen=seen or "none")


@decides("{who}'s INVITE has the Diversion parameters {pairs}")
def has_diversion_parameters(parties: Parties, who: str, pairs: str, clause: str) -> None:
    diversions = parties.invite(who).diversions
    if not diversions:
        words = "there is no Diversion that could have parameters"
        parties.scenario.undecided(clause, Reason.NO_EVIDENCE, words)
        return
    _has_pairs(parties, clause, pairs, [one.parameters for one in diversions], "a parameter of Diversion is missing")


@decides("{who}'s INVITE has the Contact parameter {pairs}")
def has_contact_parameter(parties: Parties, who: str, pairs: str, clause: str) -> None:
    contacts = parties.invite(who).addresses("Contact")
    either = [{**one.uri.parameters, **one.parameters} for one in contacts]
    _has_pairs(parties, clause, pairs, either, "a parameter of Contact is missing")


@decides("{who}'s INVITE has the Contact user-part parameter {pairs}")
def has_contact_user_parameter(parties: Parties, who: str, pairs: str, clause: str) -> None:
    contacts = parties.invite(who).addresses("Contact")
    words = "a parameter of the user part of Contact is missing"
    _has_pairs(parties, clause, pairs, [one.uri.user_parameters for one in contacts], words)


@decides("{who}'s INVITE has the header {name}: {value}")
def has_header(parties: Parties, who: str, name: str, value: str, clause: str) -> None:
    seen = parties.invite(who).headers(name)
    words = f"the header {name} is missing, or has another value"
    parties.scenario.check(clause, value in seen, words, expected=value, seen=_listed(seen))


@decides("{who}'s INVITE has {name} twice: {first} and {second}")
def has_header_twice(parties: Parties, who: str, name: str, first: str, second: str, clause: str) -> None:
    seen = parties.invite(who).values(name)
    words = f"not every value of the list is in the header {name}"
    parties.scenario.check(clause, {first, second} <= {*seen}, words, expected=[first, second], seen=_listed(seen))


@decides("{who}'s INVITE has the copied headers {lines}")
def has_copied_headers(parties: Parties, who: str, lines: str, clause: str) -> None:
    for line in lines.split(" and "):
        name, _, value = line.partition(": ")
        has_header(parties, who, name, value, clause)


@decides("{who}'s INVITE has no {name}, but {other}'s has one")
def has_no_header(parties: Parties, who: str, name: str, other: str, clause: str) -> None:
    seen = parties.invite(who).headers(name)
    if not seen and not parties.invite(other).headers(name):
        words = f"the INVITE to {other}, which asks for {name}, has none either"
        parties.scenario.undecided(clause, Reason.NO_CONTROL, words)
        return
    words = f"there is a {name} although nothing asks for it"
    parties.scenario.check(clause, not seen, words, expected="none", seen=_listed(seen))


@decides("{who} does not see {caller}'s number, which {other} sees")
def does_not_see(parties: Parties, who: str, caller: str, other: str, clause: str) -> None:
    does_not_see_number(parties, who, parties.number(caller), other, clause)


@decides("{who} does not see the number {number}, which {other} sees")
def does_not_see_number(parties: Parties, who: str, number: str, other: str, clause: str) -> None:
    """A number beside a request for privacy is left to whoever shows it (RFC 3323 4.2)."""
    invite = parties.invite(who)
    shown = [] if _asks_privacy(invite) else _shows(invite, number)
    if not shown and not _shows(parties.invite(other), number):
        words = f"not even {other}, who may see the number, does"
        parties.scenario.undecided(clause, Reason.NO_CONTROL, words)
        return
    words = "the number of a caller who is to be hidden is shown"
    parties.scenario.check(clause, not shown, words, expected="not shown", seen=_listed(shown))


@decides("{who}'s INVITE asks for privacy in a form of RFC 3323")
def asks_privacy(parties: Parties, who: str, clause: str) -> None:
    invite = parties.invite(who)
    seen = f"Privacy: {_listed(invite.values('Privacy'))}, From: {invite.header('From')}"
    words = "privacy is asked neither by Privacy nor by an anonymous From"
    parties.scenario.check(
        clause, _asks_privacy(invite) or _is_anonymous(invite), words, expected="Privacy: id, or anonymous", seen=seen
    )


def _shows(invite: Message, number: str) -> list[str]:
    """The identity headers in which a number stands."""
    return [name for name in _IDENTITIES if any(same_phone(one.uri.user, number) for one in invite.addresses(name))]


def _asks_privacy(invite: Message) -> bool:
    asked = {word.strip().lower() for value in invite.values("Privacy") for word in value.split(";")}
    hidden = any(
        one.parameters.get("privacy", "").lower() in ("full", "uri") for one in invite.addresses("Remote-Party-ID")
    )
    return bool(asked & _HIDING) or hidden


def _is_anonymous(invite: Message) -> bool:
    """An anonymous From: RFC 3323 4.1.1.3 recommends user and host, and many write only the one of them."""
    sender = invite.from_address
    return sender is not None and (
        "anonymous" in sender.uri.user.lower() or sender.uri.host.lower() in ("anonymous.invalid", "anonymous")
    )


def _has_pairs(parties: Parties, clause: str, pairs: str, found: Iterable[Mapping[str, str]], words: str) -> None:
    wanted = dict(pair.split("=", 1) for pair in pairs.split(" and "))
    seen = list(found)
    kept = any(all(one.get(name) == value for name, value in wanted.items()) for one in seen)
    parties.scenario.check(clause, kept, words, expected=wanted, seen=seen)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values) or "none"
