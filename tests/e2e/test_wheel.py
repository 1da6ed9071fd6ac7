"""The built wheel, installed outside the checkout: specs and features are inside it, command and pytest plugin work."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.e2e.command import ringtrue

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def python(shared: Path) -> Path:
    """The Python of a new environment that holds the wheel; all other packages are borrowed from this one."""
    home = shared / "wheel"
    with (shared / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = home / "venv" / "bin" / "python"
        if not program.exists():
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
            _call(*pip, "wheel", "--no-deps", str(_ROOT), "-w", str(home / "dist"))
            _call(sys.executable, "-m", "venv", "--without-pip", str(home / "venv"))
            packages = next((home / "venv" / "lib").glob("python*/site-packages"))
            # A plain path: the editable installation of the checkout beside the packages does not come with it.
            (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
            wheel = next((home / "dist").glob("*.whl"))
            _call(*pip, "--python", str(program), "install", "--no-deps", "--no-index", "--force-reinstall", str(wheel))
    return program


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_package_comes_from_the_wheel_and_knows_every_clause(python: Path, tmp_path: Path) -> None:
    asked = "import harness, harness.contract as c; print(harness.__file__); print(c.data_folder('specs'))"
    done = ringtrue("-c", asked, folder=tmp_path, program=python)
    assert done.code == 0, done
    assert all(str(python.parents[1]) in line for line in done.out.splitlines()), done
    inside = ringtrue("clauses", "--format", "json", folder=tmp_path, program=python.with_name("ringtrue"))
    outside = ringtrue("clauses", "--format", "json", folder=tmp_path)
    assert json.loads(inside.out) == json.loads(outside.out)
    steps = ringtrue("steps", "--system", "callable", folder=tmp_path, program=python.with_name("ringtrue"))
    assert steps.code == 0, steps


def test_the_command_of_the_wheel_judges_the_embedded_platform(python: Path, tmp_path: Path) -> None:
    done = ringtrue(
        "run", "--system", "apidaze", "--workers", "1", "-k", "listSipAccounts or status_of",
        folder=tmp_path, program=python.with_name("ringtrue"),
    )  # fmt: skip
    assert done.code == 0, done
    assert done.by_clause["AZ-account-status-domain"] == "pass"


def test_the_pytest_plugin_of_the_wheel_judges_a_target(python: Path, target: Path, tmp_path: Path) -> None:
    done = ringtrue(
        "-m", "pytest", "--ringtrue-target", target, "-k", "listSipAccounts", "-q", folder=tmp_path, program=python
    )
    assert done.code == 0, done
    assert "conforms: " in done.out
