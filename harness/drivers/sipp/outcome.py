"""From what SIPp left behind (exit code, error log) to one of five words and a sentence. Pure functions.

SIPp's exit codes alone do not tell a refused call from a script that SIPp cannot read; its error log does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.drivers.sipp.script import Script
from harness.timeline import SipMessage

Outcome = Literal["done", "failed", "broken", "timeout", "stopped"]

EXIT_BIND = 254

_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ \t]\d\d:\d\d:\d\d\.\d+[ \t]\d+\.\d+: ")
_UNEXPECTED = re.compile(r"while expecting '([^']*)' \(index (\d+)\), received '([^\r\n]*)")
_RECEIVE = re.compile(r"receive timeout on message [^:]*:(\d+) without label")
_NO_PEER = re.compile(r"(Error on TCP connection[^\n]*|Unable to connect[^\n]*|[^\n]*Connection refused[^\n]*)")
_OURS = re.compile(r"RINGTRUE: ([^\r\n]*)")


@dataclass(frozen=True, slots=True)
class SippResult:
    """How an agent ended.

    `outcome`: `done` (the script went through), `failed` (the far side did something else), `timeout` (nothing more
    came), `broken` (SIPp or its script cannot run: says nothing of the far side), `stopped` (the harness ended it).
    `command` reproduces it in a shell, without secrets. `messages` are in the order of their times.
    """

    outcome: Outcome
    exit_code: int | None
    detail: str
    messages: tuple[SipMessage, ...]
    command: str


def judge(
    script: Script,
    exit_code: int | None,
    log: str,
    messages: Sequence[SipMessage],
    *,
    killed: Literal["deadline", "stop"] | None,
    timeout: float,
) -> tuple[Outcome, str]:
    """The outcome and its detail. `killed`: whether and why the harness ended SIPp itself; `timeout`: seconds given."""
    entries = [entry.strip() for entry in _STAMP.split(log) if entry.strip()]
    unreadable = sum("non SIP message discarded" in entry or "No valid Call-ID" in entry for entry in entries)
    garbage = f"; {unreadable} messages that are no SIP were discarded" if unreadable else ""
    if exit_code == 0 and killed is None:
        return "done", ""
    if found := _OURS.search(log):
        return "failed", found[1]
    if found := _UNEXPECTED.search(log):
        return "failed", f"expected {_expected(script, found)}, received {found[3]}{garbage}"
    if found := _RECEIVE.search(log):
        return "timeout", f"no {script.expected(int(found[1]))} within {timeout:g} s{garbage}"
    if "retransmission timeout" in log or ("Maximum" in log and "retrans" in log):
        return "timeout", f"no answer to what was sent and sent again, within {timeout:g} s{garbage}"
    if killed == "stop":
        return "stopped", "stopped by the harness" + (f" after {messages[-1].start_line}" if messages else "")
    if killed == "deadline" or "timed out after" in log:
        last = f"the last message was {messages[-1].start_line}" if messages else "nothing arrived"
        return "timeout", f"not at its end after {timeout:g} s: {last}{garbage}"
    if found := _NO_PEER.search(log):
        return "failed", found[1].strip()
    said = entries[-1].splitlines()[0][:500] if entries else "SIPp said nothing"
    if exit_code == 1 and messages:
        return "failed", said
    return "broken", f"SIPp ended with {exit_code}: {said}"


def _expected(script: Script, found: re.Match[str]) -> str:
    words = script.expected(int(found[2]))
    return found[1] if words == "?" else words
