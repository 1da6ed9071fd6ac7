"""The contract suite against an implementation that is not ours: Prism, a mock of any OpenAPI file, serves our specs.

Prism keeps nothing (what is created is not in the list, an id is always that of the example) and looks for credentials
without comparing them. Each deviation that is found there is listed with its reason; any other one would be a false alarm
or a hole in a spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.contract import data_folder
from tests.e2e.command import Done, Running, ringtrue
from tests.e2e.conftest import need

_PRISM = Path(__file__).parents[2] / ".ci" / "peers" / "node_modules" / ".bin" / "prism"
_SECONDS = 400.0
_LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")

_TARGETS = {
    "apidaze": """
        token_url = "{url}/oauth/client_credential/accesstoken"
        client_id = "me"
        client_secret = "secret-of-mine"
        capabilities = ["callbacks"]
        """,
    "callable": """
        username = "me"
        password = "secret-of-mine"
        scratch = true
        """,
    "vtx": """
        username = "me"
        password = "secret-of-mine"
        application = "app-of-mine"
        [[vtx.users]]
        aor = "sip:a@example.org"
        password = "secret-of-a"
        id = "4711"
        """,
    "mediaservice": """
        domain = "customer.example.org"
        capabilities = ["prompts", "callbacks", "sip"]
        """,
}

_ANY_CREDENTIALS = "Prism asks for credentials of the right scheme and takes any"
DEVIATIONS: dict[str, dict[str, str]] = {
    "apidaze": {
        "AZ-token-required": _ANY_CREDENTIALS,
        "AZ-preflight-max-age": "Prism answers pre-flights by itself, and never says how long they may be kept",
        "AZ-cors-other-headers": "Prism's ordinary answers carry only the access-control headers that matter to browsers",
    },
    "callable": {"CA-token-required": _ANY_CREDENTIALS},
    "vtx": {"VX-access-refused": _ANY_CREDENTIALS},
    "mediaservice": {},
}


@contextmanager
def _prism(system: str, folder: Path) -> Iterator[str]:
    """Prism with the spec of a system on a port of its own; its URL."""
    program = need(_PRISM if _PRISM.exists() else None, "Prism")
    spec = data_folder("specs") / system / "openapi.yaml"
    with Running("mock", "-h", "127.0.0.1", "-p", "0", spec, folder=folder, program=program) as prism:
        prism.wait_for(lambda: bool(_LISTENING.search(prism.said()[0])), 60, "Prism's line that it listens")
        found = _LISTENING.search(prism.said()[0])
        assert found is not None
        yield found[1]


def _run(system: str, folder: Path) -> Done:
    with _prism(system, folder) as url:
        table = "\n".join(line.strip() for line in _TARGETS[system].format(url=url).splitlines())
        (folder / "prism.toml").write_text(f'[{system}]\nbase_url = "{url}"\n{table}', encoding="utf-8")
        return ringtrue("run", "--target", "prism.toml", "-k", "test_contract", "-q", folder=folder, seconds=_SECONDS)


@pytest.mark.parametrize("system", DEVIATIONS)
def test_every_deviation_of_prism_has_a_reason(system: str, tmp_path: Path) -> None:
    done = _run(system, tmp_path)
    deviating = {clause: verdict for clause, verdict in done.by_clause.items() if verdict in ("fail", "warn", "error")}
    assert set(deviating) == set(DEVIATIONS[system]), done
    assert done.code == (1 if "fail" in deviating.values() else 0), done
    passed = [clause for clause, verdict in done.by_clause.items() if verdict == "pass"]
    assert len(passed) > 40, done
