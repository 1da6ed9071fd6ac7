"""The allowed order of API calls, callbacks and SIP messages per call flow, as `specs/<system>/sequences.yaml` (and
`sequences/*.yaml` beside it, where one file would be too long) says it.

These are the frozen values that checks evaluate over a timeline and that `harness.sequence_loader` makes; nothing here
judges. What a file may say, and what it means:

    system: apidaze
    flows:
      script-test:                        # a name for reports
        title: The platform is asked to try a script
        start: test                       # every event that matches `test` starts an instance of the flow
        until: again                      # optional: the event that closes an instance; `again`: its next start does
        events:
          test:
            kind: http                    # http (the harness asked) callback (the platform asked) sip media note
            match: {operation: testExternalScript, status: 2XX}
            keep: {script: request.query.url}         # remember a value under a name
          fetch:
            kind: callback
            match: {operation: fetchExternalScript}
            same: {url: script}           # correlation: this field has a remembered value
        rules:
          - {expect: fetch, exactly: 1, after: test, within: callback, clause: AZ-script-test-fetches}

**Instances.** One per event that matches `start`. Its window runs from that event to the end of the timeline, or to the
first match of `until` (that one included; `again`: the next match of `start`, not included). An event belongs to every
instance in whose window it lies and whose remembered values it shares. Order goes by `at`, then `seq`; events of different
kinds were seen by different observers, so that between them less than `ORDER_SLACK` seconds count as the same moment, which
satisfies every order.

**Events.** An event matches when its kind fits, all of `match` holds, not all of `unless` holds, and each field under
`same` has one of the values remembered under that name (by any match of the event that keeps it, wherever in the window).
A condition is a value (equal as JSON or the wire writes it: true, 7, null), a list (one of these), `{pattern: regex}`
(matches all of it), `{not: value or list}`, or `{present: true or false}`. On a field that is not there only `not` and
`present: false` hold. Where a path crosses an array with `*` one value is enough. With `items: request.body.list` every
item of that array is an event of its own, whose members are `item.X`; counts then count items, batched or not.

**Fields.** http and callback: `operation` (operationId), `method`, `status` (code or `2XX`), `url`, `path`, `failure` (its
first word), `about.X`; below `request` or `response` also `body.X.Y` (a member of a JSON or form body), `header.X`; and
`request.query.X`, `request.path.X` (what stands in the place of `{X}` in the path of the operation). For a callback the
request is the platform's and the response ours. sip: `method` (of a response: that of its CSeq), `status` (an event that
names none is a request), `direction` (`in`, `out`: as the harness's agent sees it), `agent`, `transport`, `local`,
`remote`, `call-id`, `cseq` (the number), `branch`, `request-uri`, the addresses `from to contact pai rpid diversion`, each
of these also with `.user .host .name .tag`, `header.X`, `body`. media: `agent`, `data.X`. note: `topic`, `data.X`.

**Rules** each name their `clause`. Where a rule names an event, a list of names means any of them. `when: X` limits a rule
to instances in which X is seen, `unless: X` to those in which it is not. `after: A` looks at what follows the first A and
judges nothing where there is none; `each: A` judges, for every A, what follows it up to the next A; without either, the
whole instance counts. `before: C` leaves out all from the first C on. Seconds are a number or the name of a timing of the
target (connect, answer, callback, quiet); they run from the end of the anchor, which for an exchange is its answer.

    {expect: X, …}               so many X: `exactly`, or `at_least` (1 when nothing is said) and `at_most`; also `after` or
                                 `each`, `before`, `within`: the last X needed comes in time. Too few in a record that
                                 ends before the time is up is inconclusive
    {absent: X, control: Y, …}   no X; also `after` or `each`, `before`. Without a C that ended it, `for` seconds of record
                                 (`quiet` when nothing is said) must follow the anchor; and something that matches Y,
                                 anywhere in the timeline, must show that X could have been seen: else inconclusive
    {order: [A, [B, C], D]}      every A before every B and C, these in any order, all of them before every D; what is not
                                 seen is skipped
    {precede: [A, B]}            no B without an A before it
    {agree: F, of: X, with: N}   field F of every X has (in all its values) a value remembered as N; or `value:` a literal or
                                 list. Compared `as` text (when nothing is said), number, phone, instant or uri. A field
                                 that is not there is not judged: presence is the schema's business
    {unique: F, of: X}           no two X share a value of field F

An event that is optional has no `expect`, or one with `at_most`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ORDER_SLACK = 0.05
"""Seconds by which two observers of one machine (SIPp's trace, the recorder) may disagree about the order of events; on a
crowded machine more, which a scenario then notes (`harness.suites.lag`)."""

KINDS = ("http", "callback", "sip", "media", "note")
TIMINGS = ("connect", "answer", "callback", "quiet")
COMPARISONS = ("text", "number", "phone", "instant", "uri")
AGAIN = "again"

Seconds = float | str
"""A number of seconds, or the name of a timing of the target."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a field must be: one of `values`, or like `pattern`; `negated`: anything else; `present`: there, or not there."""

    field: str
    values: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    present: bool | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class EventPattern:
    """A named event of a flow. `keep`: name -> field to remember; `same`: field -> name of what was remembered."""

    name: str
    kind: str
    match: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    keep: Mapping[str, str] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    items: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What all rules have: the clause that they decide, the instances that they speak of, the place in the file."""

    clause: str
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    location: str = ""

    @property
    def subjects(self) -> tuple[str, ...]:
        """The events that the rule speaks of, but for its conditions."""
        return ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every event that the rule names."""
        return (*self.when, *self.unless, *self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect(Rule):
    """So many events; `at_most` None: any number more. `within` needs an anchor: `after` or `each`."""

    events: tuple[str, ...]
    at_least: int = 1
    at_most: int | None = None
    after: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    within: Seconds | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        return (*self.events, *self.after, *self.each, *self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent(Rule):
    """No such event; believed after `quiet` seconds of record, and where `control` was seen."""

    events: tuple[str, ...]
    control: tuple[str, ...]
    after: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    quiet: Seconds = "quiet"

    @property
    def subjects(self) -> tuple[str, ...]:
        return (*self.events, *self.control, *self.after, *self.each, *self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Rule):
    """Groups in order; inside a group any order."""

    groups: tuple[tuple[str, ...], ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups for name in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Precede(Rule):
    """No `later` event without an `earlier` one before it."""

    earlier: tuple[str, ...]
    later: tuple[str, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        return (*self.earlier, *self.later)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree(Rule):
    """A field of the events has a remembered value, or a given one; `compare` is one of COMPARISONS."""

    field: str
    events: tuple[str, ...]
    remembered: str | None = None
    values: tuple[str, ...] = ()
    compare: str = "text"

    @property
    def subjects(self) -> tuple[str, ...]:
        return self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique(Rule):
    """No two of the events share a value of the field."""

    field: str
    events: tuple[str, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        return self.events


@dataclass(frozen=True, slots=True)
class Flow:
    """One call flow of a system. `until` None: an instance lasts to the end of the timeline; `again`: to its next start."""

    name: str
    system: str
    title: str
    start: str
    until: str | None
    events: Mapping[str, EventPattern]
    rules: tuple[Rule, ...]

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that its rules decide, each once."""
        return tuple(dict.fromkeys(rule.clause for rule in self.rules))
