"""Examines this machine and, if asked, a target: everything a run will need, each in a line of the user's words.

`ringtrue doctor` calls `examine`. It sends the harmless requests of the probe and a SIP OPTIONS, and changes nothing.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from harness.verdicts import Exit


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that was looked at. `needed` False: its absence costs some clauses, not the run."""

    name: str
    fine: bool
    text: str
    needed: bool = True


def examine(target: Path | None) -> int:
    """Print what is there and what is missing; exit code 0 (fit), 2 (target file wrong) or 3 (something is missing)."""
    from harness.target import TargetError
    from harness.yamlfile import DataError

    worst = Exit.CONFORMS
    try:
        for answer in _answers(target):
            sign = "ok     " if answer.fine else "missing" if answer.needed else "note   "
            click.echo(f"{sign}  {answer.name}: {answer.text}")
            if not answer.fine and answer.needed:
                worst = Exit.NOTHING_SAID
    except (TargetError, DataError) as error:
        click.echo(f"wrong    {error}")
        return int(Exit.USAGE)
    return int(worst)


def _answers(target: Path | None) -> Iterator[Answer]:
    yield Answer("python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _sipp()
    yield _allure()
    yield _reports()
    if target is not None:
        yield from _target(target)


def _sipp() -> Answer:
    from harness.drivers.sipp import SippMissing
    from harness.drivers.sipp.process import find_binary

    try:
        return Answer("SIPp", True, str(find_binary(None)))
    except SippMissing as error:
        return Answer("SIPp", False, f"{error}; SIP clauses will be inconclusive", needed=False)


def _allure() -> Answer:
    from harness.report.browse.allure_report import find_allure

    found = find_allure()
    text = (
        str(found)
        if found
        else "not found: `make setup` installs it, or npm install --global allure@3; runs work without"
    )
    return Answer("allure", found is not None, text, needed=False)


def _reports() -> Answer:
    folder = Path("reports") if Path("reports").is_dir() else Path()
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        return Answer("reports", False, f"{folder.resolve()} cannot be written: {error.strerror}; use --run-dir")
    return Answer("reports", free > 100, f"{free} MiB free in {folder.resolve().name}/")


def _target(path: Path) -> Iterator[Answer]:
    from harness.contract import load_contracts
    from harness.drivers.recorder import Recorder, RecorderError
    from harness.suites.plan import Plan, capabilities_of
    from harness.suites.probe import probe
    from harness.suites.scenario import Scenario, Worker
    from harness.target import load_target
    from harness.timeline import Clock

    target = load_target(path, capabilities_of(load_contracts()))
    yield Answer("target file", True, f"{path} describes {', '.join(target.systems)}")
    with tempfile.TemporaryDirectory(prefix="ringtrue-doctor-") as folder:
        plan = Plan(Path(folder), target, Clock.start())
        worker = Worker(plan)
        for system, contract in plan.contracts.items():
            scenario = Scenario(worker, system, f"doctor-{system}", "doctor")
            try:
                problem = probe(scenario.api, contract)
                text = (
                    str(problem).partition(": ")[2]
                    if problem
                    else f"{scenario.target.base_url} answers and tells requests apart"
                )
                yield Answer(f"{system} API", problem is None, text)
                yield from _sip(scenario)
            finally:
                scenario.close()
        try:
            recorder = target.recorder
            with Recorder(Path(folder), listen=recorder.listen, public_url=recorder.public_url) as running:
                yield Answer("recorder", True, f"callbacks are taken at {running.base_url}")
        except RecorderError as error:
            yield Answer("recorder", False, str(error))


def _sip(scenario: object) -> Iterator[Answer]:
    from harness.drivers.sipp import SippError
    from harness.suites.scenario import InconclusiveError, Scenario

    assert isinstance(scenario, Scenario)
    sip = scenario.target.sip
    if sip is None:
        if "sip" in scenario.target.capabilities:
            yield Answer(
                f"{scenario.system} SIP",
                False,
                f"the capability sip is declared, but [{scenario.system}.sip] is missing",
            )
        return
    try:
        result = scenario.sipp.run("options.xml", "doctor", remote=sip.address, transport=sip.transport, timeout=3.0)
    except (SippError, InconclusiveError) as error:
        yield Answer(f"{scenario.system} SIP", False, str(error), needed=False)
        return
    answered = any(message.direction == "in" for message in result.messages)
    text = (
        f"{sip.address} answers OPTIONS"
        if answered
        else f"{sip.address} over {sip.transport} does not answer OPTIONS: {result.detail}"
    )
    yield Answer(f"{scenario.system} SIP", answered, text)
