"""Waivers as users keep them: a TOML file with known deviations, each with a reason, an owner and an end.

Read before a run, and written by `ringtrue waive`. What a waiver does to a verdict stands in `harness.verdicts`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.gate import GateError
from harness.tomlfile import Complaint, quoted, read_toml
from harness.verdicts import Waiver

TABLE = "waiver"
_HEAD = """\
# Deviations that are known: each waives one finding of one clause (its fingerprint stands in verdicts.json), with a reason,
# an owner and the last day on which it counts. `ringtrue waive` writes them; `ringtrue run --waivers FILE` reads them.
"""
_Words = Annotated[str, Field(pattern=r"\S")]


class WaiverError(GateError):
    """A waiver file cannot be used, or a waiver cannot be written; the message says where, and what to do."""


class WaiverTable(BaseModel):
    """One `[[waiver]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clause: str
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    reason: _Words
    owner: _Words
    until: date

    def waiver(self) -> Waiver:
        return Waiver(self.clause, self.fingerprint, self.reason.strip(), self.owner.strip(), self.until)


def load_waivers(path: Path, clauses: Collection[str]) -> tuple[Waiver, ...]:
    """Read a waiver file. `clauses`: the ids of all clauses there are, of every system.

    Raises:
        WaiverError: no such file, not TOML, an unknown key or clause, a bad value, or a waiver that stands there twice.
    """
    tables, lines = read_toml(path, WaiverError, "`ringtrue waive` writes one")
    complain = Complaint(str(path), lines, WaiverError)
    for name in tables:
        if name != TABLE:
            raise complain(f"unknown table [{name}]", [TABLE], (name,))
    items = tables.get(TABLE, [])
    if not isinstance(items, list):
        raise complain("expected [[waiver]], with two brackets", (), (TABLE,))
    found: dict[tuple[str, str], int] = {}
    waivers = []
    for place, item in enumerate(items):
        path_of = (TABLE, str(place))
        try:
            waiver = WaiverTable.model_validate(item).waiver()
        except ValidationError as error:
            raise complain.explain(error, WaiverTable, path_of) from error
        if waiver.clause not in clauses:
            near = complain.near(waiver.clause, clauses)
            hint = f". Did you mean {near!r}?" if near else ". `ringtrue clauses` lists them; --specs adds systems"
            raise complain(f"no clause has the name {waiver.clause!r}{hint}", (), (*path_of, "clause"))
        if waiver.key in found:
            raise complain(f"the same waiver stands here twice ({waiver.clause} {waiver.fingerprint})", (), path_of)
        found[waiver.key] = place
        waivers.append(waiver)
    return tuple(waivers)


def add_waiver(path: Path, waiver: Waiver, clauses: Collection[str]) -> None:
    """Write a waiver at the end of a file, which is made where there is none; what stands in it stays as it is.

    Raises:
        WaiverError: the file is wrong, has this waiver already, or cannot be written.
    """
    there = load_waivers(path, clauses) if path.exists() else ()
    if any(other.key == waiver.key for other in there):
        raise WaiverError(
            f"{path}: {waiver.clause} {waiver.fingerprint} is waived there already: change its `until` and `reason`"
        )
    before = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    table = f"""\
[[{TABLE}]]
clause = {quoted(waiver.clause)}
fingerprint = {quoted(waiver.fingerprint)}
reason = {quoted(waiver.reason)}
owner = {quoted(waiver.owner)}
until = {waiver.until.isoformat()}
"""
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(f"{before.rstrip()}\n\n{table}", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise WaiverError(f"{path}: cannot be written: {error.strerror}") from error
