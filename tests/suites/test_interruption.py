"""An interruption is one whoever catches it, and wherever it comes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.suites import current
from harness.suites.interruption import make_showable, noted
from harness.suites.outcome import FINDINGS
from harness.suites.plugin import pytest_pyfunc_call
from tests.suites.world import Item, make_plan, make_scenario


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch) -> current.RunEnd:
    made = current.RunEnd()
    monkeypatch.setattr(current, "end", made)
    return made


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_and_is_remembered(number: int, end: current.RunEnd) -> None:
    before = signal.getsignal(number)
    with noted(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert end.interrupted
    assert signal.getsignal(number) is before


def test_what_a_background_job_ignores_is_ignored(end: current.RunEnd) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noted():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not end.interrupted


def _swallowed(told: Callable[[], None]) -> Exception | None:
    """What a library makes of an interruption: nothing, or a failure of its own."""
    try:
        told()
    except KeyboardInterrupt as error:
        return TypeError(f"broke at {error!r}")
    return None


@pytest.mark.parametrize("turned", [True, False], ids=["turned into an error", "swallowed"])
def test_a_test_that_lived_through_an_interruption_is_not_concluded(
    turned: bool, end: current.RunEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = make_scenario(make_plan(tmp_path), clauses=())
    item = Item(scenario)
    monkeypatch.setattr(item, "get_closest_marker", lambda name: name, raising=False)
    call = pytest_pyfunc_call(item)  # type: ignore[arg-type]
    next(call)
    with noted():
        error = _swallowed(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert error is not None
    assert end.interrupted
    with pytest.raises(KeyboardInterrupt):
        call.throw(error) if turned else call.send(True)
    assert FINDINGS not in dict(item.user_properties)


def test_a_place_without_a_line_can_be_shown() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    interrupted.__code__ = interrupted.__code__.replace(co_linetable=b"")
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted()
    with pytest.raises(TypeError):
        caught.getrepr()  # what pytest's terminal reporter does; where it no longer breaks, `make_showable` may go
    caught.traceback = type(caught.traceback)(caught.tb)
    make_showable(caught)
    shown = caught.getrepr().reprcrash
    assert shown is not None
    assert shown.path == __file__
