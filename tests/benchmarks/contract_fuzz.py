"""Requests per second of the contract suite beside `schemathesis run`: same spec, seed, phases, operations and examples.

Run by hand: `python -m tests.benchmarks.contract_fuzz [--system S] [--seed N]`. Each side gets a fresh platform, whose
log counts the requests and says when the first and the last came: between them lie making, sending and judging of requests,
on both sides; imports and the first look at the target come before. `cpu` is the processor time per request meanwhile, which
a busy machine changes less; `whole` is the command from start to end, `all cpu` its processor time, `load` the machine's.
It prints figures and asserts nothing; the goal is at least the rate of schemathesis. The requests differ in number: ours
leaves alone what is not its own, cleans up, and follows links its own way.
"""

from __future__ import annotations

import argparse
import base64
import bisect
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.contract import data_folder, load_contracts
from harness.suites.contract.links import Links
from harness.suites.plan import MAX_EXAMPLES
from tests.e2e.command import Running

_BIN = Path(sys.executable).parent
_UNIT = ("examples", "coverage", "fuzzing")
_SECONDS = 600.0
_REQUEST = re.compile(r"^([\d:.]+) .*: (?:GET|POST|PUT|PATCH|DELETE|OPTIONS|HEAD|TRACE) /\S* \d{3}$", re.MULTILINE)
# Requests by which `ringtrue run` looks whether the target can be judged, token included.
_PROBE = 5


def _post(url: str, form: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        value: dict[str, Any] = json.load(answer)
        return value


def _headers(system: str, target: dict[str, Any]) -> list[str]:
    """What schemathesis has to send with every request, which the contract suite finds out by itself."""
    match system:
        case "apidaze":
            form = {"grant_type": "client_credentials"} | {n: target[n] for n in ("client_id", "client_secret")}
            return [f"Authorization: Bearer {_post(target['token_url'], form)['access_token']}"]
        case "callable":
            form = {name: target[name] for name in ("username", "password")}
            return [f"Authorization: Bearer {_post(target['base_url'] + '/oauth/authorize', form)['access_token']}"]
        case "vtx":
            login = base64.b64encode(f"{target['username']}:{target['password']}".encode()).decode()
            return [f"Authorization: Basic {login}", f"X-C5-Application: {target['application']}"]
        case _:
            return []


def _configuration(system: str) -> str:
    """What makes schemathesis try the same operations as the contract suite, each in the same phases."""
    spec = load_contracts([system])[system].spec
    links = Links(spec)
    never = [one.id for one in spec.operations if one.target_url or links.dials(one)]
    walked = [one.id for one in spec.operations if one.id not in never and not (one.secured and links.is_whole(one))]
    lines = ["[generation]", "no-shrink = true", "with-security-parameters = false", "allow-x00 = false"]
    for names, wanted in ((never, ["enabled = false"]), (walked, [f"phases.{name}.enabled = false" for name in _UNIT])):
        if names:
            lines += ["[[operations]]", f"include-operation-id = {json.dumps(names)}", *wanted]
    return "\n".join(lines) + "\n"


def _command(side: str, system: str, file: Path, seed: int) -> list[str]:
    if side == "ringtrue":
        expression = "test_contract and (generated or linked)"
        wanted = ["run", "--target", str(file), "--system", system, "-k", expression, "--workers", "1"]
        return [str(_BIN / "ringtrue"), *wanted, "--seed", str(seed), "-q"]
    target = tomllib.loads(file.read_text(encoding="utf-8"))[system]
    file.with_name("schemathesis.toml").write_text(_configuration(system), encoding="utf-8")
    command = [str(_BIN / "schemathesis"), "--config-file", str(file.with_name("schemathesis.toml")), "run"]
    command += [str(data_folder("specs") / system / "openapi.yaml"), "--url", target["base_url"]]
    command += ["--phases", ",".join((*_UNIT, "stateful")), "--seed", str(seed), "--workers", "1"]
    command += ["--max-examples", str(MAX_EXAMPLES), "--generation-database", "none", "--continue-on-failure"]
    return command + [part for header in _headers(system, target) for part in ("-H", header)]


@dataclass(frozen=True)
class Figures:
    """Of one side: requests; seconds and processor seconds from the first to the last, and of the whole command."""

    requests: int
    seconds: float
    cpu: float
    whole: float
    whole_cpu: float

    def __str__(self) -> str:
        rate, cost = self.requests / self.seconds, 1000 * self.cpu / self.requests
        between = f"{self.requests:>10}{self.seconds:>9.1f}{rate:>12.1f}{cost:>9.2f} ms"
        return f"{between}{self.whole:>8.1f}{self.whole_cpu:>9.1f}{os.getloadavg()[0]:>7.1f}"


class _Meter:
    """Looks every few milliseconds how much processor time a process has had."""

    def __init__(self, process: int) -> None:
        self._stat = Path(f"/proc/{process}/stat")
        self._tick = 1 / os.sysconf("SC_CLK_TCK")
        self._looks: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            try:
                fields = self._stat.read_text(encoding="ascii").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                return
            self._looks.append((_clock(), (int(fields[11]) + int(fields[12])) * self._tick))

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    @property
    def total(self) -> float:
        return self._looks[-1][1]

    def until(self, moment: float) -> float:
        """Processor seconds that were used up by then (`moment`: seconds since midnight)."""
        place = bisect.bisect_left(self._looks, (moment, 0.0))
        return self._looks[min(place, len(self._looks) - 1)][1]


def _measure(side: str, system: str, seed: int, folder: Path) -> Figures:
    file = folder / "target.toml"
    with Running("platform", "--system", system, "--target-file", file, folder=folder) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        # The platform may be littered, so that all operations are tried.
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(f"[{system}]", f"[{system}]\nscratch = true", 1), encoding="utf-8")
        began = time.monotonic()
        with (folder / "said").open("w+", encoding="utf-8") as said:
            command = _command(side, system, file, seed)
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            meter = _Meter(process.pid)
            try:
                code = process.wait(_SECONDS)
            finally:
                process.kill()
                meter.stop()
            said.seek(0)
            if code not in (0, 1):
                print(f"{side} ended with {code}: {said.read()[-500:]}", file=sys.stderr)
        whole = time.monotonic() - began
        times = [_seconds(found[1]) for found in _REQUEST.finditer(platform.said()[1])][_PROBE:]
        used = meter.until(times[-1]) - meter.until(times[0])
        return Figures(len(times), times[-1] - times[0], used, whole, meter.total)


def _clock() -> float:
    """Seconds since midnight, as the log of the platform counts them."""
    now = time.time()
    local = time.localtime(now)
    return local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + now % 1


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", action="append", choices=["apidaze", "callable", "vtx", "mediaservice"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    head = f"{'requests':>10}{'seconds':>9}{'per second':>12}{'cpu':>12}{'whole':>8}{'all cpu':>9}{'load':>7}"
    print(f"{'system':14}{'side':14}{head}")
    for system in asked.system or ["apidaze", "callable", "vtx", "mediaservice"]:
        for side in ("ringtrue", "schemathesis"):
            with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
                figures = _measure(side, system, asked.seed, Path(folder))
            print(f"{system:14}{side:14}{figures}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
