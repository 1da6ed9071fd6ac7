"""Writes the target file of a running platform: nested tables of strings, numbers, booleans, lists and tables, as TOML.

Called once by the server. It writes only what the platform prints in its ready line.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.reference.settings import UsageError

_HEADING = "# Written by the reference platform when it started; it holds for as long as that process runs.\n"


def dump_toml(tables: Mapping[str, object]) -> str:
    """TOML text of nested string-keyed mappings. Raises TypeError for a value that has no form here."""
    return "\n".join(_lines(tables, ())) + "\n"


def write_target_file(path: str, tables: Mapping[str, object]) -> None:
    """Replace the file at once, readable by its owner only, since it holds secrets. Raises UsageError."""
    place = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_HEADING + dump_toml(tables))
        Path(name).replace(place)
    except OSError as error:
        raise UsageError(f"cannot write the target file {path}: {error.strerror}") from error


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if path and values:
        yield ""
        yield f"[{'.'.join(path)}]"
    for key, value in values.items():
        yield f"{key} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, key))


def _value(value: object) -> str:
    match value:
        case bool() | int() | float() | str():
            # A JSON string with its escapes is a TOML basic string, but for DEL, which no table here holds.
            return json.dumps(value)
        case list() | tuple():
            return "[" + ", ".join(_value(item) for item in value) + "]"
        case Mapping():
            return "{" + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + "}"
        case _:
            raise TypeError(f"no TOML form for {type(value).__name__}")
