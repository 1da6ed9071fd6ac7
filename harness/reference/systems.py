"""The systems that the platform can serve: their names, and how each is made.

The command line reads the names without loading any system; the server makes those that were asked for. A system is a
folder beside this file with one class that keeps to `System`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from harness.reference.settings import Address, Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_FACTORIES = {
    "apidaze": "harness.reference.apidaze:Apidaze",
    "callable": "harness.reference.callable:CallableSystem",
    "mediaservice": "harness.reference.mediaservice:Mediaservice",
    "vtx": "harness.reference.vtx:Vtx",
}

SYSTEM_NAMES: tuple[str, ...] = tuple(_FACTORIES)

Table = dict[str, object]


class System(Protocol):
    """One served system. Faults patch its parts between making and starting."""

    name: str

    def mounts(self) -> Mapping[str, ASGIApp]:
        """Path prefix (without a slash at the end) to the application that answers below it."""

    async def start(self, sip: Address) -> None:
        """Open its sockets. Raises OSError when an address cannot be bound."""

    async def stop(self) -> None:
        """End calls and close sockets."""

    def target(self, http: Address) -> Table:
        """Its table of a target file, given where HTTP listens."""


def make_system(name: str, settings: Settings) -> System:
    """The system of that name, not started."""
    module, _, attribute = _FACTORIES[name].partition(":")
    system: System = getattr(importlib.import_module(module), attribute)(settings)
    return system
