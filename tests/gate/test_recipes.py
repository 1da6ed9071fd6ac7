"""The recipes for pipelines, as they stand in the READMEs, run here: their own commands, against a platform that serves."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import RINGTRUE, Done, Running, ringtrue

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
RECIPES = ROOT / "harness" / "gate" / "README.md"
_INSTALLS = ("apt-get ", "pip install", "npm ", "python3 -m venv")


def blocks(file: Path, language: str) -> list[str]:
    """Code blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def documents(file: Path) -> list[dict[str, Any]]:
    return [document for block in blocks(file, "yaml") for document in yaml.safe_load_all(block)]


def without_installing(script: str) -> str:
    """The lines of a script that do not install: that works from a wheel, and other tests see to it."""
    return "\n".join(line for line in script.splitlines() if not any(word in line for word in _INSTALLS))


def github(document: dict[str, Any], job: str, **values: str) -> str:
    """What a GitHub job runs, step after step; a step that is always done is done after a failure too."""
    lines = ["code=0"]
    for step in document["jobs"][job]["steps"]:
        script = without_installing(step.get("run", ""))
        for name, value in values.items():
            script = script.replace(f"${{{{ matrix.{name} }}}}", value)
        assert "${{" not in script, script
        if script.strip():
            always = step.get("if") == "always()"
            lines.append(script if always else f"[ $code = 0 ] && {{ {script}\n}} || code=$?")
    return "\n".join([*lines, "exit $code"])


def gitlab(job: dict[str, Any]) -> str:
    return "\n".join(["set -e", *(without_installing(line) for line in (*job["before_script"], *job["script"]))])


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with `staging.toml`, and a `ringtrue` in the path that runs a few tests only, for the sake of time."""
    folder = tmp_path_factory.mktemp("checkout")
    program = folder / "bin" / "ringtrue"
    program.parent.mkdir()
    narrow = 'case "$1" in run) shift; set -- run -k "valid_request and Sip" "$@";; esac'
    program.write_text(f'#!/bin/sh\n{narrow}\nexec {RINGTRUE} "$@"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    target = folder / "staging.toml"
    with Running("platform", "--system", "apidaze", "--target-file", target, folder=folder) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 30, "the platform's ready line")
        yield folder


def sh(script: str, work: Path, folder: Path, **environment: str) -> Done:
    """Run a script in a fresh checkout."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work / "staging.toml", folder / "staging.toml")
    path = f"{work / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return ringtrue("-c", script, folder=folder, program="/bin/sh", environment={"PATH": path, **environment})


