"""A SIPp script as far as the runner must understand it: who begins, what it waits for, which URI it authenticates.

Reads the XML file; runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import harness

# Elements that count as steps when SIPp names a message by its index.
_STEPS = {"send", "recv", "pause", "timewait", "nop", "sendCmd", "recvCmd"}
_HANGUP = re.compile(r'(<recv\b[^>]*\btimeout=")\d+("[^>]*\bontimeout="hangup")')
_REFUSAL = re.compile(r"(SIP/2\.0 )(?!487 )[3-6]\d\d [^\r\n]*")
_SDP = re.compile(r"^ *v=0\r?\n(?: *[a-z]=[^\n]*\n)*", re.MULTILINE)
_REQUEST = re.compile(r"^\s*([A-Z]+)\s+sip:(\S+)\s+SIP/2\.0", re.MULTILINE)


class ScriptError(Exception):
    """The script is not there, is not XML, or does not take a variable that was given."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script file, and what of it the runner needs. `steps` are SIPp's messages in the order of its indexes."""

    path: Path
    text: str
    steps: tuple[ElementTree.Element, ...]

    @classmethod
    def load(cls, name: str | Path) -> Script:
        """A script by its path, or by the name of a file in `features/sipp/`; raises ScriptError."""
        path = Path(name)
        if not path.is_absolute() and not path.exists():
            path = scripts_folder() / path
        try:
            text = path.read_text(encoding="utf-8")
            root = ElementTree.fromstring(text.encode())
        except (OSError, UnicodeDecodeError, ElementTree.ParseError) as error:
            raise ScriptError(f"SIPp script {name}: {error}") from error
        return cls(path, text, tuple(element for element in root if element.tag in _STEPS))

    @property
    def waits_first(self) -> bool:
        """Whether the script begins by waiting for the far side (a UAS)."""
        return bool(self.steps) and self.steps[0].tag == "recv"

    @property
    def first_request(self) -> str | None:
        """The method for which a script that waits waits first; None for one that begins itself."""
        return self.steps[0].get("request") if self.waits_first else None

    @property
    def makes_dialogs(self) -> bool:
        return "INVITE" in self.text

    def expected(self, index: int) -> str:
        """What SIPp waited for at a step, in words: `100, 180 or 200`."""
        wanted: list[str] = []
        for step in self.steps[index:]:
            if step.tag != "recv":
                break
            wanted.append(step.get("response") or step.get("request") or "?")
            if step.get("optional") not in ("true", "global"):
                break
        if len(wanted) > 6:
            wanted = [*wanted[:3], "...", wanted[-1]]
        return " or ".join(part for part in (", ".join(wanted[:-1]), wanted[-1]) if part) if wanted else "?"

    def auth_uri(self, variables: Mapping[str, str]) -> str | None:
        """The request-URI (without scheme) of the script's first request; None when it cannot be told beforehand.

        SIPp would put its own idea of the remote address into the digest, where RFC 3261 22.4 asks for the request-URI.
        """
        found = _REQUEST.search(self.text)
        if found is None:
            return None
        uri = re.sub(r"\[(\w+)\]", lambda key: variables.get(key[1], key[0]), found[2])
        return None if "[" in uri else uri

    def with_hold(self, milliseconds: int) -> Script:
        """The script hanging up after another time: the timeout of the step whose `ontimeout` is `hangup`."""
        text, count = _HANGUP.subn(rf"\g<1>{milliseconds}\g<2>", self.text)
        if not count:
            raise ScriptError(f"SIPp script {self.path.name} has no step that hangs up after a time")
        return replace(self, text=text)

    def with_refusal(self, status: str) -> Script:
        """The script refusing with another status, such as `404 Not Found`; SIPp takes none from a variable."""
        if not re.fullmatch(r"[3-6]\d\d [ -~]+", status):
            raise ScriptError(f"{status!r} refuses nothing: a code from 300 to 699 and a phrase are needed")
        text, count = _REFUSAL.subn(lambda found: found[1] + status, self.text)
        if not count:
            raise ScriptError(f"SIPp script {self.path.name} refuses nothing")
        return replace(self, text=text)

    def with_body(self, body: str) -> Script:
        """The script with another body in place of each SDP."""
        lines = "\n".join(f"      {line}" for line in body.splitlines())
        text, count = _SDP.subn(lambda _: lines + "\n", self.text)
        if not count:
            raise ScriptError(f"SIPp script {self.path.name} sends no SDP")
        return replace(self, text=text)


def scripts_folder() -> Path:
    """Where the scripts lie: in the installed package, or in the source tree."""
    package = Path(harness.__file__).parent
    installed = package / "data" / "features" / "sipp"
    return installed if installed.is_dir() else package.parent / "features" / "sipp"
