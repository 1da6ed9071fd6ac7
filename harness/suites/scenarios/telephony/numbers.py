"""Outside numbers in the forms in which people dial them."""

from __future__ import annotations

from harness.suites.scenario import InconclusiveError
from harness.verdicts import Reason

SWITZERLAND = "+41"
"""The country whose national form VTX's document shows (VX, CDR Push Notifications)."""


def as_dialled(numbers: tuple[str, ...], form: str, *, country: str = SWITZERLAND) -> str:
    """One of the outside numbers in a form: `in full` (+…), `after 00`, `in its national form` (of the country).

    Raises:
        InconclusiveError: none of the numbers has that form.
    """
    whole = [number for number in numbers if number.startswith("+")]
    match form:
        case "in full":
            found = whole
        case "after 00":
            found = [f"00{number[1:]}" for number in whole]
        case "in its national form":
            found = [f"0{number.removeprefix(country)}" for number in whole if number.startswith(country)]
        case _:
            raise RuntimeError(f"unknown form of a number: {form!r}")
    if not found:
        raise InconclusiveError(
            Reason.PRECONDITION, f"the target file names no outside number that can be dialled {form}"
        )
    return found[0]
