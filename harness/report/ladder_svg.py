"""Draws a ladder as a picture: a static SVG without scripts, addresses or named fonts, for light and dark pages.

The Allure reporter attaches it. Pure: a `Ladder` in, the text of an SVG file out. The picture grows downwards; lanes keep
their width, so that charts of one run can be laid side by side.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from harness.report.ladder import Ladder, Lane, Mark, Plane, Row
from harness.verdicts import Verdict

_FIRST = 130
_WIDE, _NARROW = 262, 150
_EDGE = 74
_HEAD = 62
_BOX = 36
_SMALL, _TALL, _PAUSE = 28, 40, 16
_PAUSE_SECONDS = 1.0
_AGAIN_AFTER = 900
_LOOSE = 18
_SIGNS = {Verdict.FAIL: "✗", Verdict.ERROR: "✗", Verdict.WARN: "!", Verdict.INCONC: "?"}
_MOST_NAMED = 3
_CHARACTER = {"label": 7.25, "aside": 6.1, "title": 8.8, "name": 7.6}

# Two palettes: what a class is coloured with on a light page and on a dark one.
_COLOURS = {
    "page": ("#ffffff", "#0d1117"), "ink": ("#1f2328", "#e6edf3"), "mute": ("#656d76", "#8d96a0"),
    "life": ("#c9d1d9", "#3d444d"), "box": ("#f3f5f8", "#1b222c"), "iut": ("#e3eefb", "#122a47"),
    "http": ("#0b5cad", "#6cb6ff"), "callback": ("#7b3fb5", "#c79bff"), "sip": ("#30363d", "#d5dce4"),
    "media": ("#0b7a75", "#4cc9c0"), "band": ("#d9f0ee", "#123836"), "fail": ("#c4162a", "#ff7b72"),
    "failed": ("#fdecec", "#3a1719"), "warn": ("#8a5a00", "#e3b341"), "warned": ("#fff6dd", "#332a0c"),
}  # fmt: skip


def _style() -> str:
    rules = [
        ".ringtrue text{font-family:sans-serif;font-size:12px;stroke:none}",
        ".ringtrue .label{font-family:monospace;font-size:12px}",
        ".ringtrue .aside,.ringtrue .time{font-family:monospace;font-size:10px}",
        ".ringtrue .title{font-size:15px;font-weight:bold}",
        ".ringtrue .name{font-size:13px;font-weight:bold}",
        ".ringtrue .strong{font-weight:bold}",
        ".ringtrue .mid{text-anchor:middle}.ringtrue .end{text-anchor:end}",
        ".ringtrue [class*=on-]{stroke-width:5px;stroke-linejoin:round;paint-order:stroke}",
        ".ringtrue .line{stroke-width:1.4;fill:none}.ringtrue .thin{stroke-width:1;fill:none}",
        ".ringtrue .dash{stroke-dasharray:5 3}.ringtrue .dots{stroke-dasharray:1.5 4}",
    ]
    for place, (before, after) in enumerate((("", ""), ("@media (prefers-color-scheme:dark){", "}"))):
        rules.append(before)
        rules += [
            f".ringtrue .{name}{{fill:{colours[place]}}}.ringtrue .{name}-s{{stroke:{colours[place]}}}"
            for name, colours in _COLOURS.items()
        ]
        # The page's colour around letters keeps them readable where they cross a lifeline.
        rules += [f".ringtrue .on-{page}{{stroke:{_COLOURS[page][place]}}}" for page in ("page", "failed", "warned")]
        rules.append(after)
    return "".join(rules)


_STYLE = _style()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things are: lane centres, and the column in which findings are named."""

    lanes: tuple[int, ...]
    right: int
    width: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row with its upper edge. `pause`: seconds since the row above, where nothing happened for long."""

    row: Row
    y: int
    pause: float = 0.0


def render_svg(ladder: Ladder) -> str:
    """The SVG file; well-formed whatever the events hold."""
    layout = _layout(ladder)
    top = _HEAD + _BOX + 10
    placed, y = _placed(ladder.rows, top)
    bottom = y + 6
    foot = [*_boxes(ladder.lanes, layout, bottom)] if bottom - top > _AGAIN_AFTER else []
    y = bottom + (_BOX + 14 if foot else 12)
    notes = [*_footer(ladder, y, layout)]
    height = y + _LOOSE * len(notes) + (6 if notes else 0)
    lines = [
        f'<path class="thin life-s" d="M{x} {_HEAD + _BOX}V{bottom}"/>' for x in layout.lanes
    ]  # drawn first: arrows and words lie above them
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ringtrue" role="img" width="{layout.width}" height="{height}"'
        f' viewBox="0 0 {layout.width} {height}">',
        f"<title>{_xml(ladder.title or 'Ladder')}</title><style>{_STYLE}</style>",
        f'<rect class="page life-s" x=".5" y=".5" width="{layout.width - 1}" height="{height - 1}" rx="8"/>',
        *_headline(ladder, layout),
        *_tints(placed, layout),
        *lines,
        *_boxes(ladder.lanes, layout, _HEAD),
        *(part for each in placed for part in _row(each, layout)),
        *foot,
        *notes,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _placed(rows: Sequence[Row], y: int) -> tuple[list[_Placed], int]:
    """Each row's place, and where the last one ends."""
    placed: list[_Placed] = []
    before = rows[0].at if rows else 0.0
    for row in rows:
        pause = row.at - before if row.plane is not Plane.GAP and row.at - before >= _PAUSE_SECONDS else 0.0
        y += _PAUSE if pause else 0
        placed.append(_Placed(row, y, pause))
        y += _height(row)
        before = row.at
    return placed, y


