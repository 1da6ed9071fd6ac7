"""The controlling side of a run: opens what a run needs, gathers findings as they come in, and has them written at the end.

The plugin makes one `Session` in the controlling process, never in a worker. It judges through `harness.verdicts` and
writes through `harness.report`; it sends no stimulus but the probe.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TextIO

import pytest

from harness.checks.http import judge_exchange
from harness.contract import Contract, data_folder, load_contracts
from harness.drivers.recorder import Recorder, RecorderError
from harness.gate.waive import today
from harness.gate.waivers import WaiverError, load_waivers
from harness.redact import Redactor
from harness.report.progress import Progress
from harness.report.results import RunRecord, write_results
from harness.suites import current
from harness.suites.coverage import UNFINISHED
from harness.suites.embedded import EmbeddedPlatform, PlatformError
from harness.suites.outcome import FINDINGS
from harness.suites.plan import Plan, capabilities_of
from harness.suites.probe import Problem, probe
from harness.suites.runner import PROGRESS_VARIABLE
from harness.suites.safety.ledger import hold
from harness.suites.scenario import Scenario, Worker
from harness.target import RecorderTarget, Target, TargetError, load_target, parse_target
from harness.timeline import Clock
from harness.verdicts import Finding, Reason, RunVerdict, Verdict, judge
from harness.yamlfile import DataError


class SessionError(Exception):
    """The run cannot begin because of what the user gave; the message says what to change."""


class Session:
    """One run. Its pytest hooks collect; `close` frees everything, however the run ended."""

    def __init__(self, plan: Plan, stack: ExitStack, config: pytest.Config, target_name: str) -> None:
        self.plan = plan
        self.verdict: RunVerdict | None = None
        self._stack = stack
        self._config = config
        self._target_name = target_name
        self._findings: list[Finding] = []
        self._tests: dict[str, str] = {}
        self._interrupted = False
        self._problems: list[str] = []
        self._unseen = Reason.NO_EVIDENCE
        self._file: IO[str] = stack.enter_context((plan.run_dir / "findings.jsonl").open("w", encoding="utf-8"))
        self._progress = stack.enter_context(Progress(_progress_stream(stack)))

    @classmethod
    def open(cls, config: pytest.Config) -> Session:
        """Read the target, start what must run (platform, recorder), and knock at the target.

        Raises:
            SessionError: a wrong target file, system, or option, or a port that is taken.
        """
        option = config.option
        specs = tuple(Path(path) for path in option.ringtrue_specs)
        clock = Clock.start()
        run_dir = _run_folder(option.ringtrue_run, clock)
        stack = ExitStack()
        if not stack.enter_context(hold(run_dir)):
            stack.close()
            raise SessionError(f"{run_dir}: another run is writing there: name another folder with --run-dir")
        try:
            contracts = load_contracts((), specs)
            known = capabilities_of(contracts)
            waivers = (
                load_waivers(Path(option.ringtrue_waivers), _clauses(contracts)) if option.ringtrue_waivers else ()
            )
            redactor = Redactor()

            def record(table: RecorderTarget) -> Recorder:
                listen, public = table.listen, table.public_url
                made = Recorder(run_dir, listen=listen, public_url=public, clock=clock, redactor=redactor)
                return stack.enter_context(made)

            if option.ringtrue_embedded:
                # The recorder comes first: its address is what a platform has configured for its callbacks.
                recorder = record(RecorderTarget())
                systems = _chosen(option.ringtrue_system, known)
                faults = [part for fault in option.ringtrue_fault for part in ("--fault", fault)]
                made = EmbeddedPlatform(systems, run_dir / "platform.log", recorder.base_url, faults)
                platform = stack.enter_context(made)
                target = parse_target(platform.tables, known, where="embedded platform", embedded=True)
                name = "embedded reference platform"
            else:
                target = load_target(Path(option.ringtrue_target), known)
                target = _narrow(target, option.ringtrue_system, option.ringtrue_url)
                name = option.ringtrue_target
                recorder = record(target.recorder)
            for secret in target.secrets:
                redactor.add(secret)
        except (DataError, TargetError, WaiverError, PlatformError, RecorderError) as error:
            stack.close()
            raise SessionError(str(error)) from error
        except BaseException:
            stack.close()
            raise
        plan = Plan(
            run_dir,
            target,
            clock,
            seed=option.ringtrue_seed,
            workers=_workers(config),
            strict=option.ringtrue_strict,
            complete=_complete(config),
            floor=option.ringtrue_floor,
            waivers=waivers,
            today=today(),
            control=recorder.control,
            specs=specs,
            features=tuple(Path(path) for path in option.ringtrue_features),
        )
        session = cls(plan, stack, config, name)
        session._knock()
        return session

    def _knock(self) -> None:
        worker = Worker(self.plan)
        for system, contract in self.plan.contracts.items():
            scenario = Scenario(worker, system, f"probe-{system}", "probe")
            try:
                problem: Problem | None = probe(scenario.api, contract)
            finally:
                scenario.close()
            if problem is not None:
                self._problems.append(str(problem))
                self._unseen = problem.reason
                self._findings += self._shown_by(problem, scenario)
        if self._problems:
            # No test will run, so no worker needs to come up; xdist looks at these after us.
            self._config.option.dist, self._config.option.tx = "no", []

    def _shown_by(self, problem: Problem, scenario: Scenario) -> Iterator[Finding]:
        """Deviations in the answer because of which nothing more can be said."""
        if problem.shown_by is not None:
            operation = scenario.contract.spec.operation(problem.shown_by.about["operation"])
            for finding in judge_exchange(operation, problem.shown_by):
                if finding.verdict is Verdict.FAIL:
                    yield replace(finding, source="probe", timeline=f"timelines/{scenario.slug}.jsonl")

    # Hooks

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> object:
        del session
        return True if self._problems else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> object:
        del session
        return True if self._problems else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        del node
        self._progress.expect(len(ids))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._progress.expect(len(session.items))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == FINDINGS and report.when == "call":
                assert isinstance(value, list)
                for item in value:
                    self._findings.append(Finding.from_json(item))
                    self._file.write(json.dumps(item, ensure_ascii=False) + "\n")
                self._file.flush()
        if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
            outcome = _outcome(report)
            self._tests[report.nodeid] = outcome
            self._progress.finished(report.nodeid, outcome)
        elif report.when == "teardown" and report.failed:
            self._tests[report.nodeid] = "error"
            self._problems.append(f"{report.nodeid} could not be cleaned up: {_last_line(report.longreprtext)}")
        if report.when == "setup" and report.failed:
            self._problems.append(f"{report.nodeid} could not be set up: {_last_line(report.longreprtext)}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._problems.append(f"the tests could not be collected: {_last_line(report.longreprtext)}")

    def pytest_keyboard_interrupt(self) -> None:
        self._interrupted = True

    def pytest_internalerror(self, excrepr: Any) -> None:
        self._problems.append(f"the harness broke: {_last_line(str(excrepr))}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        keyword = self._config.option.keyword
        if keyword and not (self._tests or self._problems or self._interrupted or self._config.option.collectonly):
            self._problems.append(f"no test has a name that matches -k {keyword!r}")
        self.verdict = judge(
            self.plan.catalogue,
            self._findings,
            self.plan.scope,
            problems=self._problems,
            interrupted=self._interrupted,
            unseen=self._unseen,
        )
        current.end.record = self.record()
        write_results(current.end.record, self.plan.run_dir)
        session.exitstatus = int(self.verdict.exit_code)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from harness.report.matrix import render_plain

        terminalreporter.write_sep("=", "Ringtrue")
        terminalreporter.write_line(render_plain(self.record()))

    def record(self) -> RunRecord:
        """All that reporters need."""
        assert self.verdict is not None
        return RunRecord(
            verdict=self.verdict,
            target=self._target_name,
            systems={name: system.base_url for name, system in self.plan.target.systems.items()},
            run_dir=self.plan.run_dir,
            started=self.plan.clock.wall,
            seconds=self.plan.clock.now() - self.plan.clock.wall,
            seed=self.plan.seed,
            tests=dict(self._tests),
        )

    def close(self) -> None:
        self._stack.close()


def _outcome(report: pytest.TestReport) -> str:
    if report.when == "setup" and report.skipped:
        return "not judged"
    return "waived" if hasattr(report, "wasxfail") and report.skipped else report.outcome


def _progress_stream(stack: ExitStack) -> TextIO | None:
    """The terminal that `ringtrue run` handed over; None under plain pytest, which shows its own progress."""
    descriptor = os.environ.get(PROGRESS_VARIABLE)
    return stack.enter_context(os.fdopen(os.dup(int(descriptor)), "w", encoding="utf-8")) if descriptor else None


def _run_folder(asked: str | None, clock: Clock) -> Path:
    if asked:
        folder = Path(asked)
    else:
        folder = Path("reports") / time.strftime("%Y%m%d-%H%M%S", time.localtime(clock.wall))
        if folder.exists():
            folder = folder.with_name(f"{folder.name}-{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SessionError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder.resolve()


def _chosen(asked: list[str], known: Iterable[str]) -> list[str]:
    """Systems of the embedded platform: those asked for, else all that the suites have scenarios for."""
    from harness.reference.systems import SYSTEM_NAMES

    for system in asked:
        if system not in SYSTEM_NAMES:
            raise SessionError(f"unknown system {system!r}: the embedded platform serves {', '.join(SYSTEM_NAMES)}")
    finished = [name for name in known if name in SYSTEM_NAMES and name not in UNFINISHED]
    covered = [name for name in finished if (data_folder("features") / name).is_dir()]
    return asked or covered


def _narrow(target: Target, systems: list[str], url: str | None) -> Target:
    for system in systems:
        if system not in target.systems:
            raise SessionError(f"the target file does not describe {system!r}: it has {', '.join(target.systems)}")
    kept = {name: table for name, table in target.systems.items() if not systems or name in systems}
    if url:
        if len(kept) != 1:
            raise SessionError("--url needs exactly one system: name it with --system")
        kept = {name: table.model_copy(update={"base_url": url.rstrip("/")}) for name, table in kept.items()}
    return target.model_copy(update={"systems": kept})


def _clauses(contracts: Mapping[str, Contract]) -> frozenset[str]:
    return frozenset(clause.id for contract in contracts.values() for clause in contract.catalogue)


def _workers(config: pytest.Config) -> int:
    count = getattr(config.option, "numprocesses", None)
    return count if isinstance(count, int) and count > 0 else 1


def _complete(config: pytest.Config) -> bool:
    option = config.option
    narrowed = option.keyword or option.markexpr or getattr(option, "lf", False) or getattr(option, "deselect", None)
    return not narrowed and config.args_source is not pytest.Config.ArgsSource.ARGS


def _last_line(text: str) -> str:
    """The line of a traceback that says what happened: pytest marks it with E, else it is the last one."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    marked = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
    return (marked or lines or ["no details"])[-1]
