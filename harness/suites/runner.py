"""Runs the suites for the command line: one pytest session in this process, its own output in a log, ours on the terminal.

`run` gives the exit code. Everything that a run is about stands in the plugin; this module only translates options.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.suites.repeating import DEFAULT_REPEATS
from harness.verdicts import Exit

if TYPE_CHECKING:
    from harness.report.results import RunRecord

PROGRESS_VARIABLE = "RINGTRUE_PROGRESS"
LOG = "pytest.log"
JUNIT = "junit.xml"
# Only these: whatever else is installed beside us must not change a run, and schemathesis's plugin costs a second.
_PLUGINS = ("pytest_bdd.plugin", "xdist.plugin", "allure_pytest.plugin", "harness.suites.plugin")
LATEST = "latest"
_LOG_WIDTH = 160


@dataclass(frozen=True)
class RunOptions:
    """What `ringtrue run` was asked for; see its `--help`. `tests`: their names, for callers that know them."""

    target: Path | None = None
    systems: Sequence[str] = ()
    url: str | None = None
    keyword: str | None = None
    tests: Sequence[str] = ()
    strict: bool = False
    seed: int = 1
    random_order: bool = False
    workers: int = 2
    run_dir: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None
    annotations: str = "auto"
    fail_fast: bool = False
    until: str | None = None
    floor: float | None = None
    waivers: Path | None = None
    baseline: Path | None = None
    new_only: bool = False
    max_time: str | None = None
    shard: str | None = None
    durations: Path | None = None
    specs: Sequence[Path] = ()
    features: Sequence[Path] = ()
    faults: Sequence[str] = ()
    variants: Sequence[str] = ()
    mutant: str | None = None
    reruns: int = DEFAULT_REPEATS
    quiet: bool = False
    verbose: bool = False


def run(options: RunOptions) -> int:
    """Run, print, and give the exit code.

    The run's folder exists before anything else, so that whatever happens can be read there afterwards.
    """
    import pytest
    from rich.console import Console

    from harness.suites import current
    from harness.suites.interruption import noted

    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if wrong := wrong_expression(options.keyword):
        errors.print(f"ringtrue: {wrong}", style="red", markup=False)
        return int(Exit.USAGE)
    try:
        folder = options.run_dir or new_run_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        errors.print(f"ringtrue: the run cannot be written: {error}", style="red", markup=False)
        return int(Exit.USAGE)
    end = current.end = current.RunEnd()
    progress = os.dup(2)
    # pytest takes standard output and error for itself while tests run, so progress goes to a copy made before.
    with _pytest_output(folder / LOG), noted(), _environment(progress, quiet=options.quiet):
        pytest_code = pytest.main(_arguments(options, folder))
    if end.refusal is not None:
        errors.print(f"ringtrue: {end.refusal}", style="red", markup=False)
        return int(Exit.USAGE)
    if end.record is None and (end.interrupted or pytest_code == pytest.ExitCode.INTERRUPTED):
        errors.print("ringtrue: interrupted before the first test")
        return int(Exit.INTERRUPTED)
    if end.record is None:
        errors.print(
            f"ringtrue: the run broke before it had a result (pytest ended with {int(pytest_code)})", style="red"
        )
        errors.print(_tail(folder / LOG), markup=False)
        return int(Exit.NOTHING_SAID)
    if options.junit and (wrong := _copy_junit(folder / JUNIT, options.junit)):
        errors.print(f"ringtrue: {wrong}", style="red", markup=False)
        return int(Exit.USAGE)
    point_latest(folder)
    return show(end.record, ShowOptions(options.verbose, options.annotations, options.sarif))


@dataclass(frozen=True)
class ShowOptions:
    """How the result is shown. `annotations`: auto, github or none; `sarif`: a file to write, too."""

    verbose: bool = False
    annotations: str = "auto"
    sarif: Path | None = None


def show(record: RunRecord, options: ShowOptions) -> int:
    """Print the result of a run that is on disk, and give its exit code."""
    from rich.console import Console

    from harness.report.ci.annotations import github_lines, no_commands, wanted
    from harness.report.ci.sarif import to_sarif
    from harness.report.ladder_run import print_ladders
    from harness.report.matrix import print_rich

    # A log file is no terminal of eighty columns: nothing is cut there.
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _LOG_WIDTH)
    annotated = wanted(options.annotations)
    with no_commands(active=annotated):
        print_rich(record, console, shown_folder(record.run_dir))
        if options.verbose:
            print_ladders(record, console)
    for line in github_lines(record) if annotated else ():
        print(line, flush=True)
    if options.sarif:
        try:
            options.sarif.parent.mkdir(parents=True, exist_ok=True)
            options.sarif.write_text(json.dumps(to_sarif(record), indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            print(f"ringtrue: --sarif {options.sarif}: cannot be written: {error.strerror}", file=sys.stderr)
            return int(Exit.USAGE)
    return int(record.verdict.exit_code)


def _copy_junit(source: Path, target: Path) -> str | None:
    """What stood in the way, if anything did."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        return f"--junit {target}: cannot be written: {error.strerror}; it is in {source}"
    return None


