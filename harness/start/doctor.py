"""Examines this machine and, if asked, a target: everything a run will need, each in a line of the user's words.

`ringtrue doctor` calls `examine`. It sends the harmless requests of the probe and a SIP OPTIONS, and changes nothing.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from harness.redact import Redactor
from harness.verdicts import Exit

if TYPE_CHECKING:
    from harness.drivers.recorder import Recorder
    from harness.suites.scenario import Scenario
    from harness.target import Target

# Seconds between two clocks that matter: callbacks carry times, subscriptions end at one.
SKEW = 2.0
# Users whom a scenario may need at once: two who talk, and one whom nobody is told of.
_USERS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that was looked at. `needed` False: its absence costs some clauses, not the run."""

    name: str
    fine: bool
    text: str
    needed: bool = True


def examine(target: Path | None) -> int:
    """Print what is there and what is missing; exit code 0 (fit), 2 (target file wrong) or 3 (something is missing)."""
    from harness.target import TargetError
    from harness.yamlfile import DataError

    worst = Exit.CONFORMS
    try:
        for answer in _answers(target):
            sign = "ok     " if answer.fine else "missing" if answer.needed else "note   "
            click.echo(f"{sign}  {answer.name}: {Redactor().text(answer.text)}")
            if not answer.fine and answer.needed:
                worst = Exit.NOTHING_SAID
    except (TargetError, DataError) as error:
        click.echo(f"wrong    {error}")
        return int(Exit.USAGE)
    return int(worst)


def _answers(target: Path | None) -> Iterator[Answer]:
    yield Answer("python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _sipp()
    yield _allure()
    yield _reports()
    if target is not None:
        yield from _target(target)


def _sipp() -> Answer:
    from harness.drivers.sipp import SippMissing
    from harness.drivers.sipp.process import find_binary

    try:
        return Answer("SIPp", True, str(find_binary(None)))
    except SippMissing as error:
        return Answer("SIPp", False, f"{error}; SIP clauses will be inconclusive", needed=False)


def _allure() -> Answer:
    from harness.report.browse.allure_report import find_allure

    found = find_allure()
    text = (
        str(found)
        if found
        else "not found: `make setup` installs it, or npm install --global allure@3; runs work without"
    )
    return Answer("allure", found is not None, text, needed=False)


def _reports() -> Answer:
    folder = Path("reports") if Path("reports").is_dir() else Path()
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        return Answer("reports", False, f"{folder.resolve()} cannot be written: {error.strerror}; use --run-dir")
    return Answer("reports", free > 100, f"{free} MiB free in {folder.resolve().name}/")


def _target(path: Path) -> Iterator[Answer]:
    from harness.contract import load_contracts
    from harness.drivers.recorder import Recorder, RecorderError
    from harness.suites.plan import Plan, capabilities_of
    from harness.suites.probe import probe
    from harness.suites.scenario import Scenario, Worker
    from harness.target import load_target
    from harness.timeline import Clock

    target = load_target(path, capabilities_of(load_contracts()))
    yield Answer("target file", True, f"{path} describes {', '.join(target.systems)}; credentials are filled in")
    with tempfile.TemporaryDirectory(prefix="ringtrue-doctor-") as folder:
        plan = Plan(Path(folder), target, Clock.start())
        worker = Worker(plan)
        for system, contract in plan.contracts.items():
            scenario = Scenario(worker, system, f"doctor-{system}", "doctor")
            try:
                problem = probe(scenario.api, contract)
                text = (
                    str(problem).partition(": ")[2]
                    if problem
                    else f"{scenario.target.base_url} answers, takes the credentials, and tells requests apart"
                )
                yield Answer(f"{system} API", problem is None, text)
                yield from _clock(scenario)
                yield from _tls(scenario)
                yield from _sip(scenario)
                yield from _users(scenario)
                yield from _outside(scenario)
                yield _capabilities(scenario)
            finally:
                scenario.close()
        try:
            recorder = target.recorder
            with Recorder(Path(folder), listen=recorder.listen, public_url=recorder.public_url) as running:
                yield from _recorder(target, running)
        except RecorderError as error:
            yield Answer("recorder", False, f"{error}. Change listen in [recorder]; 127.0.0.1:0 takes any free port")


def _clock(scenario: Scenario) -> Iterator[Answer]:
    """How far the target's clock is from ours, by the Date of its answers (RFC 9110 section 6.6.1, whole seconds)."""
    from harness.timeline import HttpExchange

    for exchange in scenario.timeline.of(HttpExchange):
        if exchange.response is None or exchange.ended is None or not (date := exchange.response.header("date")):
            continue
        try:
            there = parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError, OverflowError):
            yield Answer(
                f"{scenario.system} clock", False, f"cannot be read from its answers: Date {date!r}", needed=False
            )
            return
        off = max(exchange.at - there - 1, there - exchange.ended, 0.0)
        words = "agrees with ours" if off < SKEW else f"is {off:.0f} s off ours: set both by NTP, or times will not fit"
        yield Answer(f"{scenario.system} clock", off < SKEW, words, needed=False)
        return


