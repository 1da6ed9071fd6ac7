"""What a run may dial: numbers and addresses that the target file allows, and the run's own agents; nothing else.

Every request of a scenario and every answer to a callback passes here before it leaves. Which members cause a call is said
by the `x-value` marks of the specs. What is refused ends the scenario as inconclusive, with the line that would allow it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.drivers.recorder import Answer
from harness.drivers.recorder.answers import MISSING
from harness.drivers.sipp.process import SippError, local_host, split_address
from harness.spec import Operation, Spec
from harness.suites.contract.links import DIALLING, Links, path_parameters
from harness.suites.inconclusive import InconclusiveError
from harness.target import Target
from harness.verdicts import Reason

NEW_EXTENSION = "new-extension"
# Members of an answer to a callback that have a platform call somebody.
_ANSWER_MEMBERS = frozenset({"destAddr", "monitorDestAddr"})
_URI = re.compile(r"(?:sips?|tel):(?:(?P<user>[^@;?]*)@)?(?P<host>\[[^\]]+\]|[^:;?@]+)", re.IGNORECASE)
# Names and networks that lead to nobody (RFC 6761, RFC 5737).
_NOBODY = re.compile(
    r"(?:.*\.)?(?:invalid|example|test|localhost)|(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+", re.IGNORECASE
)


class DialError(InconclusiveError):
    """Something would be dialled that the target file does not allow."""

    def __init__(self, text: str) -> None:
        super().__init__(
            Reason.PRECONDITION,
            f"the target file does not allow to dial {text!r}, so it is not done: "
            f'where it is right, add it to [dial]: allow = ["{text}"]',
        )


class DialRules:
    """What one target allows. `own`: extensions that this run has made."""

    def __init__(self, target: Target) -> None:
        self._patterns = [_pattern(text) for text in target.dial.allow]
        self._numbers: set[str] = set()
        self._addresses: set[str] = set()
        self._hosts: set[str] = set()
        self.own: set[str] = set()
        for system in target.systems.values():
            if system.pstn is not None:
                self._numbers |= {_digits(number) for number in system.pstn.numbers}
                self._hosts.add(split_address(system.pstn.listen)[0])
            for user in system.users:
                self._addresses.add(user.aor)
                self._numbers |= {_digits(value) for value in (user.number, user.id) if value}
            if system.sip is not None:
                with suppress(SippError):  # no way there: then no agent of ours is called from there either
                    self._hosts.add(local_host(system.sip.address))

    def check(self, mark: str, value: object) -> None:
        """Raises DialError unless this may be dialled. `mark`: the kind of member it stands in."""
        text = str(value)
        if mark == "extension" and text in self.own:
            return
        if not self.allows(text):
            raise DialError(text)

    def allows(self, text: str) -> bool:
        """Whether this number or address may be dialled."""
        if any(pattern.fullmatch(text) for pattern in self._patterns):
            return True
        uri = _URI.match(text)
        if uri is None or text.lower().startswith("tel:"):
            digits = _digits(text)
            return len(digits) < 3 or digits in self._numbers or text in self._addresses
        address = text.partition(":")[2].partition(";")[0]
        return address in self._addresses or self._is_ours(uri["host"].strip("[]"))

    def _is_ours(self, host: str) -> bool:
        """Whether a host is this machine, where nobody but the run's agents is called, or nobody at all."""
        if host in self._hosts or _NOBODY.fullmatch(host):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


class DialGuard:
    """Looks at what one scenario sends to one system."""

    def __init__(self, spec: Spec, rules: DialRules) -> None:
        self._rules = rules
        self._links = Links(spec)
        watched = {*DIALLING, NEW_EXTENSION}
        self._operations = [one for one in spec.operations if self._links.carries(one, watched)]

    def request(self, method: str, url: str, body: bytes) -> None:
        """Look at a request before it leaves.

        Raises:
            DialError: it would dial what is not allowed.
        """
        for operation in self._operations:
            if operation.method == method.upper() and _is_at(operation, url):
                for mark, value in self._links.marked(operation, _read(body)):
                    if mark == NEW_EXTENSION:
                        self._rules.own.add(str(value))
                    elif mark in DIALLING:
                        self._rules.check(mark, value)

    def answer(self, answer: Answer) -> None:
        """Look at an answer to a callback before it is given.

        Raises:
            DialError: it would dial what is not allowed.
        """
        for value in (answer.json, answer.template, _read(answer.body)):
            if value is not MISSING:
                for found in _destinations(value):
                    self._rules.check("dial-uri", found)


def _is_at(operation: Operation, url: str) -> bool:
    return urlsplit(url).path.endswith(operation.path) or bool(path_parameters(operation, url))


def _read(body: bytes | str) -> Any:
    """The value of a body: JSON, or else a form."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        return json.loads(text)
    except ValueError:
        return dict(parse_qsl(text))


def _destinations(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Whom an answer would call: `inside` a member for destinations every address counts, whatever it is called."""
    if isinstance(value, str):
        if inside and not value.startswith("$."):
            yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            named = name in _ANSWER_MEMBERS
            plain = inside and isinstance(item, str) and not named and _URI.match(item) is None
            if not plain:
                yield from _destinations(item, inside=inside or named)
    elif isinstance(value, Iterable):
        for item in value:
            yield from _destinations(item, inside=inside)


def _digits(text: str) -> str:
    """A number without its spelling: `+44 123`, `0044123` and `tel:44123` are one."""
    return re.sub(r"^00", "", re.sub(r"\D", "", text))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))))
