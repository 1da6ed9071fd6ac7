"""Reads an external script: the XML that tells the platform what to do with a call.

Called for calls and for the script test. Pure. The documents name the script reference without printing it; the verbs here
are those that the vendor's public pages show, and any other element is left out and named.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

_MAX_VERBS = 200
_MAX_WAIT = 600.0


class ScriptError(Exception):
    """The text is not a script; the words say why."""


@dataclass(frozen=True)
class Verb:
    """One instruction: `answer`, `speak`, `playback`, `wait` or `hangup`. `text` is what to say, play, or the seconds."""

    name: str
    text: str = ""


@dataclass(frozen=True)
class CallScript:
    """The instructions in order, and the names of the elements that were left out."""

    verbs: tuple[Verb, ...]
    ignored: tuple[str, ...]


def parse_script(body: bytes) -> CallScript:
    """Read `<document><work>…</work></document>`, or any root that holds the instructions. Raises ScriptError."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ScriptError("document type declarations are not accepted")
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ScriptError(f"not well-formed XML: {error}") from error
    work = root.find("work")
    verbs: list[Verb] = []
    ignored: list[str] = []
    for element in root if work is None else work:
        verb = _verb(element)
        if verb is None:
            ignored.append(str(element.tag))
        else:
            verbs.append(verb)
    if len(verbs) > _MAX_VERBS:
        raise ScriptError(f"more than {_MAX_VERBS} instructions")
    return CallScript(tuple(verbs), tuple(ignored))


def wait_seconds(verb: Verb) -> float:
    """How long a `wait` waits: its text in seconds, 1 when it is no number, at most 600."""
    try:
        seconds = float(verb.text or "1")
    except ValueError:
        return 1.0
    return min(seconds, _MAX_WAIT) if seconds >= 0 else 0.0


def _verb(element: ElementTree.Element) -> Verb | None:
    text = "".join(element.itertext()).strip()
    match element.tag:
        case "answer" | "hangup":
            return Verb(element.tag)
        case "speak" | "wait":
            return Verb(element.tag, text)
        case "playback":
            return Verb("playback", (element.get("file") or text).strip())
    return None
