"""The pytest plugin: turns a pytest session into a run, on the command line as well as under `ringtrue run`.

It does nothing unless `--ringtrue-target` or `--ringtrue-embedded` is given. The hooks here are thin: what a run is stands
in `session`, what a test works with in `scenario`, and how a test ends in `outcome`.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.suites.repeating import DEFAULT_REPEATS
from harness.verdicts import DEFAULT_FLOOR

if TYPE_CHECKING:
    from harness.suites.scenario import Scenario, Worker
    from harness.suites.session import Session

SUITES = Path(__file__).parent
# Generated requests and records make so many objects that the collector would run a tenth of the time, and find little.
_ALLOCATIONS = (50_000, 10, 10)
_session: pytest.StashKey[Session] = pytest.StashKey()
_worker: pytest.StashKey[Worker] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ringtrue", "voice platform conformance (Ringtrue)")
    group.addoption(
        "--ringtrue-target", metavar="FILE", help="judge the implementation that this target file describes"
    )
    group.addoption("--ringtrue-embedded", action="store_true", help="judge the embedded reference platform")
    group.addoption("--ringtrue-system", action="append", default=[], metavar="S", help="only this system (repeatable)")
    group.addoption("--ringtrue-url", metavar="URL", help="another base URL than the target file's")
    group.addoption("--ringtrue-strict", action="store_true", help="inferred clauses fail instead of warning")
    group.addoption(
        "--ringtrue-seed", type=int, default=1, metavar="N", help="seed of everything generated (default 1)"
    )
    group.addoption("--ringtrue-random-order", action="store_true", help="tests in an order that the seed gives")
    group.addoption(
        "--ringtrue-floor", type=float, default=DEFAULT_FLOOR, metavar="SHARE",
        help=f"share of documented clauses that must be decided (default {DEFAULT_FLOOR:g})",
    )  # fmt: skip
    group.addoption("--ringtrue-waivers", metavar="FILE", help="deviations that are known (`ringtrue waive`)")
    group.addoption("--ringtrue-baseline", metavar="RUN", help="compare with this run")
    group.addoption("--ringtrue-new-only", action="store_true", help="only deviations that the baseline lacks fail")
    group.addoption("--ringtrue-max-time", metavar="TIME", help="begin no test after this time: 90s, 10m, 1h30m")
    group.addoption("--ringtrue-fail-fast", action="store_true", help="begin no test after the first deviation")
    group.addoption("--ringtrue-until", metavar="CLAUSE", help="begin no test after this clause was seen broken")
    group.addoption(
        "--ringtrue-reruns", type=int, default=DEFAULT_REPEATS, metavar="N",
        help=f"run what deviates again, N tests in all: what does not repeat is flaky (default {DEFAULT_REPEATS})",
    )  # fmt: skip
    group.addoption("--ringtrue-shard", metavar="I/N", help="only this part of the tests")
    group.addoption("--ringtrue-durations", metavar="RUN", help="split into shards by how long tests took in this run")
    group.addoption("--ringtrue-run", metavar="DIR", help="where the run is written (default: reports/<time>)")
    group.addoption("--ringtrue-specs", action="append", default=[], metavar="DIR", help="more systems")
    group.addoption("--ringtrue-features", action="append", default=[], metavar="DIR", help="more features")
    group.addoption(
        "--ringtrue-fault",
        action="append",
        default=[],
        metavar="ID",
        help="start the embedded platform with this fault",
    )
    group.addoption(
        "--ringtrue-variant",
        action="append",
        default=[],
        metavar="ID",
        help="start the embedded platform in this variant, which conforms too",
    )
    group.addoption(
        "--ringtrue-mutant",
        metavar="ID",
        help="put this mutant (`ringtrue faults --mutants`) between the target and the harness",
    )
    group.addoption(
        "--ringtrue-test",
        action="append",
        default=[],
        metavar="NAME",
        help="only the test of this name (repeatable)",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from harness.suites import hooks

    pluginmanager.add_hookspecs(hooks)


def active(config: pytest.Config) -> bool:
    """Whether this pytest session is a run."""
    return hasattr(config, "workerinput") or bool(config.option.ringtrue_target or config.option.ringtrue_embedded)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        if "ringtrue" in config.workerinput:
            _start_worker(config, config.workerinput["ringtrue"])
        return
    if not active(config):
        return
    from harness.suites import current
    from harness.suites.session import Session
    from harness.suites.start import SessionError

    try:
        with _without_garbage_collection():
            session = Session.open(config)
    except SessionError as error:
        current.end.refusal = str(error)
        raise pytest.UsageError(str(error)) from error
    config.stash[_session] = session
    config.pluginmanager.register(session, "ringtrue-session")
    _start_worker(config, session.plan.to_json())


def _start_worker(config: pytest.Config, plan: dict[str, Any]) -> None:
    from harness.suites import current
    from harness.suites.plan import Plan
    from harness.suites.scenario import Worker

    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [str(SUITES / "contract"), str(SUITES / "scenarios")]
    made = Plan.from_json(plan)
    current.plan = made
    config.stash[_worker] = Worker(made)
    config.addinivalue_line(
        "markers", "judges(system, clauses, title, needs, asked, keywords): what a test of the suites is about"
    )
    config.addinivalue_line("python_files", "test_*.py")
    from harness.report.allure_labels import AllureLabels

    config.pluginmanager.register(AllureLabels(made), "ringtrue-allure")


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """What is loaded at the start stays: to look through it for garbage again and again takes a tenth of the start."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    if session.config.stash.get(_worker, None) is None:
        return (yield)
    with _without_garbage_collection():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, object, object]:
    worker = config.stash.get(_worker, None)
    if worker is None:
        return (yield)
    from harness.suites.selection import arrange, choose, keep_shard

    if wanted := config.option.ringtrue_test:
        config.hook.pytest_deselected(items=choose(items, wanted))
    arrange(items, worker.plan, shuffled=config.option.ringtrue_random_order)
    result = yield
    if worker.plan.shard is not None:  # what -k and the like have left is split
        keep_shard(config, items, worker.plan)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if item.config.stash.get(_worker, None) is None or item.get_closest_marker("judges") is None:
        return None
    from harness.suites.repeating import run_protocol

    run_protocol(item, nextitem)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    worker = item.config.stash.get(_worker, None)
    if worker is not None:
        from harness.suites.stopping import skip_when_stopped

        skip_when_stopped(item, worker.plan)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: hand the plan to a worker."""
    session = node.config.stash.get(_session, None)
    if session is not None:
        node.workerinput["ringtrue"] = session.plan.to_json()


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays to the end: the garbage collector need not look at it again and again."""
    if session.config.stash.get(_worker, None) is not None:
        gc.freeze()
        gc.set_threshold(*_ALLOCATIONS)


