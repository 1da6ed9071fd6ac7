"""Brings the files of merged runs together: tests, timelines and Allure results as of one run, the rest below `shards/`."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.gate.merge import FINDINGS, MergeError, Part
from harness.report.results import VERDICTS

JUNIT = "junit.xml"
SHARDS = "shards"
_JOINED = ("allure-results", "timelines", FINDINGS)
# Written anew for the whole.
_ALLURE_OWN = ("environment.properties", "categories.json", "executor.json")
_COUNTS = ("tests", "failures", "errors", "skipped")


def prepare(folder: Path, parts: Sequence[Part]) -> None:
    """Make the folder of the merged run.

    Raises:
        MergeError: it has something in it, or cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise MergeError(f"{folder}: is there already and not empty: name another folder with -o")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MergeError(f"{folder}: cannot be written: {error.strerror}") from error
    for part in parts:
        if folder.resolve().is_relative_to(part.run.folder.resolve()):
            raise MergeError(f"{folder}: lies within {part.run.folder}, which is to be merged")


def join(folder: Path, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Copy what the parts left; gives them back with findings that lead to the copied timelines.

    Raises:
        MergeError: a part has no JUnit file, or one that is none; or a file cannot be read or written.
    """
    try:
        moved = tuple(_move(folder, part) for part in parts)
        with (folder / FINDINGS).open("w", encoding="utf-8", errors="backslashreplace") as file:
            for part in moved:
                file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in part.findings)
        _join_junit(folder / JUNIT, parts)
    except (OSError, shutil.Error) as error:
        raise MergeError(f"{folder}: {error}") from error
    return moved


def _move(folder: Path, part: Part) -> Part:
    names: dict[str, str] = {}
    (folder / "timelines").mkdir(exist_ok=True)
    for source in sorted((part.run.folder / "timelines").glob("*.jsonl")):
        name = source.name
        if (folder / "timelines" / name).exists():  # each part has knocked at the target
            name = f"{source.stem}-{part.name}{source.suffix}"
        names[f"timelines/{source.name}"] = f"timelines/{name}"
        shutil.copyfile(source, folder / "timelines" / name)
    results = part.run.folder / "allure-results"
    if results.is_dir():
        (folder / "allure-results").mkdir(exist_ok=True)
        for source in sorted(results.iterdir()):
            if source.name not in _ALLURE_OWN and source.is_file() and not source.is_symlink():
                shutil.copyfile(source, folder / "allure-results" / source.name)
    shutil.copytree(part.run.folder, folder / SHARDS / part.name, symlinks=True, ignore=_ignore(part.run.folder))
    return replace(part, findings=tuple(_led(item, names) for item in part.findings))


def _ignore(top: Path) -> Any:
    def ignored(where: str, names: list[str]) -> list[str]:
        return [name for name in names if name in (*_JOINED, "allure-report")] if Path(where) == top else []

    return ignored


def _led(item: Any, names: dict[str, str]) -> Any:
    return {**item, "timeline": names.get(item["timeline"], item["timeline"])} if "timeline" in item else item


def _join_junit(target: Path, parts: Sequence[Part]) -> None:
    suite = ET.Element("testsuite", name="ringtrue")
    counts = dict.fromkeys(_COUNTS, 0)
    seconds = 0.0
    for part in parts:
        for one in _suites(part):
            for name in _COUNTS:
                counts[name] += int(one.get(name, "0"))
            seconds += float(one.get("time", "0"))
            suite.extend(one.findall("testcase"))
            suite.set("timestamp", min(suite.get("timestamp", "~"), one.get("timestamp", "~")))
    for name, count in counts.items():
        suite.set(name, str(count))
    suite.set("time", f"{seconds:.3f}")
    root = ET.Element("testsuites", name="ringtrue")
    root.append(suite)
    ET.ElementTree(root).write(target, encoding="utf-8", xml_declaration=True)


def _suites(part: Part) -> Iterator[ET.Element]:
    file = part.run.folder / JUNIT
    try:
        yield from ET.parse(file).getroot().iter("testsuite")
    except (OSError, ET.ParseError, ValueError) as error:
        raise MergeError(f"{file}: no JUnit file ({error}): merging needs the whole folder of {VERDICTS}") from error
