"""Mutants: answers and callbacks of any implementation with one thing in them made wrong, by rule from the spec.

`rules` reads what a schema promises and says how each promise can be broken; `catalogue` makes the mutants of a system;
`standing` puts one between the implementation and the harness. Runs use them; `ringtrue faults` counts which are noticed.
"""

from __future__ import annotations

from harness.suites.mutants.catalogue import mutants_of
from harness.suites.mutants.mutant import Mutant
from harness.suites.mutants.standing import Standing

__all__ = ["Mutant", "Standing", "mutants_of"]
