"""Stands between an implementation and the harness, and passes everything on as it came, but for what a mutant changes.

It stands in the drivers and not on the network: the implementation is asked at its own address, by its own certificate, and
signatures hold. Every run with a mutant has one in each process that sends requests, and one in the recorder.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from harness.checks.callbacks import Webhooks
from harness.checks.http import find_operation
from harness.contract import Contract
from harness.suites.mutants.catalogue import mutants_of
from harness.suites.mutants.mutant import Mutant
from harness.timeline import Callback, Event, Headers, HttpExchange, HttpRequest, Timeline

CHANGES = "mutant.jsonl"
"""In the folder of a run: one line for each message that its mutant changed."""


class Standing:
    """One mutant in place. `base`: the base URL of its system; `log`: where each change is written, one JSON line each."""

    def __init__(self, mutant: Mutant, contract: Contract, base: str, log: Path) -> None:
        self.mutant = mutant
        self._contract = contract
        self._base = base
        self._log = log
        self._webhooks = Webhooks((), contract)
        self._writing = threading.Lock()

    def answer(self, exchange: HttpExchange) -> HttpExchange:
        """The exchange as the harness is to see it; the same object where nothing is changed."""
        if not _concerns_answer(self.mutant, self._contract, exchange, self._base):
            return exchange
        assert exchange.response is not None
        response = self.mutant.in_answer(exchange.response)
        if response is exchange.response:
            return exchange
        self._wrote(f"{exchange.request.method} {urlsplit(exchange.request.url).path}")
        return replace(exchange, response=response)

    def callback(self, request: HttpRequest) -> tuple[Headers, bytes] | None:
        """Headers and body of a callback as the recorder is to see them; None where nothing is changed."""
        if not _concerns_callback(self.mutant, self._webhooks, Callback(0.0, request=request)):
            return None
        made = self.mutant.in_callback(request)
        if made is not None:
            self._wrote(f"{request.method} {urlsplit(request.url).path}")
        return made

    def _wrote(self, what: str) -> None:
        with self._writing, self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"mutant": self.mutant.id, "changed": what}) + "\n")


def changes(run_dir: Path) -> int:
    """How many messages the mutant of a run has changed."""
    path = run_dir / CHANGES
    return path.read_bytes().count(b"\n") if path.exists() else 0


def seen_by_tests(run_dir: Path, contract: Contract, base: str) -> dict[str, list[str]]:
    """By mutant of a system: the tests of a run in which it could have changed something, as their timelines show."""
    sight = Sight(mutants_of(contract.system).values(), contract, base)
    found: dict[str, list[str]] = {}
    for path in sorted((run_dir / "timelines").glob("*.jsonl")):
        timeline = Timeline.read(path)
        for mutant in sight.of(timeline):
            found.setdefault(mutant, []).append(timeline.scenario)
    return found


class Sight:
    """Tells which mutants could have changed something of what a timeline shows."""

    def __init__(self, mutants: Iterable[Mutant], contract: Contract, base: str) -> None:
        self._contract = contract
        self._base = base
        self._webhooks = Webhooks((), contract)
        self._by_place: dict[tuple[str, str], list[Mutant]] = {}
        for mutant in mutants:
            for status in mutant.statuses or ("",):
                self._by_place.setdefault((mutant.operation, status), []).append(mutant)

    def of(self, events: Iterable[Event]) -> set[str]:
        """Their ids."""
        found: set[str] = set()
        for event in events:
            if isinstance(event, HttpExchange):
                found.update(self._in_answer(event, found))
            elif isinstance(event, Callback):
                found.update(self._in_callback(event, found))
        return found

    def _in_answer(self, exchange: HttpExchange, found: set[str]) -> Iterator[str]:
        place = _answered(self._contract, exchange, self._base)
        if place is None or exchange.response is None:
            return
        for mutant in self._by_place.get(place, ()):
            if mutant.id not in found and mutant.in_answer(exchange.response) is not exchange.response:
                yield mutant.id

    def _in_callback(self, callback: Callback, found: set[str]) -> Iterator[str]:
        webhook = self._webhooks.find(callback)
        for mutant in self._by_place.get((webhook.id, ""), ()) if webhook and not callback.about.get("refused") else ():
            if mutant.id not in found and mutant.in_callback(callback.request) is not None:
                yield mutant.id


def _concerns_answer(mutant: Mutant, contract: Contract, exchange: HttpExchange, base: str) -> bool:
    """Whether it is an answer of the operation, with a status, that the mutant is about."""
    place = _answered(contract, exchange, base)
    return place is not None and place[0] == mutant.operation and place[1] in mutant.statuses


def _answered(contract: Contract, exchange: HttpExchange, base: str) -> tuple[str, str] | None:
    """The operation, and the status as its document names it; None for what is no whole answer of the implementation's."""
    response = exchange.response
    if response is None or response.truncated or exchange.system != contract.system:
        return None
    if "operation" not in exchange.about and not f"{exchange.request.url}/".startswith(f"{base}/"):
        return None
    operation = find_operation(contract, exchange, base)
    documented = operation.response(response.status) if operation else None
    return (operation.id, documented.status) if operation and documented else None


def _concerns_callback(mutant: Mutant, webhooks: Webhooks, callback: Callback) -> bool:
    if mutant.statuses:
        return False
    webhook = webhooks.find(callback)
    return webhook is not None and webhook.id == mutant.operation
