"""Joins the shards of a run, or runs of different systems, into one run, and judges all their findings together.

The judge is that of every run; here is what belongs together and what does not. Merging is strict, since a shard that is
left out, cut short or taken from elsewhere would let a gate be green on less than the whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import __version__
from harness.clauses import Catalogue
from harness.gate import GateError
from harness.gate.runs import PastRun, read_run
from harness.gate.waive import today
from harness.verdicts import Finding, Reason, RunVerdict, Scope, Waiver, judge

FINDINGS = "findings.jsonl"
# What shards of one run have in common, in the words of a complaint.
_SAME = {
    "seed": "another seed",
    "strict": "another strictness",
    "embedded": "another target",
    "capabilities": "other capabilities",
    "systems": "another target",
}


class MergeError(GateError):
    """Runs do not make one; the message names the run, and what to do."""


@dataclass(frozen=True)
class Part:
    """One of the runs to merge. `findings`: all of them, as they stand on disk."""

    run: PastRun
    findings: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """What the part is called in messages and below `shards/`."""
        shard = self.run.data.get("shard")
        systems = "+".join(self.run.data["systems"])
        return f"{systems}-{shard['index']}-of-{shard['of']}" if shard else systems

    @property
    def systems(self) -> frozenset[str]:
        return frozenset(self.run.data["systems"])


@dataclass(frozen=True)
class Whole:
    """Parts that belong together, with what is the same in all of them."""

    parts: tuple[Part, ...]
    catalogue: Catalogue

    @property
    def first(self) -> Mapping[str, Any]:
        return self.parts[0].run.data

    @property
    def target(self) -> str:
        """What was judged: runs of different systems may have a target file each."""
        by_systems = {part.systems: str(part.run.data["target"]) for part in reversed(self.parts)}
        return ", ".join(dict.fromkeys(reversed(by_systems.values())))


def read_parts(paths: Sequence[Path]) -> tuple[Part, ...]:
    """Read runs with all their findings.

    Raises:
        RunError: one is not there, not a run, or its verdicts are truncated.
        MergeError: its findings are truncated.
    """
    return tuple(Part(run, tuple(_findings(run))) for run in map(read_run, paths))


def _findings(run: PastRun) -> Iterator[Mapping[str, Any]]:
    file = run.folder / FINDINGS
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MergeError(f"{file}: cannot be read ({error}): merging needs the whole folder of a run") from error
    said = run.data["footer"].get("findings")
    if said != len(lines):
        raise MergeError(f"{file}: truncated: it holds {len(lines)} findings, and {run.path} counts {said}")
    for number, line in enumerate(lines, 1):
        try:
            yield Finding.from_json(json.loads(line)).to_json()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MergeError(f"{file}:{number}: no finding: {error}") from error


def belong_together(parts: Sequence[Part], catalogues: Mapping[str, Catalogue]) -> Whole:
    """Hold the parts against each other. `catalogues`: the clauses of each system there is.

    Raises:
        MergeError: other targets, seeds, versions or clauses; shards that overlap, are missing, or were cut differently.
    """
    groups: dict[frozenset[str], list[Part]] = {}
    for part in parts:
        _refuse_foreign(part, catalogues)
        groups.setdefault(part.systems, []).append(part)
    seen: dict[str, Part] = {}
    for systems, group in groups.items():
        for system in systems:
            if system in seen:
                raise MergeError(f"{group[0].run.folder} and {seen[system].run.folder} overlap: both judged {system}")
            seen[system] = group[0]
        _refuse_incomplete(group)
    first = parts[0]
    for part in parts[1:]:
        for name in ("seed", "strict", "embedded"):
            _refuse_other(first, part, name)
        if _waivers(part) != _waivers(first):
            raise MergeError(f"{part.run.folder} was run with other waivers than {first.run.folder}: use the same file")
    catalogue = Catalogue()
    for system in seen:
        catalogue |= catalogues[system]
    order = sorted(parts, key=lambda part: (sorted(part.systems), part.run.data.get("shard", {}).get("index", 0)))
    return Whole(tuple(order), catalogue)


def _refuse_foreign(part: Part, catalogues: Mapping[str, Catalogue]) -> None:
    data, folder = part.run.data, part.run.folder
    if data["ringtrue"] != __version__ or "tests" not in data:
        raise MergeError(
            f"{folder} was made by Ringtrue {data['ringtrue']}, and this is {__version__}: use the same version for all"
        )
    for system in data["systems"]:
        if system not in catalogues:
            raise MergeError(f"{folder} judged {system!r}, which is unknown here: give --specs as for the run")
        here = {clause.id: clause.level.value for clause in catalogues[system]}
        there = {item["id"]: item["level"] for item in data["clauses"] if item["system"] == system}
        if here != there:
            raise MergeError(
                f"{folder} was judged by other clauses of {system} than those here: use the same specs for all"
            )


def _refuse_incomplete(group: list[Part]) -> None:
    shards = [part.run.data.get("shard") for part in group]
    first = group[0]
    for part, shard in zip(group, shards, strict=True):
        if shard is None and len(group) > 1:
            beside = next(one for one in group if one is not part)
            raise MergeError(
                f"{part.run.folder} is no shard: it judged all of {', '.join(sorted(part.systems))} by itself, "
                f"as did {beside.run.folder} or the run that it is a part of: merge one or the other"
            )
    if shards[0] is None:
        return
    places: dict[int, Part] = {}
    tests: dict[str, Part] = {}
    for part in group:
        for name in ("systems", "capabilities"):
            if name != "systems" or not part.run.data["embedded"]:  # its ports differ from run to run
                _refuse_other(first, part, name)
        own, base = part.run.data["shard"], first.run.data["shard"]
        if own["of"] != base["of"]:
            raise MergeError(f"{part.run.folder} is one of {own['of']} shards, {first.run.folder} one of {base['of']}")
        if own["index"] in places:
            other = places[own["index"]].run.folder
            raise MergeError(f"{part.run.folder} and {other} overlap: both are shard {own['index']}/{own['of']}")
        places[own["index"]] = part
        if (own["digest"], own["tests"]) != (base["digest"], base["tests"]):
            raise MergeError(
                f"{part.run.folder} was cut from other tests than {first.run.folder}, or differently: "
                "give all shards the same -k, --durations and target"
            )
        for test in part.run.data["tests"]:
            if test["id"] in tests:
                raise MergeError(f"{part.run.folder} and {tests[test['id']].run.folder} overlap: both ran {test['id']}")
            tests[test["id"]] = part
    of = first.run.data["shard"]["of"]
    if missing := [str(index) for index in range(1, of + 1) if index not in places]:
        raise MergeError(
            f"of {of} shards {', '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing: merge all"
        )


def _refuse_other(first: Part, part: Part, name: str) -> None:
    if first.run.data[name] != part.run.data[name]:
        raise MergeError(
            f"{part.run.folder} has {_SAME[name]} than {first.run.folder}: "
            f"{_shown(part.run.data[name])}, not {_shown(first.run.data[name])}"
        )


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "/".join(map(str, value)) or "nothing"
    return str(value)


def _waivers(part: Part) -> frozenset[Waiver]:
    fields = ("clause", "fingerprint", "reason", "owner", "until")
    return frozenset(Waiver.from_json({name: item[name] for name in fields}) for item in part.run.data["waivers"])


def judge_whole(whole: Whole, *, floor: float | None = None, known: frozenset[str] | None = None) -> RunVerdict:
    """The verdict of one run over all that its parts found."""
    datas = [part.run.data for part in whole.parts]
    capabilities = {system: frozenset(declared) for data in datas for system, declared in data["capabilities"].items()}
    first = whole.first
    waivers = sorted(_waivers(whole.parts[0]), key=lambda waiver: waiver.key)
    scope = Scope(
        capabilities,
        strict=first["strict"],
        complete=all(data.get("shard", data)["complete"] for data in datas),
        floor=first["coverage"]["floor"] if floor is None else floor,
        waivers=tuple(waivers),
        today=today(),
        known=known,
    )
    findings = [Finding.from_json(item) for part in whole.parts for item in part.findings]
    reasons = [Reason(data["unseen"]) for data in datas if data.get("unseen", Reason.NO_EVIDENCE) != Reason.NO_EVIDENCE]
    stopped = list(dict.fromkeys(data["stopped"] for data in datas if data.get("stopped")))
    return judge(
        whole.catalogue,
        findings,
        scope,
        problems=list(_problems(whole.parts)),
        unseen=reasons[0] if reasons else Reason.NO_EVIDENCE,
        stopped="; ".join(stopped),
    )


def _problems(parts: Iterable[Part]) -> Iterator[str]:
    """Why the whole is not the whole: what stood in the way of a part, and tests that no part has."""
    groups: dict[frozenset[str], list[Part]] = {}
    for part in parts:
        groups.setdefault(part.systems, []).append(part)
        data = part.run.data
        if data["exit_code"] == 130:
            yield f"{part.name} was interrupted"
        yield from (f"{part.name}: {problem}" for problem in data["problems"])
    for group in groups.values():
        shard = group[0].run.data.get("shard")
        ran = sum(len(part.run.data["tests"]) for part in group)
        if shard and ran != shard["tests"]:
            yield f"{shard['tests'] - ran} of {shard['tests']} tests ran in no shard"
