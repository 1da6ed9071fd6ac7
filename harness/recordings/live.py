"""The command `ringtrue record`: passes traffic on between a platform and an application, keeps it, and judges both.

It begins with the listeners, waits for Ctrl-C or SIGTERM, closes the record, and prints like a run.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.recordings.checking import FILES, consoles, new_folder, read_target, show, target_systems
from harness.recordings.errors import RecordingError
from harness.redact import Redactor
from harness.verdicts import Exit

if TYPE_CHECKING:
    from rich.console import Console

    from harness.contract import Contract
    from harness.drivers.recorder.passthrough import PassThrough, Way
    from harness.recordings.judging import Judged
    from harness.target import Target
    from harness.timeline import Exchange, Timeline

RECORD_FILES = f"{FILES}, flows.mitm, flows.har"
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class RecordOptions:
    """What `ringtrue record` was asked for; see its `--help`."""

    forward: str
    system: str | None = None
    listen: str = "127.0.0.1:0"
    api: str | None = None
    api_listen: str = "127.0.0.1:0"
    target: Path | None = None
    answer_seconds: float = 30.0
    insecure: bool = False
    strict: bool = False
    run_dir: Path | None = None
    specs: Sequence[Path] = ()
    quiet: bool = False
    verbose: bool = False


def record(options: RecordOptions) -> int:
    """Record until told to stop, judge, and give the exit code."""
    from harness.drivers.recorder import RecorderError
    from harness.target import TargetError
    from harness.yamlfile import DataError

    console, errors = consoles()
    try:
        judged = _record(options, console)
    except (RecordingError, RecorderError, TargetError, DataError) as error:
        errors.print(f"ringtrue: {error}", style="red", markup=False)
        return int(Exit.USAGE)
    show(judged, console, files=RECORD_FILES, verbose=options.verbose)
    return int(judged.record.verdict.exit_code)


def _record(options: RecordOptions, console: Console) -> Judged:
    from harness.drivers.recorder.passthrough import PassThrough
    from harness.recordings.reading import END_NOTE, RECORDING_FILE, RECORDING_NOTE
    from harness.timeline import Timeline

    started = time.time()
    target = read_target(options.target, options.specs)
    contract = _contract(options, target)
    ways = list(_ways(options, target, contract))
    folder = new_folder(options.run_dir)
    redactor = Redactor(target.secrets if target else ())
    with Timeline("recording", path=folder / RECORDING_FILE, redactor=redactor) as timeline:
        proxy = PassThrough(
            folder, contract.system, ways, timeline, redactor=redactor, answer_seconds=options.answer_seconds,
            told=_teller(console, contract, quiet=options.quiet),
        )  # fmt: skip
        with _told_to_stop() as stop:
            proxy.start()
            leads = {url: way.upstream for url, way in zip(proxy.urls, ways, strict=True)}
            timeline.note(RECORDING_NOTE, f"between a platform and an application: {leads}", **leads)
            _announce(console, proxy, ways, folder)
            while not stop.wait(_LOOK_SECONDS) and proxy.broke is None:
                pass
        proxy.stop()
        timeline.note(END_NOTE, "nothing is recorded any more", complete=True)
    problems = [f"the recorder broke: {proxy.broke!r}"] if proxy.broke else []
    return _judge(options, contract, target, timeline, folder, started, redactor, problems)


def _contract(options: RecordOptions, target: Target | None) -> Contract:
    from harness.contract import load_contracts

    named = target_systems(options.system, target)
    if len(named) != 1:
        known = ", ".join(named or load_contracts((), options.specs))
        raise RecordingError(f"which system is it? Say --system, one of {known}")
    return load_contracts(named, options.specs)[named[0]]


def _ways(options: RecordOptions, target: Target | None, contract: Contract) -> Iterator[Way]:
    from harness.drivers.recorder.passthrough import Way

    verify = not options.insecure
    yield Way(True, _url("--forward", options.forward), options.listen, verify)
    if options.api is not None:
        table = target.systems.get(contract.system) if target else None
        yield Way(False, _url("--api", options.api), options.api_listen, verify and (table is None or table.verify_tls))


def _url(option: str, value: str) -> str:
    """An upstream. Raises RecordingError."""
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment:
        raise RecordingError(f"{option} {value!r}: expected a URL such as http://127.0.0.1:8080/callbacks")
    return value.rstrip("/")


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; after this, a second Ctrl-C interrupts as usual."""
    stop = threading.Event()

    def told(number: int, frame: object) -> None:
        del number, frame
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(console: Console, proxy: PassThrough, ways: Sequence[Way], folder: Path) -> None:
    from harness.suites.runner import shown_folder

    for url, way in zip(proxy.urls, ways, strict=True):
        who = "callbacks: the platform calls" if way.callbacks else "API: the application calls"
        console.print(f"{who} {url} → {way.upstream}", markup=False)
    console.print(f"recording into {shown_folder(folder)}; Ctrl-C ends it and judges", style="dim", markup=False)


def _teller(console: Console, contract: Contract, *, quiet: bool) -> Callable[[Exchange], None]:
    """Prints a line for each exchange."""
    from harness.report.ladder_words import request_line
    from harness.timeline import Callback

    def tell(exchange: Exchange) -> None:
        if quiet:
            return
        clock = time.strftime("%H:%M:%S", time.localtime(exchange.at))
        what = "callback" if isinstance(exchange, Callback) else "API     "
        took = f"{((exchange.ended or exchange.at) - exchange.at) * 1000:.0f} ms"
        result = f"{exchange.response.status}, {took}" if exchange.response else exchange.failure or "no answer"
        console.print(f"{clock} {what} {request_line(exchange)}: {result}", style="dim", markup=False)

    del contract
    return tell


def _judge(
    options: RecordOptions,
    contract: Contract,
    target: Target | None,
    timeline: Timeline,
    folder: Path,
    started: float,
    redactor: Redactor,
    problems: Sequence[str],
) -> Judged:
    from harness.recordings.judging import PATIENT, Case, judge_recording
    from harness.recordings.reading import RECORDING_FILE, Pile, add_recording
    from harness.recordings.sides import sort_out

    pile = Pile()
    add_recording(pile, timeline)
    found = sort_out(pile, contract)
    table = target.systems.get(contract.system) if target else None
    case = Case(
        contract, folder, f"recorded before {options.forward}", started, table, target.timing if target else PATIENT,
        options.strict, problems=problems, redactor=redactor,
    )  # fmt: skip
    return judge_recording(case, pile, sorted(found.events, key=lambda event: event.at), RECORDING_FILE)
