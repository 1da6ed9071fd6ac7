"""What one test works with: its timeline, its drivers, and the findings it makes.

The plugin gives every test of the suites one `Scenario`; steps and contract tests use it and never build drivers themselves.
When the test is over, the plugin closes it and lets the checks read its timeline.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.checks.evidence import failed, inconclusive, passed
from harness.contract import Contract
from harness.drivers.auth import Credentials, credentials_for
from harness.drivers.http import HttpDriver, RateLimiter
from harness.redact import Redactor
from harness.suites.contract.taken import Taken
from harness.suites.inconclusive import InconclusiveError
from harness.suites.lag import lag_meter
from harness.suites.plan import Plan
from harness.suites.safety.dialling import DialGuard, DialRules
from harness.target import SystemTarget
from harness.timeline import Exchange, HttpExchange, Timeline
from harness.verdicts import Finding, Reason

__all__ = ["InconclusiveError", "Scenario", "Worker"]

if TYPE_CHECKING:
    from harness.drivers.recorder import RecorderClient
    from harness.drivers.sipp import SippRunner
    from harness.suites.contract.engine import Probed
    from harness.suites.mutants import Standing


class Worker:
    """What the tests of one process share: the plan, secrets learnt so far, tokens, the rate limit, what was `probed`,
    what was `taken` though no document allows it.

    It knows the scenarios that are open: where an interruption kept pytest from ending one, `close` does. `repeats`: so many
    times tests may still be run again here.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.redactor = Redactor(plan.target.secrets)
        self.limiter = RateLimiter(plan.target.rate, plan.workers)
        self.dial_rules = DialRules(plan.target)
        self.lag = lag_meter()
        self.open_scenarios: list[Scenario] = []
        self.repeats = -(-plan.repeats // plan.workers)
        self.probed: Probed = {}
        self.taken = Taken(plan.run_dir)
        self._credentials: dict[tuple[str, bool], Credentials] = {}

    @cached_property
    def standing(self) -> Standing | None:
        """What stands between the target and this process, if something does."""
        if not self.plan.mutant:
            return None
        from harness.suites.mutants.placing import place

        return place(self.plan.mutant, self.plan.contracts, self.plan.target.systems, self.plan.run_dir)

    def credentials(self, system: str, *, limited: bool = False) -> Credentials:
        key = (system, limited)
        if key not in self._credentials:
            target = self.plan.target.systems[system]
            self._credentials[key] = credentials_for(target, self.redactor, limited=limited)
        return self._credentials[key]

    def close(self) -> None:
        """End whatever scenario is still open."""
        while self.open_scenarios:
            self.open_scenarios[-1].close()


class Scenario:
    """One test's hold on the world. `clauses`: those it set out to judge; `subject`: its title in findings.

    `number`: which run of the test it is; a repeat has a record of its own.
    """

    def __init__(
        self, worker: Worker, system: str, name: str, title: str, clauses: Iterable[str] = (), number: int = 1
    ) -> None:
        self.worker = worker
        self.plan = worker.plan
        self.system = system
        self.title = title
        self.clauses = tuple(clauses)
        again = f".run-{number}" if number > 1 else ""
        self.slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:150] + again
        self.findings: list[Finding] = []
        self.step_failed = False
        self._began = time.monotonic()
        self._stack = ExitStack()
        self._ends = ExitStack()
        self._cleanups = ExitStack()
        path = self.plan.run_dir / "timelines" / f"{self.slug}.jsonl"
        timeline = Timeline(name, clock=self.plan.clock, path=path, redactor=worker.redactor)
        self.timeline = self._stack.enter_context(timeline)
        worker.open_scenarios.append(self)

    @property
    def contract(self) -> Contract:
        return self.plan.contracts[self.system]

    @property
    def target(self) -> SystemTarget:
        return self.plan.target.systems[self.system]

    @property
    def timeline_path(self) -> Path:
        return self.plan.run_dir / "timelines" / f"{self.slug}.jsonl"

    @property
    def slack(self) -> float:
        """Seconds by which observers may disagree about the order of what this scenario has seen."""
        return self.worker.lag.slack(self._began)

    @cached_property
    def dialling(self) -> DialGuard:
        """Looks at everything that this scenario sends, and keeps back what would dial somebody it may not."""
        return DialGuard(self.contract.spec, self.worker.dial_rules)

    @cached_property
    def api(self) -> HttpDriver:
        """The system's API, with its ordinary credentials."""
        return self.driver()

    def driver(self, *, limited: bool = False, retry: bool = True) -> HttpDriver:
        """Another client of the same API; `limited`: with the credentials of the application with a small quota."""
        credentials = self.worker.credentials(self.system, limited=limited)
        timing, limiter = self.plan.target.timing, self.worker.limiter
        look = self.dialling.request
        made = HttpDriver(
            self.system, self.target, credentials, self.timeline, timing=timing, limiter=limiter, look=look, retry=retry,
            alter=self.alter,
        )  # fmt: skip
        return self._stack.enter_context(made)

    def alter(self, exchange: HttpExchange) -> HttpExchange:
        """An exchange as it is to be seen; what the true answer says was made is taken away at the end all the same."""
        standing = self.worker.standing
        if standing is None:
            return exchange
        altered = standing.answer(exchange)
        if altered is not exchange:
            from harness.suites.mutants.placing import remember_hidden

            remember_hidden(self, exchange, altered)
        return altered

    @cached_property
    def recorder(self) -> RecorderClient:
        """The run's recorder, as this scenario sees it."""
        from harness.drivers.recorder import RecorderClient

        if self.plan.control is None:
            raise InconclusiveError(Reason.PRECONDITION, "this run has no recorder")
        return self._stack.enter_context(RecorderClient(self.plan.control, self.timeline, self.dialling.answer))

    @property
    def kept_back(self) -> InconclusiveError | None:
        """Why a callback got an error for an answer: the answer of this scenario's may not be given."""
        broke = self.recorder.broke if "recorder" in vars(self) else None
        return broke if isinstance(broke, InconclusiveError) else None

    @cached_property
    def sipp(self) -> SippRunner:
        """Runs SIPp for this scenario."""
        from harness.drivers.sipp import SippMissing, SippRunner

        try:
            return SippRunner(self.plan.run_dir / "sipp" / self.slug, self.timeline)
        except SippMissing as error:
            raise InconclusiveError(Reason.PRECONDITION, str(error)) from error

    def at_end(self, action: Callable[[], object]) -> None:
        """Have something done when the steps are over, before the timeline is judged, last things first.

        What observes something ends here, so that what it saw is in the timeline.
        """
        self._ends.callback(action)

    def end(self) -> None:
        """Do what is due when the steps are over; a second time there is nothing left."""
        self._ends.close()

    def cleanup(self, action: Callable[[], object]) -> None:
        """Have something undone at the end, last things first."""
        self._cleanups.callback(_again_if_interrupted, action)

    def close(self) -> None:
        """Undo what was done at the target and free everything, also when part of it fails; the footer comes last."""
        try:
            self.end()
        finally:
            self._undo()

    def _undo(self) -> None:
        try:
            self._cleanups.close()
        finally:
            try:
                self._stack.close()
            finally:
                # An interruption may have come in the middle of the above: the record is ended whatever else is not.
                self.timeline.close()
                if self in self.worker.open_scenarios:
                    self.worker.open_scenarios.remove(self)

    # Findings

    def check(
        self,
        clause: str,
        kept: bool,
        message: str,
        *,
        expected: object = "",
        seen: object = "",
        at: Exchange | None = None,
        command: str = "",
    ) -> bool:
        """Record whether a clause was kept; `message` says what is wrong when it was not. Returns `kept`.

        `at` is the exchange that shows it, `command` a command line that does (where it is no HTTP request).
        """
        from harness.checks.evidence import curl

        seqs = (at.seq,) if at is not None else ()
        if kept:
            self.findings.append(passed(clause, self.title, at=seqs))
        else:
            reproduce = curl(at) if at is not None else command
            self.step_failed = True
            self.findings.append(
                failed(clause, message, expected=expected, seen=seen, subject=self.title, at=seqs, reproduce=reproduce)
            )
        return kept

    def undecided(self, clause: str, reason: Reason, message: str) -> None:
        """Record that a clause could not be decided here."""
        self.findings.append(inconclusive(clause, reason, message, subject=self.title))


def _again_if_interrupted(action: Callable[[], object]) -> None:
    """A Ctrl-C in the middle of an undoing must not leave the thing at the target; to undo it twice does no harm."""
    try:
        action()
    except KeyboardInterrupt:
        action()
        raise
