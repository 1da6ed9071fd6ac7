"""Ringtrue as a pytest plugin, used as a pytest user would: in an empty folder, with pytest's own options."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.e2e.command import Done, ringtrue

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
