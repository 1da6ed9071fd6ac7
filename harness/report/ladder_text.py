"""Draws a ladder as text for a terminal: 100 columns, arrows between lanes, findings under the rows that they point at.

`ringtrue run -v` prints it. Pure: it gives lines, and says of each whether it is red or amber; whoever prints colours it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rich.cells import cell_len, set_cell_size

from harness.report.ladder import Ladder, Lane, Mark, Plane, Row
from harness.verdicts import Verdict

COLUMNS = 100
_LEFT = 15
_RIGHT = 7
_WIDEST = 46
_WIDER = 1.4
_SIGNS = {Verdict.FAIL: "✗", Verdict.ERROR: "✗", Verdict.WARN: "!", Verdict.INCONC: "?"}
_ASCII = str.maketrans("│─╌═▶◀✗×·…→┄", "|-.=><xx... "[:12])


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `severe` as in `Row`: None is plain, True red, False amber."""

    text: str
    severe: bool | None = None


def render_text(ladder: Ladder, *, columns: int = COLUMNS, unicode: bool = True) -> str:
    """The lines, joined; `unicode=False` leaves only ASCII in the drawing."""
    return "\n".join(line.text for line in text_lines(ladder, columns=columns, unicode=unicode)) + "\n"


def text_lines(ladder: Ladder, *, columns: int = COLUMNS, unicode: bool = True) -> list[Line]:
    """Title, participants, rows, and at the end the findings that point at none of them."""
    places = _places(ladder.lanes, columns)
    lines = [Line(_fit(ladder.title or "ladder", columns)), Line(_heads(ladder, places, columns))]
    for row in ladder.rows:
        drawn = _row(row, places, columns)
        lines.append(Line(drawn, row.severe))
        if row.aside and (row.broken or row.plane is Plane.MEDIA) and row.aside not in drawn:
            lines.append(Line(" " * _LEFT + _fit(f"· {row.aside}", columns - _LEFT), row.severe))
        lines += [_mark(mark, _LEFT, columns) for mark in row.marks]
    lines += [_mark(mark, 2, columns) for mark in ladder.loose]
    if ladder.left_out:
        lines.append(Line(f"  {ladder.left_out} of {ladder.events} events left out"))
    if unicode:
        return lines
    return [Line(line.text.translate(_ASCII).encode("ascii", "replace").decode(), line.severe) for line in lines]


def _places(lanes: Sequence[Lane], columns: int) -> list[int]:
    """The column of each lane; beside the implementation, where most is said, there is more room."""
    weights = [_WIDER if one.iut or other.iut else 1.0 for one, other in pairwise(lanes)]
    room = min(columns - _LEFT - _RIGHT, _WIDEST * len(weights))
    return [_LEFT + int(room * share / (sum(weights) or 1)) for share in accumulate(weights, initial=0.0)]


def _heads(ladder: Ladder, places: list[int], columns: int) -> str:
    canvas = _Canvas(columns)
    canvas.put(0, "  seconds")
    gap = min((right - left for left, right in pairwise(places)), default=columns - _LEFT) - 1
    for lane, place in zip(ladder.lanes, places, strict=True):
        title = _fit(lane.title, min(gap, 2 * _RIGHT))
        width = cell_len(title)
        canvas.put(max(10, min(place - width // 2, columns - width)), title)
    return canvas.text()


def _row(row: Row, places: list[int], columns: int) -> str:
    canvas = _Canvas(columns)
    stamp = f"{row.at:9.3f}"
    if row.plane in (Plane.NOTE, Plane.GAP):
        if row.plane is Plane.GAP:
            stamp, said = " " * 9, f"┄┄ {row.label} ┄┄"
        else:
            said = f"· {row.label}"
        canvas.put(0, stamp)
        canvas.put(12, _fit(said, columns - 12))
        return canvas.text()
    canvas.put(0, stamp)
    for place in places:
        canvas.put(place, "│")
    if row.severe is not None:
        canvas.put(10, "✗" if row.severe else "!")
    _arrow(canvas, row, places[row.source], places[row.target])
    return canvas.text()


def _arrow(canvas: _Canvas, row: Row, source: int, target: int) -> None:
    left, right = min(source, target), max(source, target)
    dash = "═" if row.plane is Plane.MEDIA and not row.answer else "╌" if row.answer else "─"
    canvas.put(left + 1, dash * (right - left - 1))
    if row.plane is Plane.MEDIA and not row.answer:
        canvas.put(left + 1, "◀")
        canvas.put(right - 1, "▶")
    elif row.broken:
        stop = source + (target - source) * 4 // 5
        canvas.put(min(stop, target) + 1, " " * (abs(target - stop) - 1))
        canvas.put(stop, "✗")
        left, right = min(source, stop), max(source, stop)
    else:
        canvas.put(*((right - 1, "▶") if target > source else (left + 1, "◀")))
    label = f" {_label(row, right - left - 4)} "
    room = (
        range(left + 1, right)
        if row.broken or row.plane is Plane.MEDIA
        else _shaft(left, right, rightwards=target > source)
    )
    canvas.put(room.start + max(0, len(room) - cell_len(label)) // 2, label)


def _shaft(left: int, right: int, *, rightwards: bool) -> range:
    """Columns between two lanes without the arrow's head."""
    return range(left + 1, right - 1) if rightwards else range(left + 2, right)


def _label(row: Row, room: int) -> str:
    """As much as there is room for; the status and the count are never cut away."""
    tail = (f" {row.status}" if row.status else "") + (f" ×{row.times}" if row.times > 1 else "")
    if row.aside and cell_len(row.label + tail) + 2 + cell_len(row.aside) <= room:
        return f"{row.label}{tail}  {row.aside}"
    room = max(1, room - cell_len(tail))
    fitting = (label for label in (row.label, *row.shorter) if cell_len(label) <= room)
    return next(fitting, _fit((row.label, *row.shorter)[-1], room)) + tail


def _mark(mark: Mark, indent: int, columns: int) -> Line:
    said = f"{_SIGNS[mark.verdict]} {mark.verdict} {mark.clause}" + (f": {mark.message}" if mark.message else "")
    return Line(" " * indent + _fit(said, columns - indent), mark.severe)


def _fit(text: str, room: int) -> str:
    return text if cell_len(text) <= room else set_cell_size(text, max(0, room - 1)).rstrip() + "…"


class _Canvas:
    """A line of cells; a wide character takes two."""

    def __init__(self, columns: int) -> None:
        self._cells = [" "] * columns

    def put(self, column: int, text: str) -> None:
        for character in text:
            width = cell_len(character)
            if width == 0 and 0 < column <= len(self._cells):
                self._cells[column - 1] += character
            elif 0 <= column <= len(self._cells) - width:
                self._cells[column] = character
                if width == 2:
                    self._cells[column + 1] = ""
            column += width

    def text(self) -> str:
        return "".join(self._cells).rstrip()
