"""What a run begins with: a folder without the results of another run, and the systems that were asked for.

Everything here raises SessionError.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from harness.contract import data_folder
from harness.report.results import SUMMARY, VERDICTS
from harness.suites.contract.taken import TAKEN
from harness.suites.runner import new_run_folder
from harness.target import Target

# What a run leaves, and the next one in the same folder may not take for its own.
_RESULTS = (VERDICTS, SUMMARY, TAKEN)
_FOLDERS = ("allure-results", "leases", "sipp", "timelines")


class SessionError(Exception):
    """The run cannot begin because of what the user gave; the message says what to change."""


def run_folder(asked: str | None) -> Path:
    """The folder of this run, which is there from now on; without a name a new one below `reports/`."""
    folder = Path(asked) if asked else new_run_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SessionError(f"{folder}: cannot be made: {error.strerror}") from error
    return folder.resolve()


def empty(run_dir: Path) -> None:
    """Take away what an earlier run in the same folder has left, but for its ledger, which may still be needed."""
    for name in _RESULTS:
        (run_dir / name).unlink(missing_ok=True)
    for name in _FOLDERS:
        folder = run_dir / name
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def chosen(asked: list[str], known: Iterable[str]) -> list[str]:
    """Systems of the embedded platform: those asked for, else all that the suites have scenarios for."""
    from harness.reference.systems import SYSTEM_NAMES

    for system in asked:
        if system not in SYSTEM_NAMES:
            raise SessionError(f"unknown system {system!r}: the embedded platform serves {', '.join(SYSTEM_NAMES)}")
    covered = [name for name in known if name in SYSTEM_NAMES and (data_folder("features") / name).is_dir()]
    return asked or covered


def narrow(target: Target, systems: list[str], url: str | None) -> Target:
    """The systems that were asked for, all without any; `url` stands for the base URL of the only one."""
    for system in systems:
        if system not in target.systems:
            raise SessionError(f"the target file does not describe {system!r}: it has {', '.join(target.systems)}")
    kept = {name: table for name, table in target.systems.items() if not systems or name in systems}
    if url:
        if len(kept) != 1:
            raise SessionError("--url needs exactly one system: name it with --system")
        kept = {name: table.model_copy(update={"base_url": url.rstrip("/")}) for name, table in kept.items()}
    return target.model_copy(update={"systems": kept})
