"""The ledger of a run: what it set out to make at the target, what it made, and what it took away again.

Workers append a line as things happen, so that the file is true at every moment, also after a kill; `ringtrue cleanup`
reads it. One JSON object a line, each with `system` and `base_url`, and one of:

- `making` (the id of an operation), `marks` (values sent that nothing else in the world has), `parameters` (of its path)
- `created_by`, `delete` (the operation that takes it away, null where there is none), `parameters` (that name the thing)
- `deleted` (a path), `delete`, `parameters`
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.redact import Redactor

LEDGER = "ledger.jsonl"
# Held by a run for as long as it goes on, and by a clean-up.
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a run made. `delete`: the id of the operation that takes it away, None where there is none."""

    created_by: str
    delete: str | None
    parameters: Mapping[str, str]

    @property
    def key(self) -> tuple[str, str]:
        return self.delete or self.created_by, json.dumps(dict(self.parameters), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Making:
    """Something that a run was about to make, with the values by which it can be told."""

    operation: str
    marks: tuple[str, ...]
    parameters: Mapping[str, str]


class Ledger:
    """Appends what is done at one system."""

    def __init__(self, run_dir: Path, system: str, base_url: str) -> None:
        self._path = run_dir / LEDGER
        self._about = {"system": system, "base_url": Redactor().text(base_url)}

    def making(self, operation: str, marks: Sequence[str], parameters: Mapping[str, str]) -> None:
        self._add({"making": operation, "marks": list(marks), "parameters": dict(parameters)})

    def made(self, made: Made) -> None:
        self._add({"created_by": made.created_by, "delete": made.delete, "parameters": dict(made.parameters)})

    def deleted(self, path: str, delete: str, parameters: Mapping[str, str]) -> None:
        self._add({"deleted": path, "delete": delete, "parameters": dict(parameters)})

    def _add(self, entry: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**self._about, **entry}, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True)
class Account:
    """What a ledger says about one system. `left`: made and not deleted, newest first; `total`: all that was made."""

    system: str
    base_urls: tuple[str, ...]
    total: int
    left: tuple[Made, ...]
    makings: tuple[Making, ...]


def read_ledger(run_dir: Path) -> tuple[list[Account], list[str]]:
    """The account of each system, and what could not be read; a run that made nothing has no ledger."""
    path = run_dir / LEDGER
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    entries: dict[str, list[dict[str, Any]]] = {}
    unreadable = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            _check(entry)
        except (ValueError, TypeError, KeyError):
            unreadable.append(f"{path.name}:{number}: no line of a ledger: {line[:60]!r}")
            continue
        entries.setdefault(entry["system"], []).append(entry)
    return [_account(system, items) for system, items in entries.items()], unreadable


def _check(entry: Any) -> None:
    if not (isinstance(entry["system"], str) and isinstance(entry["base_url"], str)):
        raise TypeError("system and base_url are text")
    if not all(isinstance(value, str) for value in entry["parameters"].values()):
        raise TypeError("parameters are text")
    if "making" in entry and not all(isinstance(mark, str) and mark for mark in entry["marks"]):
        raise TypeError("marks are text")
    if not {"making", "created_by", "deleted"} & entry.keys():
        raise KeyError("neither making, created_by nor deleted")
    if "making" not in entry and not isinstance(entry["delete"], str | None):
        raise TypeError("delete is the id of an operation")


def _account(system: str, entries: list[dict[str, Any]]) -> Account:
    left: dict[tuple[str, str], Made] = {}
    makings: list[Making] = []
    total = 0
    for entry in entries:
        if "making" in entry:
            makings.append(Making(entry["making"], tuple(entry["marks"]), entry["parameters"]))
            continue
        made = Made(entry.get("created_by", ""), entry["delete"], entry["parameters"])
        if "deleted" in entry:
            left.pop(made.key, None)
        else:
            total += made.key not in left
            left[made.key] = made
    bases = tuple(dict.fromkeys(entry["base_url"] for entry in entries))
    return Account(system, bases, total, tuple(reversed(left.values())), tuple(makings))


@contextmanager
def hold(run_dir: Path) -> Iterator[bool]:
    """Take the lock of a run, which ends with the process that has it at the latest; whether it was free."""
    with (run_dir / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