def _tls(scenario: Scenario) -> Iterator[Answer]:
    target = scenario.target
    if target.base_url.startswith("https:") and not target.verify_tls:
        yield Answer(
            f"{scenario.system} TLS", False, "certificates are not verified (verify_tls = false)", needed=False
        )


def _users(scenario: Scenario) -> Iterator[Answer]:
    """Whether there are users to act as, where requests name them: without any most of such a system is undecided."""
    from harness.suites.contract.links import Links

    if not Links(scenario.contract.spec).names_users():
        return
    known = sum(user.id is not None for user in scenario.target.users)
    words = f"{known or 'none'} with an id"
    if known < _USERS:
        words += f"; scenarios need up to {_USERS}: name them in [[{scenario.system}.users]] with id, aor and password"
    yield Answer(f"{scenario.system} users", known >= _USERS, words, needed=not known)


def _outside(scenario: Scenario) -> Iterator[Answer]:
    """Whether the port is free on which the platform's calls to outside numbers arrive."""
    pstn = scenario.target.pstn
    name = f"{scenario.system} pstn"
    if pstn is None:
        if "pstn" in scenario.target.capabilities:
            yield Answer(name, False, f"the capability pstn is declared, but [{scenario.system}.pstn] is missing")
        return
    host, _, port = pstn.listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host.strip("[]") else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host.strip("[]"), int(port)))
    except OSError as error:
        yield Answer(name, False, f"{pstn.listen} cannot be listened on: {error.strerror}. Calls come out there")
        return
    numbers = ", ".join(pstn.numbers) or "no numbers: name those that may be called, in numbers"
    yield Answer(name, bool(pstn.numbers), f"{pstn.listen} is free; {numbers}")


def _capabilities(scenario: Scenario) -> Answer:
    """What is not declared is not judged, and many forget to declare it."""
    known = scenario.contract.file.capabilities
    declared = scenario.target.capabilities
    left = [name for name in known if name not in declared]
    clauses = [clause for clause in scenario.contract.catalogue if clause.capability in left and not clause.untestable]
    name = f"{scenario.system} capabilities"
    if not left:
        return Answer(name, True, "all are declared", needed=False)
    words = (
        f"{', '.join(declared) or 'none'} declared; {len(clauses)} clauses will not be judged without {', '.join(left)}"
    )
    return Answer(name, bool(declared), words, needed=False)


def _recorder(target: Target, running: Recorder) -> Iterator[Answer]:
    """Whether callbacks find their way to the recorder, as far as that can be told from here."""
    import httpx

    from harness.timeline import event_to_json

    base = running.base_url
    ours = _is_loopback(base)
    away = [name for name, system in target.systems.items() if not _is_loopback(system.base_url)]
    if ours and away:
        yield Answer(
            "recorder",
            False,
            f"{base} leads {', '.join(away)} nowhere: it is this machine's own. Listen where the platform reaches you: "
            '[recorder] listen = "0.0.0.0:8080" with public_url = "http://<this host>:8080", or the public_url of a tunnel',
            needed=any("callbacks" in target.systems[name].capabilities for name in away),
        )
        return
    path = f"ringtrue-doctor-{secrets.token_hex(8)}"
    try:
        answer = httpx.get(f"{base}/{path}", timeout=target.timing.connect, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        yield Answer("recorder", False, f"{base} does not lead to it: {type(error).__name__} {error}".rstrip())
        return
    arrived = any(path in json.dumps(event_to_json(note)) for note in running.notes.events)
    if not arrived:
        yield Answer(
            "recorder", False, f"{base} is somebody else: it answers {answer.status_code}, and nothing came here"
        )
        return
    yield Answer("recorder", True, f"callbacks are taken at {base}")


def _is_loopback(url: str) -> bool:
    """Whether a URL leads nowhere but to the machine that follows it."""
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
        return address.is_loopback or address.is_unspecified
    except ValueError:
        return host == "localhost"


def _sip(scenario: Scenario) -> Iterator[Answer]:
    from harness.drivers.sipp import SippError
    from harness.suites.inconclusive import InconclusiveError

    sip = scenario.target.sip
    if sip is None:
        if "sip" in scenario.target.capabilities:
            yield Answer(
                f"{scenario.system} SIP",
                False,
                f"the capability sip is declared, but [{scenario.system}.sip] is missing",
            )
        return
    try:
        result = scenario.sipp.run("options.xml", "doctor", remote=sip.address, transport=sip.transport, timeout=3.0)
    except (SippError, InconclusiveError) as error:
        yield Answer(f"{scenario.system} SIP", False, str(error), needed=False)
        return
    answered = any(message.direction == "in" for message in result.messages)
    text = (
        f"{sip.address} answers OPTIONS"
        if answered
        else f"{sip.address} over {sip.transport} does not answer OPTIONS: {result.detail}"
    )
    yield Answer(f"{scenario.system} SIP", answered, text)
