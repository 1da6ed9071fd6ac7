"""What several runs of a test say: what repeats stands, what two clean runs unsay is flaky; time and number are bounded."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from harness.suites.outcome import DeviationError, conclude
from harness.suites.repeating import TestRun, is_open, runs_before, weigh
from harness.suites.scenario import InconclusiveError
from harness.suites.stopping import ask_to_stop
from harness.verdicts import Finding, Reason, Verdict
from tests.suites.world import Item, make_plan, make_scenario

_FAIL = Finding("TS-a", Verdict.FAIL, "is missing", "getIt", timeline="timelines/t.jsonl")
_OTHER = Finding("TS-b", Verdict.FAIL, "is late", "getIt")
_PASS = Finding("TS-a", Verdict.PASS)
_INCONC = Finding("TS-a", Verdict.INCONC, "no answer", reason=Reason.UNREACHABLE)


def _run(*findings: Finding, complete: bool = True) -> TestRun:
    return TestRun(findings, complete)


def _said(*runs: TestRun) -> list[tuple[str, str, str]]:
    found = weigh(runs, lambda finding: True)
    return [(one.clause, one.verdict.value, str(one.reason or "")) for one in found]


def _open(*runs: TestRun) -> bool:
    return is_open(runs, lambda finding: True)


def test_one_run_says_what_it_found_and_a_deviation_asks_for_another() -> None:
    assert _said(_run(_FAIL, _PASS)) == [("TS-a", "fail", ""), ("TS-a", "pass", "")]
    assert _open(_run(_FAIL))
    assert not _open(_run(_PASS, _INCONC))


def test_what_repeats_stands_without_a_third_run() -> None:
    assert not _open(_run(_FAIL), _run(_FAIL))
    assert _said(_run(_FAIL), _run(_FAIL)) == [("TS-a", "fail", ""), ("TS-a", "fail", "")]


@pytest.mark.parametrize("runs", [(_run(_FAIL), _run(_PASS), _run(_FAIL)), (_run(_FAIL), _run(_FAIL), _run(_PASS))])
def test_two_of_three_stand(runs: tuple[TestRun, ...]) -> None:
    assert {verdict for _, verdict, _ in _said(*runs)} >= {"fail"}
    assert not _open(*runs)


def test_one_of_three_is_flaky_and_both_sides_of_the_evidence_are_kept() -> None:
    runs = (_run(_FAIL), _run(_PASS), _run(_PASS))
    assert _open(*runs[:2])
    assert not _open(*runs)
    assert _said(*runs) == [("TS-a", "inconc", "flaky"), ("TS-a", "pass", ""), ("TS-a", "pass", "")]
    kept = weigh(runs, lambda finding: True)[0]
    assert (kept.message, kept.timeline) == (
        "is missing (in one of 3 runs of the test; the others are clean)", "timelines/t.jsonl",
    )  # fmt: skip


def test_a_deviation_that_comes_up_in_a_repeat_alone_is_weighed_in_the_same_way() -> None:
    assert _open(_run(_FAIL), _run(_FAIL, _OTHER))
    assert _said(_run(_FAIL), _run(_FAIL, _OTHER), _run(_FAIL)) == [
        ("TS-a", "fail", ""), ("TS-a", "fail", ""), ("TS-b", "inconc", "flaky"), ("TS-a", "fail", ""),
    ]  # fmt: skip
    assert ("TS-b", "fail", "") in _said(_run(_FAIL), _run(_FAIL, _OTHER), _run(_OTHER))


@pytest.mark.parametrize(
    "unclear",
    [_run(_INCONC), _run(complete=False), _run(_PASS, Finding("TS-b", Verdict.ERROR, "broke"))],
    ids=["undecided", "cut short", "harness error"],
)
def test_what_a_repeat_could_not_clear_stands(unclear: TestRun) -> None:
    assert not _open(_run(_FAIL), unclear)
    assert ("TS-a", "fail", "") in _said(_run(_FAIL), unclear)
    assert ("TS-a", "fail", "") in _said(_run(_FAIL), _run(_PASS), unclear)


def test_a_clause_that_a_whole_run_did_not_break_counts_as_clear_without_a_pass() -> None:
    assert _said(_run(_FAIL), _run(), _run()) == [("TS-a", "inconc", "flaky")]


def test_what_is_waived_is_neither_repeated_nor_unsaid() -> None:
    runs = (_run(_FAIL), _run(_PASS), _run(_PASS))
    assert not is_open(runs[:1], lambda finding: False)
    assert [one.verdict for one in weigh(runs, lambda finding: False)] == [Verdict.FAIL]


def _conclude_all(folder: Path, kept: list[bool | None], *, repeats: int = 20) -> tuple[list[object], Item]:
    """Runs of one test on one worker, as far as they are wanted; what pytest is told of each."""
    plan = make_plan(folder, repeats=repeats)
    scenario = make_scenario(plan, ["TY-ring"])
    worker, item = scenario.worker, Item(scenario)
    told: list[object] = []
    for number, one in enumerate(kept):
        if number:
            scenario = type(scenario)(worker, "toy", "test_it[a/b]", "A phone rings", ["TY-ring"], number + 1)
            item.renew(scenario)
        if one is not None:
            scenario.check("TY-ring", one, "does not ring")
        try:
            conclude(cast(pytest.Item, item), None if one is not None else InconclusiveError(Reason.TIMEOUT, "late"))
            told.append(None)
        except BaseException as caught:  # noqa: BLE001  pytest's own outcomes are no Exceptions
            told.append(caught)
        scenario.close()
        if not item.wants_another:
            break
    return told, item


def test_each_run_has_a_record_of_its_own_and_the_last_one_tells_all(tmp_path: Path) -> None:
    told, item = _conclude_all(tmp_path, [False, True, True])
    assert isinstance(told[0], DeviationError)
    assert told[1] is None
    assert "flaky" in str(told[2])
    assert len(runs_before(cast(pytest.Item, item))) == 3
    assert [one["verdict"] for one in item.findings()] == ["inconc", "pass", "pass"]
    records = [one["timeline"] for one in item.findings()]
    assert len(set(records)) == 3
    assert all((tmp_path / "run" / record).is_file() for record in records)
    assert [[one.verdict.value for one in call["findings"]] for call in item.concluded[:2]] == [["fail"], ["pass"]]


def test_a_deviation_that_repeats_fails_the_test(tmp_path: Path) -> None:
    told, item = _conclude_all(tmp_path, [False, True, False])
    assert isinstance(told[-1], DeviationError)
    assert {one["verdict"] for one in item.findings()} == {"fail"}


def test_an_undecided_repeat_leaves_the_deviation(tmp_path: Path) -> None:
    told, item = _conclude_all(tmp_path, [False, None])
    assert len(told) == 2
    assert isinstance(told[-1], DeviationError)
    assert [one["verdict"] for one in item.findings()] == ["fail"]


@pytest.mark.parametrize(("repeats", "runs"), [(0, 1), (1, 2), (20, 3)])
def test_the_number_of_repeats_is_bounded(repeats: int, runs: int, tmp_path: Path) -> None:
    told, item = _conclude_all(tmp_path, [False, True, True], repeats=repeats)
    assert len(told) == runs
    assert (item.findings()[0]["verdict"] == "inconc") == (runs == 3)


def test_nothing_is_repeated_once_the_run_is_to_stop(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(parents=True)
    ask_to_stop(tmp_path / "run", "a deviation was seen before (--fail-fast)")
    told, _ = _conclude_all(tmp_path, [False, True, True])
    assert len(told) == 1
