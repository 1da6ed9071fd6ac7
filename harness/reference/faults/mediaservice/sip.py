"""Mediaservice faults in the INVITEs that it sends: a member of an answer or an operation does not reach its header.

Part of the fault catalogue; made from tables, since newCall, callEvent and placeivrcall share these members.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, wrap
from harness.reference.mediaservice.mapping import Outgoing
from harness.reference.sip import NameAddr

collect = Collector("mediaservice")

# Members that are simply not heeded, by the places whose clauses name them.
EVERYWHERE = (
    "sipFrom",
    "displayName",
    "sipDiversion",
    "sipDiversionParameters",
    "xHeaders",
    "pHeaders",
    "contactParameters",
    "contactUserParameters",
    "callerPrivacy",
)
ANSWERS_ONLY = ("sipTo", "sipPAI", "sipRPID", "copyHeaders")
# Headers that are there although no member asks for them.
DEFAULTS = {
    "sipDiversion-default": ("Diversion", "<sip:0000@127.0.0.1>"),
    "sipPAI-default": ("P-Asserted-Identity", "<sip:0000@127.0.0.1>"),
    "sipRPID-default": ("Remote-Party-ID", "<sip:0000@127.0.0.1>"),
}
MONITORING = ("monitorSipFrom", "monitorXHeaders", "monitorPHeaders")

Change = Callable[[Outgoing, dict[str, Any]], Outgoing]


def _ignored(origin: str, member: str, method: str, system: Any) -> None:
    def build(really: Callable[..., Outgoing], uri: str, asked: Any, inbound: Any, where: str) -> Outgoing:
        if where == origin:
            asked = {name: value for name, value in asked.items() if name != member}
            if (origin, member) == ("placeivrcall", "sipFrom"):
                inbound = replace(inbound, user="ivr")  # whose user part is the sipFrom of the operation
        return really(uri, asked, inbound, where)

    wrap(system.parts.mapping, method, build)


def _changed(origin: str, change: Change, method: str, system: Any) -> None:
    def build(really: Callable[..., Outgoing], uri: str, asked: Any, inbound: Any, where: str) -> Outgoing:
        invite = really(uri, asked, inbound, where)
        return change(invite, asked) if where == origin else invite

    wrap(system.parts.mapping, method, build)


def _with_header(name: str, value: str, invite: Outgoing, asked: dict[str, Any]) -> Outgoing:
    del asked
    present = any(own.lower() == name.lower() for own, _ in invite.headers)
    return invite if present else replace(invite, headers=(*invite.headers, (name, value)))


def _last_only(prefix: str, invite: Outgoing, asked: dict[str, Any]) -> Outgoing:
    del asked
    kept = dict(line for line in invite.headers if line[0].lower().startswith(prefix))
    others = [line for line in invite.headers if not line[0].lower().startswith(prefix)]
    return replace(invite, headers=(*others, *kept.items()))


def _other_from(invite: Outgoing, asked: dict[str, Any]) -> Outgoing:
    return invite if "sipFrom" in asked else replace(invite, caller=NameAddr("sip:0000@127.0.0.1"))


def _other_to(invite: Outgoing, asked: dict[str, Any]) -> Outgoing:
    return invite if "sipTo" in asked else replace(invite, callee=NameAddr("sip:0000@127.0.0.1"))


def _other_monitor(invite: Outgoing, asked: dict[str, Any]) -> Outgoing:
    return invite if "monitorSipFrom" in asked else replace(invite, caller=NameAddr("sip:0000@127.0.0.1"))


def _no_headers(prefix: str, member: str, invite: Outgoing, asked: dict[str, Any]) -> Outgoing:
    own = asked.get(member) or {}
    given = {str(name).lower() for name in own}
    kept = [line for line in invite.headers if not line[0].lower().startswith(prefix) or line[0].lower() in given]
    return replace(invite, headers=tuple(kept))


def _no_privacy(invite: Outgoing, asked: dict[str, Any]) -> Outgoing:
    """The caller is hidden behind another name, which no reader of RFC 3323 expects."""
    if asked.get("callerPrivacy") is not True:
        return invite
    headers = tuple(line for line in invite.headers if line[0] != "Privacy")
    return replace(invite, caller=NameAddr("sip:hidden@127.0.0.1"), headers=headers)


def _add(name: str, clause: str, words: str, apply: Callable[[Any], None]) -> None:
    collect.add(name, f"MS-{clause}", words, apply)


for _origin, _prefix in (
    ("newCall", "newCall-call"),
    ("callEvent", "callEvent-call"),
    ("placeivrcall", "placeivrcall"),
):
    _answers = _origin != "placeivrcall"
    for _member in (*EVERYWHERE, *(ANSWERS_ONLY if _answers else ())):
        _add(
            f"{_prefix}-{_member}-ignored",
            f"{_prefix}-{_member}",
            f"{_member} of {_origin} is not heeded",
            partial(_ignored, _origin, _member, "outgoing"),
        )
    for _clause, (_name, _header) in DEFAULTS.items():
        if _answers or _clause == "sipDiversion-default":
            _add(
                f"{_prefix}-{_clause}-sent",
                f"{_prefix}-{_clause}",
                f"after {_origin} {_name} is sent although nothing asks for it",
                partial(_changed, _origin, partial(_with_header, _name, _header), "outgoing"),
            )
    for _lines, _start in (("xHeaders", "x-"), ("pHeaders", "p-")):
        _add(
            f"{_prefix}-{_lines}-list-cut",
            f"{_prefix}-{_lines}-list",
            f"a list in {_lines} of {_origin} gives its last value only",
            partial(_changed, _origin, partial(_last_only, _start), "outgoing"),
        )
    _add(
        f"{_prefix}-callerPrivacy-form",
        f"{_prefix}-callerPrivacy-form",
        f"callerPrivacy of {_origin} is asked in no form of RFC 3323",
        partial(_changed, _origin, _no_privacy, "outgoing"),
    )
    if _answers:
        for _clause, _change in (("sipFrom-default", _other_from), ("sipTo-default", _other_to)):
            _add(
                f"{_prefix}-{_clause}",
                f"{_prefix}-{_clause}",
                f"after {_origin} without {_clause.partition('-')[0]} the header has a number of its own",
                partial(_changed, _origin, _change, "outgoing"),
            )
        for _member in MONITORING:
            _add(
                f"{_prefix}-{_member}-ignored",
                f"{_prefix}-{_member}",
                f"{_member} of {_origin} is not heeded",
                partial(_ignored, _origin, _member, "monitoring"),
            )
        _add(
            f"{_prefix}-monitorSipFrom-default",
            f"{_prefix}-monitorSipFrom-default",
            f"after {_origin} the monitoring leg has a From of its own",
            partial(_changed, _origin, _other_monitor, "monitoring"),
        )
        for _member, _start in (("monitorXHeaders", "x-"), ("monitorPHeaders", "p-")):
            _add(
                f"{_prefix}-{_member}-default",
                f"{_prefix}-{_member}-default",
                f"after {_origin} the monitoring leg has no {_start.upper()} headers of the call",
                partial(_changed, _origin, partial(_no_headers, _start, _member), "monitoring"),
            )
