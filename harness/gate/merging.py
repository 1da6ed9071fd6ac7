"""`ringtrue merge`: reads runs, joins them, judges the whole, and writes it as a run."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.contract import load_contracts
from harness.gate import GateError
from harness.gate.compare import compare, fingerprints, refuse_unrelated
from harness.gate.merge import belong_together, judge_whole, read_parts
from harness.gate.merged_files import join, prepare
from harness.gate.runs import read_run
from harness.report.results import RunRecord, write_results


@dataclass(frozen=True)
class MergeOptions:
    """What `ringtrue merge` was asked for; see its `--help`."""

    runs: Sequence[Path]
    output: Path
    floor: float | None = None
    baseline: Path | None = None
    new_only: bool = False
    specs: Sequence[Path] = ()


def merge(options: MergeOptions) -> RunRecord:
    """Merge runs into a new one.

    Raises:
        GateError: what was named cannot be merged.
        DataError: the specs are wrong.
    """
    if options.new_only and options.baseline is None:
        raise GateError("--new-only needs a run to compare with: name it with --baseline")
    baseline = read_run(options.baseline) if options.baseline else None
    contracts = load_contracts((), options.specs)
    parts = read_parts(options.runs)
    whole = belong_together(parts, {system: contract.catalogue for system, contract in contracts.items()})
    systems = {system: base for part in whole.parts for system, base in part.run.data["systems"].items()}
    if baseline is not None:
        refuse_unrelated(baseline, systems)
    prepare(options.output, whole.parts)
    whole = replace(whole, parts=join(options.output, whole.parts))
    known = fingerprints(baseline) if baseline and options.new_only else None
    verdict = judge_whole(whole, floor=options.floor, known=known)
    datas = [part.run.data for part in whole.parts]
    tests = [test for data in datas for test in data["tests"]]
    record = RunRecord(
        verdict=verdict,
        target=whole.target,
        systems=systems,
        run_dir=options.output,
        started=min(timegm(time.strptime(data["started"], "%Y-%m-%dT%H:%M:%SZ")) for data in datas),
        seconds=max(data["seconds"] for data in datas),
        seed=whole.first["seed"],
        tests={test["id"]: test["outcome"] for test in tests},
        durations={test["id"]: test["seconds"] for test in tests},
        runs={test["id"]: test.get("runs", 1) for test in tests},
        findings=sum(len(part.findings) for part in whole.parts),
        embedded=whole.first["embedded"],
        comparison=compare(baseline, verdict) if baseline else None,
    )
    write_results(record, options.output)
    return record
