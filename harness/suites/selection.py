"""Arranges collected tests: which are not judged at this target, and which must not run side by side.

Called by the plugin in every process that collects. It decides nothing about clauses.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.suites.plan import Plan

NOT_JUDGED = "not judged: "


_NOTHING_TO_ASK = "[NOTSET]"


def arrange(items: list[pytest.Item], plan: Plan) -> None:
    """Mark tests that need a capability which the target does not declare, and tests that belong to one worker.

    `-k` finds a test by its system and its clauses too.
    """
    # pytest's stand-in for a question that no operation of these systems is asked.
    items[:] = [item for item in items if not item.name.endswith(_NOTHING_TO_ASK)]
    for item in items:
        marker = item.get_closest_marker("ringtrue")
        if marker is None:
            continue
        system = marker.kwargs["system"]
        item.extra_keyword_matches.update((system, *marker.kwargs.get("clauses", ())))
        declared = plan.target.systems[system].capabilities
        missing = [need for need in marker.kwargs.get("needs", ()) if need not in declared]
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"{NOT_JUDGED}the target does not declare {', '.join(missing)}"))
        if _is_serial(marker.kwargs.get("clauses", ()), system, plan):
            item.add_marker(pytest.mark.xdist_group(f"{system}-serial"))


def _is_serial(clauses: Iterable[str], system: str, plan: Plan) -> bool:
    """Tests about a serial area, and those about no clause in particular, which may touch anything."""
    serial = plan.contracts[system].file.serial
    areas = {plan.catalogue[clause].area for clause in clauses}
    return bool(serial) and (not areas or bool(areas & serial))
