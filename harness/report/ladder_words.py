"""What the arrows of a ladder are called: short names for exchanges, SIP messages and media, as engineers say them.

`harness.report.ladder` calls it with events whose secrets are gone already. Hostile bytes come out spelt: no string made
here can steer a terminal, break a line, turn the reading direction, or be no XML.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any
from urllib.parse import urlsplit

from harness.timeline import Callback, Exchange, MediaReport, SipMessage

LONGEST_READ = 65536
_LONGEST_LABEL = 160
_LONGEST_DETAIL = 1200
_LONGEST_PATH = 500
_LONGEST_VALUE = 24
_MOST_TOLD = 3
# What fits below an arrow beside the implementation.
_TOGETHER = 41
# Control, format (bidirectional overrides among them), surrogates, private use, unassigned, line and paragraph ends.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
# What tells one callback or answer from the next; ids and addresses do not.
_TELLING = (
    "event", "changeType", "type", "error", "calledParty", "destAddr", "destinationUri", "dtmfMatch", "reason", "dtmfBuffer",
    "matchedTerminationKey", "sipResponseCode", "action", "dropCode", "success", "hangup", "status",
)  # fmt: skip
_LONG_ID = re.compile(r"(?=[\w-]*\d)[\w-]{13,}")
_ROUTE = re.compile(r"^[^?]*/(?=[\w-]*\d)[\w-]{13,}(?=/[^/?]+)")
_STATUS_LINE = re.compile(r"SIP/2\.0 +(\d{3}) *(.*)")
_REQUEST_LINE = re.compile(r"([A-Z]{2,20}) +(\S+) +SIP/2\.0")
_COMPACT = {"call-id": "i", "content-type": "c", "refer-to": "r"}
_STATIC_CODECS = {0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 13: "CN", 18: "G729"}

Transaction = tuple[str, str, str]


def clean(text: str, longest: int = _LONGEST_LABEL) -> str:
    """One line of ordinary characters; what steers is spelt as an escape, what is too long is cut."""
    if len(text) <= longest and text.isascii() and text.isprintable():
        return text
    return "".join(_safe(text[: longest + 1], longest))


def multiline(text: str, longest: int = _LONGEST_DETAIL) -> str:
    """The same, with its line ends kept."""
    cut = text[:longest]
    lines = [clean(line, longest) for line in re.split(r"\r\n|\n|\r", cut)]
    return "\n".join([*lines, f"… ({len(text)} characters)"] if len(text) > longest else lines).rstrip("\n")


def _safe(text: str, longest: int) -> Iterator[str]:
    stacked = False
    for character in text[:longest]:
        category = unicodedata.category(character)
        mark = category in _MARKS
        if category in _UNSAFE or (mark and stacked):
            yield " " if character in "\t\n\r" else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        else:
            yield character
        stacked = mark
    if len(text) > longest:
        yield "…"


def request_line(exchange: Exchange, base: str = "") -> str:
    """Method and path; the path without that of `base`, and with long identifiers cut.

    What a callback's path says before its last long identifier is where the recorder wants it, and left away.
    """
    method, url = exchange.request.method, exchange.request.url
    if base and url.startswith(base.rstrip("/")):
        path = url[len(base.rstrip("/")) :] or "/"
    else:
        try:
            parts = urlsplit(url)
        except ValueError:
            return clean(f"{method} {url}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path = path[:_LONGEST_PATH]  # what looks for identifiers is slow on very long ones
    if isinstance(exchange, Callback):
        path = _ROUTE.sub("", path)
    return clean(f"{method} {_LONG_ID.sub(_cut_id, path)}")


def shorter(line: str) -> tuple[str, ...]:
    """A request line for less and less room: without identifiers, only the end of its path, and POST without saying so."""
    method, _, path = line.partition(" ")
    head, slash, tail = path.partition("?")[0].rpartition("/")
    without_ids = re.sub(r"[\w-]{6}…", "…", line)
    short = f"{method} {'…' if head else ''}{slash}{tail}"
    return (without_ids, short, f"{slash}{tail}") if method == "POST" else (without_ids, short)


def last_step(line: str) -> str:
    """What a request line asks for in one word: the end of its path."""
    return line.partition(" ")[2].partition("?")[0].rstrip("/").rpartition("/")[2] or line.partition(" ")[0]


def _cut_id(found: re.Match[str]) -> str:
    return f"{found[0][:6]}…"


def asides(exchange: Exchange) -> tuple[str, str]:
    """Small print of the request and of its answer: what the stimulus was, and the members that tell what happens."""
    asked = []
    auth, case = exchange.about.get("auth", ""), exchange.about.get("case", "")
    if auth not in ("", "valid"):
        asked.append(f"auth: {auth}")
    if case not in ("", "example"):
        asked.append(str(case))
    if told := _telling(exchange.request.body):
        asked.append(told)
    answered = _telling(exchange.response.body) if exchange.response is not None else ""
    return clean(" · ".join(asked)), clean(answered)


def together(asked: str, answered: str) -> str:
    """Both asides in one line; where there is no room, what tells less is left out, first of what was asked."""
    sides = [side.split(", ") for side in (asked, answered) if side]
    for side in sides:
        while len(side) > 1 and len(" → ".join(", ".join(each) for each in sides)) > _TOGETHER:
            side.pop()
    return " → ".join(", ".join(each) for each in sides)


def _telling(body: bytes) -> str:
    try:
        value = json.loads(body) if 1 < len(body) < LONGEST_READ else None
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    places = (value, *[item for item in value.values() if isinstance(item, dict)][:4])
    found = []
    for name in _TELLING:
        values = (each[name] for each in places if name in each and isinstance(each[name], str | int))
        told = next((_value(each) for each in values if each != ""), None)
        if told is not None:
            found.append(f"{name} {told}")
    return ", ".join(found[:_MOST_TOLD])


def _value(value: str | int) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def exchange_detail(exchange: Exchange) -> str:
    """Request and answer in a few lines."""
    lines = [f"{exchange.request.method} {exchange.request.url}"]
    if exchange.request.body:
        lines.append(exchange.request.body[:_LONGEST_DETAIL].decode("utf-8", "replace"))
    if exchange.response is None:
        lines.append(exchange.failure or "no answer")
    else:
        took = f" after {exchange.ended - exchange.at:.3f} s" if exchange.ended else ""
        lines.append(f"{exchange.response.status} {exchange.response.reason}{took}")
        lines.append(exchange.response.body[:_LONGEST_DETAIL].decode("utf-8", "replace"))
    return multiline("\n".join(lines))


def _header(text: str, name: str) -> str:
    """The first value of a SIP header, its compact form included (RFC 3261 7.3.3); empty where there is none."""
    names = "|".join(re.escape(each) for each in (name, _COMPACT.get(name.lower())) if each)
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    found = re.search(rf"(?im)^(?:{names})[ \t]*:[ \t]*([^\r\n]*)", head)
    return found[1].strip() if found else ""


def message_label(message: SipMessage) -> str:
    """`INVITE sip:…` or `200 OK (INVITE)`; a start line that is neither, as it stands."""
    line = message.start_line
    if status := _STATUS_LINE.match(line):
        method = _header(message.text, "CSeq").rpartition(" ")[2]
        return clean(f"{status[1]} {status[2]}".strip() + (f" ({method})" if method else ""))
    if request := _REQUEST_LINE.match(line):
        return clean(f"{request[1]} {request[2].partition(';')[0]}")
    return clean(line) or "(an empty line)"


def message_aside(message: SipMessage) -> str:
    """Reason, transfer target, and what the SDP offers or answers."""
    told = [f"{name}: {value}" for name in ("Reason", "Refer-To") if (value := _header(message.text, name))]
    if "application/sdp" in _header(message.text, "Content-Type").lower():
        told.append(_sdp(re.split(r"\r?\n\r?\n", message.text, maxsplit=1)[-1]))
    return clean(" · ".join(told))


def _sdp(body: str) -> str:
    """Port, direction and codecs of the first audio stream of an SDP body (RFC 8866)."""
    audio = re.search(r"(?m)^m=audio (\d+)\S* \S+ ([\d ]+)", body)
    if audio is None:
        return "SDP"
    named = dict(re.findall(r"(?m)^a=rtpmap:(\d+) ([^/\s]+)", body))
    codecs = [named.get(number) or _STATIC_CODECS.get(int(number[:3]), number) for number in audio[2].split()[:6]]
    direction = re.search(r"(?m)^a=(sendonly|recvonly|inactive)\b", body)
    shown = " ".join("DTMF" if codec.lower() == "telephone-event" else codec for codec in codecs)
    return f"SDP {audio[1]} {shown}" + (f" {direction[1]}" if direction else "")


def transaction(message: object) -> Transaction | None:
    """What a request and its answers share at one agent: Call-ID and CSeq (RFC 3261 17)."""
    if not isinstance(message, SipMessage):
        return None
    return message.agent, _header(message.text, "Call-ID"), " ".join(_header(message.text, "CSeq").split())


def unanswered(messages: Iterable[SipMessage]) -> Set[Transaction | None]:
    """Transactions of requests that an agent sent and nobody answered; an ACK needs no answer."""
    asked: set[Transaction | None] = set()
    answered: set[Transaction | None] = set()
    for message in messages:
        key = transaction(message)
        if message.direction == "in" and message.text.startswith("SIP/2.0"):
            answered.add(key)
        elif message.direction == "out" and _REQUEST_LINE.match(message.start_line):
            asked.add(key)
    return {key for key in asked - answered if key and not key[2].endswith("ACK")}


def received(report: MediaReport) -> Mapping[str, Any]:
    """The figures of what a probe heard."""
    figures = report.data.get("received")
    return figures if isinstance(figures, Mapping) else {}


def media_words(report: MediaReport) -> tuple[str, str, str]:
    """What was heard, what was sent, and all figures."""
    came = received(report)
    sent = report.data.get("sent")
    heard = [_media_count(came)]
    if heard[0] != "nothing":
        milliseconds = came.get("duration_ms")
        heard[0] += f" {came['codec']}" if came.get("codec") else ""
        heard[0] += f" in {milliseconds / 1000:.1f} s" if isinstance(milliseconds, int | float) else ""
        heard += [str(came["heard"])] if came.get("heard") else []
        heard += [f"{came['lost']} lost"] if came.get("lost") else []
        heard += [f"DTMF {came['digits']}"] if came.get("digits") else []
    gave = ""
    if isinstance(sent, Mapping):
        digits = f", DTMF {sent['digits']}" if sent.get("digits") else ""
        gave = f"sent {_media_count(sent)}{digits}"
    detail = json.dumps(dict(report.data), indent=1, default=str, ensure_ascii=False)
    return clean(f"RTP heard: {', '.join(heard)}"), clean(gave), multiline(detail)


def _media_count(figures: Mapping[str, Any]) -> str:
    packets = figures.get("packets")
    return f"{packets} packet{'s' * (packets != 1)}" if isinstance(packets, int) and packets > 0 else "nothing"


def heard_digits(report: MediaReport) -> list[tuple[str, float]]:
    """Digits (RFC 4733) that a probe heard, each with its time (seconds since the epoch)."""
    events = received(report).get("events")
    found = []
    for item in events if isinstance(events, list | tuple) else ():
        if isinstance(item, Mapping) and isinstance(item.get("at"), int | float):
            found.append((clean(str(item.get("digit", "?")), 4), float(item["at"])))
    return found
