"""What targets took from requests against the documents, for all workers of a run: each sees what the others made."""

from __future__ import annotations

import json
from pathlib import Path

from harness.checks.evidence import succeeded
from harness.checks.http import request_value
from harness.checks.taken import Value, values_of
from harness.timeline import HttpExchange, declared_type

TAKEN = "taken.jsonl"


class Taken:
    """A container of values (see `harness.checks.taken`). `learn` from exchanges; `refresh` before something is judged."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / TAKEN
        self._known: set[Value] = set()
        self._read = 0

    def __contains__(self, value: object) -> bool:
        return value in self._known

    def learn(self, exchange: HttpExchange) -> None:
        """Keep the values of a request that no document allows and that was accepted."""
        if not succeeded(exchange) or exchange.about.get("case") != "negative":
            return
        sent = exchange.request
        new = set(values_of(request_value(declared_type(sent.headers), sent.body))) - self._known
        if new:
            self._known |= new
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(value) + "\n" for value in sorted(new)))

    def refresh(self) -> None:
        """Take over what other workers have learnt meanwhile."""
        if not self._path.exists() or self._path.stat().st_size == self._read:
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole, _, _ = file.read().rpartition(b"\n")  # the last line may still be growing
        self._read += len(whole) + 1 if whole else 0
        self._known |= {tuple(json.loads(line)) for line in whole.splitlines()}
