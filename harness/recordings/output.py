"""The files of a judged recording that a run makes in other ways: JUnit by clause, and a ladder for each call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from harness.recordings.calls import Part
from harness.redact import Redactor
from harness.report.ladder import make_ladder
from harness.report.ladder_svg import render_svg
from harness.verdicts import ClauseVerdict, Finding, RunVerdict, Verdict

LADDERS = "ladders"
MOST_LADDERS = 50
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(run: RunVerdict, path: Path, title: str) -> None:
    """One test case for each clause that the recording says anything about."""
    judged = [item for item in run.clauses if item.verdict not in (Verdict.NONE, Verdict.UNTESTABLE)]
    counts = {
        "tests": len(judged),
        "failures": run.count(Verdict.FAIL),
        "errors": run.count(Verdict.ERROR),
        "skipped": run.count(Verdict.INCONC),
    }
    whole = ElementTree.Element("testsuites")
    attributes = {"name": _xml(title), **{name: str(count) for name, count in counts.items()}}
    suite = ElementTree.SubElement(whole, "testsuite", attributes)
    for item in judged:
        names = {"classname": f"{item.clause.system}.{item.clause.area}", "name": item.clause.id}
        _say(ElementTree.SubElement(suite, "testcase", names), item)
    ElementTree.indent(whole)
    ElementTree.ElementTree(whole).write(path, encoding="utf-8", xml_declaration=True)


def _say(case: ElementTree.Element, item: ClauseVerdict) -> None:
    tag = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.INCONC: "skipped"}.get(item.verdict)
    tag = "system-out" if item.verdict is Verdict.WARN else tag
    finding = next((each for each in item.findings if each.verdict is not Verdict.PASS), None)
    if tag is None or finding is None:
        return
    message = _xml(f"{finding.message}: expected {finding.expected or 'nothing'}; seen {finding.seen or 'nothing'}")
    where = _xml(f"{item.clause.text} [{item.clause.source}]\n{finding.source}, events {list(finding.at)}")
    if tag == "system-out":
        ElementTree.SubElement(case, tag).text = f"warn: {message}\n{where}"
    else:
        ElementTree.SubElement(case, tag, {"message": message}).text = where


def _xml(text: str) -> str:
    return _NO_XML.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def write_ladders(
    folder: Path, system: str, parts: Sequence[Part], findings: Iterable[Finding], run: RunVerdict, redactor: Redactor
) -> None:
    """A picture for each call, those that deviate first, at most `MOST_LADDERS`; `ladders/<number>-<title>.svg`."""
    inferred = set() if run.scope.strict else {item.clause.id for item in run.clauses if not item.clause.documented}
    place = {event.seq: number for number, part in enumerate(parts) for event in part.events}
    by_part: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.verdict is not Verdict.PASS and finding.timeline.endswith("recording.jsonl"):
            for number in {place[seq] for seq in finding.at if seq in place}:
                by_part.setdefault(number, []).append(finding)

    def deviates(number: int) -> bool:
        return any(finding.verdict is Verdict.FAIL for finding in by_part.get(number, ()))

    order = sorted(range(len(parts)), key=lambda number: (not deviates(number), parts[number].outside, number))
    (folder / LADDERS).mkdir(exist_ok=True)
    for number in order[:MOST_LADDERS]:
        part = parts[number]
        ladder = make_ladder(
            part.events, by_part.get(number, ()), title=part.title, redactor=redactor, inferred=inferred
        )  # fmt: skip
        slug = re.sub(r"[^A-Za-z0-9._-]+", "-", redactor.text(part.title)).strip("-")[:60]
        (folder / LADDERS / f"{number + 1:03}-{slug or system}.svg").write_text(
            render_svg(ladder), encoding="utf-8", errors="backslashreplace"
        )
