"""`ringtrue init`: a commented target file with the user's own values in it, given as options or asked for on a terminal.

What is written is read again as a target file first, so that a wrong value is refused at once and never in a run.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from harness.contract import load_contracts
from harness.suites.plan import capabilities_of
from harness.target import TargetError, parse_target
from harness.target_template import TemplateError, template_for, write_new
from harness.tomlfile import quoted

_HEADER = re.compile(r"#?\s*\[([A-Za-z0-9_.]+)\]")
_EXAMPLE = "https://api.example"
_ORIGIN = re.compile(r"https?://[\w.:\[\]-]+", re.ASCII)
_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class InitOptions:
    """What `ringtrue init` was asked for; see its `--help`. `given`: values by dotted key, such as `recorder.listen`."""

    system: str
    output: Path | None
    given: Mapping[str, str | Sequence[str]]
    ask: bool = True


def init(options: InitOptions) -> int:
    """Write the file and say what to do next; exit code 0.

    Raises:
        TemplateError: an unknown system, a value that a target file may not have, or a file that is there already.
    """
    path = options.output or Path(f"{options.system}.toml")
    text = template_for(options.system, path)
    text = _explained(text, capabilities_of(load_contracts())[options.system])
    values = dict(options.given)
    if options.ask and not values and sys.stdin.isatty() and sys.stdout.isatty():
        values = _ask(options.system, text)
    text = _at_host_of(values.get(f"{options.system}.base_url"), text)
    for key, value in values.items():
        text = fill_in(text, key, value)
    _check(text, path)
    write_new(path, text)
    click.echo(f"{path} is written. Next:")
    needed = list(dict.fromkeys(_ENVIRONMENT.findall("\n".join(_live_lines(text)))))
    if needed:
        click.echo(f"  export {' '.join(f'{name}=…' for name in needed)}    # what is secret stays out of the file")
    if not options.given and not values:
        click.echo(f"  edit {path}: addresses, and the capabilities that the platform has")
    click.echo(f"  ringtrue doctor --target {path}    # says what is missing\n  ringtrue run --target {path}")
    return 0


def _explained(text: str, known: Mapping[str, str]) -> str:
    """The text with a line on each capability above those that are declared."""
    width = max(map(len, known))
    lines = "".join(f"#   {name:{width}}  {words}\n" for name, words in known.items())
    return text.replace("\ncapabilities = ", f"\n{lines}capabilities = ", 1)


def _at_host_of(base_url: str | Sequence[str] | None, text: str) -> str:
    """The text with its example addresses at the host of the base URL, where the token of an API is usually given too."""
    found = _ORIGIN.match(base_url) if isinstance(base_url, str) else None
    return text.replace(_EXAMPLE, found[0]) if found else text


def fill_in(text: str, key: str, value: str | Sequence[str]) -> str:
    """The text with a value at a dotted key (`apidaze.sip.address`), as TOML; its line and table stop being comments."""
    table, _, name = key.rpartition(".")
    shown = quoted(value) if isinstance(value, str) else f"[{', '.join(map(quoted, value))}]"
    lines = text.splitlines()
    start = next((place for place, line in enumerate(lines) if _table(line) == table), None)
    if start is None:
        return f"{text.rstrip()}\n\n[{table}]\n{name} = {shown}\n"
    lines[start] = f"[{table}]"
    end = next((place for place in range(start + 1, len(lines)) if _table(lines[place])), len(lines))
    there = [place for place in range(start + 1, end) if re.match(rf"(?:# ?)?{re.escape(name)}\s*=", lines[place])]
    if there:
        comment = re.search(r'(?<=["\]])\s+# .*$', lines[there[0]])
        lines[there[0]] = f"{name} = {shown}{comment[0] if comment else ''}"
    else:
        lines.insert(start + 1, f"{name} = {shown}")
    return "\n".join(lines) + "\n"


def _table(line: str) -> str | None:
    found = _HEADER.match(line)
    return found[1] if found else None


def _live_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if not line.startswith("#"))


def _check(text: str, path: Path) -> None:
    known = capabilities_of(load_contracts())
    try:
        parse_target(tomllib.loads(text), known, where=str(path), lines=text.splitlines(), environment=False)
    except TargetError as error:
        raise TemplateError(f"not written: {error}") from error


def _ask(system: str, text: str) -> dict[str, str | Sequence[str]]:
    """Ask for what no environment variable will hold: addresses, and what the platform can do. Enter takes the default."""
    click.echo(f"A target file for {system}. Enter takes what stands in brackets; secrets are not asked for.\n")
    table: Mapping[str, Any] = tomllib.loads(text)[system]
    values: dict[str, str | Sequence[str]] = {}
    for name, default in table.items():
        if isinstance(default, str) and not _ENVIRONMENT.search(default):
            default = _at_host_of(values.get(f"{system}.base_url"), default)
            values[f"{system}.{name}"] = click.prompt(name, default=default, value_proc=_one(system, text, name))
    known = capabilities_of(load_contracts())[system]
    click.echo("\nWhat can the platform do here? What is not named is not judged.")
    for name, words in known.items():
        click.echo(f"  {name:20} {words}")
    values[f"{system}.capabilities"] = click.prompt(
        "capabilities, by commas", default="", show_default=False, value_proc=_several(known)
    )
    if address := click.prompt("SIP address, host:port (empty: none)", default="", show_default=False):
        values[f"{system}.sip.address"] = address
    if (urlsplit(str(values[f"{system}.base_url"])).hostname or "") not in ("127.0.0.1", "localhost", "::1"):
        words = "URL at which the platform reaches this machine (empty: it does not)"
        if public := click.prompt(words, default="", show_default=False):
            values["recorder.public_url"] = public
    click.echo()
    return values


def _one(system: str, text: str, name: str) -> Any:
    def read(given: str) -> str:
        try:
            _check(fill_in(text, f"{system}.{name}", given), Path("this"))
        except TemplateError as error:
            raise click.BadParameter(str(error).partition(": ")[2]) from error
        return given

    return read


def _several(known: Mapping[str, str]) -> Any:
    def read(given: str) -> list[str]:
        names = [name for name in re.split(r"[,\s]+", given) if name]
        for name in names:
            if name not in known:
                raise click.BadParameter(f"{name!r} is none: expected some of {', '.join(known)}")
        return names

    return read
