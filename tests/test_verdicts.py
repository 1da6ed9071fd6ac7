"""The verdict table and the exit code: worst finding first, a pass only on evidence, green only on enough of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from harness.clauses import Catalogue, Clause, Level, Surface
from harness.verdicts import ClauseVerdict, Exit, Finding, Reason, RunVerdict, Scope, Verdict, Waiver, judge

D = Clause("TY-told", "toy", "It is told", "TD Telling", Level.DOCUMENTED, Surface.HTTP, "Calls")
I = replace(D, id="TY-usual", level=Level.INFERRED)  # noqa: E741  the design's own letter for inferred
SCOPE = Scope({"toy": frozenset()})
PASS, FAIL, INCONC, ERROR = (
    Finding("TY-told", verdict, "words", reason=Reason.TIMEOUT if verdict is Verdict.INCONC else None)
    for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.ERROR)
)


def of(clause: Clause, *findings: Finding, scope: Scope = SCOPE) -> ClauseVerdict:
    named = [replace(finding, clause=clause.id) for finding in findings]
    return judge(Catalogue([clause]), named, scope).clauses[0]


@pytest.mark.parametrize(
    ("findings", "documented", "inferred"),
    [
        ([PASS], "pass", "pass"),
        ([PASS, PASS], "pass", "pass"),
        ([FAIL], "fail", "warn"),
        ([PASS, FAIL], "fail", "warn"),
        ([ERROR], "error", "error"),
        ([PASS, ERROR], "error", "error"),
        ([INCONC], "inconc", "inconc"),
        ([PASS, INCONC], "inconc", "inconc"),
        ([INCONC, ERROR], "error", "error"),
        ([ERROR, FAIL], "fail", "error"),
        ([INCONC, FAIL], "fail", "inconc"),
        ([PASS, INCONC, ERROR, FAIL], "fail", "error"),
        ([], "inconc", "inconc"),
    ],
)
def test_the_worst_finding_decides(findings: list[Finding], documented: str, inferred: str) -> None:
    for ordered in (findings, findings[::-1]):
        assert of(D, *ordered).verdict == documented
        assert of(I, *ordered).verdict == inferred


def test_a_strict_run_fails_inferred_clauses_as_well() -> None:
    strict = replace(SCOPE, strict=True)
    assert of(I, PASS, FAIL, scope=strict).verdict is Verdict.FAIL
    assert of(D, FAIL, scope=strict).verdict is Verdict.FAIL
    assert of(I, PASS, scope=strict).verdict is Verdict.PASS


def test_a_clause_without_evidence_says_why() -> None:
    assert (of(D).verdict, of(D).reason) == (Verdict.INCONC, "no evidence")
    conditional = replace(D, conditional=True)
    assert (of(conditional).verdict, of(conditional).reason) == (Verdict.NONE, "did not occur")
    part = replace(SCOPE, complete=False)
    assert (of(D, scope=part).verdict, of(D, scope=part).reason) == (Verdict.NONE, "not selected")
    assert of(conditional, FAIL).verdict is Verdict.FAIL
    assert of(D, FAIL, scope=part).verdict is Verdict.FAIL
    assert of(conditional, INCONC).verdict is Verdict.INCONC


def test_an_untestable_clause_stays_so_whatever_was_found() -> None:
    untestable = replace(D, untestable="named only", capability="bell")
    for findings in ([], [PASS], [FAIL]):
        assert (of(untestable, *findings).verdict, of(untestable).reason) == (Verdict.UNTESTABLE, "named only")


def test_what_the_target_does_not_declare_is_not_judged() -> None:
    bell = replace(D, capability="bell")
    for findings in ([], [PASS], [FAIL]):
        found = of(bell, *findings)
        assert (found.verdict, found.reason) == (Verdict.NONE, "capability not declared: bell")
    declared = Scope({"toy": frozenset({"bell"})})
    assert of(bell, FAIL, scope=declared).verdict is Verdict.FAIL
    assert of(bell, scope=declared).verdict is Verdict.INCONC


def test_the_reason_is_that_of_the_deciding_finding() -> None:
    unreachable = replace(INCONC, reason=Reason.UNREACHABLE)
    assert of(D, PASS, unreachable).reason == "unreachable"
    assert of(D, INCONC, FAIL).reason == ""
    assert of(D, unreachable, INCONC).reason == "unreachable"


def test_clauses_of_systems_outside_the_run_are_left_out() -> None:
    other = replace(D, id="OT-x", system="other")
    run = judge(Catalogue([D, other]), [Finding("OT-x", Verdict.FAIL), PASS], SCOPE)
    assert [item.clause.id for item in run.clauses] == ["TY-told"]
    assert run.exit_code is Exit.CONFORMS


def test_a_finding_for_a_clause_that_nobody_promised_is_a_defect_of_the_harness() -> None:
    with pytest.raises(KeyError, match="TY-nobody"):
        judge(Catalogue([D]), [Finding("TY-nobody", Verdict.PASS)], SCOPE)


def test_all_deviations_are_kept_but_the_same_one_only_a_few_times() -> None:
    same = [replace(FAIL, message=f"took {n} s") for n in range(40)]
    other = replace(FAIL, message="another thing")
    found = of(D, *same, other, *[PASS] * 30)
    assert found.passes == 30
    assert sum(finding.verdict is Verdict.FAIL for finding in found.findings) == 6
    assert sum(finding.verdict is Verdict.PASS for finding in found.findings) == 5
    assert any(finding.message == "another thing" for finding in found.findings)


def run(
    documented: str = "", inferred: str = "", *, problems: int = 0, interrupted: bool = False, **scope: object
) -> RunVerdict:
    """A run whose documented and inferred clauses end as the letters say: p f i e w n u."""
    by_letter = {verdict.value[0]: verdict for verdict in Verdict}
    clauses = tuple(
        ClauseVerdict(replace(base, id=f"{base.id}-{place}"), by_letter[letter])
        for base, letters in ((D, documented), (I, inferred))
        for place, letter in enumerate(letters)
    )
    made = replace(SCOPE, **scope)  # type: ignore[arg-type]
    return RunVerdict(clauses, made, ("the target is dead",) * problems, interrupted)


@pytest.mark.parametrize(
    ("verdict", "code", "conclusion"),
    [
        (run("p"), 0, "conforms: 1 of 1 documented clauses decided, none failed"),
        (run("pppppppppi"), 0, "conforms: 9 of 10 "),
        (run("ppppppppii"), 3, "nothing can be said: 8 of 10 documented clauses decided, the floor is 90%"),
        (run("ppppppppii", floor=0.8), 0, "conforms"),
        (run("p", "w"), 0, "conforms"),
        (run("p", "i"), 0, "conforms"),
        (run("pnnnnuuu"), 0, "conforms: 1 of 1 "),
        (run("f"), 1, "deviates: 1 clause failed"),
        (run("ff", "f"), 1, "deviates: 3 clauses failed"),
        (run("fiiiiiiiii"), 1, "deviates"),
        (run("fe", problems=1), 1, "deviates"),
        (run("p", "f"), 1, "deviates"),
        (run("p" * 99 + "e"), 3, "nothing can be said: 1 clause ended in an error of the harness"),
        (run("p", "ee"), 3, "nothing can be said: 2 clauses ended in an error"),
        (run("p", problems=2), 3, "nothing can be said: the target is dead"),
        (run(""), 3, "nothing can be said: 0 of 0"),
        (run("", "ppp"), 3, "nothing can be said: 0 of 0"),
        (run("", floor=0.0), 3, "nothing can be said"),
        (run("iii", floor=0.0), 3, "nothing can be said"),
        (run("iiip", floor=0.0), 0, "conforms"),
        (run("nnnuuu"), 3, "nothing can be said"),
        (run("p", interrupted=True), 130, "interrupted"),
        (run("f", interrupted=True), 130, "interrupted"),
        (run("", problems=1, interrupted=True), 130, "interrupted"),
    ],
)  # fmt: skip
def test_the_exit_code_and_its_words(verdict: RunVerdict, code: int, conclusion: str) -> None:
    assert verdict.exit_code == code
    assert verdict.conclusion.startswith(conclusion)


def test_a_number_of_failures_never_becomes_an_exit_code() -> None:
    assert run("f" * 300).exit_code == 1


def test_counts_tell_documented_from_inferred() -> None:
    made = run("ppfi", "pww")
    assert made.count(Verdict.PASS) == 3
    assert made.count(Verdict.PASS, documented=True) == 2
    assert made.count(Verdict.WARN, documented=False) == 2
    assert (made.decided, len(made.gated), made.coverage) == (3, 4, 0.75)


def test_a_fingerprint_names_a_deviation_whatever_its_ids_and_figures() -> None:
    base = Finding("TY-told", Verdict.FAIL, "account 4711 took 12.5 s", "ring")
    same = replace(base, message="account 99 took 3.25 s", seen="else", timeline="t", at=(3,), reproduce="curl")
    assert base.fingerprint == same.fingerprint
    uuid = replace(base, message="thing 8f14e45f-ceea-467f-a8e5-0123456789ab is gone")
    assert uuid.fingerprint == replace(uuid, message="thing 00000000-1111-2222-3333-444444444444 is gone").fingerprint
    others = (replace(base, clause="TY-usual"), replace(base, subject="hang up"), replace(base, message="is missing"))
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 4


@pytest.mark.parametrize(
    "finding",
    [
        Finding("TY-told", Verdict.PASS),
        Finding("TY-told", Verdict.FAIL, "m", "s", "e", "seen", None, "src", "t.jsonl", (1, 2), "curl x"),
        Finding("TY-told", Verdict.INCONC, "m", reason=Reason.NO_CONTROL),
    ],
)
def test_findings_travel_as_json(finding: Finding) -> None:
    assert Finding.from_json(json.loads(json.dumps(finding.to_json()))) == finding
    assert ("fingerprint" in finding.to_json()) == (finding.verdict is not Verdict.PASS)


TODAY = date(2027, 1, 31)
OTHER = replace(FAIL, message="in another way")


def waiver(finding: Finding = FAIL, until: date = TODAY, clause: Clause = D) -> Waiver:
    return Waiver(clause.id, replace(finding, clause=clause.id).fingerprint, "known", "anna", until)


def waived(*findings: Finding, clause: Clause = D, by: Waiver | None = None, **scope: object) -> RunVerdict:
    made = replace(SCOPE, waivers=(by or waiver(clause=clause),), today=TODAY, **scope)  # type: ignore[arg-type]
    return judge(Catalogue([clause]), [replace(finding, clause=clause.id) for finding in findings], made)


@pytest.mark.parametrize(
    ("findings", "verdict", "state", "code"),
    [
        ([FAIL], "waived", "holds", 0),
        ([PASS, FAIL], "waived", "holds", 0),
        ([FAIL, OTHER], "fail", "holds", 1),
        ([FAIL, INCONC], "inconc", "holds", 3),
        ([FAIL, ERROR], "error", "holds", 3),
        ([PASS], "pass", "passing", 1),
        ([OTHER], "fail", "unmatched", 1),
        ([INCONC], "inconc", "not judged", 3),
        ([PASS, ERROR], "error", "not judged", 3),
        ([], "inconc", "not judged", 3),
    ],
)
def test_a_waiver_covers_its_own_deviation_and_nothing_else(
    findings: list[Finding], verdict: str, state: str, code: int
) -> None:
    run = waived(*findings)
    assert (run.clauses[0].verdict, run.waivers[0].state, run.exit_code) == (verdict, state, code)
    assert run.waivers[0].red == (state in ("expired", "passing", "unmatched"))
    assert run.waivers[0].says


def test_a_waiver_counts_until_the_end_of_its_last_day() -> None:
    assert waived(FAIL, by=waiver(until=TODAY)).exit_code is Exit.CONFORMS
    for findings, verdict in (([FAIL], "fail"), ([PASS], "pass")):
        late = waived(*findings, by=waiver(until=TODAY - timedelta(days=1)))
        assert (late.clauses[0].verdict, late.waivers[0].state, late.exit_code) == (verdict, "expired", 1)
    assert waived(PASS, by=waiver(until=TODAY - timedelta(days=1))).conclusion == "deviates: 1 waiver expired"


def test_a_waiver_of_an_inferred_clause_holds_whether_strict_or_not() -> None:
    for strict in (False, True):
        run = waived(FAIL, clause=I, strict=strict)
        assert (run.clauses[0].verdict, run.waivers[0].state) == ("waived", "holds")
    assert waived(FAIL, OTHER, clause=I).clauses[0].verdict is Verdict.WARN


def test_a_waiver_whose_clause_this_run_did_not_judge_is_listed_and_not_red() -> None:
    bell = replace(D, capability="bell")
    undeclared = waived(FAIL, clause=bell)
    assert (undeclared.waivers[0].state, undeclared.waivers[0].red) == ("not judged", False)
    assert "capability not declared: bell" in undeclared.waivers[0].says
    elsewhere = waived(PASS, by=Waiver("OT-x", "0" * 12, "known", "anna", date.min))
    assert (elsewhere.waivers[0].state, elsewhere.exit_code) == ("not judged", 0)
    for part in (waived(PASS, complete=False), waived(OTHER, complete=False)):
        assert part.waivers[0].state == "not judged"
    assert waived(FAIL, complete=False).waivers[0].state == "holds"
    cut = judge(Catalogue([D]), [PASS], replace(SCOPE, waivers=(waiver(),), today=TODAY), problems=["stopped"])
    assert cut.waivers[0].state == "not judged"


def test_a_waived_clause_is_decided_and_counts_for_the_floor() -> None:
    run = waived(FAIL)
    assert (run.decided, run.coverage) == (1, 1.0)
    assert run.conclusion == "conforms: 1 of 1 documented clauses decided, none failed, 1 waived"


def test_deviations_that_a_baseline_knows_can_be_let_pass() -> None:
    known = frozenset({FAIL.fingerprint})
    assert of(D, FAIL, scope=replace(SCOPE, known=known)).verdict is Verdict.FAIL
    old = judge(Catalogue([D]), [FAIL], replace(SCOPE, known=known))
    assert (old.exit_code, old.conclusion) == (
        0,
        "conforms: 1 of 1 documented clauses decided, 1 failed as in the baseline",
    )
    new = judge(Catalogue([D]), [FAIL, OTHER], replace(SCOPE, known=known))
    assert (new.exit_code, new.conclusion) == (1, "deviates: 1 clause failed in a new way")
    assert judge(Catalogue([D]), [FAIL], replace(SCOPE, known=frozenset())).exit_code is Exit.DEVIATES


def test_the_floor_is_not_for_one_shard_alone() -> None:
    assert run("pii", "i", shard=(1, 4)).exit_code is Exit.CONFORMS
    assert run("pii", "i", shard=(1, 4)).conclusion.endswith("none failed, in shard 1 of 4")
    assert run("", "p", shard=(1, 4)).exit_code is Exit.CONFORMS
    assert run("f", shard=(1, 4)).exit_code is Exit.DEVIATES
    assert run("pe", shard=(1, 4)).exit_code is Exit.NOTHING_SAID
    assert run("p", problems=1, shard=(1, 4)).exit_code is Exit.NOTHING_SAID
    assert run("nnu", "n", shard=(1, 4)).conclusion == "nothing can be said: no clause was decided in this shard"


def test_a_surface_of_which_nothing_was_decided_is_not_said_to_conform() -> None:
    many = [replace(D, id=f"TY-told-{number}") for number in range(19)]
    phone = replace(D, id="TY-rings", surface=Surface.SIP)
    told = [replace(PASS, clause=clause.id) for clause in many]
    blind = judge(Catalogue([*many, phone]), [*told, replace(INCONC, clause="TY-rings")], SCOPE)
    assert blind.coverage == 0.95
    assert (blind.exit_code, blind.blind) == (Exit.NOTHING_SAID, ("toy sip",))
    assert blind.conclusion == "nothing can be said of toy sip: none of the documented clauses there was decided"
    seen = judge(Catalogue([*many, phone]), [*told, replace(PASS, clause="TY-rings")], SCOPE)
    assert (seen.exit_code, seen.blind) == (Exit.CONFORMS, ())
