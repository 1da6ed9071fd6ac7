"""Writes the timelines of this folder: honest calls, and the same calls with one thing changed.

Run `python -m tests.checks.data.make` after a change; the tests read the files and never call this. What is expected of a
file stands in its header, so that a timeline is a case by itself.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

from tests.checks.data.api import broken_api, honest_api
from tests.checks.data.broken import broken
from tests.checks.data.honest import honest
from tests.checks.data.scenes import BEGIN, Scene

FOLDER = Path(__file__).parent


def write(folder: str, name: str, scene: Scene, **expected: list[str]) -> None:
    lines = sorted(scene.lines, key=lambda line: line["at"])
    header = {"kind": "header", "version": 1, "scenario": name, "at": BEGIN, "system": scene.system, **expected}
    events = [{**line, "seq": number, "at": round(line["at"], 6)} for number, line in enumerate(lines)]
    records = [header, *events, {"kind": "footer", "events": len(events)}]
    path = FOLDER / folder / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


if __name__ == "__main__":
    for old in FOLDER.glob("*/*.jsonl"):
        old.unlink()
    for name, scene, passes in chain(honest(), honest_api()):
        write("honest", name, scene, passes=passes)
    for name, scene, fails, undecided in chain(broken(), broken_api()):
        write("broken", name, scene, fails=fails, undecided=undecided)
