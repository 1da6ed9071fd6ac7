"""Annotations of GitHub Actions: lines on standard output that show what is wrong beside a job and its pull request.

A line begins with `::`, so what a target sent must begin none: values are escaped as the runner wants it, and while the
result of a run is printed the runner is told not to look for commands.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.findings import Verdict
from harness.verdicts import Exit

if TYPE_CHECKING:
    from harness.report.results import RunRecord

# GitHub shows ten errors of a step and drops the others.
_MOST = 10
_LONGEST = 1000


def wanted(choice: str) -> bool:
    """Whether to print them: `auto` means on GitHub (and on Gitea and Forgejo, which say that they are GitHub)."""
    return choice == "github" or (choice == "auto" and os.environ.get("GITHUB_ACTIONS") == "true")


def github_lines(record: RunRecord) -> list[str]:
    """The lines for a run: an error for each clause that makes it red, and for why nothing can be said."""
    found = list(_errors(record))
    if len(found) > _MOST:
        left = len(found) - _MOST + 1
        found = [
            *found[: _MOST - 1],
            _line("Ringtrue", f"and {left} more: see summary.md and verdicts.json of the run"),
        ]
    return found


def _errors(record: RunRecord) -> Iterator[str]:
    run = record.verdict
    if run.exit_code is Exit.NOTHING_SAID:
        yield _line("Ringtrue", run.conclusion)
    for item in run.red:
        finding = next(run.broken(item), None)
        words = f"{item.clause.text} [{item.clause.source}]"
        if finding is not None:
            seen = f": expected {finding.expected or 'nothing'}; seen {finding.seen or 'nothing'}"
            subject = f"{finding.subject}: " if finding.subject else ""
            words += f"\n{subject}{finding.message}{seen if finding.expected or finding.seen else ''}"
        yield _line(f"{Verdict.FAIL.upper()} {item.clause.id}", words)
    for result in run.waivers:
        if result.red:
            yield _line(f"WAIVER {result.waiver.clause}", f"{result.state}: {result.says} ({result.waiver.owner})")


def _line(title: str, message: str) -> str:
    shown = message if len(message) <= _LONGEST else message[:_LONGEST] + "…"
    return f"::error title={_escaped(title, ':,')}::{_escaped(shown)}"


def _escaped(text: str, more: str = "") -> str:
    """As the runner's own toolkit does it; other control characters are left out."""
    for sign in f"%\r\n{more}":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return "".join(sign if sign.isprintable() or sign == " " else "?" for sign in text)


@contextmanager
def no_commands(*, active: bool) -> Iterator[None]:
    """While this lasts, the runner takes no line for a command, whatever is printed."""
    token = secrets.token_hex(16)
    if active:
        print(f"::stop-commands::{token}", flush=True)
    try:
        yield
    finally:
        if active:
            print(f"::{token}::", flush=True)