def wrong_expression(keyword: str | None) -> str | None:
    """What is wrong with a `-k` expression; pytest would say so in every worker, where nobody hears it."""
    from _pytest.mark.expression import Expression

    try:
        Expression.compile(keyword or "")
    except SyntaxError as error:
        return f"-k {keyword!r} is no expression: {error.msg}. Join words with and, or, not: 'register and not wrong'"
    return None


def _arguments(options: RunOptions, folder: Path) -> list[str]:
    suites = Path(__file__).parent
    arguments = ["-c", os.devnull, "-p", "no:cacheprovider", "-ra", "--tb=short"]
    # It collects garbage five times at the end of every process; what it would tell is in the log anyhow.
    arguments += ["-p", "no:unraisableexception"]
    # Where Ringtrue lies is nobody's test name: -k looks at folders below these alone.
    arguments += ["--rootdir", str(suites), "--confcutdir", str(suites)]
    arguments += [part for plugin in _PLUGINS for part in ("-p", plugin)]
    arguments += ["--ringtrue-run", str(folder), "--alluredir", str(folder / "allure-results")]
    arguments += ["--junitxml", str(folder / JUNIT), "-o", "junit_family=xunit2"]
    arguments += ["--ringtrue-seed", str(options.seed), "--ringtrue-reruns", str(options.reruns)]
    arguments += ["--ringtrue-target", str(options.target)] if options.target else ["--ringtrue-embedded"]
    for name, values in (
        ("system", options.systems), ("specs", options.specs), ("features", options.features), ("fault", options.faults),
        ("test", options.tests), ("variant", options.variants),
    ):  # fmt: skip
        for value in values:
            arguments += [f"--ringtrue-{name}", str(value)]
    once: dict[str, object] = {
        "floor": options.floor, "waivers": options.waivers, "baseline": options.baseline,
        "max-time": options.max_time, "shard": options.shard, "until": options.until, "durations": options.durations,
    }  # fmt: skip
    arguments += [f"--ringtrue-{name}={value}" for name, value in once.items() if value is not None]
    if options.url:
        arguments += ["--ringtrue-url", options.url]
    if options.mutant:
        arguments += ["--ringtrue-mutant", options.mutant]
    if options.keyword:
        arguments += ["-k", options.keyword]
    if options.strict:
        arguments.append("--ringtrue-strict")
    if options.random_order:
        arguments.append("--ringtrue-random-order")
    if options.fail_fast:
        arguments.append("--ringtrue-fail-fast")
    if options.new_only:
        arguments.append("--ringtrue-new-only")
    if options.workers > 1:
        arguments += ["-n", str(options.workers), "--dist", "loadgroup"]
    return arguments


def new_run_folder() -> Path:
    """A name for a run that begins now; nothing is made yet."""
    folder = Path("reports") / time.strftime("%Y%m%d-%H%M%S")
    return folder.with_name(f"{folder.name}-{os.getpid()}") if folder.exists() else folder


@contextlib.contextmanager
def _pytest_output(log: Path) -> Iterator[None]:
    with log.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        yield


@contextlib.contextmanager
def _environment(descriptor: int, *, quiet: bool) -> Iterator[None]:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if not quiet:
        os.environ[PROGRESS_VARIABLE] = str(descriptor)
    try:
        yield
    finally:
        os.environ.pop(PROGRESS_VARIABLE, None)
        os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
        os.close(descriptor)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-15:])


def point_latest(folder: Path) -> None:
    """`reports/latest` leads to the newest run; elsewhere, or where links cannot be made, there is none."""
    if folder.parent.name != "reports":
        return
    draft = folder.parent / f".{LATEST}"
    with contextlib.suppress(OSError):
        draft.unlink(missing_ok=True)
        draft.symlink_to(folder.name)
        draft.replace(folder.parent / LATEST)


def shown_folder(folder: Path) -> str:
    """A folder as it is printed: from here, if it is below."""
    try:
        return str(folder.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(folder)
