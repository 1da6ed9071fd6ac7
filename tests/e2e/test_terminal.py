"""What a person sees on a terminal: live progress with the time left, colours where wanted, nothing live elsewhere."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

from tests.e2e.command import RINGTRUE, ringtrue

_RUN = ("run", "--system", "apidaze", "--workers", "1", "-k", "valid_request and (Accounts or Scripts or Account)")
# Bold and dim are no colours.
_COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3|4|9|10)\d(?:;\d+)*m")


def _on_a_terminal(folder: Path, **environment: str) -> str:
    """All that a run shows on a terminal of 120 columns."""
    ours, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    process = subprocess.Popen(
        [str(RINGTRUE), *_RUN], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**variables, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )  # fmt: skip
    os.close(theirs)
    shown, until = b"", time.monotonic() + 120
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the command has ended and closed its side
                break
        elif process.poll() is not None:
            break
    os.close(ours)
    assert process.wait(10) == 0, shown
    return shown.decode("utf-8", "replace")


def test_a_terminal_shows_live_progress_and_colours(tmp_path: Path) -> None:
    shown = _on_a_terminal(tmp_path)
    assert re.search(r"\r\d+/\d+ tests, \d+ s, about \d+ s left: \d+ passed", shown), shown
    assert _COLOUR.search(shown), shown
    assert "conforms: " in shown


def test_no_color_is_honoured(tmp_path: Path) -> None:
    shown = _on_a_terminal(tmp_path, NO_COLOR="1")
    assert not _COLOUR.search(shown), repr(shown)
    assert "conforms: " in shown


def test_elsewhere_progress_is_a_few_plain_lines_and_quiet_is_quiet(tmp_path: Path) -> None:
    plain = ringtrue(*_RUN, folder=tmp_path)
    assert plain.code == 0, plain
    assert "\x1b" not in plain.out + plain.err
    assert "\r" not in plain.out + plain.err
    lines = plain.err.strip().splitlines()
    assert 1 <= len(lines) <= 6, plain
    assert all(re.match(r"\d+/\d+ tests, \d+ s", line) for line in lines), plain
    quiet = ringtrue(*_RUN, "-q", folder=tmp_path)
    assert quiet.err == "", quiet
    assert "conforms: " in quiet.out
