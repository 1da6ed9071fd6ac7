"""One trial: a real run of chosen tests against a platform that is wrong in a known way, and what it came to.

`perform` is called in a forked child, once; the run is the one that `ringtrue run` makes, with the same suites, checks and
verdicts. What it found is read back from the files that every run writes.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

DEVIATES = ("fail", "warn")
RESULT = "result.json"
OUTPUT = "output"
RUN = "run"


@dataclass(frozen=True)
class Trial:
    """What to run: `tests` are their names (empty: all), `seconds` the time after which it counts as hanging.

    `keyword` and `shard` narrow the tests as for `ringtrue run`; once the clause `until` is seen broken, no further test
    begins. `null`: the target is the null one of that name; `target`: it is that of this file, and what the run has made
    there is taken away again, whatever became of the run. `mutant` stands before the target. `sight`: tell which mutants
    could have changed something. `keep`: a folder for the ledgers of runs that have left something at the target.
    """

    system: str
    faults: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    seconds: float = 120.0
    keyword: str | None = None
    shard: str | None = None
    until: str | None = None
    null: str = ""
    variants: tuple[str, ...] = ()
    seed: int = 1
    target: str = ""
    mutant: str = ""
    sight: bool = False
    keep: str = ""


@dataclass(frozen=True)
class Result:
    """What a trial came to.

    `problem`: why it says nothing (it hung, the platform crashed); empty when it ended as runs do. `verdicts`: by clause,
    of those that were judged. `decided`: the tests that found anything about a clause; `shown`: those that saw it broken;
    `messages`: the first deviation of each broken clause in words; `prints`: the fingerprints of all. `times`: seconds by
    test. `changed`: messages that the mutant changed; `sight`: the tests in which each mutant could have changed one.
    `left`: what could not be taken away at the target. `seconds` and `cpu`: the whole trial, by the clock and in processor
    time.
    """

    exit_code: int | None = None
    problem: str = ""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    decided: Mapping[str, list[str]] = field(default_factory=dict)
    shown: Mapping[str, list[str]] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    prints: Mapping[str, list[str]] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    changed: int = 0
    sight: Mapping[str, list[str]] = field(default_factory=dict)
    left: str = ""
    seconds: float = 0.0
    cpu: float = 0.0

    def beyond(self, known: Mapping[str, Collection[str]]) -> Result:
        """The same without clauses of which nothing is broken but what is known, by fingerprint."""
        verdicts = dict(self.verdicts)
        for clause in self.deviations:
            if clause in known and set(self.prints.get(clause, ())) <= set(known[clause]):
                verdicts[clause] = "known"
        return replace(self, verdicts=verdicts)

    @property
    def deviations(self) -> dict[str, str]:
        return {clause: verdict for clause, verdict in self.verdicts.items() if verdict in DEVIATES}


def perform(trial: Trial, folder: Path) -> int:
    """Run the trial, write its result into the folder, and give its exit code. It takes the whole process for itself."""
    from harness.proof.forking import Standby
    from harness.proof.null import sip
    from harness.proof.null.target import null_target
    from harness.proof.tidying import tidy_up
    from harness.suites import current, embedded
    from harness.suites.mutants.standing import changes
    from harness.suites.runner import RunOptions, run

    began = time.monotonic()
    os.chdir(folder)
    where = folder / RUN
    embedded.launch = Standby(lambda: sip.install(trial.null)).launch
    with null_target(trial.null, trial.system, folder) as target:
        options = RunOptions(
            target=Path(trial.target) if trial.target else target,
            mutant=trial.mutant or None,
            systems=(trial.system,),
            faults=trial.faults,
            variants=trial.variants,
            tests=trial.tests,
            keyword=trial.keyword,
            shard=trial.shard,
            until=trial.until,
            workers=1,
            seed=trial.seed,
            reruns=0,  # what shows once shows it
            run_dir=where,
            quiet=True,
        )
        code = run(options)
    left = tidy_up(where, Path(trial.target)) if trial.target else ""
    record, failure = current.end.record, current.end.platform_failure
    verdicts: dict[str, str] = {}
    problem = failure or ""
    if record is None:
        problem = current.end.refusal or _last_line(where.parent / OUTPUT) or "the run broke before it had a result"
    else:
        verdicts = {item.clause.id: item.verdict.value for item in record.verdict.clauses if item.findings}
        if not problem and record.verdict.problems and not set(verdicts.values()) & set(DEVIATES):
            problem = record.verdict.problems[0]
    decided, shown, messages, prints = _findings(where / "findings.jsonl")
    if record is not None:
        for item in record.verdict.clauses:  # what the knock at the door showed is no test's
            if item.findings and item.verdict.value in DEVIATES:
                messages.setdefault(item.clause.id, item.findings[0].message)
                prints.setdefault(item.clause.id, [item.findings[0].fingerprint])
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    result = Result(
        exit_code=code,
        problem=problem,
        verdicts=verdicts,
        decided=decided,
        shown=shown,
        messages=messages,
        prints=prints,
        changed=changes(where),
        sight=_sight(where, trial.system) if trial.sight else {},
        left=left,
        times=_times(where / "junit.xml"),
        seconds=round(time.monotonic() - began, 3),
        cpu=round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 3),
    )
    draft = folder / f".{RESULT}"
    draft.write_text(json.dumps(asdict(result)), encoding="utf-8")
    draft.replace(folder / RESULT)
    return code


def _sight(where: Path, system: str) -> dict[str, list[str]]:
    from harness.suites.current import current_plan
    from harness.suites.mutants.standing import seen_by_tests

    plan = current_plan()
    return seen_by_tests(where, plan.contracts[system], plan.target.systems[system].base_url)


def read_result(folder: Path) -> Result | None:
    """What `perform` wrote; None when it did not get that far."""
    path = folder / RESULT
    return Result(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _findings(
    path: Path,
) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, str], dict[str, list[str]]]:
    decided: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    messages: dict[str, str] = {}
    prints: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        finding: dict[str, Any] = json.loads(line)
        clause, test = finding["clause"], finding["source"].partition("::")[2].partition("@")[0]
        tables = [decided] if finding["verdict"] in ("pass", "fail") else []
        if finding["verdict"] == "fail":
            tables.append(shown)
            messages.setdefault(clause, finding.get("message", ""))
            prints.setdefault(clause, []).append(finding["fingerprint"])
        for table in tables:
            if test not in table.setdefault(clause, []):
                table[clause].append(test)
    return decided, shown, messages, prints


def _times(path: Path) -> dict[str, float]:
    """Seconds by test, from the JUnit file of a run."""
    if not path.exists():
        return {}
    cases = ElementTree.parse(path).getroot().iter("testcase")
    return {case.get("name", "").partition("@")[0]: float(case.get("time", 0)) for case in cases}


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
