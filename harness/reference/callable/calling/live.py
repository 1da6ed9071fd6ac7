"""A call while it lives: who calls whom for which account, with which tags, and the party that hears the verbs.

Shared by the modules that run calls and tell hooks. Values and one leg; it does nothing by itself.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from harness.reference.callable.calling.legs import Leg
from harness.reference.callable.fields import Json
from harness.reference.callable.store import Record


@dataclass
class LiveCall:
    """`direction` is outbound for created voice calls, else inbound. `hook` is the flow hook that steers it, if one does.

    `failure` is the SIP status with which a caller who was never answered is refused in the end.
    """

    account: str
    caller: str
    called: str
    direction: str
    tags: Json = field(default_factory=dict)
    hook: Record | None = None
    digits: str = ""
    failure: int = 480
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    party: Leg | None = None

    @property
    def leg(self) -> Leg:
        """The party that hears the verbs; there is one as long as verbs run."""
        assert self.party is not None
        return self.party
