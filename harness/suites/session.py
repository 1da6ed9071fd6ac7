"""The controlling side of a run: opens what a run needs, gathers findings as they come in, and has them written at the end.

The plugin makes one `Session` in the controlling process, never in a worker. It judges through `harness.verdicts` and
writes through `harness.report`; it sends no stimulus but the probe.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TextIO

import pytest

from harness.checks.http import judge_exchange
from harness.contract import load_contracts
from harness.drivers.recorder import Recorder, RecorderError
from harness.gate import GateError
from harness.gate.compare import compare, refuse_unrelated
from harness.gate.settings import Settings, read_settings
from harness.redact import Redactor
from harness.report.progress import Progress
from harness.report.results import RunRecord, ShardRecord, write_results
from harness.suites import current
from harness.suites.embedded import EmbeddedPlatform, PlatformError
from harness.suites.interruption import make_showable
from harness.suites.mutants.placing import MutantError, find_mutant, place_callbacks
from harness.suites.outcome import FINDINGS, RUNS_HAD
from harness.suites.plan import Plan, capabilities_of
from harness.suites.probe import Problem, probe
from harness.suites.runner import PROGRESS_VARIABLE
from harness.suites.safety.ledger import hold
from harness.suites.scenario import Scenario, Worker
from harness.suites.scenarios.features import FeatureError
from harness.suites.scenarios.steps import check_features
from harness.suites.selection import plain_id
from harness.suites.start import SessionError, chosen, empty, narrow, run_folder
from harness.suites.stopping import NOT_RUN, ask_to_stop, forget, overdue, shown
from harness.target import RecorderTarget, TargetError, load_target, parse_target
from harness.timeline import Clock
from harness.verdicts import Finding, Reason, RunVerdict, Verdict, judge
from harness.yamlfile import DataError


class Session:
    """One run. Its pytest hooks collect; `close` frees everything, however the run ended."""

    def __init__(
        self, plan: Plan, stack: ExitStack, config: pytest.Config, target_name: str, settings: Settings
    ) -> None:
        self.plan = plan
        self._settings = settings
        self._split: dict[str, Any] | None = None
        self._seconds: dict[str, float] = {}
        self._runs: dict[str, int] = {}
        self.verdict: RunVerdict | None = None
        self.platform: EmbeddedPlatform | None = None
        self._stack = stack
        self._config = config
        self._target_name = target_name
        self._findings: list[Finding] = []
        self._tests: dict[str, str] = {}
        self._cut = False
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
        run_dir = run_folder(option.ringtrue_run)
        stack = ExitStack()
        if not stack.enter_context(hold(run_dir)):
            stack.close()
            raise SessionError(f"{run_dir}: another run is writing there: name another folder with --run-dir")
        platform: EmbeddedPlatform | None = None
        try:
            contracts = load_contracts((), specs)
            known = capabilities_of(contracts)
            settings = read_settings(option, contracts)
            features = tuple(Path(path).resolve() for path in option.ringtrue_features)
            check_features(features, contracts)
            redactor = Redactor()

            wanted = [*option.ringtrue_system]
            mutant = find_mutant(option.ringtrue_mutant, wanted) if option.ringtrue_mutant else None

            def record(table: RecorderTarget) -> Recorder:
                listen, public = table.listen, table.public_url
                before = place_callbacks(mutant, contracts, run_dir) if mutant else None
                made = Recorder(run_dir, listen=listen, public_url=public, clock=clock, redactor=redactor, alter=before)
                return stack.enter_context(made)

            if option.ringtrue_embedded:
                # The recorder comes first: its address is what a platform has configured for its callbacks.
                recorder = record(RecorderTarget())
                systems = chosen([mutant.system] if mutant else wanted, known)
                ways = [part for fault in option.ringtrue_fault for part in ("--fault", fault)]
                ways += [part for variant in option.ringtrue_variant for part in ("--variant", variant)]
                made = EmbeddedPlatform(systems, run_dir / "platform.log", recorder.base_url, ways)
                platform = stack.enter_context(made)
                target = parse_target(platform.tables, known, where="embedded platform", embedded=True)
                name = "embedded reference platform"
            else:
                target = load_target(Path(option.ringtrue_target), known)
                target = narrow(target, [mutant.system] if mutant else wanted, option.ringtrue_url)
                name = option.ringtrue_target
                recorder = record(target.recorder)
            if mutant:
                name += f" behind the mutant {mutant.id}"
            for secret in target.secrets:
                redactor.add(secret)
            if settings.baseline:
                refuse_unrelated(settings.baseline, target.systems)
        except (DataError, FeatureError, TargetError, GateError, MutantError, PlatformError, RecorderError) as error:
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
            complete=not (_narrowed(config) or settings.shard),
            floor=settings.floor,
            waivers=settings.waivers,
            today=settings.today,
            known=settings.known,
            shard=settings.shard,
            durations=settings.durations,
            max_seconds=settings.max_seconds,
            control=recorder.control,
            specs=specs,
            features=features,
            mutant=mutant.id if mutant else "",
            repeats=option.ringtrue_reruns,
        )
        empty(run_dir)
        forget(run_dir)
        stack.callback(forget, run_dir)
        session = cls(plan, stack, config, name, settings)
        session.platform = platform
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
                self._problems.append(Redactor(self.plan.target.secrets).text(str(problem)))
                self._unseen = problem.reason
                self._take([finding.to_json() for finding in self._shown_by(problem, scenario)])
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
            if name == FINDINGS and (report.when == "call" or (report.when == "setup" and report.skipped)):
                assert isinstance(value, list)
                self._take(value)
        if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
            outcome = _outcome(report)
            test = plain_id(report.nodeid)
            self._tests[test] = outcome
            self._seconds[test] = report.duration
            self._runs[test] = next((int(str(had)) for name, had in report.user_properties if name == RUNS_HAD), 1)
            self._progress.finished(report.nodeid, outcome)
        elif report.when == "teardown" and report.failed:
            self._tests[plain_id(report.nodeid)] = "error"
            self._problems.append(f"{report.nodeid} could not be cleaned up: {_last_line(report.longreprtext)}")
        if report.when == "setup" and report.failed:
            self._problems.append(f"{report.nodeid} could not be set up: {_last_line(report.longreprtext)}")

    def _take(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            finding = Finding.from_json(item)
            self._findings.append(finding)
            self._file.write(json.dumps(item, ensure_ascii=False) + "\n")
            if self._settings.fail_fast and self._counts(finding):
                ask_to_stop(self.plan.run_dir, "a deviation was seen before (--fail-fast)")
            elif finding.clause == self._settings.until and finding.verdict is Verdict.FAIL:
                ask_to_stop(self.plan.run_dir, f"{finding.clause} was seen broken before (--ringtrue-until)")
        self._file.flush()

    def _counts(self, finding: Finding) -> bool:
        """Whether a finding by itself makes the run red."""
        return bool(judge(self.plan.catalogue, [finding], self.plan.scope).red)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        del error
        self._split = getattr(node, "workeroutput", {}).get("ringtrue-split") or self._split

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._problems.append(f"the tests could not be collected: {_last_line(report.longreprtext)}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # With workers, pytest's own -x ends a run by an exception that is a KeyboardInterrupt, too.
        cut = type(excinfo.value).__module__.startswith("xdist.") and "keyboard-interrupt" not in str(excinfo.value)
        self._cut = cut
        current.end.interrupted = current.end.interrupted or not cut
        make_showable(excinfo)

    def pytest_internalerror(self, excrepr: Any) -> None:
        self._problems.append(f"the harness broke: {_last_line(str(excrepr))}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        interrupted = current.end.interrupted
        if self.platform is not None and (failure := self.platform.check()) and not interrupted:
            self._problems.append(failure)
        self._split = self._split or current.split
        anything = bool(self._tests or self._problems or interrupted or self._config.option.collectonly)
        if not anything and (why := self._why_nothing_ran()):
            self._problems.append(why)
        self._cut = self._cut or bool(session.shouldfail)
        scope, stopped = self.plan.scope, self._stopped()
        if stopped and overdue(self.plan):
            self._unseen = Reason.TIMEOUT
            self._problems.append(stopped)
        elif stopped:
            scope = replace(scope, complete=False)
        self.verdict = judge(
            self.plan.catalogue,
            self._findings,
            scope,
            problems=self._problems,
            interrupted=interrupted,
            unseen=self._unseen,
            stopped=stopped,
        )
        current.end.record = self.record()
        write_results(current.end.record, self.plan.run_dir)
        session.exitstatus = int(self.verdict.exit_code)

    def _why_nothing_ran(self) -> str | None:
        keyword = self._config.option.keyword
        if self.plan.shard and self._split and self._split["tests"]:
            return f"shard {self.plan.shard} has no test: there are {self._split['tests']} in all, use fewer shards"
        if keyword:
            return f"no test has a name that matches -k {keyword!r}"
        return next((f"there is no test {name}" for name in self._config.option.ringtrue_test), None)

    def _stopped(self) -> str:
        """Why tests were not run, in words; empty where all were."""
        left = list(self._tests.values()).count("not run")
        limit = f"time limit of {shown(self.plan.max_seconds)}" if overdue(self.plan) else "first deviation"
        if left:
            return f"stopped at the {limit}: {left} of {len(self._tests)} tests were not run"
        return "stopped by -x or --maxfail: the tests behind it were not run" if self._cut else ""

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from harness.report.matrix import render_plain

        terminalreporter.write_sep("=", "Ringtrue")
        terminalreporter.write_line(render_plain(self.record()))

    def record(self) -> RunRecord:
        """All that reporters need."""
        assert self.verdict is not None
        redact = Redactor(self.plan.target.secrets).text
        return RunRecord(
            verdict=self.verdict,
            target=self._target_name,
            systems={name: redact(system.base_url) for name, system in self.plan.target.systems.items()},
            run_dir=self.plan.run_dir,
            started=self.plan.clock.wall,
            seconds=self.plan.clock.now() - self.plan.clock.wall,
            seed=self.plan.seed,
            tests=dict(self._tests),
            durations=dict(self._seconds),
            runs=dict(self._runs),
            findings=len(self._findings),
            unseen=self._unseen,
            embedded=self.plan.target.embedded,
            comparison=compare(self._settings.baseline, self.verdict) if self._settings.baseline else None,
            shard=ShardRecord(self.plan.shard, **self._split, complete=not _narrowed(self._config))
            if self.plan.shard and self._split
            else None,
        )

    def close(self) -> None:
        self._stack.close()
        if self.platform is not None:
            current.end.platform_failure = self.platform.failure


def _outcome(report: pytest.TestReport) -> str:
    if report.when == "setup" and report.skipped:
        return "not run" if NOT_RUN in report.longreprtext else "not judged"
    return "waived" if hasattr(report, "wasxfail") and report.skipped else report.outcome


def _progress_stream(stack: ExitStack) -> TextIO | None:
    """The terminal that `ringtrue run` handed over; None under plain pytest, which shows its own progress."""
    descriptor = os.environ.get(PROGRESS_VARIABLE)
    return stack.enter_context(os.fdopen(os.dup(int(descriptor)), "w", encoding="utf-8")) if descriptor else None


def _workers(config: pytest.Config) -> int:
    count = getattr(config.option, "numprocesses", None)
    return count if isinstance(count, int) and count > 0 else 1


def _narrowed(config: pytest.Config) -> bool:
    """Whether the user chose tests by name or place."""
    option = config.option
    chosen = option.keyword or option.ringtrue_test or option.markexpr
    chosen = chosen or getattr(option, "lf", False) or getattr(option, "deselect", None)
    return bool(chosen) or config.args_source is pytest.Config.ArgsSource.ARGS


def _last_line(text: str) -> str:
    """The line of a traceback that says what happened: pytest marks it with E, else it is the last one."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    marked = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
    return (marked or lines or ["no details"])[-1]
