"""Takes away at a target what a run made there and left: `ringtrue cleanup`, for runs that were killed.

It deletes what the run's ledger names, and what is listed at the target with a value that the ledger says was made unique
for this run; nothing else is touched. To clean up again does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.contract import load_contracts
from harness.drivers.http import fill_path
from harness.redact import Redactor
from harness.suites.contract.resources import Workbench, is_gone
from harness.suites.plan import Plan, capabilities_of
from harness.suites.safety.ledger import LEDGER, Account, Made, hold, read_ledger
from harness.suites.scenario import Scenario, Worker
from harness.target import Target, load_target
from harness.timeline import Clock, HttpExchange
from harness.verdicts import Exit


class CleanupError(Exception):
    """Nothing can be cleaned up because of what the user gave; the message says what to change."""


@dataclass
class _Count:
    """What a clean-up has done so far. `stuck`: could not be deleted; `kept`: no operation deletes it."""

    deleted: int = 0
    stuck: int = 0
    kept: int = 0


def clean_up(
    run_dir: Path | None, target_file: Path | None, *, url: str | None, dry: bool, say: Callable[[str], None]
) -> int:
    """Delete what is left of a run (None: the newest one); 0 when nothing is, 3 when something could not be deleted.

    Raises:
        CleanupError: no such run, one that still goes on, or a target other than the one that the run judged.
        TargetError, DataError: a target file that cannot be used.
    """
    run_dir = run_dir or _newest()
    if not run_dir.is_dir():
        raise CleanupError(f"{run_dir}: no such run. Name its folder, as in `ringtrue cleanup reports/latest`")
    with _alone(run_dir):
        accounts, unreadable = read_ledger(run_dir)
        for line in unreadable:
            say(f"passed over  {line}")
        if not accounts:
            say(f"{run_dir}: the run has made nothing ({LEDGER} is {'not there' if not unreadable else 'unreadable'})")
            return int(Exit.NOTHING_SAID if unreadable else Exit.CONFORMS)
        if target_file is None and not any(account.left for account in accounts):
            say(f"{run_dir}: all {sum(account.total for account in accounts)} things that the run made are deleted")
            return int(Exit.CONFORMS)
        if target_file is None:
            raise CleanupError(_what_is_left(accounts) + ". Say where: --target FILE, the file that the run was given")
        target = _target(target_file, accounts, url)
        count = _Count()
        worker = Worker(Plan(run_dir, target, Clock.start()))
        for account in accounts:
            _clean_system(worker, account, count, dry=dry, say=say)
    return _conclude(count, accounts, len(unreadable), dry=dry, say=say)


def _newest() -> Path:
    """A run that was killed is not `reports/latest`, so the times of the folders tell."""
    runs = [path for path in Path("reports").glob("*") if path.is_dir() and not path.is_symlink()]
    if not runs:
        raise CleanupError("there is no run in reports/: name the folder of one")
    return max(runs, key=lambda path: path.stat().st_mtime)


def _conclude(count: _Count, accounts: list[Account], unreadable: int, *, dry: bool, say: Callable[[str], None]) -> int:
    total = sum(account.total for account in accounts)
    done = f"{count.deleted} would be deleted" if dry else f"{count.deleted} deleted"
    if count.stuck:
        done += f", {count.stuck} could not be deleted: try again when the target is up"
    if count.kept:
        done += f", {count.kept} stay: the API has no operation that deletes them"
    say(f"{total} things made by the run: {done}")
    return int(Exit.NOTHING_SAID if count.stuck or unreadable else Exit.CONFORMS)


def _what_is_left(accounts: list[Account]) -> str:
    left = ", ".join(f"{len(one.left)} of {one.total} at {one.base_urls[-1]} ({one.system})" for one in accounts)
    return f"left of what the run made: {left}"


def _target(path: Path, accounts: list[Account], url: str | None) -> Target:
    """The target, once it is sure that it is the one which the run judged."""
    target = load_target(path, capabilities_of(load_contracts()))
    if url is not None:
        if len(accounts) != 1:
            raise CleanupError(f"--url needs exactly one system, and the run made things at {len(accounts)}")
        system = accounts[0].system
        changed = target.systems[system].model_copy(update={"base_url": url.rstrip("/")})
        target = target.model_copy(update={"systems": {**target.systems, system: changed}})
    for account in accounts:
        known = target.systems.get(account.system)
        if known is None:
            raise CleanupError(f"{path} does not describe {account.system}, at which the run made things")
        shown = Redactor().text(known.base_url)
        if account.base_urls != (shown,):
            made_at = " and ".join(account.base_urls)
            raise CleanupError(
                f"the run made things at {made_at}, and {path} leads to {shown}: nothing is deleted there. "
                "Give the target file that the run was given, or --url"
            )
    kept = {account.system: target.systems[account.system] for account in accounts}
    return target.model_copy(update={"systems": kept})


def _clean_system(worker: Worker, account: Account, count: _Count, *, dry: bool, say: Callable[[str], None]) -> None:
    scenario = Scenario(worker, account.system, f"cleanup-{account.system}", "clean-up")
    try:
        bench = Workbench(scenario)
        spec = scenario.contract.spec
        known = {operation.id: operation for operation in spec.operations}
        for made in [*account.left, *_unlisted(bench, account)]:
            if made.delete is None or made.delete not in known:
                count.kept += 1
                say(f"stays        {account.system}: made by {made.created_by}: {dict(made.parameters)}")
                continue
            path = fill_path(known[made.delete].path, **made.parameters)
            if dry:
                count.deleted += 1
                say(f"to delete    {account.system}: {path}")
                continue
            exchange = bench.delete(known[made.delete], made.parameters)
            gone = is_gone(exchange)
            count.deleted += gone
            count.stuck += not gone
            say(f"{'deleted' if gone else 'still there':12} {account.system}: {path}{'' if gone else _why(exchange)}")
    finally:
        scenario.close()


def _unlisted(bench: Workbench, account: Account) -> Iterator[Made]:
    """What the target lists with a mark of the run, and the ledger does not: it was made in the moment of a kill."""
    seen = {made.key for made in account.left}
    places = {(making.operation, tuple(sorted(making.parameters.items()))) for making in account.makings}
    for operation_id, place in sorted(places):
        create = bench.spec.operation(operation_id)
        link, delete = bench.links.creates(create), bench.links.deleter(create)
        marks = [mark for making in account.makings if making.operation == operation_id for mark in making.marks]
        if link is None or delete is None:
            continue
        for found in bench.with_marks(bench.spec.operation(link.target), marks, dict(place)):
            made = Made(operation_id, delete.id, found)
            if made.key not in seen:
                seen.add(made.key)
                yield made


def _why(exchange: HttpExchange) -> str:
    return f": answered {exchange.response.status}" if exchange.response is not None else f": {exchange.failure}"


@contextmanager
def _alone(run_dir: Path) -> Iterator[None]:
    """Hold the run's lock."""
    with hold(run_dir) as held:
        if not held:
            raise CleanupError(f"{run_dir}: the run is still going on, and cleans up by itself when it ends")
        yield
