"""SIPp as the telephones of VTX users and as the outside world; used by the tests beside this file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.drivers.sipp import SippAgent, SippResult, SippRunner
from harness.timeline import Timeline

needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed (Debian: sip-tester)")


class Phones:
    """Telephones at one platform; each belongs to an entry of the target table's users."""

    def __init__(self, table: dict[str, Any], runner: SippRunner) -> None:
        self.table = table
        self.runner = runner
        self.address = table["sip"]["address"]
        self.domain = table["sip"]["domain"]

    def register(self, user: dict[str, Any], contact: str, script: str = "register.xml", **changes: Any) -> SippResult:
        """Register `contact` (host:port) as the user's telephone."""
        return self._run(script, user, changes, {"contact": contact})

    def call(
        self, user: dict[str, Any], dialled: str, script: str = "call_registered.xml", **changes: Any
    ) -> SippResult:
        """Call as the user; `hold` milliseconds, 100 unless told, until it hangs up."""
        variables = {"service": dialled}
        if script == "call_registered.xml":
            variables["hold"] = str(changes.pop("hold", 100))
        return self._run(script, user, changes, variables)

    def start_call(self, user: dict[str, Any], dialled: str, hold: int) -> SippAgent:
        variables = {"service": dialled, "hold": hold, "domain": self.domain}
        return self.runner.start(
            "call_registered.xml",
            "caller",
            remote=self.address,
            user=number(user),
            password=user["password"],
            variables=variables,
        )

    def _run(self, script: str, user: dict[str, Any], changes: dict[str, Any], variables: dict[str, str]) -> SippResult:
        given = {"user": number(user), "password": user["password"], "transport": "udp"} | changes
        domain = given.pop("domain", self.domain)
        return self.runner.run(script, "phone", remote=self.address, variables={"domain": domain, **variables}, **given)

    @contextmanager
    def answering(
        self, user: dict[str, Any] | None, script: str = "uas_answer.xml", transport: str = "udp", **variables: str
    ) -> Iterator[SippAgent]:
        """A telephone of the user, registered; of the outside world, at the carrier's address, for None."""
        port = None if user else int(self.table["pstn"]["listen"].rpartition(":")[2])
        with self.runner.start(
            script,
            "callee",
            remote=self.address,
            transport=transport,
            local_ip="127.0.0.1",
            port=port,
            variables=variables,
        ) as agent:
            if user:
                assert self.register(user, agent.address, transport=transport).outcome == "done"
            yield agent


def number(user: dict[str, Any]) -> str:
    """The user part of the address-of-record."""
    found: str = user["aor"].partition("@")[0]
    return found


def runner(folder: Path) -> SippRunner:
    return SippRunner(folder, Timeline(scenario="vtx"))
