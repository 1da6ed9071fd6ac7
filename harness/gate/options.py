"""Values of command line options, as users write them: a share, a day; and what is chosen where they say nothing.

Imported by the command line at its start, so nothing heavy may be imported here.
"""

from __future__ import annotations

import os
import re
from datetime import date

import click


def percent(text: str) -> float:
    """A share from 0 to 1, written as `90` or `90%`.

    Raises:
        click.BadParameter: anything else; 0.9 too, which may mean either.
    """
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*%?", text.strip())
    value = float(found[1]) if found else -1.0
    if not (value == 0 or 1 <= value <= 100):
        raise click.BadParameter(f"{text!r} is no percentage: write 0 to 100, such as 90 or 90%")
    return value / 100


def day(text: str) -> date:
    """A date, written as `2027-01-31`.

    Raises:
        click.BadParameter: anything else.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date: write year-month-day, such as 2027-01-31") from None


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers(keyword: str | None = None) -> int:
    """Tests side by side: most of them wait for a call or a callback most of the time, but each worker takes its start.

    Of the few tests that a `keyword` chooses, fewer are worth that.
    """
    return min((1 if keyword else 2) * cores(), 8)


def default_jobs() -> int:
    """Trials of faults side by side: they wait just as much, and cost no start."""
    return 3 * cores()
