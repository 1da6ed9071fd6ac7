"""A reference platform that does something wrong at certain times only; takes the options of `ringtrue platform`.

python -m tests.e2e.glitch 2 --system vtx …      the version of the server lacks a member the second time that it is told
python -m tests.e2e.glitch 2,4 --system vtx …    the second and the fourth time
"""

from __future__ import annotations

import sys
from typing import Any

from harness.reference import main
from harness.reference.faults import FAULTS, Fault
from harness.reference.faults.fault import wrap

_FAULT = "vtx-glitch"


def _at(times: set[int], vtx: Any) -> None:
    answered = 0

    def members(true: Any) -> Any:
        nonlocal answered
        answered += 1
        shown = true()
        return {name: value for name, value in shown.items() if name != "buildDate" or answered not in times}

    wrap(vtx.api, "server_members", members)


if __name__ == "__main__":
    wrong = {int(number) for number in sys.argv[1].split(",")}
    FAULTS[_FAULT] = Fault(_FAULT, "vtx", "VX-Server.buildDate", "for tests", lambda vtx: _at(wrong, vtx))
    sys.exit(main([*sys.argv[2:], "--fault", _FAULT]))
