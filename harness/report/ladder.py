"""A timeline as a sequence chart: who takes part, and one row for each arrow, note and media stream, findings beside them.

`make_ladder` gives plain values, which `ladder_svg` and `ladder_text` draw. Secrets are gone from every string in it, and
control characters are spelt out. It reads no file and knows nothing of pictures.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from harness.redact import Redactor
from harness.report import ladder_words as words
from harness.timeline import (
    Callback,
    Event,
    Exchange,
    HttpExchange,
    MediaReport,
    Note,
    SipMessage,
    event_from_json,
    event_to_json,
)
from harness.verdicts import Finding, Verdict

MOST_EVENTS = 60
QUICK_SECONDS = 1.0
_MOST_DIGITS = 16
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONC, Verdict.WARN)
_API, _IUT, _RECORDER = "api", "iut", "recorder"


class Plane(StrEnum):
    """What kind of thing a row shows."""

    HTTP = "http"
    CALLBACK = "callback"
    SIP = "sip"
    MEDIA = "media"
    NOTE = "note"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Lane:
    """A participant. `detail` is its address."""

    title: str
    detail: str = ""
    iut: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding that is no pass: `verdict` with the clause's level considered, so `warn` for an inferred one."""

    verdict: Verdict
    clause: str
    message: str = ""

    @property
    def severe(self) -> bool:
        """Red, where the others are amber."""
        return self.verdict in (Verdict.FAIL, Verdict.ERROR)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the chart, from lane `source` to lane `target` (their places in `Ladder.lanes`).

    `at`: seconds since the first event. `shorter`: labels for little room. `status`: the answer, where
    request and answer share an arrow; `answer`: this arrow is one. `broken`: no answer came. `times`: how often it was
    sent. `aside`: small print. `detail`: the whole of it. `severe`: None where no finding points here, else whether one of
    them is red; `marks` are named beside the row.
    """

    at: float
    plane: Plane
    label: str
    shorter: tuple[str, ...] = ()
    source: int = 0
    target: int = 0
    status: str = ""
    aside: str = ""
    detail: str = ""
    times: int = 1
    answer: bool = False
    broken: bool = False
    severe: bool | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """A chart. `loose`: findings that point at no row of it; `events`: how many the timeline has; `seconds`: its length."""

    title: str
    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    loose: tuple[Mark, ...] = ()
    events: int = 0
    left_out: int = 0
    seconds: float = 0.0


def make_ladder(
    events: Iterable[Event],
    findings: Iterable[Finding] = (),
    *,
    title: str = "",
    redactor: Redactor | None = None,
    inferred: Collection[str] = (),
    bases: Mapping[str, str] | None = None,
    most: int = MOST_EVENTS,
) -> Ladder:
    """The chart of a timeline.

    `inferred` are clauses whose failure only warns; `bases` maps systems to base URLs, which paths are shown without.
    Of more than `most` events those around findings are kept, the first ones first.
    """
    redactor = redactor or Redactor()
    ordered = _fold(sorted(events, key=lambda each: (_shown_at(each), each.seq)))
    marks = _marks_by_event(ordered, findings, redactor, inferred, title)
    kept = _around([bool(marks.get(index)) for index in range(len(ordered))], most)
    chart = _Chart([each for each, _, _ in ordered], redactor, bases or {})
    rows: list[Row] = []
    before = -1
    for index in kept:
        if index > before + 1:
            rows.append(chart.gap(index - before - 1, _shown_at(ordered[index][0])))
        before = index
        event, times, _ = ordered[index]
        rows += chart.rows_of(event, times, marks.get(index, ()))
    if before < len(ordered) - 1:
        rows.append(chart.gap(len(ordered) - 1 - before, _shown_at(ordered[-1][0])))
    placed = {mark for index in kept for mark in marks.get(index, ())}
    loose = [mark for found in marks.values() for mark in found if mark not in placed]
    return Ladder(
        title=words.clean(redactor.text(title)),
        lanes=tuple(chart.lanes),
        # Rows of one stretch are put in order: the answer of a slow exchange comes after what happened meanwhile.
        rows=tuple(_in_order(rows)),
        loose=tuple(_worst_first(loose)),
        events=sum(times for _, times, _ in ordered),
        left_out=len(ordered) - len(kept),
        seconds=chart.seconds,
    )


_Folded = tuple[Event, int, tuple[int, ...]]


def _fold(ordered: Iterable[Event]) -> list[_Folded]:
    """Events with how often they were sent, and their `seq` numbers: a retransmission is no event of its own."""
    folded: list[_Folded] = []
    places: dict[tuple[str, str, str], int] = {}
    for event in ordered:
        times = 1 + max(0, event.repeats) if isinstance(event, SipMessage) else 1
        if isinstance(event, SipMessage):
            key = (event.agent, event.direction, event.text)
            if key in places:
                first, counted, seqs = folded[places[key]]
                folded[places[key]] = (first, counted + times, (*seqs, event.seq))
                continue
            places[key] = len(folded)
        folded.append((event, times, (event.seq,)))
    return folded


def _shown_at(event: Event) -> float:
    """Seconds since the epoch: a media report comes at the end, and is shown where its stream began."""
    if isinstance(event, MediaReport):
        first = words.received(event).get("first_at")
        if isinstance(first, int | float) and 0 < first < event.at:
            return float(first)
    return event.at


def _marks_by_event(
    ordered: Sequence[_Folded], findings: Iterable[Finding], redactor: Redactor, inferred: Collection[str], title: str
) -> dict[int, list[Mark]]:
    """Marks by place in `ordered`; under -1 those that have none."""
    place_of = {seq: index for index, (_, _, seqs) in enumerate(ordered) for seq in seqs}
    marks: dict[int, list[Mark]] = {}
    for finding in findings:
        if finding.verdict not in _WORST_FIRST:
            continue
        verdict = Verdict.WARN if finding.verdict is Verdict.FAIL and finding.clause in inferred else finding.verdict
        apart = finding.subject not in ("", title) and not finding.at
        said = f"{finding.subject}: {finding.message}" if apart else finding.message
        mark = Mark(verdict, words.clean(finding.clause), words.clean(redactor.text(said)))
        for place in {place_of.get(seq, -1) for seq in finding.at} or {-1}:
            here = marks.setdefault(place, [])
            if (verdict, mark.clause) not in {(other.verdict, other.clause) for other in here} or place < 0:
                here.append(mark)
    return {place: _worst_first(dict.fromkeys(found)) for place, found in marks.items()}


def _worst_first(marks: Iterable[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: _WORST_FIRST.index(mark.verdict))


def _around(marked: Sequence[bool], most: int) -> list[int]:
    """At most so many places, in order: the marked ones, then their neighbours, nearest first; else the first ones."""
    if len(marked) <= most:
        return list(range(len(marked)))
    centres = [index for index, is_marked in enumerate(marked) if is_marked][:most]
    if not centres:
        return list(range(most))
    far = len(marked)
    distance = [far] * len(marked)
    for centre in centres:
        distance[centre] = 0
    for index in range(1, far):
        distance[index] = min(distance[index], distance[index - 1] + 1)
    for index in range(far - 2, -1, -1):
        distance[index] = min(distance[index], distance[index + 1] + 1)
    return sorted(sorted(range(far), key=lambda index: (distance[index], index))[:most])


def _in_order(rows: Sequence[Row]) -> list[Row]:
    done: list[Row] = []
    stretch: list[Row] = []
    for row in rows:
        if row.plane is Plane.GAP:
            done += [*sorted(stretch, key=lambda each: each.at), row]
            stretch = []
        else:
            stretch.append(row)
    return done + sorted(stretch, key=lambda each: each.at)


class _Chart:
    """Makes rows, knowing the whole timeline: its participants, its start, what was answered and what overlaps."""

    def __init__(self, events: Sequence[Event], redactor: Redactor, bases: Mapping[str, str]) -> None:
        self._redactor = redactor
        self._bases = bases
        self._start = min((_shown_at(event) for event in events), default=0.0)
        ends = [max(event.at, getattr(event, "ended", None) or event.at) for event in events]
        self.seconds = max(ends, default=self._start) - self._start
        self._moments = sorted(_shown_at(event) for event in events)
        self._unanswered = words.unanswered(event for event in events if isinstance(event, SipMessage))
        self._places: dict[str, int] = {}
        self.lanes: list[Lane] = []
        self._seat(events)

    def _seat(self, events: Sequence[Event]) -> None:
        """Give everybody a lane: client, implementation, recorder, SIP agents as they come in, media without an agent."""
        exchanges = [event for event in events if isinstance(event, Exchange)]
        systems = list(dict.fromkeys(event.system for event in exchanges if event.system))
        asked = next((event.request.url for event in exchanges if isinstance(event, HttpExchange)), "")
        called = next((event.request.url for event in exchanges if isinstance(event, Callback)), "")
        messages = [event for event in events if isinstance(event, SipMessage)]
        iut_address = _netloc(asked) or (messages[0].remote if messages else "")
        if asked:
            self._lane(_API, "API client")
        self._lane(_IUT, ", ".join(systems) or "implementation", iut_address, iut=True)
        if called:
            # In a run the recorder answers, as a route tells it to; in a recording an application does.
            routed = any("route" in event.about for event in exchanges if isinstance(event, Callback))
            self._lane(_RECORDER, "recorder" if routed else "application", _netloc(called))
        for message in messages:
            detail = message.local if message.local != message.agent else message.transport.upper()
            self._lane(f"sip {message.agent}", message.agent or "SIP agent", detail)
        for event in events:
            if isinstance(event, MediaReport) and f"sip {event.agent}" not in self._places:
                self._lane(f"sip {event.agent}", event.agent or "media", "RTP")

    def _lane(self, key: str, title: str, detail: str = "", *, iut: bool = False) -> None:
        if key not in self._places:
            self._places[key] = len(self.lanes)
            shown = words.clean(self._redactor.text(title)), words.clean(self._redactor.text(detail))
            self.lanes.append(Lane(*shown, iut=iut))

    def gap(self, count: int, at: float) -> Row:
        return Row(at - self._start, Plane.GAP, f"{count} event{'s' * (count != 1)} left out")

    def rows_of(self, event: Event, times: int, marks: Sequence[Mark]) -> list[Row]:
        """The rows of one event: an exchange that took long has two, heard digits have their own."""
        clean = event_from_json(event_to_json(_bounded(event), self._redactor))
        agent = self._places.get(f"sip {event.agent}", 0) if isinstance(event, SipMessage | MediaReport) else 0
        severe = any(mark.severe for mark in marks) if marks else None
        match clean:
            case Exchange():
                rows = self._exchange(clean)
            case SipMessage():
                rows = [self._message(clean, agent, times, broken=words.transaction(event) in self._unanswered)]
            case MediaReport():
                rows = self._media(clean, agent)
            case Note():
                said = words.clean(f"{clean.topic}: {clean.text}")
                rows = [Row(self._since(clean), Plane.NOTE, said, detail=said)]
            case _:
                raise TypeError(f"no row for {type(clean).__name__}")
        # What the implementation says is what is judged: its answer, or else its request.
        named = len(rows) - 1 if isinstance(clean, HttpExchange) else 0
        return [
            replace(row, severe=severe, marks=tuple(marks) if number == named else ())
            for number, row in enumerate(rows)
        ]

    def _since(self, event: Event) -> float:
        return _shown_at(event) - self._start

    def _exchange(self, exchange: Exchange) -> list[Row]:
        iut = self._places[_IUT]
        if isinstance(exchange, Callback):
            plane, ends = Plane.CALLBACK, (iut, self._places[_RECORDER])
        else:
            plane, ends = Plane.HTTP, (self._places[_API], iut)
        label = words.request_line(exchange, self._bases.get(exchange.system, ""))
        request = Row(
            self._since(exchange), plane, label, words.shorter(label), *ends, detail=words.exchange_detail(exchange)
        )
        asked, answered = words.asides(exchange)
        response = exchange.response
        if response is None:
            why = words.clean(exchange.failure or "no answer")
            aside = " · ".join(part for part in (asked, why) if part)
            return [replace(request, aside=aside, broken=True)]
        ended = max(exchange.at, exchange.ended or exchange.at)
        status = f"{response.status} {words.clean(response.reason)}".strip() + f" ({words.last_step(label)})"
        first = bisect_right(self._moments, exchange.at)
        meanwhile = first < len(self._moments) and self._moments[first] < ended
        if ended - exchange.at < QUICK_SECONDS and not meanwhile:
            aside = words.together(asked, answered)
            return [replace(request, aside=aside, status=str(response.status))]
        back = Row(
            ended - self._start, plane, status, (), ends[1], ends[0], aside=answered, detail=request.detail, answer=True
        )
        return [replace(request, aside=asked), back]

    def _message(self, message: SipMessage, agent: int, times: int, *, broken: bool) -> Row:
        iut = self._places[_IUT]
        source, target = (agent, iut) if message.direction == "out" else (iut, agent)
        aside = words.message_aside(message)
        return Row(
            self._since(message),
            Plane.SIP,
            words.message_label(message),
            source=source,
            target=target,
            aside=" · ".join(part for part in (aside, "no answer" if broken else "") if part),
            detail=words.multiline(message.text),
            times=times,
            broken=broken,
        )

    def _media(self, report: MediaReport, agent: int) -> list[Row]:
        iut = self._places[_IUT]
        heard, sent, detail = words.media_words(report)
        rows = [Row(self._since(report), Plane.MEDIA, heard, (), iut, agent, aside=sent, detail=detail)]
        for digit, at in words.heard_digits(report)[:_MOST_DIGITS]:
            rows.append(Row(at - self._start, Plane.MEDIA, f"DTMF {digit}", (), iut, agent, answer=True))
        return rows


def _bounded(event: Event) -> Event:
    """The event without what is not drawn or too long for it, so that looking for secrets in it takes no time."""
    match event:
        case SipMessage():
            return replace(event, text=event.text[: words.LONGEST_READ])
        case Exchange():
            response = event.response
            if response is not None:
                response = replace(response, headers=(), body=response.body[: words.LONGEST_READ])
            request = replace(event.request, headers=(), body=event.request.body[: words.LONGEST_READ])
            return replace(event, request=request, response=response)
        case _:
            return event


def _netloc(url: str) -> str:
    """`host:port` of a URL, without user information; nothing where it has none or is broken."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
