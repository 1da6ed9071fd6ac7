"""Makes findings: the small vocabulary that every check uses to say what it saw about a clause.

Checks are pure: they read a timeline and give findings. These helpers keep them short and the words of their findings alike.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from harness.timeline import Exchange
from harness.verdicts import Finding, Reason, Verdict

_LONGEST = 200


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
    """A value as people read it, cut where it grows long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def curl(exchange: Exchange) -> str:
    """A command line that sends the same request; credentials are left to the reader (`$AUTHORIZATION`)."""
    parts = ["curl", "-i", "-X", exchange.request.method]
    for name, value in exchange.request.headers:
        match name.lower():
            case (
                "host"
                | "user-agent"
                | "accept-encoding"
                | "connection"
                | "content-length"
                | "accept"
                | "x-schemathesis-testcaseid"
            ):
                continue
            case "authorization":
                parts += ["-H", f'"Authorization: {value.partition(" ")[0]} $CREDENTIALS"']
            case _:
                parts += ["-H", shlex.quote(f"{name}: {value}")]
    if exchange.request.body:
        parts += ["--data-binary", shlex.quote(shorten(exchange.request.body.decode("utf-8", "replace"), 2000))]
    return " ".join([*parts, shlex.quote(exchange.request.url)])


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
        return json.loads(exchange.response.body)
    except ValueError:
        return None
