"""The proof as one static page: for each clause the faults that prove its check, and every fault that was not caught.

Pure text from a finished matrix; one file without scripts, so that it can stand beside any report.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from harness.clauses import Clause
from harness.proof.matrix import TRIED, Kill, Outcome, Tally
from harness.proof.record import Matrix, by_clause

_ABOUT = {
    "faults": "Each fault makes the reference platform break one promise.",
    "mutants": "Each mutant makes one thing wrong in what a platform answers or calls back.",
}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em }
body { color: #222; background: #fff }
table { border-collapse: collapse; width: 100%; margin: 1em 0 2em }
th, td { text-align: left; vertical-align: top; padding: .35em .6em; border-bottom: 1px solid #ddd }
td.n, th.n { text-align: right } code { font-size: .9em } small { color: #666 }
.caught { color: #1a7f37 } .elsewhere { color: #9a6700 } .missed, .broke, .unproven { color: #b42318 }
@media (prefers-color-scheme: dark) {
 body { color: #ddd; background: #181818 } th, td { border-color: #444 } small { color: #aaa }
 .caught { color: #57d17b } .elsewhere { color: #e3b341 } .missed, .broke, .unproven { color: #ff7b72 }
}
"""


def to_html(matrix: Matrix) -> str:
    """The whole page."""
    return "\n".join(_page(matrix)) + "\n"


def _page(matrix: Matrix) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>Ringtrue: proof</title><style>{_STYLE}</style></head><body>'
    yield "<h1>The harness can fail</h1>"
    yield f"<p>{_ABOUT[matrix.lot]} A check that noticed can be trusted.</p>"
    yield f"<p><strong>{escape(matrix.conclusion)}</strong></p>"
    yield from (f"<p>{escape(remark)}</p>" for remark in matrix.remarks)
    yield from _summary(matrix)
    open_cases = [kill for kill in matrix.kills if kill.outcome in TRIED and kill.outcome is not Outcome.CAUGHT]
    if open_cases:
        yield "<h2>Not caught</h2><table><tr><th>Fault</th><th>Outcome</th><th>Why</th></tr>"
        yield from (_open(kill, matrix) for kill in open_cases)
        yield "</table>"
    proven = by_clause(matrix.kills)
    for system in dict.fromkeys(clause.system for clause in matrix.clauses):
        yield f'<h2 id="{escape(system)}">{escape(system)}</h2>'
        yield "<table><tr><th>Clause</th><th>What proves its check</th></tr>"
        for clause in matrix.clauses:
            if clause.system == system and not clause.untestable:
                yield _clause(clause, proven.get(clause.id, []), matrix.misses.clauses.get(clause.id, "unproven"))
        yield "</table>"
    yield "</body></html>"


def _summary(matrix: Matrix) -> Iterator[str]:
    yield (
        "<table><tr><th>System</th>"
        + "".join(
            f'<th class="n">{word}</th>'
            for word in (matrix.lot, *(one.value for one in Outcome), "caught", "right clause")
        )
        + "</tr>"
    )
    for system in dict.fromkeys(kill.fault.system for kill in matrix.kills):
        tally = Tally.of(kill for kill in matrix.kills if kill.fault.system == system)
        cells = [str(tally.faults), *(str(tally.counts.get(one, 0)) for one in Outcome)]
        cells += [f"{tally.caught_share:.1%}", f"{tally.right_share:.1%}"]
        yield f"<tr><td>{escape(system)}</td>" + "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>"
    yield "</table>"


def _open(kill: Kill, matrix: Matrix) -> str:
    why = matrix.misses.faults.get(kill.fault.id) or kill.problem or "not known yet"
    seen = f" <small>seen: {escape(', '.join(kill.others[:5]))}</small>" if kill.others else ""
    return (
        f"<tr><td><code>{escape(kill.fault.id)}</code><br>{escape(kill.fault.words)}<br><small>{escape(kill.clause.id)}"
        f'</small></td><td class="{kill.outcome}">{kill.outcome}</td><td>{escape(why)}{seen}</td></tr>'
    )


def _clause(clause: Clause, kills: list[Kill], without: str) -> str:
    faults = "<br>".join(
        f'<code class="caught">{escape(kill.fault.id)}</code> {escape(kill.fault.words)} '
        f"<small>{escape(kill.message)}</small>"
        for kill in kills
    )
    return (
        f'<tr id="{escape(clause.id)}"><td><code>{escape(clause.id)}</code><br>{escape(clause.text)}</td>'
        f"<td>{faults or f'<span class=unproven>{escape(without)}</span>'}</td></tr>"
    )
