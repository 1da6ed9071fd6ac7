"""Measures how late this machine lets a process act: what observers of the same moment may disagree by under load.

SIPp's trace, the recorder and the tests are processes of their own. Each gives a moment the time at which it was its turn,
so that on a crowded machine the true order of what two of them saw is known less exactly. A call flow that is judged with
that in mind raises no false alarm where a neighbour's build keeps both cores busy.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from functools import cache

from harness.sequences import ORDER_SLACK

_NAP = 0.02
# Each of two observers may have had to wait.
_OBSERVERS = 2
_KEPT = 4096


def lag_meter() -> LagMeter:
    """The meter of this process, which runs from now on to its end."""
    return _meter_of(os.getpid())


@cache
def _meter_of(process: int) -> LagMeter:
    del process  # a forked child needs one of its own
    return LagMeter()


class LagMeter:
    """Naps all the time and notes how much longer than asked for each nap took. Clock: `time.monotonic`."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        threading.Thread(target=self._measure, name="ringtrue-lag", daemon=True).start()

    def slack(self, since: float) -> float:
        """Seconds by which observers may disagree about what happened since then; never less than `ORDER_SLACK`."""
        late = (lag for at, lag in tuple(self._late) if at >= since)
        return ORDER_SLACK + _OBSERVERS * max(late, default=0.0)

    def _measure(self) -> None:
        began = time.monotonic()
        while True:
            time.sleep(_NAP)
            now = time.monotonic()
            lag = now - began - _NAP
            if lag > _NAP:  # less is every machine's daily business, which ORDER_SLACK has room for
                self._late.append((now, lag))
            began = now