def _layout(ladder: Ladder) -> _Layout:
    centres = [_FIRST]
    for one, next_one in zip(ladder.lanes, ladder.lanes[1:], strict=False):
        centres.append(centres[-1] + (_WIDE if one.iut or next_one.iut else _NARROW))
    named = [mark.clause for row in ladder.rows for mark in row.marks]
    right = centres[-1] + _EDGE
    width = right + (min(320, 34 + int(max(map(len, named)) * _CHARACTER["label"])) if named else 8)
    return _Layout(tuple(centres), right, max(width, 560))


def _height(row: Row) -> int:
    if row.plane in (Plane.NOTE, Plane.GAP):
        return 22
    lowest = _TALL if row.aside else _SMALL
    return max(lowest, 13 * min(len(row.marks), _MOST_NAMED + 1) + 8)


def _tints(placed: Sequence[_Placed], layout: _Layout) -> Iterator[str]:
    for each in placed:
        if each.row.severe is not None:
            shape = f'x="4" y="{each.y}" width="{layout.width - 8}" height="{_height(each.row)}" rx="4"'
            yield f'<rect class="{"failed" if each.row.severe else "warned"}" {shape}/>'


def _headline(ladder: Ladder, layout: _Layout) -> Iterator[str]:
    yield _text(16, 26, _fit(ladder.title, layout.width - 32, "title"), "title ink")
    found = len({mark.clause for row in ladder.rows for mark in row.marks} | {mark.clause for mark in ladder.loose})
    words = [f"{ladder.events} event{'s' * (ladder.events != 1)} in {ladder.seconds:.1f} s"]
    words += [f"{found} clause{'s' * (found != 1)} not kept or undecided"] if found else []
    words += [f"{ladder.left_out} events left out"] if ladder.left_out else []
    yield _text(16, 45, " · ".join(words), "mute")
    x = layout.width - 16
    planes = {row.plane for row in ladder.rows}
    for plane, word in ((Plane.MEDIA, "media"), (Plane.SIP, "SIP"), (Plane.CALLBACK, "callback"), (Plane.HTTP, "API")):
        if plane in planes:
            yield _text(x, 45, f"— {word}", f"end {plane}")
            x -= 34 + int(5.4 * len(word))