def _judged(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    assert found["footer"]["tests"]["passed"] >= 4
    return found


def test_the_github_recipe(work: Path, tmp_path: Path) -> None:
    (document,) = [one for one in documents(README) if "jobs" in one]
    summary = tmp_path / "summary"
    script = github(document, "conformance")
    done = sh(script, work, tmp_path, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.code == 0, done
    assert _judged(tmp_path / "run")["conclusion"].startswith("conforms")
    assert summary.read_text(encoding="utf-8").startswith("## ✅ Ringtrue: conforms")
    kept = [
        step["with"]["path"] for step in document["jobs"]["conformance"]["steps"] if "upload" in step.get("uses", "")
    ]
    assert all((tmp_path / path).is_dir() for path in kept)


def test_a_job_whose_target_is_dead_fails_and_still_shows_why(work: Path, tmp_path: Path) -> None:
    (document,) = [one for one in documents(README) if "jobs" in one]
    summary = tmp_path / "summary"
    script = "sed -i 's#127.0.0.1:[0-9]*#127.0.0.1:1#' staging.toml\n" + github(document, "conformance")
    done = sh(script, work, tmp_path, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.code == 3, done
    assert "::error title=Ringtrue::nothing can be said" in done.out
    assert summary.read_text(encoding="utf-8").startswith("## ⚠️ Ringtrue: nothing can be said")


def test_the_github_matrix(work: Path, tmp_path: Path) -> None:
    (document,) = [one for one in documents(RECIPES) if "jobs" in one]
    numbers = document["jobs"]["shard"]["strategy"]["matrix"]["shard"]
    assert numbers == [1, 2, 3, 4]
    codes = [sh(github(document, "shard", shard=str(number)), work, tmp_path).code for number in numbers]
    assert codes == [0, 0, 0, 0]
    done = sh(github(document, "gate"), work, tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    assert done.code == 0, done
    assert sorted(path.name for path in (tmp_path / "run" / "shards").iterdir()) == [
        f"apidaze-{number}-of-4" for number in numbers
    ]
    assert (tmp_path / "summary").is_file()


def test_the_gitlab_recipes(work: Path, tmp_path: Path) -> None:
    jobs = {
        name: job for one in documents(RECIPES) if "jobs" not in one for name, job in one.items() if "script" in job
    }
    assert set(jobs) == {"conformance", "shard", "gate"}
    done = sh(gitlab(jobs["conformance"]), work, tmp_path / "one")
    assert done.code == 0, done
    _judged(tmp_path / "one" / "run")
    junit = jobs["conformance"]["artifacts"]["reports"]["junit"]
    assert (tmp_path / "one" / junit).is_file()
    assert jobs["shard"]["parallel"] == 4
    for number in ("1", "2"):
        part = sh(gitlab(jobs["shard"]), work, tmp_path / "parts", CI_NODE_INDEX=number, CI_NODE_TOTAL="2")
        assert part.code == 0, part
    whole = sh(gitlab(jobs["gate"]), work, tmp_path / "parts")
    assert whole.code == 0, whole
    assert _judged(tmp_path / "parts" / "run")["counts"] == _judged(tmp_path / "one" / "run")["counts"]


def test_the_jenkins_recipe(work: Path, tmp_path: Path) -> None:
    (text,) = blocks(RECIPES, "groovy")
    scripts = [script for script in re.findall(r"\bsh '([^']*)'", text) if without_installing(script)]
    assert len(scripts) == 1
    assert text.count("{") == text.count("}")
    done = sh(scripts[0], work, tmp_path)
    assert done.code == 0, done
    _judged(tmp_path / "run")
    for file in re.findall(r"junit '([^']*)'", text):
        assert (tmp_path / file).is_file()


def test_the_kubernetes_recipe(work: Path, tmp_path: Path) -> None:
    shard, gate = (one for one in documents(RECIPES) if one.get("kind") == "Job")
    assert shard["spec"]["completionMode"] == "Indexed"

    def script(job: dict[str, Any]) -> str:
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["command"] == ["sh", "-c"]
        (found,) = container["args"]
        return str(found)

    text = script(shard)
    assert f"/{shard['spec']['completions']} " in text
    for index in ("0", "1"):
        done = sh(text.replace("/4 ", "/2 "), work, tmp_path, JOB_COMPLETION_INDEX=index)
        assert done.code == 0, done
    whole = sh(script(gate), work, tmp_path)
    assert whole.code == 0, whole
    _judged(tmp_path / "run")


def test_a_pod_fails_only_where_nothing_can_be_said(work: Path, tmp_path: Path) -> None:
    (tail,) = re.findall(r"--run-dir shards/\$JOB_COMPLETION_INDEX (\|\| .*)", RECIPES.read_text(encoding="utf-8"))
    codes = [sh(f"(exit {code}) {tail}", work, tmp_path).code for code in (0, 1, 2, 3)]
    assert codes == [0, 0, 1, 1]


def test_the_options_that_the_pages_name_exist(tmp_path: Path) -> None:
    known = {
        command: set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", ringtrue(command, "--help", folder=tmp_path).out))
        for command in ("run", "merge", "waive")
    }
    for page in (README, RECIPES):
        for command, rest in re.findall(r"ringtrue (run|merge|waive)\b([^\n`#|]*)", page.read_text(encoding="utf-8")):
            for option in re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", rest.partition('"')[0]):
                assert option in known[command], f"{page.name}: ringtrue {command} has no {option}"
