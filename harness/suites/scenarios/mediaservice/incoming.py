"""Steps on calls that arrive at the IVR: what newCall reports of them, and what its answer does.

What the call flow `incoming-call` judges is judged from the timeline: the steps here wait for what it looks at.
"""

from __future__ import annotations

from harness.suites.scenarios.mediaservice.world import World
from harness.suites.scenarios.vocabulary import decides


@decides("newCall announces the call")
def announced(ms: World, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    ms.wait("newCall")


@decides("the caller is refused")
def refused(ms: World, clause: str) -> None:
    """Judged by the call flow."""
    del clause
    ms.call.phone.wait_final()


@decides("the session is completed")
def completed(ms: World, clause: str) -> None:
    """Judged by the call flow, when the call is over."""
    del clause
    ms.finish()
