"""What a run made is taken away again, also where it never heard that it had made it."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from harness.suites.contract.resources import Workbench
from harness.suites.plan import Plan
from harness.suites.safety.ledger import read_ledger
from harness.suites.scenario import Scenario, Worker
from harness.target import ApidazeTarget, Target, Timing
from harness.timeline import Clock
from tests.drivers.hostile import answer, read_request, serving


class Accounts:
    """A platform that makes accounts; the answer to a POST is lost."""

    def __init__(self) -> None:
        self.there = {"7": "somebody-else"}

    def __call__(self, connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set() and (request := read_request(connection)):
            head, _, body = request.partition(b"\r\n\r\n")
            method, path, _ = head.decode().split(" ", 2)
            if path.endswith("/token"):
                connection.sendall(answer(body=b'{"access_token": "canary-token"}'))
            elif method == "POST":
                self.there[str(len(self.there) + 40)] = parse_qs(body.decode())["username"][0]
                return
            elif method == "DELETE":
                self.there.pop(path.rpartition("/")[2], None)
                connection.sendall(answer("204 Gone", b""))
            else:
                listed = [{"id": name, "sip": {"username": user}} for name, user in self.there.items()]
                connection.sendall(answer(body=json.dumps(listed).encode()))


def _bench(folder: Path, address: str) -> Workbench:
    target = ApidazeTarget(
        base_url=address, token_url=f"{address}/token", client_id="somebody", client_secret="canary-secret"
    )
    timing = Timing(connect=1.0, answer=1.0)
    plan = Plan(folder / "run", Target(systems={"apidaze": target}, timing=timing), Clock.start())
    (folder / "run").mkdir()
    return Workbench(Scenario(Worker(plan), "apidaze", "test_it", "It"))


def test_what_was_made_by_a_request_without_an_answer_is_deleted(tmp_path: Path) -> None:
    platform = Accounts()
    with serving(platform) as address:
        bench = _bench(tmp_path, address)
        exchange = bench.send(bench.spec.operation("createSipAccount"))
        assert exchange.response is None
        assert len(platform.there) == 2
        bench.scenario.close()
    assert list(platform.there.values()) == ["somebody-else"]
    assert [account.left for account in read_ledger(tmp_path / "run")[0]] == [()]


def test_what_was_made_in_the_moment_of_an_interruption_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Accounts()
    with serving(platform) as address:
        bench = _bench(tmp_path, address)
        send = bench.scenario.api.request

        def interrupted(method: str, *arguments: object, **options: object) -> object:
            made = send(method, *arguments, **options)  # type: ignore[arg-type]
            if method == "POST":
                raise KeyboardInterrupt
            return made

        monkeypatch.setattr(bench.scenario.api, "request", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.send(bench.spec.operation("createSipAccount"))
        assert len(platform.there) == 2
        bench.scenario.close()
    assert list(platform.there.values()) == ["somebody-else"]
