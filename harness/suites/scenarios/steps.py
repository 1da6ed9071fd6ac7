"""The step vocabulary: which steps feature files may use, and whether somebody's features keep to it.

`ringtrue steps` lists it; a run with features of the user checks them here before anything is started or dialled.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.parser import Feature, FeatureParser, ScenarioTemplate, Step
from pytest_bdd.parsers import StepParser
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

from harness.contract import Contract
from harness.suites.scenarios.features import STEPS, FeatureError, read_tags
from harness.suites.scenarios.vocabulary import StepPattern

FORMAT = 1
_KINDS = ("given", "when", "then")
# An innermost group of a regular expression; one that is readable already has brackets and bars of another kind.
_GROUP = re.compile(r"\((?:\?P<(?P<name>\w+)>|\?:)?(?P<inside>[^()]*)\)(?P<maybe>\??)")
_DONE = str.maketrans("«»¦", "()|")


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step as it is written. `table`, `docstring`: what may follow it; a Then step with `clause` decides one."""

    system: str
    kind: str
    text: str
    table: bool
    docstring: bool
    clause: bool
    about: str


def all_steps() -> list[StepWords]:
    """Every step, by system and kind, in the order of the modules."""
    found = [_words(system, context) for system, context in _contexts()]
    systems = list(dict.fromkeys(step.system for step in found))
    return sorted(found, key=lambda step: (systems.index(step.system), _KINDS.index(step.kind), step.text.lower()))


def as_text(steps: Sequence[StepWords]) -> str:
    """A line for each step, grouped by system."""
    lines: list[str] = []
    for system in dict.fromkeys(step.system for step in steps):
        lines += ["", system] if lines else [system]
        for step in steps:
            if step.system == system:
                after = "  + table" * step.table + "  + text" * step.docstring
                lines.append(f"  {step.kind.capitalize():5} {step.text}{after}")
    lines += [
        "",
        "{words} in braces are free, (a|b) is a choice, and what stands before ? may be left out; [CLAUSE] is the id of the",
        "clause that the step decides (`ringtrue clauses`).",
    ]
    return "\n".join(lines)


def as_json(steps: Sequence[StepWords]) -> str:
    return json.dumps({"format": FORMAT, "steps": [asdict(step) for step in steps]}, ensure_ascii=False, indent=1)


def check_features(folders: Iterable[Path], contracts: Mapping[str, Contract]) -> None:
    """Make sure that the features of a user's folders can run: a folder for each system, known tags and known steps.

    Raises:
        FeatureError: what is wrong, with file and line.
    """
    for folder in folders:
        if not folder.is_dir():
            raise FeatureError(f"{folder}: no such folder: --features names one that has a folder for each system")
        paths = sorted(folder.glob("**/*.feature"))
        if not paths:
            raise FeatureError(f"{folder}: no feature file there: they stand in {folder}/<system>/*.feature")
        for path in paths:
            system = path.relative_to(folder).parts[0]
            if system not in contracts:
                raise FeatureError(
                    f"{path}: stands in no folder of a system: expected {folder}/<system>/{path.name}, "
                    f"with one of {', '.join(contracts)}"
                )
            _check(_parse(path), contracts[system])


def _parse(path: Path) -> Feature:
    try:
        return FeatureParser(str(path.parent), path.name).parse()
    except GherkinParseError as error:
        raise FeatureError(f"{path}:{error.line}: no Gherkin: {' '.join(str(error.message).split())}") from error
    except OSError as error:
        raise FeatureError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FeatureError(f"{path}: not UTF-8 text") from error


def _check(feature: Feature, contract: Contract) -> None:
    parsers: dict[str, list[StepParser]] = {kind: [] for kind in _KINDS}
    for system, context in _contexts():
        if system == contract.system and context.type is not None:
            parsers[context.type].append(context.parser)
    if not feature.scenarios:
        raise FeatureError(f"{feature.filename}: has no scenario")
    for template in feature.scenarios.values():
        read_tags(template, contract)
        for step in _rendered(template):
            if not any(parser.is_matching(step.name) for parser in parsers[step.type]):
                raise FeatureError(
                    f"{feature.filename}:{step.line_number}: unknown step of {contract.system}: "
                    f"{step.type.capitalize()} {step.name!r}{_hint(step, contract.system)}"
                )


def _rendered(template: ScenarioTemplate) -> Iterator[Step]:
    """The steps of a scenario, for each row of its examples."""
    rows = [row for examples in template.examples for row in examples.as_contexts()]
    for row in rows or [{}]:
        yield from template.render(row).steps


def _hint(step: Step, system: str) -> str:
    words = {one.text: one for one in all_steps() if one.system == system}
    near = difflib.get_close_matches(step.name, words, n=1, cutoff=0.5)
    if not near:
        return f". `ringtrue steps --system {system}` lists them"
    return (
        f". Did you mean {words[near[0]].kind.capitalize()} {near[0]!r}? `ringtrue steps --system {system}` lists all"
    )


def _contexts() -> Iterator[tuple[str, StepFunctionContext]]:
    """Every step function that the suites register, with its system, in the order of the code."""
    for system, package in STEPS.items():
        modules = [package.__name__, *(f"{package.__name__}.{module}" for module in package.STEPS)]
        for module in modules:
            importlib.import_module(module)
        found = [one for one in step_function_context_registry.values() if one.step_func.__module__ in modules]
        for context in sorted(found, key=lambda one: (modules.index(one.step_func.__module__), _line(one))):
            yield system, context


def _line(context: StepFunctionContext) -> int:
    function: Any = inspect.unwrap(context.step_func)
    return int(function.__code__.co_firstlineno)


def readable(pattern: str) -> str:
    """A regular expression of a step as people write it: choices stay, and what else may vary is a name in braces."""
    text = re.sub(r"\\s\*\\\[\(\?P<clause>.*\)\\\]$", " [CLAUSE]", pattern)
    while group := _GROUP.search(text):
        text = text[: group.start()] + _shown(**group.groupdict()) + text[group.end() :]
    return text.translate(_DONE)


def _shown(name: str | None, inside: str, maybe: str) -> str:
    if letters := re.fullmatch(r"\[([A-Za-z]{1,4})\]", inside):
        inside = "|".join(letters[1])
    if name and not re.fullmatch(r"[\w ,'|?«»¦-]*", inside):
        return f"{{{name}}}{maybe}"
    ways = inside.split("|")
    there = [way for way in ways if way]
    if len(there) == len(ways) == 1 and not maybe:
        return inside
    return f"«{'¦'.join(there)}»{'?' if maybe or there != ways else ''}"


def _words(system: str, context: StepFunctionContext) -> StepWords:
    parser = context.parser
    names = inspect.signature(context.step_func).parameters
    return StepWords(
        system=system,
        kind=context.type or "given",
        text=parser.words if isinstance(parser, StepPattern) else readable(parser.name),
        table="datatable" in names,
        docstring="docstring" in names,
        clause="clause" in names,
        about=(inspect.getdoc(context.step_func) or "").partition("\n")[0],
    )