def pytest_unconfigure(config: pytest.Config) -> None:
    worker = config.stash.get(_worker, None)
    session = config.stash.get(_session, None)
    try:
        if worker is not None:
            worker.close()
    finally:
        if session is not None:
            session.close()


@pytest.hookimpl(tryfirst=True)
def pytest_bdd_apply_tag(tag: str, function: object) -> bool | None:
    """In a run, tags are clauses and capabilities, read by `scenarios.features`; pytest marks are not made of them."""
    from harness.suites import current

    del tag, function
    return True if current.plan is not None else None


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """What a test of the suites works with; see `harness.suites.scenario.Scenario`."""
    from harness.suites.outcome import scenario_for

    worker = request.config.stash.get(_worker, None)
    if worker is None:
        raise pytest.UsageError("this test is part of a Ringtrue run: give --ringtrue-target or --ringtrue-embedded")
    made = scenario_for(request.node, worker)
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    if pyfuncitem.get_closest_marker("judges") is None:
        return (yield)
    from harness.suites.interruption import insist
    from harness.suites.outcome import conclude

    error: BaseException | None = None
    result: object = None
    try:
        result = yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as caught:  # noqa: BLE001  pytest's own outcomes are no Exceptions; conclude weighs them all
        error = caught
    insist()
    conclude(pyfuncitem, error)
    return result
