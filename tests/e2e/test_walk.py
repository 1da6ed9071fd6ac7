"""The walk along links gets somewhere: on each system operations are served with what others gave, and nothing is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.contract import load_contracts
from harness.suites.contract.links import Links
from harness.suites.safety.ledger import read_ledger
from tests.e2e.command import Done, ringtrue


def _walk(system: str, folder: Path) -> Done:
    done = ringtrue("run", "--system", system, "-k", "linked", "--seed", "7", "--workers", "1", "-q", folder=folder)
    assert done.code == 0, done
    return done


def _served(done: Done) -> set[str]:
    """Operations that were served a generated request."""
    (timeline,) = (done.run_dir / "timelines").glob("test_linked_operations*.jsonl")
    events = [json.loads(line) for line in timeline.read_text(encoding="utf-8").split("\n") if line]
    asked = [event for event in events if event["kind"] == "http" and event["about"].get("case") == "positive"]
    return {one["about"]["operation"] for one in asked if one["response"] and one["response"]["status"] < 300}


@pytest.mark.parametrize("system", ["apidaze", "vtx", "mediaservice"])
def test_what_is_made_is_read_changed_and_deleted_along_links(system: str, tmp_path: Path) -> None:
    links = Links(load_contracts([system])[system].spec)
    ends = {link.target for link in links.all} | {link.source for link in links.all if link.parameters}
    walked = {name for name in ends if links.is_whole(links.spec.operation(name))}
    done = _walk(system, tmp_path)
    assert len(walked) > 3
    assert walked - _served(done) <= _BY_CHANCE.get(system, set())
    accounts, unreadable = read_ledger(done.run_dir)
    assert [account.left for account in accounts] == [()]
    assert unreadable == []


# What a walk of so few steps may not come to.
_BY_CHANCE = {"apidaze": {"getExternalScript"}}


def test_where_nothing_may_stay_nothing_is_made_that_stays(tmp_path: Path) -> None:
    done = _walk("callable", tmp_path)
    served = _served(done)
    assert {"listTrunks", "listDevices", "getAccount"} <= served
    assert not [name for name in served if name.startswith("create")]
    assert read_ledger(done.run_dir) == ([], [])
