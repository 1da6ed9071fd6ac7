"""Waiting that ends with a call; scripts and verbs of the systems on top use it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol


class Ending(Protocol):
    """Something that ends, such as a call or one leg of it."""

    async def ended(self) -> object:
        """Returns when it is over."""


async def until_over(party: Ending, work: Awaitable[None]) -> None:
    """Wait for the work, but no longer than for the end of the party. Raises what the work raises."""
    working = asyncio.ensure_future(work)
    ending = asyncio.ensure_future(party.ended())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
        working.cancel()
        outcome = (await asyncio.gather(working, return_exceptions=True))[0]
    if isinstance(outcome, Exception):
        raise outcome
