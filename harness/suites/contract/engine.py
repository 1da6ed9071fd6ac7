"""How schemathesis is run for the contract suite: its settings, and what is spared as it runs once for every operation.

Imported when the first test with generated requests is due, since that takes a second; `harness.suites.contract.fuzz` calls
it. It decides nothing about requests.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import schemathesis
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal import charmap
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.internal.intervalsets import IntervalSet
from schemathesis.config import SchemathesisConfig
from schemathesis.core.statistic import StatefulInference
from schemathesis.engine import events, from_schema
from schemathesis.engine.context import EngineContext
from schemathesis.engine.observations import Observations
from schemathesis.engine.run import probes, stateful
from schemathesis.engine.run.probes import ProbeOutcome, ProbeRun
from schemathesis.engine.run.unit import _pool
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.schemas import OpenApiSchema

Probed = MutableMapping[str, list[ProbeRun]]


def keep_tables_elsewhere() -> None:
    """Have the tables that hypothesis makes once kept with the user's caches, and not in whatever folder a run begins in."""
    if "HYPOTHESIS_STORAGE_DIRECTORY" in os.environ:
        return
    try:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # whoever runs here has no home, as in some containers
        caches = Path(tempfile.gettempdir())
    set_hypothesis_home_dir(caches / "ringtrue" / "hypothesis")


def load(
    document: dict[str, Any], settings: Mapping[str, Any], *, seed: int, max_examples: int, walk: bool
) -> BaseSchema:
    """A document as schemathesis takes it; `walk`: along its links, else one operation after the other.

    `settings` say how the target is reached, in the words of schemathesis.
    """
    logging.getLogger("schemathesis").setLevel(logging.ERROR)
    keep_tables_elsewhere()
    config = SchemathesisConfig.from_dict(
        {
            **settings,
            "seed": seed,
            "workers": 1,
            "max-redirects": 0,
            "cache": {"enabled": False},
            # They judge how well requests can be made, on this machine at this moment; what was made is judged anyhow.
            "suppress-health-check": ["all"],
            "checks": {"enabled": False},
            "generation": {
                "max-examples": max_examples,
                "database": "none",
                "no-shrink": True,
                "with-security-parameters": False,
                "allow-x00": False,
            },
            "phases": {
                "examples": {"enabled": not walk},
                "coverage": {"enabled": not walk},
                "fuzzing": {"enabled": not walk, "error-feedback": {"enabled": False}},
                "stateful": {"enabled": walk},
            },
        }
    )
    return schemathesis.openapi.from_dict(document, config=config)


def run(schema: BaseSchema, probed: Probed) -> Iterator[events.EngineEvent]:
    """What happens, as it does. `probed`: what targets were found to take, by base URL; asked once, and kept there."""
    with _probing_once(probed), _one_thread(), _no_constants(), _known_codec(), _links_where_followed():
        yield from from_schema(schema).execute()


@contextmanager
def _no_constants() -> Iterator[None]:
    """hypothesis likes values that stand in modules outside of site-packages: ours, so many as happen to be loaded.

    The same seed would make other requests in another process.
    """
    with mock.patch.object(providers, "_get_local_constants", Constants):
        yield


def utf_8(codec: str) -> tuple[IntervalSet, IntervalSet]:
    """Which characters can be encoded: what `hypothesis` finds out by trying them all, which takes it a second."""
    if codec != "utf-8":
        return _TRY_ALL(codec)
    return IntervalSet([(0, 0xD7FF), (0xE000, sys.maxunicode)]), IntervalSet([])


_TRY_ALL = charmap.intervals_from_codec


@contextmanager
def _known_codec() -> Iterator[None]:
    with mock.patch.object(charmap, "intervals_from_codec", utf_8):
        yield


@contextmanager
def _links_where_followed() -> Iterator[None]:
    """schemathesis counts the links of all operations at the end of a run, also where it was not to follow any."""
    count = OpenApiSchema.apply_stateful_inference

    def count_if_followed(schema: OpenApiSchema, observations: Observations | None) -> StatefulInference:
        if schema.config.phases.stateful.enabled:
            return count(schema, observations)
        return StatefulInference(inferred=0, total=0, selected=0)

    with mock.patch.object(OpenApiSchema, "apply_stateful_inference", count_if_followed):
        yield


@contextmanager
def _one_thread() -> Iterator[None]:
    """hypothesis keeps what it has found out for each thread, and schemathesis takes a new one for each phase."""
    lent = SimpleNamespace(**vars(threading) | {"Thread": _LentThread})
    with ExitStack() as stack:
        for module in (_pool, stateful):
            stack.enter_context(mock.patch.object(module, "threading", lent))
        yield


class _LentThread:
    """Looks like a thread and works in the one that lasts, of which only one is busy at a time."""

    _lasting = ThreadPoolExecutor(1, "generated-requests")

    def __init__(
        self, target: Callable[..., None], kwargs: Mapping[str, Any], name: str, *, daemon: bool = False
    ) -> None:
        del name, daemon
        self._work = partial(target, **kwargs)
        self._done: Future[None] | None = None

    def start(self) -> None:
        self._done = self._lasting.submit(self._work)

    def join(self) -> None:
        """Raises what the work raised, which a thread would have told to nobody."""
        assert self._done is not None
        wait([self._done])
        self._done.result()

    def is_alive(self) -> bool:
        return self._done is not None and not self._done.done()


@contextmanager
def _probing_once(probed: Probed) -> Iterator[None]:
    """schemathesis asks a target each time what it can take before it begins; once for all its operations is enough."""
    ask = probes.run

    def ask_once(context: EngineContext) -> list[ProbeRun]:
        place = context.schema.get_base_url()
        known = probed.get(place)
        if known is None:
            known = ask(context)
            if all(one.outcome is not ProbeOutcome.SKIP for one in known):
                probed[place] = known
        return known

    with mock.patch.object(probes, "run", ask_once):
        yield
