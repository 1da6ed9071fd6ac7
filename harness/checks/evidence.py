"""Makes findings: the small vocabulary that every check uses to say what it saw about a clause.

Checks are pure: they read a timeline and give findings. These helpers keep them short and the words of their findings alike.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, NoReturn

from harness.timeline import Exchange
from harness.verdicts import Finding, Reason, Verdict

_LONGEST = 200
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LEFT_TO_CURL = frozenset({
    "host", "user-agent", "accept-encoding", "connection", "content-length", "accept", "x-schemathesis-testcaseid",
})  # fmt: skip


def passed(clause: str, subject: str = "", *, at: tuple[int, ...] = ()) -> Finding:
    return Finding(clause, Verdict.PASS, subject=subject, at=at)


def failed(
    clause: str,
    message: str,
    *,
    expected: object = "",
    seen: object = "",
    subject: str = "",
    at: tuple[int, ...] = (),
    reproduce: str = "",
) -> Finding:
    """`message` says what is wrong without ids and figures; those go into `expected` and `seen`."""
    return Finding(clause, Verdict.FAIL, message, subject, shorten(expected), shorten(seen), at=at, reproduce=reproduce)


def inconclusive(clause: str, reason: Reason, message: str, *, subject: str = "", at: tuple[int, ...] = ()) -> Finding:
    return Finding(clause, Verdict.INCONC, message, subject, reason=reason, at=at)


def shorten(value: object, longest: int = _LONGEST) -> str:
    """A value as people read it, cut where it grows long; what would steer a terminal, or is no text, is spelt out."""
    if isinstance(value, str):
        text = value
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (RecursionError, ValueError):
            text = f"a deeply nested {type(value).__name__}"
    return _NO_TEXT.sub(_spelt_out, _cut(text, longest))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def _spelt_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def curl(exchange: Exchange) -> str:
    """A command line that sends the same request; credentials are left to the reader (`$CREDENTIALS`)."""
    request = exchange.request
    parts = ["curl", "-i", *(["--head"] if request.method == "HEAD" else ["-X", shlex.quote(request.method)])]
    if re.search(r"[\[\]{}]", request.url.partition("://")[2]):
        parts.append("-g")
    for name, value in request.headers:
        match name.lower():
            case name if name in _LEFT_TO_CURL:
                continue
            case "authorization":
                scheme, space, _ = value.partition(" ")
                shown = f"{scheme} " if space and re.fullmatch(r"[A-Za-z0-9-]+", scheme) else ""
                parts += ["-H", f'"Authorization: {shown}$CREDENTIALS"']
            case _:
                parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body:
        if request.header("content-type") is None:
            parts += ["-H", "Content-Type:"]
        parts += ["--data-raw", shlex.quote(_cut(request.body.decode("utf-8", "replace"), 2000))]
    return " ".join([*parts, shlex.quote(request.url)])


def seen_answer(exchange: Exchange) -> str:
    """An answer in one line, for the `seen` of a finding."""
    if exchange.response is None:
        return exchange.failure or "no answer"
    body = exchange.response.body.decode("utf-8", "replace").strip()
    status = f"{exchange.response.status} {exchange.response.reason}".strip()
    return shorten(f"{status}, {body}" if body else status)


def json_body(exchange: Exchange) -> Any:
    """The parsed JSON body of an answer; None where there is none."""
    if exchange.response is None or not exchange.response.body:
        return None
    try:
        return parse_json(exchange.response.body)
    except ValueError:
        return None


def parse_json(body: bytes) -> Any:
    """A JSON value (RFC 8259). Raises ValueError where the bytes are none, or nested too deeply to be looked at."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def succeeded(exchange: Exchange) -> bool:
    """Whether it was answered 2xx."""
    return exchange.response is not None and 200 <= exchange.response.status < 300