def _boxes(lanes: Sequence[Lane], layout: _Layout, y: int) -> Iterator[str]:
    for lane, x in zip(lanes, layout.lanes, strict=True):
        shape = f'x="{x - 67}" y="{y}" width="134" height="{_BOX}" rx="6"'
        yield f'<rect class="{"iut" if lane.iut else "box"} {"http" if lane.iut else "life"}-s" {shape}>'
        yield f"<title>{_xml(f'{lane.title} {lane.detail}')}</title></rect>"
        under = " ".join(part for part in (lane.detail, "(IUT)" if lane.iut else "") if part)
        yield _text(x, y + (15 if under else 22), _fit(lane.title, 126, "name"), "name mid ink")
        yield _text(x, y + 28, _fit(under, 130, "aside"), "aside mid mute")


def _row(placed: _Placed, layout: _Layout) -> Iterator[str]:
    row, y = placed.row, placed.y
    if placed.pause:
        yield _text(54, y - 5, f"⋮ {placed.pause:.1f} s", "time end mute")
    if row.plane is Plane.GAP:
        middle = (16 + layout.right) // 2
        yield f'<path class="thin dots mute-s" d="M16 {y + 11}H{layout.right}"/>'
        yield _text(middle, y + 15, f"  {row.label}  ", "on-page mid mute")
        return
    colour = {None: str(row.plane), True: "fail", False: "warn"}[row.severe]
    beside = y + (15 if row.plane is Plane.NOTE else 20)
    yield _text(54, beside, f"{row.at:.3f}", f"time end {'mute' if row.severe is None else colour}")
    if row.plane is Plane.NOTE:
        shown = _text(68, y + 15, _fit(f"• {row.label}", layout.right - 80, "label"), f"{_halo(row)} {_muted(colour)}")
        yield f"<g><title>{_xml(row.detail)}</title>{shown}</g>"
    else:
        yield f"<g><title>{_xml(row.detail or row.label)}</title>"
        source, target = layout.lanes[row.source], layout.lanes[row.target]
        yield from _band(row, y, source, target) if _is_band(row) else _arrow(row, y, source, target, colour)
        yield "</g>"
    yield from _named(row.marks, y, layout)


def _muted(colour: str) -> str:
    return "mute" if colour == Plane.NOTE else colour


def _is_band(row: Row) -> bool:
    return row.plane is Plane.MEDIA and not row.answer


def _band(row: Row, y: int, source: int, target: int) -> Iterator[str]:
    """A media stream: a bar between the two that exchange it, pointed at both ends."""
    left, right = min(source, target) + 3, max(source, target) - 3
    low = y + (_TALL if row.aside else _SMALL) - 3
    middle = (y + 2 + low) / 2
    shape = f"M{left} {middle}L{left + 9} {y + 2}H{right - 9}L{right} {middle}L{right - 9} {low}H{left + 9}Z"
    shade = {None: "band", True: "failed", False: "warned"}[row.severe]
    edge = {None: "media", True: "fail", False: "warn"}[row.severe]
    yield f'<path class="{shade} {edge}-s" d="{shape}"/>'
    room = right - left - 22
    centre = (left + right) // 2
    yield _text(centre, y + 15, _fit(row.label, room, "label"), f"label mid {edge}")
    if row.aside:
        yield _text(centre, y + 29, _fit(row.aside, room, "aside"), f"aside mid {edge}")


