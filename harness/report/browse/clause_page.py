"""One page with every clause of a run: verdicts by area, then each clause with its evidence; filtered in the page itself.

Pure text from `verdicts.json`. Without scripts it is a plain table that opens everything; it asks no server for anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from harness.yamlfile import DataError

PAGE = "clauses.html"
PROOF = "proof.json"
# Worst first: the order of the columns, and of the buttons.
VERDICTS = ("fail", "error", "warn", "waived", "inconc", "pass", "none", "untestable")
_WORDS = {
    "fail": "a documented promise was broken",
    "error": "the harness broke",
    "warn": "an inferred promise was broken",
    "waived": "a known deviation that a waiver covers",
    "inconc": "nothing could be found out",
    "pass": "seen to be kept",
    "none": "not judged: not declared, not selected, or it did not occur",
    "untestable": "no black box can tell",
}
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Beside:
    """What lies beside the page. `run`: the way from it to the run's folder; `report`: to the Allure report, if any.

    `proof`: faults caught by the checks of a clause, by clause; None where `ringtrue faults` has not been run.
    """

    run: str = "."
    report: str | None = None
    proof: Mapping[str, Sequence[str]] | None = None


def read_proof(run_dir: Path) -> dict[str, list[str]] | None:
    """What `ringtrue faults` proved, from the run's folder or the one around it; None where there is nothing.

    Raises:
        DataError: a file that is there cannot be read.
    """
    for path in (run_dir / PROOF, run_dir.resolve().parent / PROOF):
        if path.is_file():
            try:
                data = json.loads(path.read_text(encoding="utf-8"))
                data["footer"]["faults"]
                return {item["id"]: [str(fault) for fault in item["proven_by"]] for item in data["clauses"]}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}: no proof of `ringtrue faults` ({error!r}): make it again") from error
    return None


def render(run: Mapping[str, Any], beside: Beside) -> str:
    """The whole page. `run`: the content of verdicts.json."""
    return "\n".join(_page(run, beside)) + "\n"


def _page(run: Mapping[str, Any], beside: Beside) -> Iterator[str]:
    code = run["exit_code"]
    tone = {0: "pass", 1: "fail"}.get(code, "inconc")
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Ringtrue: clauses, {escape(run['conclusion'])}</title>"
    yield f"<style>\n{(_HERE / 'clause_page.css').read_text(encoding='utf-8')}</style>\n</head>\n<body>"
    yield f'<header class="{tone}"><nav><strong>Ringtrue</strong> clause matrix'
    if beside.report is not None:
        yield f'<a href="{escape(beside.report)}">Allure report</a>'
    yield f"</nav>\n<h1>{escape(_sentence(run['conclusion']))}</h1>\n<p>{_about(run)}</p>"
    yield from (f'<p class="problem">{escape(problem)}</p>' for problem in run["problems"][1:])
    yield "</header>\n<main>"
    yield from _matrix(run["clauses"])
    yield from _baseline(run.get("baseline"))
    yield from _waivers(run.get("waivers", ()))
    yield from _filters(run["clauses"])
    for (system, area), members in _areas(run["clauses"]).items():
        yield from _area(system, area, members, beside)
    yield '<p id="nothing" hidden>No clause fits. <button type="button" data-reset>Show all</button></p>'
    yield f"</main>\n<script>\n{(_HERE / 'clause_page.js').read_text(encoding='utf-8')}</script>\n</body>\n</html>"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _about(run: Mapping[str, Any]) -> str:
    coverage = run["coverage"]
    places = ", ".join(f"{system} at {url}" for system, url in run["systems"].items())
    parts = [
        f"<b>{escape(str(run['target']))}</b>",
        escape(places),
        f"{coverage['decided']} of {coverage['of']} documented clauses decided (floor {coverage['floor']:.0%})",
        f"{escape(run['started'].replace('T', ' ').rstrip('Z'))} UTC, {run['seconds']:.0f} s",
        f"exit code {run['exit_code']}",
        f"seed {run['seed']}{', strict' if run['strict'] else ''}{'' if run['complete'] else ', a part only'}",
    ]
    return " <i>·</i> ".join(parts)


def _areas(clauses: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Clauses by system and area, in the order of the catalogue; those that need a look come first in their area."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for clause in clauses:
        found.setdefault((clause["system"], clause["area"]), []).append(clause)
    rank = {name: min(place, VERDICTS.index("pass")) for place, name in enumerate(VERDICTS)}
    return {place: sorted(members, key=lambda clause: rank[clause["verdict"]]) for place, members in found.items()}


def _matrix(clauses: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Areas by verdicts; each figure is a button that filters."""
    used = [verdict for verdict in VERDICTS if any(clause["verdict"] == verdict for clause in clauses)]
    yield '<div class="scroll"><table class="matrix">\n<thead><tr><th>system</th><th>area</th><th class="bar"></th>'
    yield (
        "".join(f'<th class="n" title="{_WORDS[name]}">{name}</th>' for name in used)
        + '<th class="n">all</th></tr></thead>'
    )
    yield "<tbody>"
    last = None
    for (system, area), members in _areas(clauses).items():
        count = Counter(clause["verdict"] for clause in members)
        link = f'<a href="#{_anchor(system, area)}">{escape(area)}</a>'
        yield f"<tr><td>{escape(system) if system != last else ''}</td><td>{link}</td><td>{_bar(count)}</td>"
        yield "".join(_figure(count, name, system, area) for name in used) + f'<td class="n">{count.total()}</td></tr>'
        last = system
    count = Counter(clause["verdict"] for clause in clauses)
    yield f"</tbody>\n<tfoot><tr><td></td><td>all</td><td>{_bar(count)}</td>"
    yield "".join(_figure(count, name, "", "") for name in used)
    yield f'<td class="n">{count.total()}</td></tr></tfoot></table></div>'


