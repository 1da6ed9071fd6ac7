"""The way in which a step or a driver of the suites says that nothing can be known. `scenario` hands it on."""

from __future__ import annotations

from harness.verdicts import Reason


class InconclusiveError(Exception):
    """A stimulus could not be given, so nothing is known about the scenario's clauses."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
