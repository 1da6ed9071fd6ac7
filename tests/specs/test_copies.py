"""No sentence of the public documents stands in the project: no run of ten words that is more than a list of short names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.specs.reading.documents import DOCUMENTS, REPOSITORY, read_document

_RUN = 10
_LETTERS = 38
_NOT_TEXT = {".lock", ".svg", ".png", ".pcap", ".wav"}


def runs(text: str) -> list[tuple[str, ...]]:
    """Every run of ten words; case and punctuation aside."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return [tuple(words[index : index + _RUN]) for index in range(len(words) - _RUN + 1)]


def copied(text: str, known: set[tuple[str, ...]]) -> list[str]:
    """The runs of a text that are known and long enough to be somebody's sentence."""
    return [" ".join(run) for run in runs(text) if run in known and sum(map(len, run)) > _LETTERS]


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout: which files are the project's is not known")
    return [REPOSITORY / name for name in listing.stdout.split("\0") if name]


def test_no_sentence_of_a_document_stands_in_the_project() -> None:
    known = {run for name in DOCUMENTS for run in runs(read_document(name))}
    files = [path for path in tracked_files() if path.suffix not in _NOT_TEXT and path.is_file()]
    found: list[str] = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(REPOSITORY)}: {run}" for run in copied(text, known)]
    print(f"{len(files)} files compared with {len(known)} runs of {_RUN} words")
    assert not found, "\n".join(found)
    assert files


def test_a_copied_sentence_is_found_whatever_its_case_and_line_breaks() -> None:
    sentence = "Whenever somebody telephones the platform immediately notifies every registered application about it."
    known = set(runs(sentence))
    assert copied(f"# {sentence.upper()}".replace(" every ", "\n# every "), known)
    assert not copied(sentence.replace("immediately", "quickly"), known)
