"""Requests per second of the contract suite beside `schemathesis run`: same spec, seed, phases and number of examples.

Run by hand: `python -m tests.benchmarks.contract_fuzz [--system S] [--seed N]`. Each side gets a fresh platform, whose
log counts the requests and says when the first and the last came; what comes before (imports, the probe) is on neither
side's clock, judging is. It prints figures and asserts nothing; the goal is at least the rate of schemathesis.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.contract import data_folder
from harness.suites.plan import MAX_EXAMPLES
from tests.e2e.command import Running

_BIN = Path(sys.executable).parent
_PHASES = "examples,coverage,fuzzing,stateful"
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


def _command(side: str, system: str, file: Path, seed: int) -> list[str]:
    if side == "ringtrue":
        expression = "contract and (generated or linked)"
        wanted = ["run", "--target", str(file), "--system", system, "-k", expression, "--workers", "1"]
        return [str(_BIN / "ringtrue"), *wanted, "--seed", str(seed), "-q"]
    target = tomllib.loads(file.read_text(encoding="utf-8"))[system]
    command = [str(_BIN / "schemathesis"), "run", str(data_folder("specs") / system / "openapi.yaml")]
    command += ["--url", target["base_url"], "--phases", _PHASES, "--seed", str(seed), "--workers", "1"]
    command += ["--max-examples", str(MAX_EXAMPLES), "--generation-database", "none", "--continue-on-failure"]
    return command + [part for header in _headers(system, target) for part in ("-H", header)]


def _measure(side: str, system: str, seed: int, folder: Path) -> tuple[int, float]:
    """Requests that one side sent, and the seconds from the first to the last."""
    file = folder / "target.toml"
    with Running("platform", "--system", system, "--target-file", file, folder=folder) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        command = _command(side, system, file, seed)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
        if done.returncode not in (0, 1):
            print(f"{side} ended with {done.returncode}: {(done.stderr or done.stdout)[-500:]}", file=sys.stderr)
        times = [_seconds(found[1]) for found in _REQUEST.finditer(platform.said()[1])][_PROBE:]
        return len(times), times[-1] - times[0]


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", action="append", choices=["apidaze", "callable", "vtx", "mediaservice"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    print(f"{'system':14}{'side':14}{'requests':>10}{'seconds':>10}{'per second':>12}")
    for system in asked.system or ["apidaze", "callable", "vtx", "mediaservice"]:
        for side in ("ringtrue", "schemathesis"):
            with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
                requests, seconds = _measure(side, system, asked.seed, Path(folder))
            print(f"{system:14}{side:14}{requests:>10}{seconds:>10.1f}{requests / seconds:>12.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
