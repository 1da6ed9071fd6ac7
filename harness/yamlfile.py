"""Reads the project's YAML data files so that every complaint about them can name file and line.

Used by the loaders of specs, clauses and sequences. It knows YAML and nothing of what the files mean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Step = str | int


class DataError(Exception):
    """A data file says something it may not say. The message names file, line and key, and what was expected."""


@dataclass(frozen=True)
class YamlFile:
    """A parsed file: plain values in `data`, and the way back to line numbers."""

    path: Path
    data: Any
    _root: yaml.Node

    def line(self, *steps: Step) -> int:
        """The line (from 1) of the value at `steps`, or of its nearest ancestor that exists."""
        node = self._root
        line = node.start_mark.line
        for step in steps:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line + 1

    def error(self, message: str, *steps: Step) -> DataError:
        """A DataError about the value at `steps`."""
        where = ".".join(str(step) for step in steps)
        return DataError(f"{self.path}:{self.line(*steps)}: {where + ': ' if where else ''}{message}")

    def only(self, value: Any, allowed: Collection[str], *steps: Step) -> Mapping[str, Any]:
        """`value`, which must be a mapping with no other keys than `allowed`."""
        for key in self.mapping(value, *steps, optional=False):
            if key not in allowed:
                expected = ", ".join(sorted(allowed))
                raise self.error(f"unknown key {key!r}: expected one of {expected}", *steps, key)
        return self.mapping(value)

    def mapping(self, value: Any, *steps: Step, optional: bool = True) -> Mapping[str, Any]:
        """`value`, which must be a mapping; nothing counts as an empty one where it is `optional`."""
        if value is None and optional:
            return {}
        if not isinstance(value, Mapping):
            raise self.error(f"expected a mapping, got {type(value).__name__}", *steps)
        return value

    def texts(self, value: Any, *steps: Step) -> tuple[str, ...]:
        """`value`, which must be a list of texts; nothing counts as an empty one."""
        for item in self.sequence(value, *steps):
            if not isinstance(item, str):
                raise self.error(f"expected a list of texts, got {item!r} in it", *steps)
        return tuple(value or ())

    def text(self, value: Any, *steps: Step) -> str | None:
        """`value`, which must be a text or nothing."""
        if not isinstance(value, str | None):
            raise self.error(f"expected a text, got {type(value).__name__}", *steps)
        return value

    def sequence(self, value: Any, *steps: Step) -> list[Any]:
        """`value`, which must be a list; nothing counts as an empty one."""
        if not isinstance(value, list | None):
            raise self.error(f"expected a list, got {type(value).__name__}", *steps)
        return value or []


def load(path: Path) -> YamlFile:
    """Parse a YAML file.

    Raises:
        DataError: no such file, not YAML, or a key that stands twice in one mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8: {error}") from error
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise DataError(f"{path}:1: the file is empty: expected a mapping")
        _refuse_duplicates(path, root, set())
        data = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise DataError(f"{path}:{line}: broken YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise DataError(f"{path}: broken YAML: {error}") from error
    finally:
        loader.dispose()
    return YamlFile(path, data, root)


def _child(node: yaml.Node, step: Step) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item.start_mark.line, item
    return None


def _refuse_duplicates(path: Path, node: yaml.Node, visited: set[int]) -> None:
    if id(node) in visited:
        return
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise DataError(f"{path}:{line}: key {key.value!r} stands already in line {seen[key.value]}")
                seen[key.value] = line
            _refuse_duplicates(path, value, visited)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(path, item, visited)
