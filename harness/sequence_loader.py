"""Reads `specs/<system>/sequences.yaml` into the values of `harness.sequences`, whose docstring says what a file may hold.

`harness.contract` calls it with the system's catalogue and operations, so that a rule cannot name a clause, an event or
an operation that does not exist. It evaluates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from harness.clauses import Catalogue
from harness.sequences import (
    AGAIN,
    COMPARISONS,
    KINDS,
    TIMINGS,
    Absent,
    Agree,
    Condition,
    EventPattern,
    Expect,
    Flow,
    Order,
    Precede,
    Rule,
    Seconds,
    Unique,
)
from harness.spec import Spec
from harness.yamlfile import Step, YamlFile

_FILE_KEYS = {"system", "flows"}
_FLOW_KEYS = {"title", "start", "until", "events", "rules"}
_EVENT_KEYS = {"kind", "match", "unless", "keep", "same", "items"}
_CONDITION_KEYS = {"pattern", "not", "present"}
_RULE_KEYS = {
    "expect": {"exactly", "at_least", "at_most", "after", "each", "before", "within"},
    "absent": {"control", "after", "each", "before", "for"},
    "order": set[str](),
    "precede": set[str](),
    "agree": {"of", "with", "value", "as"},
    "unique": {"of"},
}
_COMMON_KEYS = {"clause", "when", "unless"}
_COUNTS = ("exactly", "at_least", "at_most")

_EXCHANGE_FIELD = re.compile(
    r"operation|method|status|url|path|failure|about\.[\w-]+"
    r"|request\.(query|path)\.[\w-]+|(request|response)\.(body\.[\w.*-]+|header\.[\w-]+)"
)
_FIELDS = {
    "http": _EXCHANGE_FIELD,
    "callback": _EXCHANGE_FIELD,
    "sip": re.compile(
        r"method|status|direction|agent|transport|local|remote|call-id|cseq|branch|body|header\.[\w-]+"
        r"|(request-uri|from|to|contact|pai|rpid|diversion)(\.(user|host|name|tag))?"
    ),
    "media": re.compile(r"agent|data\.[\w.*-]+"),
    "note": re.compile(r"topic|data\.[\w.*-]+"),
}
_ITEM_FIELD = re.compile(r"item\.[\w.*-]+")
_EXAMPLES = {
    "http": "operation, status, request.body.name, response.body.name",
    "callback": "operation, status, request.body.name, response.body.name",
    "sip": "method, status, direction, agent, call-id, from.user, header.Subject",
    "media": "agent, data.codec",
    "note": "topic, data.name",
}


def load_sequences(file: YamlFile, system: str, catalogue: Catalogue, spec: Spec) -> tuple[Flow, ...]:
    """The flows of a parsed `sequences.yaml`.

    Raises:
        DataError: an unknown key, field, event, operation, clause or timing; a correlation with nothing, or in a circle.
    """
    data = file.only(file.data, _FILE_KEYS)
    if data.get("system") != system:
        raise file.error(f"system {data.get('system')!r}: expected {system!r}", "system")
    flows = _mapping(file, data.get("flows"), "flows")
    return tuple(_Reader(file, system, str(name), catalogue, spec).flow() for name in flows)


def _mapping(file: YamlFile, value: Any, *steps: Step) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise file.error("expected a mapping with at least one entry", *steps)
    return value


@dataclass(frozen=True, slots=True)
class _Reader:
    """One flow of one file."""

    file: YamlFile
    system: str
    name: str
    catalogue: Catalogue
    spec: Spec

    def flow(self) -> Flow:
        steps = ("flows", self.name)
        node = self.file.only(self.file.data["flows"][self.name], _FLOW_KEYS, *steps)
        for key in ("title", "start", "events", "rules"):
            if not node.get(key):
                raise self.file.error(f"missing key {key!r}", *steps)
        events = {
            name: self.event(name, value, (*steps, "events", name))
            for name, value in _mapping(self.file, node["events"], *steps, "events").items()
        }
        start, until = node["start"], node.get("until")
        self.known(start, events, (*steps, "start"))
        if until is not None and until != AGAIN:
            self.known(until, events, (*steps, "until"))
        self.check_correlation(start, events, steps)
        rules = tuple(
            self.rule(rule, events, (*steps, "rules", index))
            for index, rule in enumerate(self.file.sequence(node["rules"], *steps, "rules"))
        )
        used = {start, until, *(name for rule in rules for name in rule.names)}
        kept = {keep for event in events.values() for keep in event.same.values()}
        kept |= {rule.remembered for rule in rules if isinstance(rule, Agree) and rule.remembered}
        for event in events.values():
            if event.name not in used and not kept & set(event.keep):
                raise self.file.error("no rule uses this event", *steps, "events", event.name)
        return Flow(self.name, self.system, str(node["title"]), start, until, events, rules)

    def known(self, name: Any, events: Collection[str], steps: tuple[Step, ...]) -> str:
        if name not in tuple(events):
            raise self.file.error(f"unknown event {name!r}: expected one of {', '.join(events)}", *steps)
        return str(name)

    def event(self, name: str, node: Any, steps: tuple[Step, ...]) -> EventPattern:
        node = self.file.only(node, _EVENT_KEYS, *steps)
        kind = node.get("kind")
        if kind not in KINDS:
            raise self.file.error(f"{kind!r}: expected one of {', '.join(KINDS)}", *steps, "kind")
        items = node.get("items")
        if items is not None:
            self.field(items, kind, False, (*steps, "items"))
        keep = self.fields(node, "keep", steps)
        same = self.fields(node, "same", steps)
        for remembered, path in keep.items():
            self.field(path, kind, items is not None, (*steps, "keep", remembered))
        for path in same:
            self.field(path, kind, items is not None, (*steps, "same", path))
        match, unless = (
            tuple(
                self.condition(path, value, kind, items is not None, (*steps, key, path))
                for path, value in self.file.mapping(node.get(key), *steps, key).items()
            )
            for key in ("match", "unless")
        )
        return EventPattern(name, kind, match, unless, keep, same, items)

    def fields(self, node: Mapping[str, Any], key: str, steps: tuple[Step, ...]) -> dict[str, str]:
        return {str(name): str(item) for name, item in self.file.mapping(node.get(key), *steps, key).items()}

    def field(self, path: Any, kind: str, items: bool, steps: tuple[Step, ...]) -> str:
        text = str(path)
        if not (_FIELDS[kind].fullmatch(text) or (items and _ITEM_FIELD.fullmatch(text))):
            raise self.file.error(f"unknown field {path!r}: expected one such as {_EXAMPLES[kind]}", *steps)
        return text

    def condition(self, path: str, value: Any, kind: str, items: bool, steps: tuple[Step, ...]) -> Condition:
        path = self.field(path, kind, items, steps)
        if isinstance(value, Mapping):
            node = self.file.only(value, _CONDITION_KEYS, *steps)
            if len(node) != 1:
                raise self.file.error(f"expected one of {', '.join(sorted(_CONDITION_KEYS))}", *steps)
            if "pattern" in node:
                try:
                    return Condition(path, pattern=re.compile(str(node["pattern"])))
                except re.error as error:
                    raise self.file.error(f"pattern {node['pattern']!r}: {error}", *steps) from None
            if "present" in node:
                if not isinstance(node["present"], bool):
                    raise self.file.error("expected true or false", *steps, "present")
                return Condition(path, present=node["present"])
            return Condition(path, self.values(path, node["not"], kind, steps), negated=True)
        return Condition(path, self.values(path, value, kind, steps))

    def values(self, path: str, value: Any, kind: str, steps: tuple[Step, ...]) -> tuple[str, ...]:
        values = tuple(self.text(item, steps) for item in (value if isinstance(value, list) else [value]))
        if not values:
            raise self.file.error("expected at least one value", *steps)
        for text in values:
            if path == "operation":
                self.check_operation(text, kind, steps)
            if path == "status" and not re.fullmatch(r"[1-6](\d\d|XX)", text):
                raise self.file.error(f"status {text!r}: expected a code such as 200, or 2XX", *steps)
        return values

    def text(self, value: Any, steps: tuple[Step, ...]) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None:
            return "null"
        if isinstance(value, str | int | float):
            return str(value)
        raise self.file.error(f"{value!r}: expected text, a number, true, false or null (quote a date)", *steps)

    def check_operation(self, name: str, kind: str, steps: tuple[Step, ...]) -> None:
        served = self.spec.operations if kind == "http" else self.spec.webhooks
        known = [operation.id for operation in served]
        if name not in known:
            expected = ", ".join(known) or "none: the document has no such operations"
            raise self.file.error(f"unknown operation {name!r}: expected one of {expected}", *steps)

    def check_correlation(self, start: str, events: Mapping[str, EventPattern], steps: tuple[Step, ...]) -> None:
        keepers: dict[str, str] = {}
        for event in events.values():
            for name in event.keep:
                if name in keepers:
                    raise self.file.error(
                        f"{name!r} is kept by {keepers[name]} too", *steps, "events", event.name, "keep"
                    )
                keepers[name] = event.name
        for event in events.values():
            for path, name in event.same.items():
                if name not in keepers:
                    known = ", ".join(keepers) or "nothing"
                    raise self.file.error(
                        f"nothing keeps {name!r}: expected one of {known}", *steps, "events", event.name, "same", path
                    )
        if events[start].same:
            raise self.file.error("the start of a flow has nothing to agree with yet", *steps, "events", start, "same")
        settled: set[str] = set()
        while left := [event for event in events.values() if event.name not in settled]:
            ready = [event.name for event in left if all(keepers[name] in settled for name in event.same.values())]
            if not ready:
                raise self.file.error("these events wait for each other", *steps, "events", left[0].name, "same")
            settled.update(ready)

    # Rules

    def rule(self, node: Any, events: Mapping[str, EventPattern], steps: tuple[Step, ...]) -> Rule:
        sorts = [sort for sort in _RULE_KEYS if isinstance(node, Mapping) and sort in node]
        if len(sorts) != 1:
            raise self.file.error(f"expected exactly one of {', '.join(_RULE_KEYS)}", *steps)
        sort = sorts[0]
        node = self.file.only(node, {sort} | _RULE_KEYS[sort] | _COMMON_KEYS, *steps)
        clause = node.get("clause")
        if not isinstance(clause, str) or clause not in self.catalogue:
            raise self.file.error(f"unknown clause {clause!r}: expected the id of one", *steps, "clause")

        def names(key: str) -> tuple[str, ...]:
            value = node.get(key)
            listed = value if isinstance(value, list) else [] if value is None else [value]
            return tuple(self.known(name, events, (*steps, key)) for name in listed)

        common: dict[str, Any] = {
            "clause": clause,
            "when": names("when"),
            "unless": names("unless"),
            "location": f"{self.file.path.name}:{self.file.line(*steps)}",
        }
        span: dict[str, Any] = {key: names(key) for key in ("after", "each", "before")}
        if span["after"] and span["each"]:
            raise self.file.error("expected either 'after' or 'each'", *steps)
        match sort:
            case "expect":
                low, high = self.counts(node, steps)
                within = self.seconds(node.get("within"), (*steps, "within"))
                if within is not None and not (span["after"] or span["each"]):
                    raise self.file.error("'within' needs 'after' or 'each' to count from", *steps)
                return Expect(events=names(sort), at_least=low, at_most=high, within=within, **span, **common)
            case "absent":
                if not node.get("control"):
                    raise self.file.error("missing key 'control': what shows that such an event could be seen", *steps)
                quiet = self.seconds(node.get("for", "quiet"), (*steps, "for"))
                return Absent(events=names(sort), control=names("control"), quiet=quiet or "quiet", **span, **common)
            case "order" | "precede":
                return self.ordering(sort, node[sort], events, common, steps)
            case "agree":
                return self.agreement(node, names("of"), events, common, steps)
            case _:
                return Unique(field=self.member(node, sort, names("of"), events, steps), events=names("of"), **common)

    def counts(self, node: Mapping[str, Any], steps: tuple[Step, ...]) -> tuple[int, int | None]:
        for key in _COUNTS:
            value = node.get(key, 0)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise self.file.error(f"{value!r}: expected a whole number", *steps, key)
        if "exactly" in node:
            if len(set(_COUNTS) & set(node)) > 1:
                raise self.file.error("'exactly' leaves no room for 'at_least' and 'at_most'", *steps)
            return node["exactly"], node["exactly"]
        low = node.get("at_least", 0 if "at_most" in node else 1)
        high = node.get("at_most")
        if high is not None and high < low:
            raise self.file.error(f"'at_most' {high} is below 'at_least' {low}", *steps)
        return low, high

    def seconds(self, value: Any, steps: tuple[Step, ...]) -> Seconds | None:
        if value is None or value in TIMINGS:
            return value  # type: ignore[no-any-return]
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
        raise self.file.error(f"{value!r}: expected seconds, or one of {', '.join(TIMINGS)}", *steps)

    def ordering(
        self,
        sort: str,
        value: Any,
        events: Mapping[str, EventPattern],
        common: Mapping[str, Any],
        steps: tuple[Step, ...],
    ) -> Rule:
        if not isinstance(value, list) or len(value) < 2 or (sort == "precede" and len(value) != 2):
            least = "a list of two" if sort == "precede" else "a list of two or more"
            raise self.file.error(f"expected {least} events or groups of events", *steps, sort)
        groups = tuple(
            tuple(self.known(name, events, (*steps, sort)) for name in (group if isinstance(group, list) else [group]))
            for group in value
        )
        if sort == "order":
            return Order(groups=groups, **common)
        return Precede(earlier=groups[0], later=groups[1], **common)

    def agreement(
        self,
        node: Mapping[str, Any],
        of: tuple[str, ...],
        events: Mapping[str, EventPattern],
        common: Mapping[str, Any],
        steps: tuple[Step, ...],
    ) -> Agree:
        member = self.member(node, "agree", of, events, steps)
        if ("with" in node) == ("value" in node):
            raise self.file.error("expected either 'with' (a remembered name) or 'value'", *steps)
        kept = {name for event in events.values() for name in event.keep}
        if "with" in node and node["with"] not in kept:
            expected = ", ".join(sorted(kept)) or "nothing"
            raise self.file.error(f"nothing keeps {node['with']!r}: expected one of {expected}", *steps, "with")
        compare = node.get("as", "text")
        if compare not in COMPARISONS:
            raise self.file.error(f"{compare!r}: expected one of {', '.join(COMPARISONS)}", *steps, "as")
        literal = node.get("value", [])
        values = tuple(
            self.text(item, (*steps, "value")) for item in (literal if isinstance(literal, list) else [literal])
        )
        return Agree(field=member, events=of, remembered=node.get("with"), values=values, compare=compare, **common)

    def member(
        self,
        node: Mapping[str, Any],
        key: str,
        of: tuple[str, ...],
        events: Mapping[str, EventPattern],
        steps: tuple[Step, ...],
    ) -> str:
        if not of:
            raise self.file.error("missing key 'of': the events that have the field", *steps)
        for name in of:
            self.field(node[key], events[name].kind, events[name].items is not None, (*steps, key))
        return str(node[key])
