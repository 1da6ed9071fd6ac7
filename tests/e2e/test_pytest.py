"""Ringtrue as a pytest plugin, used as a pytest user would: in an empty folder, with pytest's own options."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.e2e.command import Done, Running, ringtrue

_PYTEST = Path(sys.executable).with_name("pytest")


def _pytest(*arguments: str | Path, folder: Path) -> Done:
    return ringtrue(*arguments, folder=folder, program=_PYTEST, seconds=90)


def test_k_and_x_work(target: Path, tmp_path: Path) -> None:
    done = _pytest("--ringtrue-target", target, "-k", "registers", "-x", folder=tmp_path)
    assert done.code == 0, done
    assert "Ringtrue" in done.out
    assert "passed" in done.out.splitlines()[-1]
    assert "conforms: " in done.out
    made = list((tmp_path / "reports").glob("*/verdicts.json"))
    assert len(made) == 1


def test_n_works(target: Path, tmp_path: Path) -> None:
    done = _pytest("--ringtrue-target", target, "-k", "register", "-n", "2", "-q", folder=tmp_path)
    assert done.code == 0, done
    assert "conforms: " in done.out


def test_collect_only_lists_the_suites_and_judges_nothing(target: Path, tmp_path: Path) -> None:
    done = _pytest("--ringtrue-target", target, "--collect-only", "-q", folder=tmp_path)
    assert "test_a_call_fetches_the_external_script" in done.out, done
    assert "passed" not in done.out


def test_the_options_are_in_pytests_help(tmp_path: Path) -> None:
    done = _pytest("--help", folder=tmp_path)
    assert done.code == 0, done
    group = done.out.partition("voice platform conformance (Ringtrue):")[2].partition("\n\n")[0]
    for option in (
        "target=FILE",
        "embedded",
        "system=S",
        "url=URL",
        "strict",
        "seed=N",
        "run=DIR",
        "specs=DIR",
        "features=DIR",
    ):
        assert f"--ringtrue-{option}" in group, done


def test_lf_runs_again_what_deviated(tmp_path: Path) -> None:
    file = tmp_path / "target.toml"
    options = ("platform", "--system", "apidaze", "--fault", "apidaze-unknown-id-200", "--target-file", file)
    with Running(*options, folder=tmp_path) as platform:
        platform.wait_for(lambda: '"ready": true' in platform.said()[0], 20, "the platform's ready line")
        names = "an_unknown_sip_account or listSipAccounts"
        first = _pytest("--ringtrue-target", file, "-k", names, "-q", folder=tmp_path)
        again = _pytest("--ringtrue-target", file, "--lf", "-q", folder=tmp_path)
    assert first.code == 1, first
    assert re.search(r"\d+ failed, \d+ passed", first.out), first
    assert again.code == 1, again
    last = again.out.strip().splitlines()[-1]
    assert "passed" not in last, again
    assert re.search(r"(\d+) failed", first.out)[1] == re.search(r"(\d+) failed", last)[1], again  # type: ignore[index]


def test_a_wrong_target_is_a_usage_error(tmp_path: Path) -> None:
    done = _pytest("--ringtrue-target", "none.toml", folder=tmp_path)
    assert done.code == 4, done
    assert "none.toml" in done.err
    assert "Traceback" not in done.out + done.err


def test_without_the_option_pytest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n", encoding="utf-8")
    done = _pytest("-q", folder=tmp_path)
    assert done.code == 0, done
    assert "1 passed" in done.out
    assert "Ringtrue" not in done.out
    assert not (tmp_path / "reports").exists()
