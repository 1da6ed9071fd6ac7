"""Leaves a user's platform as it was found: after each trial what it made there is taken away, by its ledger and its marks.

Called in a trial's process when its run is over, and by the pool for one that had to be ended.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.suites.safety.ledger import LEDGER, read_ledger
from harness.verdicts import Exit


def tidy_up(run_dir: Path, target: Path) -> str:
    """Delete what the run has left at the target, also what a mutant kept from it; what could not be, in words."""
    from harness.suites.safety.cleanup import CleanupError, clean_up
    from harness.target import TargetError
    from harness.yamlfile import DataError

    if not (run_dir / LEDGER).exists():
        return ""
    said: list[str] = []
    try:
        code = clean_up(run_dir, target, url=None, dry=False, say=said.append)
    except (CleanupError, TargetError, DataError) as error:
        return str(error)
    return "" if code == Exit.CONFORMS else said[-1]


def keep_ledger(run_dir: Path, where: Path, target: str, why: str = "") -> str:
    """Where a run has left something at the target, save its ledger; what is left and what to do about it, in words.

    `why`: what is known to be left; else the ledger tells.
    """
    accounts, unreadable = read_ledger(run_dir)
    if not why and not unreadable and not any(account.left for account in accounts):
        return ""
    where.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run_dir / LEDGER, where / LEDGER)
    return f"{why or 'something is left'}: `ringtrue cleanup {where} --target {target}` takes it away"
