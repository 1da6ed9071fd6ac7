"""Makes `summary.md`, the result of a run for a CI job page (GitHub, GitLab and Gitea show it).

What a target sent is shown as text, whatever it holds: no markup, link, picture or mention comes of it. The page is bounded
in size, since GitHub refuses one of more than a mebibyte altogether.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.report.matrix import columns, deviations, look_at, matrix_rows, waiver_lines, word
from harness.verdicts import ClauseVerdict, RunVerdict, Verdict

if TYPE_CHECKING:
    from harness.gate.compare import Comparison
    from harness.report.results import RunRecord

MOST_BYTES = 900_000
_MOST_LINES = 200
_LONGEST = 300
_MARKUP = re.compile(r"([\\`*_\[\]#+!|~<>&]|(?<=:)//|(?<=www)\.)", re.IGNORECASE)
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff]+"
)


def to_markdown(record: RunRecord) -> str:
    """The content of `summary.md`."""
    run = record.verdict
    sign = {0: "✅", 1: "❌"}.get(int(run.exit_code), "⚠️")
    lines = [f"## {sign} Ringtrue: {plain(run.conclusion)}", ""]
    lines += [f"Target: {plain(record.target)}, {record.seconds:.1f} s, exit code {int(run.exit_code)}", ""]
    rows = matrix_rows(run)
    names = columns(rows)
    lines += [f"| {' | '.join(names)} |", "|---|---|" + "--:|" * (len(names) - 2)]
    lines += ["| " + " | ".join(row.cells[name].replace("·", "") for name in names) + " |" for row in rows]
    for title, body in (
        ("What stands in the way", [f"- {plain(problem)}" for problem in run.problems]),
        ("Waivers", [f"- {plain(line.removeprefix('WAIVER '))}" for line in waiver_lines(run)]),
        ("Compared with the baseline", list(_compared(record.comparison)) if record.comparison else []),
        ("What deviates", list(_deviating(run))),
    ):
        lines += ["", f"### {title}", "", *_few(body)] if body else []
    return _bounded(lines)


def _compared(comparison: Comparison) -> Iterator[str]:
    yield f"- {plain(comparison.headline)}"
    yield from (f"- {plain(remark)}" for remark in comparison.remarks)
    for name in ("new", "fixed", "changed"):
        for change in getattr(comparison, name):
            says = f": {plain(change.says)}" if change.says else ""
            yield f"- **{name}** {code(change.clause)} {change.before} → {change.after}{says}"


def _deviating(run: RunVerdict) -> Iterator[str]:
    for item in deviations(run):
        finding = look_at(item)
        yield f"- **{word(item)}** {code(item.clause.id)} {plain(item.clause.text)} ({plain(item.clause.source)})"
        if finding is None:
            yield f"  - {plain(item.reason)}"
        else:
            yield f"  - {plain(finding.message)}: expected {code(finding.expected)}, seen {code(finding.seen)}"
        yield from _others(item)


def _others(item: ClauseVerdict) -> Iterator[str]:
    more = len({one.fingerprint for one in item.findings if one.verdict is Verdict.FAIL}) - 1
    if more > 0:
        yield f"  - and in {more} other way{'s' * (more != 1)}"


def plain(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    shown = _MARKUP.sub(lambda found: "".join(f"\\{sign}" for sign in found[0]), _one_line(text))
    return shown.replace("@", "@\u200b")  # a mention is made after the markup is gone, so a backslash does not stop it


def code(text: str) -> str:
    """Text in a code span, in one line; a table in which it stands is not broken by it."""
    shown = _one_line(text).replace("`", "'").replace("|", "\u2223")
    return f"`{shown}`" if shown else "nothing"


def _one_line(text: str) -> str:
    shown = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"


def _few(lines: list[str]) -> list[str]:
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"- … and {left} more lines in verdicts.json"] if left > 0 else lines


def _bounded(lines: list[str]) -> str:
    size, kept = 0, []
    for line in lines:
        size += len(line.encode("utf-8", "backslashreplace")) + 1
        if size > MOST_BYTES:
            kept += ["", "… and more in verdicts.json"]
            break
        kept.append(line)
    return "\n".join(kept) + "\n"
