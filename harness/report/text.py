"""Shows a timeline as text: one line an event, bodies and SIP messages below it.

For attachments and terminals; the pictures are made elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.checks.evidence import shorten
from harness.redact import Redactor
from harness.timeline import Callback, Event, Exchange, MediaReport, Note, SipMessage, Timeline

_LONGEST_BODY = 2000


def render_timeline(timeline: Timeline) -> str:
    """The whole record; times are seconds since its first event."""
    events = timeline.events
    start = events[0].at if events else 0.0
    return "\n".join(line for event in events for line in _lines(event, start, timeline.redactor)) + "\n"


def _lines(event: Event, start: float, redactor: Redactor) -> Iterator[str]:
    stamp = f"{event.seq:4} {event.at - start:8.3f} s "
    match event:
        case Exchange():
            arrow = "<-" if isinstance(event, Callback) else "->"
            answer = str(event.response.status) if event.response else event.failure or "no answer"
            yield f"{stamp} {arrow} {event.request.method} {event.request.url}  {answer}{_about(event)}"
            yield from _body("sent" if arrow == "->" else "got", event.request.body)
            if event.response is not None:
                for name, value in event.response.headers:
                    yield f"               {name}: {redactor.header(name, value)}"
                yield from _body("got" if arrow == "->" else "sent", event.response.body)
        case SipMessage():
            arrow = "->" if event.direction == "out" else "<-"
            again = f"  (repeated {event.repeats} times)" if event.repeats else ""
            yield f"{stamp} {arrow} SIP {event.agent} {event.local} {event.remote}  {event.start_line}{again}"
            for line in event.text.splitlines()[1:]:
                yield f"               {line}"
        case MediaReport():
            yield f"{stamp} == RTP {event.agent}: {json.dumps(dict(event.data), default=str)}"
        case Note():
            yield f"{stamp} -- {event.topic}: {event.text}"
        case _:
            yield f"{stamp} {event}"


def _about(event: Exchange) -> str:
    return f"  ({', '.join(f'{key}: {value}' for key, value in event.about.items())})" if event.about else ""


def _body(label: str, body: bytes) -> Iterator[str]:
    if body:
        yield f"               {label}: {shorten(body.decode('utf-8', 'replace'), _LONGEST_BODY)}"
