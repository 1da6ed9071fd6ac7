"""What users get wrong, and machines that lack something: a clear line, the right exit code, no traceback."""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from tests.e2e.command import RINGTRUE, Done, ringtrue
from tests.e2e.unfit import taken_port, write_target

_GOOD = """\
[apidaze]
base_url = "http://127.0.0.1:9/cpaas"
token_url = "http://127.0.0.1:9/token"
client_id = "somebody"
client_secret = "canary-7f3a"
"""
# Name: the file, and what the message must hold.
_WRONG_FILES = {
    "system": (_GOOD.replace("[apidaze]", "[apidaise]"), ("apidaise", "apidaze")),
    "key": (_GOOD + 'colour = "red"\n', ("wrong.toml:6", "colour", "apidaze", "base_url")),
    "capability": (_GOOD + 'capabilities = ["fax"]\n', ("wrong.toml:6", "capability", "fax", "sip")),
    "table": (_GOOD + '[recoder]\nlisten = "127.0.0.1:0"\n', ("recoder",)),
    "missing value": (_GOOD.replace('client_id = "somebody"\n', ""), ("apidaze", "client_id")),
    "type": (_GOOD + "[timing]\nanswer = -1\n", ("timing.answer",)),
    "variable": (_GOOD.replace("canary-7f3a", "${RINGTRUE_NOT_SET}"), ("client_secret", "RINGTRUE_NOT_SET", "not set")),
    "no TOML": (_GOOD + "[[[\n", ("line 6",)),
    "empty": ("", ("no system is described", "apidaze")),
}


def _refused(done: Done, *words: str) -> None:
    assert done.code == 2, done
    assert "Traceback" not in done.out + done.err, done
    assert "canary" not in done.out + done.err, done
    for word in words:
        assert word in done.err, done
    assert len(done.err.strip().splitlines()) <= 6, done


@pytest.mark.parametrize("name", _WRONG_FILES)
def test_a_wrong_target_file_is_refused_with_the_place(name: str, tmp_path: Path) -> None:
    text, words = _WRONG_FILES[name]
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
    _refused(ringtrue("run", "--target", "wrong.toml", folder=tmp_path), "wrong.toml", *words)


def test_a_missing_target_file_is_refused(tmp_path: Path) -> None:
    _refused(ringtrue("run", "--target", "none.toml", folder=tmp_path), "none.toml", "No such file", "ringtrue init")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--system", "apidaise"], ["apidaise", "apidaze"]),
        (["run", "--no-such-option"], ["--no-such-option"]),
        (["run", "--workers", "0"], ["--workers"]),
        (["run", "--target", "x.toml", "--fault", "y"], ["--fault", "--target"]),
        (["clauses", "--system", "apidaise"], ["apidaise"]),
        (["init", "apidaise"], ["apidaise", "apidaze"]),
        (["nonsense"], ["nonsense"]),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) and len(value) < 4 else "",
)
def test_wrong_usage_is_refused(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    _refused(ringtrue(*arguments, folder=tmp_path), *words)


def test_a_wrong_expression_for_k_is_refused(tmp_path: Path) -> None:
    done = ringtrue("run", "--system", "apidaze", "-k", "and and", folder=tmp_path)
    _refused(done, "and and")


def test_an_expression_that_matches_nothing_says_so(tmp_path: Path) -> None:
    done = ringtrue("run", "--system", "apidaze", "--workers", "1", "-k", "no_such_test_anywhere", folder=tmp_path)
    assert done.code == 3, done
    assert "no_such_test_anywhere" in done.out + done.err
    assert done.verdicts["coverage"]["decided"] == 0


def test_a_port_that_is_taken_for_the_recorder_is_refused(tmp_path: Path) -> None:
    with taken_port() as port:
        file = write_target(tmp_path / "t.toml", 9)
        file.write_text(file.read_text() + f'\n[recorder]\nlisten = "127.0.0.1:{port}"\n', encoding="utf-8")
        _refused(ringtrue("run", "--target", file, folder=tmp_path), str(port), "recorder")


@pytest.mark.parametrize("which", ["--http", "--sip"])
def test_a_port_that_is_taken_for_the_platform_is_refused(which: str, tmp_path: Path) -> None:
    with taken_port() as port:
        done = ringtrue("platform", "--system", "apidaze", which, f"127.0.0.1:{port}", folder=tmp_path, seconds=20)
    assert done.code == 2, done
    assert str(port) in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("how", ["not in PATH", "RINGTRUE_SIPP"])
def test_without_sipp_its_clauses_are_inconclusive_with_a_hint(how: str, tmp_path: Path) -> None:
    if how == "RINGTRUE_SIPP":
        environment = {"RINGTRUE_SIPP": "/nonexistent"}
    else:
        tools = tmp_path / "bin"
        tools.mkdir()
        for tool in ("sh", "env"):
            (tools / tool).symlink_to(str(shutil.which(tool)))
        environment = {"PATH": str(tools)}
    done = ringtrue(
        "run", "--system", "apidaze", "--workers", "1", "-k", "registers or call_fetches or status_of",
        folder=tmp_path / "run", environment=environment,
    )  # fmt: skip
    coverage = done.verdicts["coverage"]
    assert coverage["decided"] < coverage["of"]
    assert done.code == 3, done  # nothing was seen on the SIP side, so nothing is said about it
    needs_sipp = ("AZ-sip-register", "AZ-call-runs-script")
    sip = [item for item in done.verdicts["clauses"] if item["id"] in needs_sipp]
    assert [(item["verdict"], item["reason"]) for item in sip] == [("inconc", "precondition")] * 2
    assert "sip-tester" in done.out, done
    assert "fail" not in done.by_clause.values()
    assert done.by_clause["AZ-account-status-domain"] == "pass"
    assert "Traceback" not in done.out + done.err


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    _refused(
        ringtrue("run", "--system", "apidaze", "--run-dir", "file/run", folder=tmp_path),
        "cannot be written",
        "file/run",
    )


def test_help_is_there_at_once(tmp_path: Path) -> None:
    runs = [ringtrue("--help", folder=tmp_path)]
    while runs[-1].seconds >= 0.3 and len(runs) < 10:  # other tests are busy beside this one, so the best one counts
        runs.append(ringtrue("--help", folder=tmp_path))
    assert {done.code for done in runs} == {0}
    assert "Exit codes" in runs[0].out
    assert "run" in runs[0].out
    assert "..." not in runs[0].out.partition("Commands:")[2], "what a command does is said whole"
    assert min(done.seconds for done in runs) < 0.3, [done.seconds for done in runs]


def test_init_writes_a_file_that_a_run_can_read(tmp_path: Path) -> None:
    assert ringtrue("init", "apidaze", folder=tmp_path).code == 0
    text = (tmp_path / "apidaze.toml").read_text(encoding="utf-8")
    assert "apidaze" in tomllib.loads(text)
    again = ringtrue("init", "apidaze", folder=tmp_path)
    assert again.code == 2, "a file that is there is not overwritten"
    unset = ringtrue("run", "--target", "apidaze.toml", folder=tmp_path)
    _refused(unset, "apidaze.toml", "APIDAZE_CLIENT_ID")


def test_the_command_also_runs_as_a_module_of_this_python(tmp_path: Path) -> None:
    done = ringtrue("-c", "from harness.cli import main; main(['--version'])", folder=tmp_path, program=sys.executable)
    assert (done.code, done.out.split()[0]) == (0, "ringtrue,")
    assert RINGTRUE.exists()
