"""Null targets: something that takes what is sent, and does nothing of what was promised. No clause may pass against one.

`http` has those that stand where the API should be; with `sip` the API works and telephony does not. `command` runs all.
"""

from __future__ import annotations

from harness.proof.null.http import HTTP_KINDS
from harness.proof.null.sip import SIP_KINDS

__all__ = ["HTTP_KINDS", "KINDS", "SIP_KINDS"]

KINDS: tuple[str, ...] = (*HTTP_KINDS, *SIP_KINDS)
