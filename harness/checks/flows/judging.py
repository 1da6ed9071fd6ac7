"""Judges the order of API calls, callbacks, SIP messages and media against the call flows of a system.

What a flow may say and what it means stands in `harness.sequences`. A rule that cannot be decided in one instance of its
flow is given as inconclusive only where no other instance decided it. What only the harness did passes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from harness.checks.evidence import failed, inconclusive, passed
from harness.checks.flows.passive import UNTIED, counted, flows_of, is_blind, why_unseen
from harness.checks.flows.record import Record, Seen, read_field
from harness.checks.flows.stretch import Stretch, possibly_in, surely_in, undoubtedly_in
from harness.checks.flows.values import agree, comparable, text_of
from harness.checks.flows.window import (
    FlowRun,
    Instance,
    TooMuchWork,
    how_late,
    is_retry,
    once,
    places,
    surely_before,
)
from harness.sequences import Absent, Agree, Expect, Flow, Order, Precede, Rule, Seconds, Unique
from harness.target import Timing
from harness.verdicts import Finding, Reason, Verdict

_OVERLAP = "calls overlap, and nothing tells which of them this belongs to"
_MOST_OVERLAPPING = 20
_KEPT = {Verdict.FAIL: 20, Verdict.INCONC: 3, Verdict.PASS: 3}


def check_flows(record: Record, timing: Timing, *, complete: bool = True) -> Iterator[Finding]:
    """Findings about all flows of the record's system.

    `complete` False: the scenario was cut short, so that what has no deadline may be missing for that reason.
    """
    for flow in flows_of(record.contract, record):
        yield from judge_flow(record, flow, timing, complete=complete)


def judge_flow(record: Record, flow: Flow, timing: Timing, *, complete: bool = True) -> Iterator[Finding]:
    """Findings about one flow, rule by rule."""
    run = FlowRun(record, flow)
    rules = [rule for rule in flow.rules if run.pool(flow.start) and _can_apply(run, rule)]
    if run.overlapping > _MOST_OVERLAPPING:
        untold = [rule for rule in rules if not isinstance(rule, Unique) and not run.untied.isdisjoint(_decisive(rule))]
        rules = [rule for rule in rules if rule not in untold]
        for rule in untold:
            yield inconclusive(rule.clause, Reason.NO_EVIDENCE, _OVERLAP, subject=flow.title)
    found: dict[Rule, list[Finding]] = {rule: [] for rule in rules}
    counts: dict[tuple[Rule, Verdict], int] = {}
    settled: set[Rule] = set()
    try:
        for instance in run.instances() if rules else ():
            judge = _Judge(instance, timing, complete)
            for rule in rules:
                if rule in settled or not judge.applies(rule):
                    continue
                if (
                    isinstance(rule, Unique)
                    and flow.until is None
                    and not any(flow.events[e].same for e in rule.events)
                ):
                    settled.add(rule)  # the windows of all later instances lie in this one
                for finding in judge.told_apart(rule, judge.findings(rule)):
                    key = (rule, finding.verdict)
                    counts[key] = counts.get(key, 0) + 1
                    if counts[key] <= _KEPT[finding.verdict]:
                        found[rule].append(finding)
    except TooMuchWork:
        for rule in rules:
            yield inconclusive(rule.clause, Reason.NO_EVIDENCE, _OVERLAP, subject=flow.title)
    for rule in rules:
        undecided_counts = (rule, Verdict.PASS) not in counts
        yield from (finding for finding in found[rule] if undecided_counts or finding.verdict is not Verdict.INCONC)


def _decisive(rule: Rule) -> tuple[str, ...]:
    """The events that a rule names, but for a control, which may belong to any call."""
    if isinstance(rule, Absent):
        return (*rule.when, *rule.unless, *rule.events, *rule.after, *rule.each, *rule.before)
    return rule.names


def _can_apply(run: FlowRun, rule: Rule) -> bool:
    """Whether all that the rule speaks of could be seen, and enough of it was seen anywhere in the record."""

    def seen(names: tuple[str, ...]) -> bool:
        return not names or any(run.pool(name) for name in names)

    if any(not run.kinds(name) <= run.record.observed for name in rule.names) or not seen(rule.when):
        return False
    match rule:
        case Expect() | Absent():
            return seen(rule.after) and seen(rule.each)
        case Order():
            return sum(any(run.pool(name) for name in group) for group in rule.groups) > 1
        case Precede():
            return seen(rule.later)
        case Agree():
            keeper = run.keepers.get(rule.remembered or "")
            return seen(rule.events) and (keeper is None or bool(run.pool(keeper)))
        case _:
            return seen(rule.subjects)


class _Judge:
    """One instance of a flow."""

    def __init__(self, instance: Instance, timing: Timing, complete: bool) -> None:
        self.instance = instance
        self.record = instance.run.record
        self.flow = instance.run.flow
        self.timing = timing
        self.complete = complete

    def applies(self, rule: Rule) -> bool:
        """`when` must surely have been seen, `unless` not even possibly."""
        if rule.when and not any(self.instance.sure(name) for name in rule.when):
            return False
        return not any(self.instance.possible(name) for name in rule.unless)

    def told_apart(self, rule: Rule, findings: Iterator[Finding]) -> Iterator[Finding]:
        """What is too much, or wrong, may belong to another call where calls overlap; what is missing is missing."""
        run = self.instance.run
        untied = not isinstance(rule, Unique) and not run.untied.isdisjoint(_decisive(rule))
        unclear = untied and run.overlapping and not (isinstance(rule, Expect) and rule.at_most is None)
        unclear = unclear or (self.record.passive is not None and (untied or is_blind(run, rule)))
        words = _OVERLAP if untied and run.overlapping else UNTIED
        for finding in findings:
            if unclear and finding.verdict is Verdict.FAIL:
                yield inconclusive(rule.clause, Reason.NO_EVIDENCE, words, subject=self.flow.title, at=finding.at)
            else:
                yield finding

    def findings(self, rule: Rule) -> Iterator[Finding]:
        match rule:
            case Expect():
                return self._expect(rule)
            case Absent():
                return self._absent(rule)
            case Order():
                return self._order(rule)
            case Precede():
                return self._precede(rule)
            case Agree():
                return self._agree(rule)
            case Unique():
                return self._unique(rule)
            case _:
                raise TypeError(f"no such rule: {rule!r}")

    def _seconds(self, value: Seconds) -> float:
        return float(getattr(self.timing, value)) if isinstance(value, str) else value

    def _stretches(self, rule: Expect | Absent) -> Iterator[Stretch]:
        if rule.each:
            anchors = list(self.instance.any_sure(rule.each))
            self.instance.run.count(len(anchors))
            pairs = [(anchor, following) for anchor, following in pairwise([*anchors, None]) if anchor]
        elif rule.after:
            first = self.instance.first_sure(rule.after)
            pairs = [(first, None)] if first else []
        else:
            yield Stretch(None, None, self.instance.first_sure(rule.before))
            return
        for anchor, following in pairs:
            ending = self.instance.first_sure(rule.before, anchor.index)
            yield Stretch(anchor, following, ending)

    def _expect(self, rule: Expect) -> Iterator[Finding]:
        names, clause, title = _either(rule.events), rule.clause, self.flow.title
        owed: list[tuple[int, ...]] = []
        for stretch in self._stretches(rule):
            anchor = stretch.anchor or self.instance.start
            possible = self._first_of(rule.events, stretch, max(rule.at_least, 1))
            sure = counted(self.record, self._all_of(rule.events, stretch)) if rule.at_most is not None else []
            in_time, deadline = possible, None
            if rule.within is not None:
                deadline = anchor.ended + self._seconds(rule.within)
                in_time = [
                    seen
                    for seen in possible
                    if seen.at <= deadline + self.record.slack * (seen.observer != anchor.observer)
                ]
            missing = rule.at_least - len(in_time)
            surplus = len(sure) - rule.at_most if rule.at_most is not None else 0
            expected = _count_words(rule) + (f" within {self._seconds(rule.within):g} s" if rule.within else "")
            place = f" after {_either(rule.after or rule.each)}" if stretch.anchor else ""
            at = places([anchor, *possible, *sure])
            if missing > 0 and deadline is None and stretch.following and not stretch.ending:
                owed += [at] * missing  # it may come together with those of a later one
            elif missing > 0 and (why := self._not_over(rule, stretch, deadline)):
                yield inconclusive(clause, Reason.NO_EVIDENCE, why, subject=title, at=at)
            elif missing > 0:
                late = len(possible) >= rule.at_least
                how = "comes too late" if late else "does not come often enough" if in_time else "does not come"
                count = f"{len(in_time)}" + (f", and {how_late(possible, anchor)} s after" if late else "")
                yield failed(clause, f"{names} {how}{place}", expected=expected, seen=count, subject=title, at=at)
            elif 0 < surplus <= len(owed):
                del owed[-surplus:]
                words = "those of an earlier one may be among them"
                yield inconclusive(clause, Reason.NO_EVIDENCE, words, subject=title, at=at)
            elif surplus > 0:
                words = f"{names} comes too often{place}"
                yield failed(clause, words, expected=expected, seen=len(sure), subject=title, at=at)
            elif any(seen.by_target for seen in in_time):
                yield passed(clause, title, at=at)
        if owed and self.complete:
            words = f"{names} does not come after each {_either(rule.each)}"
            yield failed(clause, words, expected=_count_words(rule), seen="too few", subject=title, at=owed[0])

    def _not_over(self, rule: Expect, stretch: Stretch, deadline: float | None) -> str:
        """Why more might still come, or have come unseen; '' when the time for it is over."""
        anchor = stretch.anchor or self.instance.start
        until = stretch.ending.at if stretch.ending else self.instance.ends if deadline is None else deadline
        if self.record.passive and deadline is not None and not stretch.following:
            return why_unseen(self.instance, rule.events, anchor.at, until)
        if why := why_unseen(self.instance, rule.events, anchor.at, until):
            return why
        if stretch.ending is not None:
            return ""
        if deadline is None:
            return "" if self.complete or self.instance.closing else "the scenario was cut short"
        ends = min(self.instance.ends, stretch.following.at if stretch.following else self.instance.ends)
        return "" if ends >= deadline else "the record ends before the time is up"

    def _absent(self, rule: Absent) -> Iterator[Finding]:
        names, clause = _either(rule.events), rule.clause
        for stretch in self._stretches(rule):
            anchor = stretch.anchor or self.instance.start
            place = f" after {_either(rule.after or rule.each)}" if stretch.anchor else ""
            place += f" before {_either(rule.before)}" if rule.before and stretch.ending else ""
            spans = [undoubtedly_in(self.instance, name, stretch) for name in rule.events]
            wrong = once([seen for span in spans for seen in islice(span, _KEPT[Verdict.FAIL])])
            quiet = self._seconds(rule.quiet)
            ends = min(self.instance.ends, stretch.following.at if stretch.following else self.instance.ends)
            if wrong:
                yield failed(
                    clause, f"{names} comes{place}", expected="none", seen=len(wrong), subject=self.flow.title,
                    at=places([anchor, *wrong]),
                )  # fmt: skip
            elif stretch.ending is None and ends - anchor.ended < quiet:
                words = "the record ends too soon to believe that nothing came"
                yield inconclusive(clause, Reason.NO_EVIDENCE, words, subject=self.flow.title, at=places([anchor]))
            elif (control := self._control(rule)) is None:
                words = f"no {_either(rule.control)} shows that {names} could have been seen"
                yield inconclusive(clause, Reason.NO_CONTROL, words, subject=self.flow.title, at=places([anchor]))
            else:
                yield passed(clause, self.flow.title, at=places([anchor, control]))

    def _control(self, rule: Absent) -> Seen | None:
        found = (self.instance.anywhere(name) for name in rule.control)
        return next((seen for seen in found if seen is not None), None)

    def _order(self, rule: Order) -> Iterator[Finding]:
        groups = [
            [(name, span) for name in group if (span := self.instance.sure(name))] for group in rule.groups
        ]  # fmt: skip
        filled = [group for group in groups if group]
        wrong = [
            (f"{later_name} comes before {name}", latest, earliest)
            for place, group in enumerate(filled)
            for name, span in group
            for later in filled[place + 1 :]
            for later_name, later_span in later
            if (latest := span.last) and (earliest := later_span.first)
            if surely_before(earliest, latest, self.record.slack)
        ]
        for words, latest, earliest in wrong:
            yield failed(
                rule.clause, words, expected="the other way round",
                seen=f"{latest.at - earliest.at:.3f} s too early", subject=self.flow.title,
                at=places([earliest, latest]),
            )  # fmt: skip
        if (
            not wrong
            and len(filled) > 1
            and any(seen.by_target for _, span in filled[-1] for seen in (span.first,) if seen)
        ):
            firsts = [span.first for group in filled for _, span in group]
            yield passed(rule.clause, self.flow.title, at=places([seen for seen in firsts if seen]))

    def _precede(self, rule: Precede) -> Iterator[Finding]:
        earlier = [first for name in rule.earlier if (first := self.instance.possible(name).first)]
        for count, seen in enumerate(self.instance.any_sure(rule.later)):
            if any(not surely_before(seen, first, self.record.slack) for first in earlier):
                if not count and seen.by_target:
                    yield passed(rule.clause, self.flow.title, at=places([*earlier[:1], seen]))
                return
            self.instance.run.count(1)
            untied = [first for name in rule.earlier if (first := self.instance.uncorrelated(name).first)]
            if not earlier and any(not surely_before(seen, first, self.record.slack) for first in untied):
                words = f"{_either(rule.earlier)} comes before, but nothing ties it to this call"
                yield inconclusive(rule.clause, Reason.NO_EVIDENCE, words, subject=self.flow.title, at=places([seen]))
            elif why := why_unseen(self.instance, rule.earlier, self.instance.start.at, seen.at):
                yield inconclusive(rule.clause, Reason.NO_EVIDENCE, why, subject=self.flow.title, at=places([seen]))
            elif count < _KEPT[Verdict.FAIL]:
                yield failed(
                    rule.clause, f"{_either(rule.later)} comes without {_either(rule.earlier)} before it",
                    expected=f"{_either(rule.earlier)} first", seen="too early" if earlier else "none came",
                    subject=self.flow.title, at=places([seen, *earlier]),
                )  # fmt: skip

    def _agree(self, rule: Agree) -> Iterator[Finding]:
        promised: list[tuple[object, Seen | None]] = [(value, None) for value in rule.values]
        if rule.remembered is not None:
            promised = list(self.instance.remembered(rule.remembered))
        if not promised or not all(comparable(rule.compare, value) for value, _ in promised):
            return
        for seen in self.instance.any_sure(rule.events):
            values = [value for value in read_field(seen, rule.field) if value is not None]
            self.instance.run.count(1 + len(values) * len(promised))
            matching = [[source for each, source in promised if agree(rule.compare, value, each)] for value in values]
            if any(not sources for sources in matching):
                if self._agrees_elsewhere(rule, seen, values):
                    continue
                wanted = list(dict.fromkeys(text_of(value) for value, _ in promised))
                sources = [source for _, source in promised if source]
                yield failed(
                    rule.clause, f"{rule.field} of {_either(rule.events)} is not what it has to be",
                    expected=" or ".join(wanted[:5]), seen=", ".join(map(text_of, values[:5])),
                    subject=self.flow.title, at=places([*sources[:3], seen]),
                )  # fmt: skip
            elif values and seen.by_target and any(s is None or s.event is not seen.event for m in matching for s in m):
                yield passed(rule.clause, self.flow.title, at=places([seen]))

    def _agrees_elsewhere(self, rule: Agree, seen: Seen, values: Sequence[object]) -> bool:
        """Whether an event shares what ties it here with another instance too, and is right for that one."""
        if rule.remembered is None:
            return False
        for other in self.instance.run.overlapping_with(self.instance):
            self.instance.run.count(1)
            shared = other.any_possible(rule.events).between(seen.index, seen.index + 1)
            if any(one.number == seen.number for one in shared):
                promised = [value for value, _ in other.remembered(rule.remembered)]
                if promised and all(any(agree(rule.compare, value, each) for each in promised) for value in values):
                    return True
        return False

    def _unique(self, rule: Unique) -> Iterator[Finding]:
        first: dict[str, Seen] = {}
        wrong = False
        for seen in self.instance.any_sure(rule.events):
            self.instance.run.count(1)
            for value in read_field(seen, rule.field):
                known = first.setdefault(text_of(value), seen)
                if known is seen or value is None or is_retry(known, seen, like=self.record.passive is None):
                    continue
                wrong = True
                yield failed(
                    rule.clause, f"two of {_either(rule.events)} have the same {rule.field}", expected="different values",
                    seen=text_of(value), subject=self.flow.title, at=places([known, seen]),
                )  # fmt: skip
        if not wrong and len(first) > 1:
            yield passed(rule.clause, self.flow.title, at=places(list(first.values())[:2]))

    def _first_of(self, names: tuple[str, ...], stretch: Stretch, most: int) -> list[Seen]:
        """The first events that may lie in the stretch, in order; what was seen together with others counts once."""
        found = [seen for name in names for seen in islice(possibly_in(self.instance, name, stretch), most)]
        return sorted(once(found), key=lambda seen: (seen.index, seen.number))[:most]

    def _all_of(self, names: tuple[str, ...], stretch: Stretch) -> list[Seen]:
        found = once([seen for name in names for seen in surely_in(self.instance, name, stretch)])
        self.instance.run.count(len(found))
        return found


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(names)


def _count_words(rule: Expect) -> str:
    if rule.at_most == rule.at_least:
        return f"exactly {rule.at_least}"
    words = [f"at least {rule.at_least}"] if rule.at_least else []
    words += [f"at most {rule.at_most}"] if rule.at_most is not None else []
    return ", ".join(words)
