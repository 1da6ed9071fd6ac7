"""Steps of the Mediaservice features; `harness.suites.plugin` registers the modules named here."""

from __future__ import annotations

STEPS = ("prompts", "access")
