"""Four shards of a whole system, merged, say of every clause what one run says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.command import ringtrue
from tests.e2e.conftest import need, once

_SHARDS = 4


# By system, options of its shards: those of Apidaze have next to nothing to wait for.
@pytest.mark.parametrize(("system", "options"), [("apidaze", ["--workers", "1"]), ("vtx", [])], ids=["apidaze", "vtx"])
def test_four_shards_merged_are_one_run(system: str, options: list[str], shared: Path, tmp_path: Path) -> None:
    need(shutil.which("sipp"), "SIPp")
    name = {"apidaze": "embedded"}.get(system, system)  # the run that other tests make, too
    one = once(shared, name, lambda folder: ringtrue("run", "--system", system, folder=folder))
    shards = [str(index) for index in range(1, _SHARDS + 1)]
    for index in shards:
        part = ("--shard", f"{index}/{_SHARDS}", "--run-dir", index)
        done = ringtrue("run", "--system", system, *part, *options, folder=tmp_path)
        assert done.code == 0, done
    merged = ringtrue("merge", *shards, "-o", "merged", folder=tmp_path)
    verdicts = json.loads((tmp_path / "merged" / "verdicts.json").read_text(encoding="utf-8"))
    different = {
        item["id"]: (item["verdict"], one.by_clause[item["id"]])
        for item in verdicts["clauses"]
        if item["verdict"] != one.by_clause[item["id"]]
    }
    assert different == {}
    assert merged.code == one.code == 0, merged
    assert verdicts["coverage"] == one.verdicts["coverage"]
    assert [test["id"] for test in verdicts["tests"]] == [test["id"] for test in one.verdicts["tests"]]
