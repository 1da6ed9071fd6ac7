"""One seed gives the same requests and the same verdicts, run after run, with workers side by side.

What cannot be the same is taken for equal: ports, ids that the platform gives, names that must be new, the moment that
lies two minutes ahead. Order counts within a test alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from harness.reference.systems import SYSTEM_NAMES
from tests.e2e.command import Done, ringtrue

# Twenty seconds on two free cores; other tests may run beside it.
_SECONDS = 300.0
_BY_NATURE = (
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"ringtrue-[0-9a-f]{8}\b", "CLIENT"),
    (r"rt[0-9a-f]{10}", "NEW"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{24}\b", "ID"),
    (r"/contract/[\w-]{16}", "/ROUTE"),
    (r"202[6-9]-\d\d-\d\dT[\d:.]+Z", "SOON"),
    (r'"port": \d{5}\b', '"port": PORT'),
    (r'"extension": "[2-7]\d\d"', '"extension": NEW'),
)


def _same(text: str) -> str:
    text = unquote_plus(text)
    for pattern, name in _BY_NATURE:
        text = re.sub(pattern, name, text)
    return text


def _requests(timeline: Path) -> list[tuple[str, str, str]]:
    events = [json.loads(line) for line in timeline.read_text(encoding="utf-8").split("\n") if line]
    sent = [event["request"] for event in events if event["kind"] == "http"]
    return [(one["method"], _same(one["url"]), _same(str(one["body"]))) for one in sent]


def _sent(done: Done) -> dict[str, list[tuple[str, str, str]]]:
    """Requests by test; sorted, since four of a repeated one leave at the same time."""
    return {file.name: sorted(_requests(file)) for file in (done.run_dir / "timelines").iterdir()}


@pytest.mark.parametrize("system", SYSTEM_NAMES)
def test_a_seed_gives_the_same_requests_and_verdicts(system: str, tmp_path: Path) -> None:
    arguments = ("run", "--system", system, "-k", "contract", "--seed", "7", "--workers", "2", "-q")
    first, second = (ringtrue(*arguments, folder=tmp_path / name, seconds=_SECONDS) for name in ("one", "two"))
    assert (first.code, second.code) == (0, 0), first
    assert first.by_clause == second.by_clause
    one, two = _sent(first), _sent(second)
    assert one.keys() == two.keys()
    assert sum(map(len, one.values())) > 100
    assert {name: one[name] for name in one if one[name] != two[name]} == {}


def test_another_seed_gives_other_requests(tmp_path: Path) -> None:
    """Else the comparison above would show nothing."""
    runs = [
        ringtrue(
            *("run", "--system", "vtx", "-k", "contract and linked", "--seed", seed, "--workers", "1", "-q"),
            folder=tmp_path / seed, seconds=_SECONDS,
        )
        for seed in ("7", "8")
    ]  # fmt: skip
    assert _sent(runs[0]) != _sent(runs[1])
