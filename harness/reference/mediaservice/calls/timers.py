"""Session timers (RFC 4028): what an INVITE of ours asks for, and what two sides agree on. The other side refreshes.

Used by the legs. Pure functions over headers.
"""

from __future__ import annotations

import re

from harness.reference.sip import Request, Response
from harness.reference.sip.message import HeaderList

SECONDS = 1800
_LEAST = 90
OFFER: HeaderList = (("Supported", "timer"), ("Session-Expires", f"{SECONDS};refresher=uas"))


def expires_in(message: Request | Response) -> int | None:
    """The session expiration that a message names, in seconds; None where it names none that may be."""
    found = re.match(r"\s*(\d{1,6})", message.headers.get("Session-Expires") or "")
    return int(found[1]) if found and int(found[1]) >= _LEAST else None


def agreed(invite: Request) -> tuple[int | None, HeaderList]:
    """What the answer to an INVITE agrees to, and the headers that say so; nothing where the caller has no timers."""
    seconds = expires_in(invite)
    knows = any(word.strip().lower() == "timer" for row in invite.headers.rows("Supported") for word in row.split(","))
    if seconds is None or not knows:
        return None, ()
    return seconds, (("Require", "timer"), ("Session-Expires", f"{seconds};refresher=uac"))
