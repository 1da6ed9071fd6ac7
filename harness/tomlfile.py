"""Reads TOML files that users write, so that every complaint about them can name file, line and key.

Used for target files and waivers. It knows TOML and pydantic's complaints, and nothing of what the files mean.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.redact import Redactor

Steps = tuple[str, ...]
_HEADER = re.compile(r"\s*(\[\[?)([^\[\]=]+)\]\]?\s*(#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-\"'.]+(?:\s*\.\s*[A-Za-z0-9_\-\"']+)*)\s*=")


def read_toml(path: Path, kind: type[Exception], missing: str) -> tuple[dict[str, Any], list[str]]:
    """The tables of a file, and its lines. `missing`: what to do where there is none.

    Raises:
        kind: no such file, not UTF-8, or not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise kind(f"{path}: cannot be read: {error.strerror}. {missing}") from error
    except UnicodeDecodeError as error:
        raise kind(f"{path}: not UTF-8 text") from error
    try:
        return tomllib.loads(text), text.splitlines()
    except tomllib.TOMLDecodeError as error:
        raise kind(f"{path}: not TOML: {error}") from error


@dataclass(frozen=True)
class Complaint:
    """Makes exceptions of one kind that point at a line. `hidden`: keys whose values are shown nowhere."""

    where: str
    lines: Sequence[str]
    kind: type[Exception]
    hidden: Collection[str] = ()

    def __call__(self, problem: str, expected: Sequence[str] = (), path: Steps = ()) -> Exception:
        message = f"{self.where}{self.line(path)}: {problem}"
        if expected:
            message += f": expected one of {', '.join(expected)}"
            wrong = re.search(r"['\[]([^'\]]+)['\]]", problem)
            if wrong and (near := self.near(wrong[1], expected)):
                message += f". Did you mean {near!r}?"
        return self.kind(message)

    def near(self, wrong: str, known: Collection[str]) -> str | None:
        """What the user may have meant."""
        return next(iter(difflib.get_close_matches(wrong, known, n=1)), None)

    def line(self, path: Steps) -> str:
        """`:n` for the line that comes nearest to a path of keys and positions; nothing where no line does."""
        best, found = 0, ""
        for number, here in _places(self.lines):
            if len(here) > best and here == path[: len(here)]:
                best, found = len(here), f":{number}"
        return found

    def explain(self, error: ValidationError, model: type[BaseModel], above: Steps) -> Exception:
        """The complaint about a table at `above` that is no `model`."""
        # A misspelt key is an unknown one and a missing one: the unknown one says more.
        first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        path = (*above, *map(str, first["loc"]))
        holder, key = f"[{'.'.join(path[:-1])}]", path[-1]
        nested = model
        for step in path[len(above) : -1]:
            annotation = nested.model_fields[step].annotation if step in nested.model_fields else None
            nested = next((item for item in _models(annotation)), nested)
        match first["type"]:
            case "extra_forbidden":
                return self(f"unknown key '{key}' in {holder}", sorted(nested.model_fields), path)
            case "missing":
                return self(f"{holder} lacks the key {key}", (), path)
            case _:
                message = first["msg"].removeprefix("Value error, ")
                shown = self._shown(path, first["input"]) if first["loc"] else ""
                return self(f"{'.'.join(path)}: {message[0].lower()}{message[1:]}{shown}", (), path)

    def _shown(self, path: Steps, value: object) -> str:
        """What stands in the file, unless it is, or may hold, a secret."""
        if any(step in self.hidden for step in path):
            return ""
        if isinstance(value, Mapping):
            return ", got a table"
        if isinstance(value, list | tuple):
            return ", got a list"
        return f", got {Redactor().text(repr(value))}"


def _places(lines: Iterable[str]) -> Iterator[tuple[int, Steps]]:
    """What each line of a TOML file is about, as far as its first key tells: number from 1, keys and positions."""
    table: Steps = ()
    counts: dict[Steps, int] = {}
    for number, text in enumerate(lines, 1):
        if header := _HEADER.fullmatch(text):
            table = _within(_keys(header[2]), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            yield number, table
        elif key := _KEY.match(text):
            yield number, (*table, *_keys(key[1]))


def _keys(dotted: str) -> Steps:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _within(keys: Steps, counts: Mapping[Steps, int]) -> Steps:
    """A table's keys with the position of each array of tables that it lies in."""
    *parents, last = keys
    path: Steps = ()
    for part in parents:
        path = (*path, part)
        if path in counts:
            path = (*path, str(counts[path]))
    return (*path, last)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    for item in candidates:
        if isinstance(item, type) and issubclass(item, BaseModel):
            yield item


def quoted(text: str) -> str:
    """A TOML basic string: JSON's, and DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
