"""Every shipped OpenAPI file is valid for tools that know nothing of ours: openapi-spec-validator and Redocly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from harness.yamlfile import load
from tests.specs.reading.documents import REPOSITORY

FILES = sorted((REPOSITORY / "specs").glob("*/openapi.yaml"))
SYSTEMS = [path.parent.name for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=SYSTEMS)
def test_openapi_spec_validator_has_no_complaint(path: Path) -> None:
    complaints = [error.message for error in OpenAPIV31SpecValidator(load(path).data).iter_errors()]
    assert not complaints, "\n".join(complaints)


def redocly() -> str:
    beside = str(Path(sys.executable).parent)
    found = shutil.which("redocly") or shutil.which("redocly", path=beside)
    if found is None:
        reason = "redocly is missing: npm install -g @redocly/cli"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def test_redocly_has_neither_error_nor_warning(tmp_path: Path) -> None:
    command = [redocly(), "lint", "--extends=recommended", "--format=json", "--max-problems=200", *map(str, FILES)]
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert '"errors": 0' in result.stdout, result.stdout + result.stderr
    assert '"warnings": 0' in result.stdout, result.stdout
