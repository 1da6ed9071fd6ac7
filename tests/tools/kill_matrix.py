"""Runs the command against every fault of a system and says which were caught, under which clause; a developer's script.

    python -m tests.tools.kill_matrix apidaze [--only REGEX] [--tests EXPRESSION] [--jobs 2] [--json FILE]

A control run on the healthy platform tells which tests decide which clause, so that each fault needs those tests only; a
fault that they do not catch gets a whole run before it counts as missed. It is no test, and pytest does not collect it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

RINGTRUE = str(Path(sys.executable).with_name("ringtrue"))
RUN_SECONDS = 180.0
_TESTS_PER_FAULT = 12
_DEVIATES = ("fail", "warn")


@dataclass(frozen=True)
class Fault:
    """A line of `ringtrue platform --list-faults`."""

    id: str
    clause: str
    words: str


@dataclass(frozen=True)
class Kill:
    """What became of a fault. `outcome`: caught, elsewhere, missed, or broke; `others`: further clauses that deviated."""

    fault: str
    clause: str
    outcome: str
    verdict: str
    exit_code: int
    others: tuple[str, ...]
    whole_run: bool

    def line(self) -> str:
        where = "" if not self.others else f"  also {', '.join(self.others[:4])}{' …' if len(self.others) > 4 else ''}"
        whole = "  (whole run)" if self.whole_run else ""
        return (
            f"{self.outcome:9} {self.fault}  {self.clause} {self.verdict or '-'}, exit {self.exit_code}{where}{whole}"
        )


def faults_of(system: str) -> list[Fault]:
    done = subprocess.run(
        [RINGTRUE, "platform", "--list-faults"], capture_output=True, text=True, timeout=30, check=True
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [Fault(name, clause, words) for name, of, clause, words in rows if of == system]


def run(system: str, arguments: Sequence[str]) -> tuple[int, dict[str, str], dict[str, list[str]]]:
    """A run's exit code, verdict by clause, and the tests that found something about each clause."""
    with tempfile.TemporaryDirectory(prefix="kill-") as folder:
        where = Path(folder) / "run"
        command = [RINGTRUE, "run", "--system", system, "--quiet", "--run-dir", str(where), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False, cwd=folder)
        except subprocess.TimeoutExpired:
            return -1, {}, {}
        if not (where / "verdicts.json").exists():
            print(done.stderr, file=sys.stderr)
            return done.returncode, {}, {}
        verdicts = {
            item["id"]: item["verdict"] for item in json.loads((where / "verdicts.json").read_text())["clauses"]
        }
        tests: dict[str, list[str]] = {}
        for line in (where / "findings.jsonl").read_text().splitlines():
            finding = json.loads(line)
            name = finding["source"].rpartition("::")[2].partition("@")[0]
            if name not in tests.setdefault(finding["clause"], []):
                tests[finding["clause"]].append(name)
        return done.returncode, verdicts, tests


def expression(tests: Sequence[str]) -> str:
    """A `-k` expression for some tests; fuzzing is dear and comes last."""
    ordered = sorted(tests, key=lambda name: (name.startswith(("test_generated", "test_linked")), tests.index(name)))
    # Of one test with many parameters, -k takes all: a parameter may hold characters that an expression cannot.
    plain = [name if re.fullmatch(r"[\w.\[\]-]+", name) else name.partition("[")[0] for name in ordered]
    return " or ".join(dict.fromkeys(plain[:_TESTS_PER_FAULT]))


def kill(system: str, fault: Fault, tests: Sequence[str], chosen: Sequence[str]) -> Kill:
    if tests:
        code, verdicts, _ = run(system, ["--workers", "1", "--fault", fault.id, "-k", expression(tests)])
        found = weigh(fault, code, verdicts, whole=False)
        if found.outcome == "caught":
            return found
    code, verdicts, _ = run(system, ["--workers", "1", "--fault", fault.id, *chosen])
    return weigh(fault, code, verdicts, whole=True)


def weigh(fault: Fault, code: int, verdicts: dict[str, str], *, whole: bool) -> Kill:
    others = tuple(clause for clause, verdict in verdicts.items() if verdict in _DEVIATES and clause != fault.clause)
    verdict = verdicts.get(fault.clause, "")
    if verdict in _DEVIATES:
        outcome = "caught"
    elif not verdicts or "error" in verdicts.values():
        outcome = "broke"
    else:
        outcome = "elsewhere" if others else "missed"
    return Kill(fault.id, fault.clause, outcome, verdict, code, others, whole)


def kills(system: str, faults: Sequence[Fault], jobs: int, keyword: str) -> Iterator[Kill]:
    chosen = ["-k", keyword] if keyword else []
    code, verdicts, tests = run(system, ["--workers", "2", *chosen])
    if code != 0:
        bad = [clause for clause, verdict in verdicts.items() if verdict in (*_DEVIATES, "error", "inconc")]
        sys.exit(f"the control run on the healthy platform ended {code}: {', '.join(bad)}")
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda fault: kill(system, fault, tests.get(fault.clause, ()), chosen), faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system")
    parser.add_argument("--only", default="", metavar="REGEX", help="only faults whose id or clause matches")
    parser.add_argument("--tests", default="", metavar="EXPRESSION", help="only tests that match, as with -k")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="faults side by side")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the matrix here")
    options = parser.parse_args()
    wanted = re.compile(options.only)
    faults = [one for one in faults_of(options.system) if wanted.search(one.id) or wanted.search(one.clause)]
    done: list[Kill] = []
    for one in kills(options.system, faults, options.jobs, options.tests):
        done.append(one)
        print(one.line(), flush=True)
        if options.json:
            options.json.write_text(json.dumps([asdict(item) for item in done], indent=1) + "\n")
    counts = Counter(one.outcome for one in done)
    print(", ".join(f"{counts[name]} {name}" for name in ("caught", "elsewhere", "missed", "broke")), f"of {len(done)}")
    return 0 if counts["caught"] == len(done) else 1


if __name__ == "__main__":
    sys.exit(main())
