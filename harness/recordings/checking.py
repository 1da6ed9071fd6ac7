"""The command `ringtrue check`: reads recordings, judges them, prints like a run, gives the exit code."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.recordings.errors import RecordingError
from harness.redact import Redactor
from harness.verdicts import Exit

if TYPE_CHECKING:
    from rich.console import Console

    from harness.recordings.judging import Judged
    from harness.target import SystemTarget, Target

FILES = "verdicts.json, summary.md, junit.xml, application.json, timelines, ladders"
_WIDTH = 160
_MOST_REMARKS = 10


@dataclass(frozen=True)
class CheckOptions:
    """What `ringtrue check` was asked for; see its `--help`."""

    recordings: Sequence[Path]
    system: str | None = None
    target: Path | None = None
    sip: Sequence[str] = ()
    strict: bool = False
    run_dir: Path | None = None
    specs: Sequence[Path] = ()
    verbose: bool = False


def check(options: CheckOptions) -> int:
    """Judge recordings; usage errors are printed, and give exit code 2."""
    from harness.target import TargetError
    from harness.yamlfile import DataError

    started = time.time()
    console, errors = consoles()
    try:
        judged = _judged(options, started, console)
    except (RecordingError, TargetError, DataError) as error:
        errors.print(f"ringtrue: {error}", style="red", markup=False)
        return int(Exit.USAGE)
    show(judged, console, verbose=options.verbose)
    return int(judged.record.verdict.exit_code)


def _judged(options: CheckOptions, started: float, console: Console) -> Judged:
    from harness.contract import load_contracts
    from harness.recordings.judging import PATIENT, Case, judge_recording, write_timeline
    from harness.recordings.reading import END_NOTE, RECORDING_NOTE, read_inputs
    from harness.recordings.sides import choose_system, sort_out
    from harness.timeline import Note

    target = read_target(options.target, options.specs)
    named = target_systems(options.system, target)
    contracts = load_contracts(named, options.specs)
    pile = read_inputs(options.recordings)
    if not len(pile):
        raise RecordingError(f"{', '.join(map(str, options.recordings))}: nothing is recorded there")
    contract = next(iter(contracts.values())) if len(contracts) == 1 else choose_system(pile, contracts)
    table = target.systems.get(contract.system) if target else None
    found = sort_out(pile, contract, options.sip or sip_addresses(table))
    folder = new_folder(options.run_dir)
    redactor = Redactor(target.secrets if target else ())
    for exchange in pile.exchanges:
        redactor.learn(exchange.request.headers)
    names = ", ".join(path.name or str(path) for path in options.recordings)
    ordered = sorted(found.events, key=lambda event: event.at)
    first = ordered[0].at if ordered else started
    ordered = [
        event for event in ordered if not (isinstance(event, Note) and event.topic in (RECORDING_NOTE, END_NOTE))
    ]
    covered = {kind: [list(stretch) for stretch in stretches] for kind, stretches in pile.covered.items()}
    heading = Note(first, RECORDING_NOTE, f"read from {names}", {"sources": dict(pile.sources), "covered": covered})
    events, timeline = write_timeline([heading, *ordered], folder, redactor)
    case = Case(
        contract, folder, f"recording {names}", started, table, target.timing if target else PATIENT, options.strict,
        redactor=redactor,
    )  # fmt: skip
    judged = judge_recording(case, pile, events, timeline)
    for path, words in pile.sources.items():
        console.print(f"{path}: {words}", style="dim", markup=False)
    for words in pile.notes:
        console.print(words, style="yellow", markup=False)
    if found.platform:
        console.print(f"the platform's side of SIP: {', '.join(found.platform)}", style="dim", markup=False)
    if found.foreign:
        words = f"left out, as no part of {contract.system}: {found.foreign_words}"
        console.print(words, style="dim", markup=False)
    return judged


def read_target(path: Path | None, specs: Sequence[Path]) -> Target | None:
    """The target file, if one is given. Raises TargetError or DataError."""
    from harness.contract import load_contracts
    from harness.suites.plan import capabilities_of
    from harness.target import load_target

    return load_target(path, capabilities_of(load_contracts((), specs))) if path else None


def target_systems(system: str | None, target: Target | None) -> tuple[str, ...]:
    """The systems that may be meant: the one named, else those of the target file; none: any.

    Raises:
        RecordingError: the target file does not describe the system.
    """
    if system is None:
        return tuple(target.systems) if target else ()
    if target is not None and system not in target.systems:
        raise RecordingError(f"the target file does not describe {system!r}: it has {', '.join(target.systems)}")
    return (system,)


def sip_addresses(table: SystemTarget | None) -> tuple[str, ...]:
    """The platform's SIP address as captures show it: by number. Raises RecordingError where its name is unknown."""
    import socket

    if table is None or table.sip is None:
        return ()
    host, _, port = table.sip.address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
    except OSError as error:
        raise RecordingError(f"{table.sip.address}: this name has no address ({error}): say --sip HOST:PORT") from error
    numbers = dict.fromkeys(str(each[4][0]) for each in found)
    return tuple(f"[{number}]:{port}" if ":" in number else f"{number}:{port}" for number in numbers)


def new_folder(asked: Path | None) -> Path:
    """The folder of a new run. Raises RecordingError where it cannot be made, or holds a run already."""
    from harness.suites.runner import new_run_folder

    folder = asked or new_run_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise RecordingError(f"the run cannot be written: {error}") from error
    return folder


def consoles() -> tuple[Console, Console]:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDTH)
    return console, Console(stderr=True, highlight=False, soft_wrap=True)


def show(judged: Judged, console: Console, *, files: str = FILES, verbose: bool) -> None:
    """Print the matrix, the remarks about the application, and with `verbose` the ladders of what deviates."""
    from harness.report.ladder_run import print_ladders
    from harness.report.matrix import print_rich
    from harness.suites.runner import point_latest, shown_folder

    point_latest(judged.record.run_dir)
    print_rich(judged.record, console, shown_folder(judged.record.run_dir), files)
    counts = Counter((remark.about, remark.message) for remark in judged.remarks)
    if counts:
        console.print(
            f"\nabout the application, no promise of the platform: {len(judged.remarks)} remarks", style="bold"
        )
    for (about, message), count in counts.most_common(_MOST_REMARKS):
        first = next(remark for remark in judged.remarks if (remark.about, remark.message) == (about, message))
        words = f"  {about} {message}: expected {first.expected or 'nothing'}; seen {first.seen or 'nothing'}"
        console.print(words + (f" ({count} times)" if count > 1 else ""), markup=False)
    if len(counts) > _MOST_REMARKS:
        console.print(f"  … and {len(counts) - _MOST_REMARKS} more in application.json", style="dim")
    if verbose:
        print_ladders(judged.record, console)
