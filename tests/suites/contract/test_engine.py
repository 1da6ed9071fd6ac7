"""What is spared when schemathesis runs once for every operation changes nothing in what it makes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, configuration
from hypothesis.internal import charmap
from hypothesis.internal.conjecture import providers
from schemathesis.engine.run import probes, stateful
from schemathesis.engine.run.probes import NullByteInHeader, ProbeOutcome, ProbeRun
from schemathesis.engine.run.unit import _pool
from schemathesis.specs.openapi.schemas import OpenApiSchema

from harness.suites.contract import engine

_BASE = "http://127.0.0.1:9"
_DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Toy", "version": "1"},
    "paths": {
        "/rings": {
            "get": {
                "operationId": "listRings",
                "parameters": [{"name": "of", "in": "query", "schema": {"type": "integer", "minimum": 3}}],
                "responses": {"200": {"description": "All"}},
            }
        }
    },
}


class Silent:
    """Stands for the target: takes every request down and gives no answer."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.threads: set[int] = set()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Silent:
    import requests

    made = Silent()

    def send(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        del self, options
        made.asked.append(request.url)
        made.threads.add(threading.get_ident())
        raise requests.ConnectionError("nobody is there", request=request)

    monkeypatch.setattr(requests.Session, "send", send)
    return made


def _run(probed: engine.Probed, seed: int = 1) -> None:
    settings = {"base-url": _BASE}
    schema = engine.load(_DOCUMENT, settings, seed=seed, max_examples=3, walk=False)
    for _ in engine.run(schema, probed):
        pass


def _known(outcome: ProbeOutcome) -> list[ProbeRun]:
    return [ProbeRun(NullByteInHeader(), outcome)]


def test_a_seed_makes_the_same_requests_whatever_is_loaded_and_whichever_run_it_is(silent: Silent) -> None:
    probed: engine.Probed = {_BASE: _known(ProbeOutcome.SUCCESS)}
    _run(probed)
    first, silent.asked = silent.asked, []
    _run(probed)
    assert first
    assert silent.asked == first


def test_all_phases_of_all_runs_work_in_one_thread_that_is_not_the_callers(silent: Silent) -> None:
    probed: engine.Probed = {_BASE: _known(ProbeOutcome.SUCCESS)}
    for _ in range(2):
        _run(probed)
    assert len(silent.threads - {threading.get_ident()}) == 1


@pytest.mark.parametrize(("outcome", "times"), [(ProbeOutcome.FAILURE, 1), (ProbeOutcome.SKIP, 2)])
@pytest.mark.usefixtures("silent")
def test_a_target_is_probed_until_it_has_answered(
    monkeypatch: pytest.MonkeyPatch, outcome: ProbeOutcome, times: int
) -> None:
    asked = []

    def ask(context: object) -> list[ProbeRun]:
        asked.append(context)
        return _known(outcome)

    monkeypatch.setattr(probes, "run", ask)
    probed: engine.Probed = {}
    for _ in range(2):
        _run(probed)
    assert len(asked) == times


def test_hypothesis_does_not_judge_how_well_or_fast_requests_are_made() -> None:
    """For seed 5 it once took too many file names that are none for a failure, and the run said nothing any more."""
    schema = engine.load(_DOCUMENT, {"base-url": _BASE}, seed=1, max_examples=3, walk=False)
    assert {*schema.config.get_hypothesis_settings().suppress_health_check} >= {*HealthCheck}


@pytest.mark.usefixtures("silent")
def test_everything_is_as_before_when_a_run_is_over() -> None:
    before = _parts()
    _run({})
    assert _parts() == before


def _parts() -> list[object]:
    patched = (
        (probes, "run"),
        (_pool, "threading"),
        (stateful, "threading"),
        (providers, "_get_local_constants"),
        (charmap, "intervals_from_codec"),
        (OpenApiSchema, "apply_stateful_inference"),
    )
    return [vars(module)[name] for module, name in patched]


def test_the_table_of_utf_8_is_that_of_hypothesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "_hypothesis_home_directory", tmp_path, raising=False)
    known, found = engine.utf_8("utf-8"), charmap.intervals_from_codec("utf-8")
    assert [one.intervals for one in known] == [one.intervals for one in found]


@pytest.mark.parametrize(
    ("told", "kept"), [("HYPOTHESIS_STORAGE_DIRECTORY", "own"), ("XDG_CACHE_HOME", "own/ringtrue/hypothesis")]
)
def test_tables_are_kept_with_the_users_caches(
    told: str, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYPOTHESIS_STORAGE_DIRECTORY", raising=False)
    monkeypatch.setenv(told, str(tmp_path / "own"))
    before = configuration.storage_directory(intent_to_write=False).path
    try:
        configuration.set_hypothesis_home_dir(None)
        engine.keep_tables_elsewhere()
        assert configuration.storage_directory(intent_to_write=False).path == tmp_path / kept
    finally:
        configuration.set_hypothesis_home_dir(before)