def _arrow(row: Row, y: int, source: int, target: int, colour: str) -> Iterator[str]:
    line = y + 20
    way = 1 if target > source else -1
    end = target - way * 2
    dash = " dash" if row.answer else ""
    stop = source + (target - source) * 3 // 4 if row.broken else target
    if row.broken:
        yield f'<path class="line {colour}-s" d="M{source} {line}H{stop - way * 8}"/>'
        yield f'<path class="line {colour}-s" d="M{stop - 5} {line - 5}l10 10m0 -10l-10 10"/>'
        yield f'<path class="thin dots {colour}-s" d="M{stop + way * 9} {line}H{end}"/>'
    else:
        yield f'<path class="line{dash} {colour}-s" d="M{source} {line}H{end - way * 7}"/>'
        yield f'<path class="{colour}" d="M{end} {line}l{-way * 9} -4v8z"/>'
    if row.status:
        # The answer came back at once on the same line: an open head at the end where it arrived.
        back = source + way * 2
        yield f'<path class="thin {colour}-s" d="M{back + way * 7} {line - 4}L{back} {line}L{back + way * 7} {line + 4}"/>'
    middle, room = (source + stop) // 2, abs(stop - source) - 14
    yield _label(row, y + 14, middle, room, colour)
    if row.aside:
        shade = "mute" if row.severe is None else colour
        middle, room = (source + target) // 2, abs(target - source) - 12
        yield _text(middle, y + 33, _fit(row.aside, room, "aside"), f"aside mid {_halo(row)} {shade}")


def _halo(row: Row) -> str:
    return {None: "on-page", True: "on-failed", False: "on-warned"}[row.severe]


def _label(row: Row, y: int, x: int, room: int, colour: str) -> str:
    tails = [row.status] if row.status else []
    tails += [f"×{row.times}"] if row.times > 1 else []
    room -= int(sum(_CHARACTER["label"] * (len(tail) + 1) for tail in tails))
    labels = (row.label, *row.shorter)
    shown = next((label for label in labels if _fit(label, room, "label") == label), _fit(labels[-1], room, "label"))
    strong = "".join(f'<tspan class="strong" dx="6">{_xml(tail)}</tspan>' for tail in tails)
    return f'<text class="label mid {_halo(row)} {colour}" x="{x}" y="{y}">{_xml(shown)}{strong}</text>'


def _named(marks: Sequence[Mark], y: int, layout: _Layout) -> Iterator[str]:
    """The clauses beside the row."""
    room = layout.width - layout.right - 12
    for number, mark in enumerate(marks[:_MOST_NAMED]):
        shown = _fit(f"{_SIGNS[mark.verdict]} {mark.clause}", room, "label")
        kind = "fail" if mark.severe else "warn"
        words = _text(layout.right, y + 15 + 13 * number, shown, f"label strong {kind}")
        yield f"<g><title>{_xml(f'{mark.verdict} {mark.clause}: {mark.message}')}</title>{words}</g>"
    if len(marks) > _MOST_NAMED:
        yield _text(layout.right, y + 15 + 13 * _MOST_NAMED, f"and {len(marks) - _MOST_NAMED} more", "mute")


def _footer(ladder: Ladder, y: int, layout: _Layout) -> Iterator[str]:
    """Findings that point at nothing drawn here: something that did not come, or an event left out."""
    for number, mark in enumerate(ladder.loose[:12]):
        said = f"{_SIGNS[mark.verdict]} {mark.verdict} {mark.clause}: {mark.message}"
        kind = "fail" if mark.severe else "warn"
        shown = _text(16, y + 8 + _LOOSE * number, _fit(said, layout.width - 32, "label"), f"label {kind}")
        yield f"<g><title>{_xml(said)}</title>{shown}</g>"
    if len(ladder.loose) > 12:
        yield _text(16, y + 8 + _LOOSE * 12, f"and {len(ladder.loose) - 12} more findings", "mute")


def _text(x: float, y: float, text: str, classes: str) -> str:
    return f'<text class="{classes}" x="{x}" y="{y}">{_xml(text)}</text>'


def _xml(text: str) -> str:
    return escape(text)


def _fit(text: str, room: float, kind: str) -> str:
    """The text cut to so many pixels; a character of a monospace font is 0.6 of its size wide."""
    left = room / _CHARACTER[kind]
    if sum(map(_cells, text)) <= left:
        return text
    taken = []
    left -= 1
    for character in text:
        left -= _cells(character)
        if left < 0:
            break
        taken.append(character)
    return "".join(taken).rstrip() + "…"


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