def _figure(count: Mapping[str, int], verdict: str, system: str, area: str) -> str:
    if not count[verdict]:
        return '<td class="n">·</td>'
    where = f' data-system="{escape(system)}" data-area="{escape(area)}"' if system else ""
    button = f'<button type="button" class="{verdict}" data-only="{verdict}"{where}>{count[verdict]}</button>'
    return f'<td class="n">{button}</td>'


def _bar(count: Counter[str]) -> str:
    parts = "".join(
        f'<span class="{name}" style="flex:{count[name]}" title="{count[name]} {name}"></span>'
        for name in VERDICTS
        if count[name]
    )
    return f'<div class="stack">{parts}</div>'


_CHANGES = {"new": "new deviations", "fixed": "fixed", "changed": "changed otherwise"}


def _baseline(baseline: Mapping[str, Any] | None) -> Iterator[str]:
    """What differs from the run with which this one was compared."""
    if baseline is None:
        return
    counts = ", ".join(f"{len(baseline[name])} {name}" for name in _CHANGES)
    since = f"{baseline['started'].replace('T', ' ').rstrip('Z')} UTC ({baseline['target']})"
    yield f'<details class="box" open><summary>Since {escape(since)}: {counts}</summary>'
    yield from (f'<p class="reason">{escape(remark)}</p>' for remark in baseline["remarks"])
    for name, words in _CHANGES.items():
        if baseline[name]:
            yield f"<h3>{words}</h3><ul>"
            for one in baseline[name]:
                tags = " → ".join(
                    f'<b class="tag {escape(one[side])}">{escape(one[side])}</b>' for side in ("before", "after")
                )
                yield f"<li>{tags} {_clause_link(one['clause'])} {escape(one.get('says', ''))}</li>"
            yield "</ul>"
    yield "</details>"


