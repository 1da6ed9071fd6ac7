"""Reads what an earlier run left, and believes nothing that is not whole.

Used to compare with a baseline, to write waivers, and to merge shards. A file without its footer is truncated; one of
another format, or of something else altogether, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

import harness.report
from harness.gate import GateError
from harness.report.results import FORMAT, VERDICTS
from harness.verdicts import Finding, Verdict

_SCHEMA = Path(harness.report.__file__).with_name("verdicts.schema.json")


class RunError(GateError):
    """An earlier run cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True)
class PastRun:
    """A run on disk: `path` is its verdicts.json, `data` what stands there."""

    path: Path
    data: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def clauses(self) -> dict[str, Mapping[str, Any]]:
        return {item["id"]: item for item in self.data["clauses"]}

    @property
    def durations(self) -> dict[str, float]:
        """Seconds that each test took, by its id."""
        return {test["id"]: test["seconds"] for test in self.data.get("tests", ())}

    def deviations(self) -> Iterator[tuple[Mapping[str, Any], Finding]]:
        """Each distinct deviation with its clause."""
        for item in self.data["clauses"]:
            seen: set[str] = set()
            for finding in map(Finding.from_json, item["findings"]):
                if finding.verdict is Verdict.FAIL and finding.fingerprint not in seen:
                    seen.add(finding.fingerprint)
                    yield item, finding


def read_run(path: Path) -> PastRun:
    """Read a run's folder, or its verdicts.json.

    Raises:
        RunError: nothing there, not JSON, truncated, another format, or not what its footer says.
    """
    file = path / VERDICTS if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        hint = f"name a run's folder (that of `--run-dir`), or its {VERDICTS}"
        raise RunError(f"{file}: cannot be read: {error.strerror}. Is it a run? {hint}") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{file}: not UTF-8 text, so no {VERDICTS} of Ringtrue") from error
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{file}: truncated, or no JSON at all ({error})") from error
    if not isinstance(data, dict) or "format" not in data:
        raise RunError(f"{file}: no {VERDICTS} of Ringtrue: it has no member `format`")
    if data["format"] != FORMAT:
        raise RunError(
            f"{file}: has the format {data['format']!r}, and this Ringtrue reads {FORMAT}: judge again with it"
        )
    if "footer" not in data:
        raise RunError(f"{file}: truncated: its footer is missing")
    wrong = next(_validator().iter_errors(data), None)
    if wrong is not None:
        where = ".".join(map(str, wrong.instance_path)) or "the whole"
        raise RunError(f"{file}: not as its format says: {where}: {wrong.message[:200]}")
    if data["footer"]["clauses"] != len(data["clauses"]):
        raise RunError(
            f"{file}: truncated: it holds {len(data['clauses'])} clauses, and its footer counts {data['footer']['clauses']}"
        )
    return PastRun(file, data)


@cache
def _validator() -> Any:
    return jsonschema_rs.validator_for(json.loads(_SCHEMA.read_text(encoding="utf-8")))
