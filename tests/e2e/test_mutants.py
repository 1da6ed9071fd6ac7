"""`ringtrue faults --mutants` and `--target`: mutants are noticed, also at a platform of the user's, left as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.target import load_target
from tests.e2e.command import Done, Running, ringtrue

_SAMPLE = 12
_SECONDS = 240.0


def _proof(done: Done) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((done.folder / "reports" / "mutants.json").read_text(encoding="utf-8"))
    assert content["footer"]["faults"] == len(content["faults"])
    return content


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Path]:
    """The target file of a VTX platform that has a fault of its own."""
    file = tmp_path / "vtx.toml"
    options = ("--system", "vtx", "--fault", "vtx-server-buildVersion-missing", "--target-file", file)
    with Running("platform", *options, folder=tmp_path) as running:
        running.wait_for(lambda: '"ready": true' in running.said()[0], 20, "the platform's ready line")
        yield file


def _subscriptions(file: Path) -> list[Any]:
    target = load_target(file, {"vtx": dict.fromkeys(("callbacks", "pstn", "renewal", "presence"), "")}).systems["vtx"]
    headers = {"X-C5-Application": getattr(target, "application", ""), "Content-Type": "application/json"}
    auth = (target.username or "", target.password or "")
    answer = httpx.get(f"{target.base_url}/v1/subscriptions", headers=headers, auth=auth, trust_env=False)
    found: list[Any] = answer.json()["subscriptions"]
    return found


def test_a_fixed_sample_is_caught_under_the_right_clauses(tmp_path: Path) -> None:
    systems = ("--system", "apidaze", "--system", "vtx")
    done = ringtrue("faults", "--mutants", *systems, "--sample", str(_SAMPLE), folder=tmp_path, seconds=_SECONDS)
    assert done.code == 0, done
    proof = _proof(done)
    assert (proof["of"], proof["target"], len(proof["faults"])) == ("mutants", "", _SAMPLE)
    assert {row["outcome"] for row in proof["faults"]} == {"caught"}, done
    assert {row["at"] for row in proof["faults"]} == {"http", "callback"}
    assert done.out.splitlines()[-2].startswith("proven: "), done
    assert (tmp_path / "reports" / "mutants.html").exists()


def test_mutants_before_a_target_are_told_from_what_it_does_itself(platform: Path) -> None:
    only = r"getServer/build(Version|Number)/removed|createSubscription/subscription.id/type"
    done = ringtrue("faults", "--target", platform, "--only", only, folder=platform.parent, seconds=_SECONDS)
    proof = _proof(done)
    outcomes = {row["id"]: row["outcome"] for row in proof["faults"]}
    assert outcomes == {
        "vtx/getServer/buildVersion/removed": "not exercised",
        "vtx/getServer/buildNumber/removed": "caught",
        "vtx/createSubscription/subscription.id/type": "caught",
    }, done
    assert any("the target deviates by itself" in one and "VX-Server.buildVersion" in one for one in proof["remarks"])
    assert (done.code, proof["target"]) == (0, str(platform)), done
    assert "1 mutants not exercised" in done.out
    assert _subscriptions(platform) == []
    assert not list((platform.parent / "reports").glob("mutants-left*"))


def test_one_mutant_can_be_looked_at_in_a_run_whose_record_says_so(platform: Path) -> None:
    name = "vtx/createSubscription/subscription.id/removed"
    options = ("--target", platform, "--mutant", name, "--workers", "1")
    done = ringtrue("run", *options, "-k", "test_valid_request and createSubscription", folder=platform.parent)
    assert done.code == 1, done
    assert done.by_clause["VX-Subscription.id"] == "fail"
    assert done.verdicts["target"] == f"{platform} behind the mutant {name}"
    changes = (done.run_dir / "mutant.jsonl").read_text(encoding="utf-8").splitlines()
    assert changes
    assert {json.loads(line)["changed"] for line in changes} == {"POST /openapi/v1/subscriptions"}
    assert _subscriptions(platform) == []
    password = next(line for line in platform.read_text().splitlines() if line.startswith("password")).split('"')[1]
    for path in done.run_dir.rglob("*.json*"):
        assert password not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["faults", "--mutants", "vtx/getServr/status"],
            "unknown mutant 'vtx/getServr/status'; did you mean vtx/getServer",
        ),
        (["faults", "--mutants", "--only", "no-such-clause"], "no mutant is left: `ringtrue faults --list-mutants`"),
        (["faults", "--mutants", "--null"], "--null and --mutants do not go together"),
        (["faults", "--target", "nowhere.toml"], "nowhere.toml: "),
        (["faults", "--target", "TARGET", "--system", "apidaze"], "unknown system 'apidaze'; known: vtx"),
        (["faults", "--target", "TARGET", "--jobs", "2"], "a target is tried with one mutant at a time"),
        (["faults", "--target", "TARGET", "--update"], "is kept for the reference platform only"),
        (["run", "--mutant", "vtx/getServer/stats"], "did you mean vtx/getServer/status"),
        (["run", "--system", "apidaze", "--mutant", "vtx/getServer/status"], "the run is about apidaze"),
    ],
)
def test_a_wrong_call_is_told_what_there_is(arguments: list[str], words: str, tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text('[vtx]\nbase_url = "http://127.0.0.1:9"\nusername = "a"\npassword = "b"\napplication = "c"\n')
    done = ringtrue(*(target if word == "TARGET" else word for word in arguments), folder=tmp_path)
    assert done.code == 2, done
    assert words in done.err
    assert "Traceback" not in done.err


def test_nothing_is_said_of_a_target_that_cannot_be_judged(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text('[vtx]\nbase_url = "http://127.0.0.1:9"\nusername = "a"\npassword = "b"\napplication = "c"\n')
    done = ringtrue("faults", "--target", target, folder=tmp_path)
    assert done.code == 3, done
    assert "vtx: the target could not be judged: vtx: " in done.out


def test_all_mutants_can_be_listed(tmp_path: Path) -> None:
    done = ringtrue("faults", "--list-mutants", "--system", "vtx", "--only", "buildDate", folder=tmp_path)
    assert done.code == 0, done
    first = "vtx/getServer/buildDate/removed  VX-Server.buildDate  buildDate is missing in an answer of getServer"
    assert done.out.splitlines()[0] == first
    assert not (tmp_path / "reports").exists()