def _waivers(waivers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if waivers:
        yield '<details class="box"><summary>Waivers</summary><ul>'
        for one in waivers:
            red = "fail" if one["state"] in ("expired", "passing", "unmatched") else "waived"
            text = f"{one['reason']} ({one['owner']}, until {one['until']}): {one['says']}"
            yield f'<li><b class="tag {red}">{escape(one["state"])}</b> {_clause_link(one["clause"])} {escape(text)}</li>'
        yield "</ul></details>"


def _filters(clauses: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    count = Counter(clause["verdict"] for clause in clauses)
    yield '<form class="filters"><input type="search" name="words" placeholder="clause, words, document section" size="34">'
    yield '<span class="chips">'
    for name in VERDICTS:
        if count[name]:
            yield f'<label class="{name}" title="{_WORDS[name]}"><input type="checkbox" name="verdict" value="{name}">'
            yield f"{name} {count[name]}</label>"
    yield "</span>"
    for name in ("system", "level", "surface"):
        values = sorted({clause[name] for clause in clauses})
        if len(values) > 1:
            options = "".join(f"<option>{escape(value)}</option>" for value in values)
            yield f'<select name="{name}"><option value="">every {name}</option>{options}</select>'
    yield '<button type="button" data-reset>Show all</button><output></output></form>'


def _area(system: str, area: str, clauses: Iterable[Mapping[str, Any]], beside: Beside) -> Iterator[str]:
    yield f'<section id="{_anchor(system, area)}"><h2>{escape(area)} <small>{escape(system)}</small></h2>'
    yield '<table class="clauses"><tbody>'
    for clause in clauses:
        yield from _clause(clause, beside)
    yield "</tbody></table></section>"


def _clause(clause: Mapping[str, Any], beside: Beside) -> Iterator[str]:
    verdict, name = clause["verdict"], escape(clause["id"])
    marks = f'data-verdict="{verdict}" data-system="{escape(clause["system"])}" data-area="{escape(clause["area"])}"'
    marks += f' data-level="{clause["level"]}" data-surface="{clause["surface"]}"'
    yield f'<tr id="{name}" {marks}><td><b class="tag {verdict}" title="{_WORDS[verdict]}">{verdict}</b></td>'
    yield f'<td><a class="id" href="#{name}">{name}</a> <span>{escape(clause["text"])}</span>'
    yield from _evidence(clause, beside)
    section = escape(clause["source"])
    yield f'</td><td class="meta"><a href="#" data-words="{section}" title="every clause of this section">{section}</a>'
    yield f"<br>{clause['level']}, {clause['surface']}{_proof(clause['id'], beside)}</td></tr>"


def _proof(clause: str, beside: Beside) -> str:
    """Whether a fault of the reference platform has turned the clause red."""
    if beside.proof is None or clause not in beside.proof:
        return ""
    faults = beside.proof[clause]
    if not faults:
        return '<br><span class="unproven" title="no fault has turned it red">unproven</span>'
    return f'<br><span class="proven" title="turned red by: {escape(", ".join(faults))}">proven by {len(faults)}</span>'


def _evidence(clause: Mapping[str, Any], beside: Beside) -> Iterator[str]:
    if clause["reason"]:
        yield f'<p class="reason">{escape(clause["reason"])}</p>'
    bad = [finding for finding in clause["findings"] if finding["verdict"] != "pass"]
    for finding in bad:
        yield from _finding(finding, beside)
    flickers = {finding.get("source") for finding in bad if finding.get("reason") == "flaky"}
    clean = [one for one in clause["findings"] if one["verdict"] == "pass" and one.get("source") in flickers]
    if clean:
        told = " · ".join(_timeline(one, beside, "timeline") for one in clean)
        yield f'<p class="reason">clean runs of the same test: {told}</p>'
    if clause["passes"] and not bad:
        first = clause["findings"][0]
        more = f" and {clause['passes'] - 1} more" if clause["passes"] > 1 else ""
        yield f'<p class="reason">{_timeline(first, beside, first.get("subject") or "seen")}{more}</p>'


def _finding(finding: Mapping[str, Any], beside: Beside) -> Iterator[str]:
    subject = f"<i>{escape(finding['subject'])}:</i> " if finding.get("subject") else ""
    waived = ' <b class="tag waived">waived</b>' if finding.get("waived") else ""
    yield f'<div class="finding">{subject}{escape(finding.get("message", ""))}{waived}'
    if finding.get("expected") or finding.get("seen"):
        yield f"<dl><dt>expected</dt><dd>{escape(finding.get('expected') or 'nothing')}</dd>"
        yield f"<dt>seen</dt><dd>{escape(finding.get('seen') or 'nothing')}</dd></dl>"
    if finding.get("reproduce"):
        yield f"<pre>{escape(finding['reproduce'])}</pre>"
    told = [_timeline(finding, beside, "timeline")] if finding.get("timeline") else []
    told += [f"fingerprint <code>{escape(finding['fingerprint'])}</code>"] if finding.get("fingerprint") else []
    yield f'<p class="reason">{" · ".join(told)}</p></div>'


def _timeline(finding: Mapping[str, Any], beside: Beside, words: str) -> str:
    """Words that lead to the record on which a finding rests."""
    if not finding.get("timeline"):
        return escape(words)
    return f'<a href="{escape(beside.run)}/{escape(finding["timeline"])}">{escape(words)}</a>'


def _clause_link(clause: str) -> str:
    return f'<a class="id" href="#{escape(clause)}">{escape(clause)}</a>'


def _anchor(system: str, area: str) -> str:
    return escape(f"{system}:{area}".replace(" ", "-"))
