"""Checks: pure functions that read a timeline and give findings; they do no I/O and know no driver."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness.checks.headers import check_headers
from harness.checks.http import check_exchanges
from harness.contract import Contract
from harness.timeline import Timeline
from harness.verdicts import Finding


def check_timeline(
    timeline: Timeline,
    contracts: dict[str, Contract],
    bases: dict[str, str],
    *,
    hsts_without_tls: Collection[str] = (),
) -> Iterator[Finding]:
    """All findings that follow from a timeline alone, whatever scenario it belongs to.

    `bases`: the base URL of each system, to tell which operation a request was for; `hsts_without_tls`: systems whose
    target says that strict-transport-security is sent over plain HTTP too.
    """
    yield from check_exchanges(timeline, contracts, bases)
    yield from check_headers(timeline, contracts, hsts_without_tls)
