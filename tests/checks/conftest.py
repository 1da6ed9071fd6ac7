from __future__ import annotations

import pytest

from harness.contract import Contract
from tests.checks.build import toy_contract


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return toy_contract(tmp_path_factory.mktemp("toy"))
